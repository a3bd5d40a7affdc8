//! Removals that are cut off.

use super::{Table, config, table_at};
use jiff::Timestamp;
use koda_domain::{
    ProjectId, SessionId, TenantId,
    store::{SessionStore, StoreError},
};
use koda_store::{DynamoStore, dynamo};
use koda_testkit::{
    aws::emulators,
    faults::{Fault, proxy},
    samples::{self, message},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

async fn filled(table: &Table) -> (ProjectId, SessionId) {
    let at = Timestamp::UNIX_EPOCH;
    let project = samples::project(&TenantId::single(), at);
    table.store.create_project(&project).await.unwrap();
    let mut head = samples::session(&project);
    table.store.create_session(&head, at, &[]).await.unwrap();
    for _ in 0..20 {
        let append = samples::append(&head, at, None, vec![message("hello")]);
        head.seq = table.store.append(&append).await.unwrap();
        head.state = append.state;
    }
    (project.id, head.id)
}

async fn items(table: &Table) -> usize {
    let scanned = table.client.scan().table_name(&table.name).send().await;
    scanned.unwrap().items().len()
}

#[tokio::test]
async fn a_removal_that_is_cut_off_is_over_for_who_looks_and_finished_by_who_comes_next() {
    let table = table_at(&emulators().dynamodb).await;
    let tenant = TenantId::single();
    let (project, session) = filled(&table).await;
    // The process that removes loses DynamoDB in the middle, for good.
    let gone = Arc::new(AtomicBool::new(false));
    let seen = gone.clone();
    let url = proxy(&emulators().dynamodb, move |number| {
        if number > 9 || seen.load(Ordering::SeqCst) {
            Fault::Reset
        } else {
            Fault::None
        }
    })
    .await;
    let config = config(&url);
    let objects =
        koda_objects::LocalObjects::new(table.objects.clone(), b"s", Arc::new(super::Wall));
    let dying = DynamoStore::new(
        dynamo::connect(&config),
        &table.name,
        Arc::new(objects.unwrap()),
    );
    assert!(dying.delete_project(&tenant, project).await.is_err());
    gone.store(true, Ordering::SeqCst);

    assert_eq!(
        table.store.project(&tenant, project).await,
        Err(StoreError::NotFound)
    );
    assert_eq!(
        table.store.session_any(session).await,
        Err(StoreError::NotFound)
    );
    assert_eq!(
        table.store.projects(&tenant, None, 9).await.unwrap().items,
        []
    );
    assert!(items(&table).await > 5, "the removal was not cut off");
    assert_eq!(table.store.sessions_with_work(9).await, Ok(vec![]));
    assert_eq!(items(&table).await, 0);
}

#[tokio::test]
async fn nothing_is_added_to_what_is_gone() {
    let table = table_at(&emulators().dynamodb).await;
    let (_, session) = filled(&table).await;
    let head = table.store.session_any(session).await.unwrap();
    table
        .store
        .delete_session(&TenantId::single(), session)
        .await
        .unwrap();
    let append = samples::append(&head, Timestamp::UNIX_EPOCH, None, vec![]);
    assert_eq!(table.store.append(&append).await, Err(StoreError::NotFound));
    // The project alone is left.
    assert_eq!(items(&table).await, 1);
}
