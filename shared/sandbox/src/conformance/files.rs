//! Files: exact, whole, and nothing but files.

use super::{Bench, file, fresh, path, shell};
use futures_util::StreamExt;
use koda_domain::sandbox::SandboxError;
use std::time::Duration;

/// `/app` holds the template.
pub async fn a_new_sandbox_holds_the_template(bench: Bench) {
    let id = fresh(&bench).await;
    let listed = bench.provider.list(&id, None).await.expect("a list");
    let paths: Vec<_> = listed.iter().map(|l| l.path.as_str()).collect();
    assert!(
        paths.contains(&"koda.json") && paths.contains(&"src/Composition.tsx"),
        "{paths:?}"
    );
    assert!(
        !paths.iter().any(|p| p.starts_with("node_modules")),
        "{paths:?}"
    );
    let mut sorted = paths.clone();
    sorted.sort_unstable();
    assert_eq!(paths, sorted);
    let folder = bench
        .elsewhere
        .list(&id, Some(&path("src")))
        .await
        .expect("a list");
    assert!(
        !folder.is_empty() && folder.iter().all(|l| l.path.starts_with("src/")),
        "{folder:?}"
    );
    let missing = bench.provider.list(&id, Some(&path("src/none"))).await;
    assert!(
        matches!(missing, Err(SandboxError::NotFound(_))),
        "{missing:?}"
    );
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// Bytes arrive exactly, whatever they are and however the file is called.
pub async fn bytes_arrive_exactly(bench: Bench) {
    let id = fresh(&bench).await;
    let every: Vec<u8> = (0..=255).collect();
    let large: Vec<u8> = (0..5 << 20)
        .map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24).to_le_bytes()[0])
        .collect();
    let files = [
        ("public/empty.bin", vec![]),
        ("public/sixteen.svg", b"<svg>16 bytes</>".to_vec()),
        ("public/my photo (1) [x].png", every),
        ("public/page.bin", vec![7; 8192]),
        ("public/deep/er/and/deeper/large.bin", large),
    ];
    let writes = files
        .iter()
        .map(|(name, bytes)| file(name, bytes.clone()))
        .collect();
    bench.provider.write(&id, writes).await.expect("written");
    for (name, bytes) in files {
        let read = bench
            .elsewhere
            .read(&id, &path(name), 8 << 20)
            .await
            .expect("read");
        assert!(read == bytes, "{name} differs");
        let mut stream = bench
            .provider
            .read_stream(&id, &path(name))
            .await
            .expect("a stream");
        let mut streamed = Vec::new();
        while let Some(piece) = stream.next().await {
            streamed.extend_from_slice(&piece.expect("a piece"));
        }
        assert!(streamed == bytes, "{name} differs as a stream");
    }
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// A file is replaced as a whole, and can be replaced.
pub async fn a_file_is_replaced_whole(bench: Bench) {
    let id = fresh(&bench).await;
    for text in ["a longer text than the next", "short"] {
        bench
            .provider
            .write(&id, vec![file("src/a.ts", text)])
            .await
            .expect("written");
    }
    assert_eq!(
        bench
            .provider
            .read(&id, &path("src/a.ts"), 100)
            .await
            .expect("read"),
        "short"
    );
    // Given twice, small or large, the last one counts.
    for size in [10, 100_000] {
        let twice = vec![
            file("src/b.ts", "1".repeat(size)),
            file("src/b.ts", "2".repeat(size)),
        ];
        bench.provider.write(&id, twice).await.expect("written");
        let read = bench.provider.read(&id, &path("src/b.ts"), 1 << 20).await;
        assert!(read.expect("read") == "2".repeat(size));
    }
    assert!(matches!(
        bench.provider.read(&id, &path("src/a.ts"), 4).await,
        Err(SandboxError::OverLimit(_))
    ));
    let names = shell(&bench, &id, "ls -A src").await;
    assert!(!names.contains("tmp"), "{names}");
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// What is not there is not found; removing it succeeds.
pub async fn what_is_not_there_is_not_found(bench: Bench) {
    let id = fresh(&bench).await;
    let missing = path("src/missing.ts");
    assert!(matches!(
        bench.provider.read(&id, &missing, 10).await,
        Err(SandboxError::NotFound(_))
    ));
    bench
        .provider
        .remove(&id, vec![missing])
        .await
        .expect("removed");
    bench
        .provider
        .write(&id, vec![file("src/b/c.ts", "x")])
        .await
        .expect("written");
    bench
        .provider
        .remove(&id, vec![path("src/b")])
        .await
        .expect("removed");
    assert!(matches!(
        bench.provider.read(&id, &path("src/b/c.ts"), 10).await,
        Err(SandboxError::NotFound(_))
    ));
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// T24: pipes, sockets, folders and links are refused, and nobody waits for them.
pub async fn only_plain_files_are_read(bench: Bench) {
    let id = fresh(&bench).await;
    shell(
        &bench,
        &id,
        "cd public; mkfifo pipe; mkdir folder; ln -s /etc/passwd link; ln -s ../koda.json within; ln -s ../.. up",
    )
    .await;
    for name in [
        "public/folder",
        "public/link",
        "public/within",
        "public/pipe",
    ] {
        let read = tokio::time::timeout(
            Duration::from_secs(5),
            bench.provider.read(&id, &path(name), 1000),
        )
        .await;
        if read.is_err() {
            // Lets whoever waits for the other end go, so that the test fails instead of hanging.
            shell(&bench, &id, "echo > public/pipe").await;
        }
        assert!(
            matches!(read, Ok(Err(SandboxError::NotAFile(_)))),
            "{name}: {read:?}"
        );
    }
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// Links that lead out of `/app` lead nowhere.
pub async fn links_do_not_lead_out(bench: Bench) {
    let id = fresh(&bench).await;
    shell(
        &bench,
        &id,
        "ln -s /tmp public/out; echo secret > /tmp/s; ln -s ../../.. public/up",
    )
    .await;
    for name in ["public/out/s", "public/up/etc/passwd"] {
        assert!(
            bench.provider.read(&id, &path(name), 1000).await.is_err(),
            "{name} was read"
        );
        assert!(
            bench
                .provider
                .write(&id, vec![file(name, "x")])
                .await
                .is_err(),
            "{name} was written"
        );
    }
    for name in ["public/out", "public/up"] {
        let listed = bench.provider.list(&id, Some(&path(name))).await;
        assert!(
            !matches!(&listed, Ok(found) if !found.is_empty()),
            "{name}: {listed:?}"
        );
    }
    let _ = bench.provider.remove(&id, vec![path("public/out/s")]).await;
    assert_eq!(shell(&bench, &id, "cat /tmp/s").await.trim(), "secret");
    let listed = bench.provider.list(&id, None).await.expect("a list");
    assert!(
        listed
            .iter()
            .all(|l| !l.path.starts_with("public/up/") && !l.path.starts_with("public/out/"))
    );
    // The link itself is a thing of the sandbox's, and goes without what it leads to.
    bench
        .provider
        .remove(&id, vec![path("public/out")])
        .await
        .expect("removed");
    assert_eq!(shell(&bench, &id, "ls public/out /tmp/s").await, "/tmp/s\n");
    bench.provider.destroy(&id).await.expect("destroyed");
}
