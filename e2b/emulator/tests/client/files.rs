//! Files: exact, whoever's, watched.

use crate::room::{room, soon};
use bytes::Bytes;
use e2b_client::{Command, EntryKind, Error, FileChange, FileChangeKind, Missing};
use futures_util::StreamExt;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

#[tokio::test]
async fn bytes_arrive_exactly_whatever_they_are_and_however_the_file_is_called() {
    let room = room().await;
    let files = room.sandbox().await.files();
    let every: Vec<u8> = (0..=255).collect();
    let large: Vec<u8> = (0..10_u32 << 20)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    for (name, bytes) in [
        ("empty", vec![]),
        ("a/b/c/nested.txt", b"nested".to_vec()),
        ("name with spaces & (brackets) [x].bin", every),
        ("ünïcödé/日本語.txt", "日本語".as_bytes().to_vec()),
        ("quote\"d 100%.txt", b"quoted".to_vec()),
        ("large.bin", large),
        ("page.bin", vec![7; 8192]),
    ] {
        let written = files.write(name, bytes.clone()).await.unwrap();
        assert_eq!(written.path, format!("/home/user/{name}"));
        assert!(files.read(name).await.unwrap() == bytes, "{name} differs");
        let (length, mut stream) = files.read_stream(name).await.unwrap();
        let mut streamed = Vec::new();
        while let Some(piece) = stream.next().await {
            streamed.extend_from_slice(&piece.unwrap());
        }
        assert!(streamed == bytes, "{name} differs as a stream");
        assert_eq!(length, Some(bytes.len() as u64), "{name}");
    }
    files.write("large.bin", "short").await.unwrap();
    assert_eq!(files.read("large.bin").await.unwrap(), "short");
}

#[tokio::test]
async fn many_files_go_in_one_request() {
    let room = room().await;
    let files = room.sandbox().await.files();
    let many: Vec<(String, Bytes)> = (0..60)
        .map(|n| {
            (
                format!("src/f {n}.ts"),
                Bytes::from(format!("export const n = {n}")),
            )
        })
        .collect();
    // A second request would be cut.
    room.emulator.set_faults(vec![e2b_emulator::fault::Fault {
        method: Some("POST".into()),
        path: "/files".into(),
        skip: 1,
        times: 100,
        then: e2b_emulator::fault::Action::Answer {
            status: 418,
            body: String::new(),
            retry_after: None,
        },
    }]);
    let written = files.write_many(many).await.unwrap();
    assert_eq!(written.len(), 60);
    assert_eq!(written[59].path, "/home/user/src/f 59.ts");
    assert_eq!(files.list("src", 1).await.unwrap().len(), 60);
    assert_eq!(
        files.read("src/f 42.ts").await.unwrap(),
        "export const n = 42"
    );
}

#[tokio::test]
async fn what_cannot_be_read_or_written_says_why() {
    let room = room().await;
    let files = room.sandbox().await.files();
    files.make_dir("folder").await.unwrap();
    let missing = files.read("none").await;
    assert!(
        matches!(
            missing,
            Err(Error::NotFound {
                what: Missing::File,
                ..
            })
        ),
        "{missing:?}"
    );
    for wrong in [
        files.read("folder").await.map(drop),
        files.write("folder", "x").await.map(drop),
    ] {
        assert!(matches!(wrong, Err(Error::InvalidArgument(_))), "{wrong:?}");
    }
    let nobody = files.clone().as_user("no-such-user");
    assert!(matches!(
        nobody.read("x").await,
        Err(Error::Authentication(_))
    ));
    assert!(matches!(
        nobody.list(".", 1).await,
        Err(Error::Authentication(_))
    ));
}

#[tokio::test]
async fn a_file_belongs_to_whoever_wrote_it() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    let root = sandbox.files().as_user("root");
    sandbox.files().write("mine.txt", "1").await.unwrap();
    root.write("theirs.txt", "2").await.unwrap();
    let mine = sandbox.files().stat("/home/user/mine.txt").await.unwrap();
    let theirs = root.stat("theirs.txt").await.unwrap();
    assert_eq!((mine.owner.as_str(), mine.group.as_str()), ("user", "user"));
    assert_eq!(theirs.path, "/root/theirs.txt");
    assert_eq!(theirs.owner, "root");
    let mut command = Command::shell("whoami; cat /root/theirs.txt");
    command.user = Some("root".into());
    let output = sandbox.processes().run(command).await.unwrap();
    assert_eq!(output.stdout, "root\n2");
}

