//! SQLite, held to what every session store does, and to surviving other processes and its own death.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

use jiff::Timestamp;
use koda_domain::{
    SessionId, TenantId,
    rate::Costly,
    store::{SessionStore, StoreError},
};
use koda_store::SqliteStore;
use koda_testkit::samples::{self, message};
use std::{
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

async fn empty() -> Arc<dyn SessionStore> {
    let dir = tempfile::tempdir().unwrap().keep();
    Arc::new(SqliteStore::open(&dir.join("koda.db")).unwrap())
}

koda_testkit::session_store_conformance!(empty);

async fn append_forever(path: &Path, session: SessionId, writer: &str, most: usize) {
    let store = SqliteStore::open(path).unwrap();
    for n in 0..most {
        loop {
            let head = store.session_any(session).await.unwrap();
            let event = message(&format!("{writer}/{n}"));
            let mut append = samples::append(&head, Timestamp::UNIX_EPOCH, None, vec![event]);
            append.state.queue.clear();
            match store.append(&append).await {
                Ok(_) => break,
                Err(StoreError::Conflict) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }
}

/// Not a test of its own: what the tests below run in other processes.
#[tokio::test]
async fn helper_appends_in_another_process() {
    let Ok(orders) = std::env::var("KODA_TEST_APPEND") else {
        return;
    };
    let parts: Vec<_> = orders.split('|').collect();
    append_forever(
        Path::new(parts[0]),
        parts[1].parse().unwrap(),
        parts[2],
        parts[3].parse().unwrap(),
    )
    .await;
}

fn elsewhere(path: &Path, session: SessionId, writer: &str, most: usize) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "helper_appends_in_another_process"])
        .env(
            "KODA_TEST_APPEND",
            format!("{}|{session}|{writer}|{most}", path.display()),
        )
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn session_in(path: &Path) -> SessionId {
    let store = SqliteStore::open(path).unwrap();
    let project = samples::project(&TenantId::single(), Timestamp::UNIX_EPOCH);
    store.create_project(&project).await.unwrap();
    let head = samples::session(&project);
    store
        .create_session(&head, Timestamp::UNIX_EPOCH, &[])
        .await
        .unwrap();
    head.id
}

async fn log(path: &Path, session: SessionId) -> (u64, Vec<u64>) {
    let store = SqliteStore::open(path).unwrap();
    let head = store.session_any(session).await.unwrap();
    let seqs = store
        .events(session, 0, 100_000)
        .await
        .unwrap()
        .iter()
        .map(|e| e.seq)
        .collect();
    (head.seq, seqs)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_write_one_log_without_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("koda.db");
    let session = session_in(&path).await;
    let mut children = [
        elsewhere(&path, session, "a", 60),
        elsewhere(&path, session, "b", 60),
    ];
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let (last, seqs) = log(&path, session).await;
    assert_eq!((last, seqs), (120, (1..=120).collect()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_while_it_writes_leaves_a_whole_log() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("koda.db");
    let session = session_in(&path).await;
    for round in 0..5 {
        let (before, _) = log(&path, session).await;
        let mut child = elsewhere(&path, session, "victim", 1_000_000);
        while log(&path, session).await.0 < before + 5 + round {}
        child.kill().unwrap();
        child.wait().unwrap();
        let (last, seqs) = log(&path, session).await;
        assert_eq!(seqs, (1..=last).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_database_of_an_older_version_is_brought_up_to_date_with_what_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("koda.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../src/sqlite/schema.sql"))
        .unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    old.execute(
        "INSERT INTO idempotency (tenant, key, fingerprint, at) VALUES ('a', 'k', 'print', ?1)",
        [Timestamp::now().as_millisecond()],
    )
    .unwrap();
    drop(old);
    for _ in 0..2 {
        let store = SqliteStore::open(&path).unwrap();
        let (tenant, now) = (TenantId("a".into()), Timestamp::now());
        let known = store.begin_key(&tenant, "k", "other", now).await;
        assert_eq!(known, Err(StoreError::Conflict));
        let counted = store.count_use(&tenant, Costly::Turn, 10, now).await;
        assert_eq!(counted, Ok(None));
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("koda.db");
    drop(SqliteStore::open(&path).unwrap());
    rusqlite::Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let refused = SqliteStore::open(&path).err();
    assert!(
        matches!(&refused, Some(StoreError::Unavailable(why)) if why.contains("newer version")),
        "{refused:?}"
    );
}
