//! Indexes that lag: they are read as they were, and what they name is looked at as it is.

use super::{config, store_at, table_at};
use jiff::Timestamp;
use koda_domain::{
    TenantId,
    store::{SessionStore, StoreError},
};
use koda_store::dynamo;
use koda_testkit::{
    aws::emulators,
    faults::lagging,
    samples::{self, message},
};

#[tokio::test]
async fn an_index_that_lags_names_what_is_gone_and_harms_nothing() {
    let table = table_at(&emulators().dynamodb).await;
    let url = lagging(&emulators().dynamodb, |body| {
        String::from_utf8_lossy(body).contains("IndexName")
    })
    .await;
    let lagging = store_at(dynamo::connect(&config(&url)), &table.name).0;
    let (at, tenant) = (Timestamp::UNIX_EPOCH, TenantId::single());
    let project = samples::project(&tenant, at);
    table.store.create_project(&project).await.unwrap();
    let mut heads = vec![];
    for _ in 0..2 {
        let head = samples::session(&project);
        table.store.create_session(&head, at, &[]).await.unwrap();
        let append = samples::append(&head, at, None, vec![message("work")]);
        table.store.append(&append).await.unwrap();
        heads.push(head.id);
    }
    heads.sort();
    let named = || async {
        let mut named = lagging.sessions_with_work(9).await.unwrap();
        named.sort();
        named
    };
    assert_eq!(named().await, heads);

    // One goes and one comes. The index does not know yet.
    table.store.delete_session(&tenant, heads[0]).await.unwrap();
    let later = samples::session(&project);
    table.store.create_session(&later, at, &[]).await.unwrap();
    let append = samples::append(&later, at, None, vec![message("work")]);
    table.store.append(&append).await.unwrap();
    assert_eq!(named().await, heads);

    // Who was named is read as it is: gone, or still there with its work.
    assert_eq!(
        lagging.session_any(heads[0]).await,
        Err(StoreError::NotFound)
    );
    let kept = lagging.session_any(heads[1]).await.unwrap();
    assert_eq!(kept.state.queue.len(), 1);
    let missed = lagging.session_any(later.id).await.unwrap();
    assert_eq!(missed.state.queue.len(), 1);
    // And is named as soon as the index has come along.
    let mut now = table.store.sessions_with_work(9).await.unwrap();
    now.sort();
    let mut expected = [heads[1], later.id];
    expected.sort();
    assert_eq!(now, expected);
}
