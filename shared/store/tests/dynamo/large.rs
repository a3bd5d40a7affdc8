//! Records that no item can hold.

use super::{Table, table_at};
use jiff::Timestamp;
use koda_domain::{
    EventBody, MessageId, ProjectId, SessionId, SessionState, TenantId,
    project::{Document, Node, NodeKind, Project},
    store::{Append, SessionHead, SessionStore},
};
use koda_testkit::aws::{dynamodb_local, emulators};
use ulid::Ulid;

/// Text that hardly gets smaller.
fn noise(bytes: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let letters = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b' ' + u8::try_from(state % 94).unwrap_or_default())
    });
    letters.take(bytes).collect()
}

fn project(text: &str) -> Project {
    let node = Node {
        id: "n".into(),
        kind: NodeKind::Text,
        x: 0.0,
        y: 0.0,
        width: None,
        height: None,
        data: [("text".to_owned(), text.into())].into_iter().collect(),
    };
    Project {
        id: ProjectId::new(Ulid::generate()),
        tenant: TenantId::single(),
        name: "large".into(),
        revision: 1,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        document: Document {
            schema: 1,
            nodes: vec![node],
            ..Document::default()
        },
    }
}

fn files_in(folder: &std::path::Path) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        count += if path.is_dir() { files_in(&path) } else { 1 };
    }
    count
}

/// Objects that hold parts of records, with what describes each.
fn objects(table: &Table) -> usize {
    files_in(&table.objects)
}

async fn large_records_are_kept_elsewhere_and_go_with_their_record(table: Table) {
    let store = &table.store;
    let tenant = TenantId::single();
    let before = objects(&table);
    let mut project = project(&noise(900_000));
    store.create_project(&project).await.unwrap();
    assert_eq!(store.project(&tenant, project.id).await.unwrap(), project);
    assert!(objects(&table) > before);
    project.document.nodes[0].data.clear();
    store.update_project(&project, 1).await.unwrap();
    assert_eq!(
        objects(&table),
        before,
        "a part of the first revision stayed"
    );

    let mut head = SessionHead {
        id: SessionId::new(Ulid::generate()),
        tenant: tenant.clone(),
        project_id: project.id,
        seq: 0,
        state: SessionState::default(),
    };
    store
        .create_session(&head, Timestamp::UNIX_EPOCH, &[])
        .await
        .unwrap();
    for seq in 1..=40 {
        let event = EventBody::MessagePosted {
            message_id: MessageId::new(Ulid::generate()),
            text: noise(if seq % 20 == 0 { 700_000 } else { 2_000 }),
            attachments: vec![],
            context: vec![],
            key: None,
        };
        head.state.apply(seq, Timestamp::UNIX_EPOCH, None, &event);
        let append = Append {
            session: head.id,
            expected_seq: seq - 1,
            lease: None,
            at: Timestamp::UNIX_EPOCH,
            turn: None,
            events: vec![event],
            state: head.state.clone(),
        };
        head.seq = store.append(&append).await.unwrap();
    }
    // Two large events, and a saved state that has both.
    assert!(objects(&table) >= before + 3);
    assert_eq!(store.session_any(head.id).await.unwrap(), head);
    assert_eq!(store.events(head.id, 0, 100).await.unwrap().len(), 40);
    store.delete_project(&tenant, project.id).await.unwrap();
    assert_eq!(objects(&table), before, "a part of the log stayed");
}

#[tokio::test]
async fn large_records_by_the_emulator() {
    let table = table_at(&emulators().dynamodb).await;
    large_records_are_kept_elsewhere_and_go_with_their_record(table).await;
}

#[tokio::test]
async fn large_records_by_amazons_own() {
    let table = table_at(dynamodb_local()).await;
    large_records_are_kept_elsewhere_and_go_with_their_record(table).await;
}