#[tokio::test]
async fn folders_are_listed_to_a_depth() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    let files = sandbox.files();
    for name in ["d/a", "d/b/c", "d/b/e/f"] {
        files.write(name, "x").await.unwrap();
    }
    let names = async |depth| {
        let listed = files.list("d", depth).await.unwrap();
        listed.into_iter().map(|e| e.path).collect::<Vec<_>>()
    };
    let home = "/home/user/d";
    assert_eq!(names(1).await, [format!("{home}/a"), format!("{home}/b")]);
    assert_eq!(names(3).await.len(), 5);
    let missing = files.list("none", 1).await;
    assert!(
        matches!(missing, Err(Error::NotFound { .. })),
        "{missing:?}"
    );
    let wrong = files.list("d/a", 1).await;
    assert!(matches!(wrong, Err(Error::InvalidArgument(_))), "{wrong:?}");
}

#[tokio::test]
async fn files_folders_and_links_are_told_apart() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    let files = sandbox.files();
    files.write("f", "12345").await.unwrap();
    sandbox
        .processes()
        .run(Command::shell(
            "chmod 640 f; ln -s f to-file; mkdir d; ln -s d to-dir; ln -s none to-none",
        ))
        .await
        .unwrap();
    let file = files.stat("f").await.unwrap();
    assert_eq!(
        (file.kind, file.size, file.mode, file.permissions.as_str()),
        (EntryKind::File, 5, 0o640, "-rw-r-----")
    );
    assert!(file.modified_time.is_some());
    let folder = files.stat("d").await.unwrap();
    assert_eq!(
        (folder.kind, &folder.permissions[..1]),
        (EntryKind::Directory, "d")
    );
    let link = files.stat("to-file").await.unwrap();
    assert_eq!(
        (link.kind, link.symlink_target.as_deref()),
        (EntryKind::File, Some("/home/user/f"))
    );
    assert_eq!(
        files.stat("to-dir").await.unwrap().kind,
        EntryKind::Directory
    );
    assert_eq!(files.stat("to-none").await.unwrap().kind, EntryKind::Other);
    assert!(!files.exists("none").await.unwrap());
}

#[tokio::test]
async fn folders_are_made_and_things_moved_and_removed() {
    let room = room().await;
    let files = room.sandbox().await.files();
    assert!(files.make_dir("x/y/z").await.unwrap());
    assert!(!files.make_dir("x/y/z").await.unwrap());
    files.write("x/f", "1").await.unwrap();
    let wrong = files.make_dir("x/f").await;
    assert!(matches!(wrong, Err(Error::InvalidArgument(_))), "{wrong:?}");
    let moved = files.rename("x/f", "new/place/g").await.unwrap();
    assert_eq!(moved.path, "/home/user/new/place/g");
    let missing = files.rename("x/f", "y").await;
    assert!(
        matches!(missing, Err(Error::NotFound { .. })),
        "{missing:?}"
    );
    files.remove("x").await.unwrap();
    assert!(!files.exists("x").await.unwrap());
    files.remove("x").await.unwrap();
}

#[tokio::test]
async fn changes_of_a_folder_are_seen() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    let files = sandbox.files();
    files.make_dir("w/deep").await.unwrap();
    let mut watch = files.watch("w", true).await.unwrap();
    let seen: Arc<Mutex<Vec<FileChange>>> = Arc::default();
    let sink = seen.clone();
    let watching = tokio::spawn(async move {
        while let Some(Ok(change)) = watch.next().await {
            sink.lock().unwrap().push(change);
        }
    });
    files.write("w/deep/a", "1").await.unwrap();
    files.rename("w/deep/a", "w/b").await.unwrap();
    files.remove("w/b").await.unwrap();
    for (name, kind) in [
        ("deep/a", FileChangeKind::Created),
        ("deep/a", FileChangeKind::Written),
        ("deep/a", FileChangeKind::Renamed),
        ("b", FileChangeKind::Created),
        ("b", FileChangeKind::Removed),
    ] {
        let expected = FileChange {
            name: name.into(),
            kind,
        };
        soon(&format!("{expected:?} was not seen"), async || {
            seen.lock().unwrap().contains(&expected)
        })
        .await;
    }
    watching.abort();
    let mut flat = files.watch("w", false).await.unwrap();
    files.write("w/deep/c", "1").await.unwrap();
    files.write("w/d", "1").await.unwrap();
    let first = tokio::time::timeout(Duration::from_secs(5), flat.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(first.name, "d");
    let missing = files.watch("none", false).await;
    assert!(
        matches!(missing, Err(Error::NotFound { .. })),
        "{missing:?}"
    );
    let wrong = files.watch("w/d", false).await;
    assert!(matches!(wrong, Err(Error::InvalidArgument(_))), "{wrong:?}");
}
