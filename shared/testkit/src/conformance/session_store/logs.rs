//! Logs of events, and the leases under which they are written.

use super::{Store, append, at, project, session, tenant};
use crate::samples::message;
use koda_domain::{
    EventBody, SessionId, SessionState,
    store::{SessionHead, StoreError},
};
use std::time::Duration;
use ulid::Ulid;

/// A head says what its events add up to.
pub async fn the_head_is_the_fold_of_the_events(store: Store) {
    let owner = tenant("a");
    let project = project(&store, &owner).await;
    let head = session(&store, &owner, project.id).await;
    let events = vec![
        message("hello"),
        message("世界 🌍 \u{0}"),
        message(&"long ".repeat(60_000)),
    ];
    assert_eq!(store.append(&append(&head, None, events)).await, Ok(4));
    let after = store.session(&owner, head.id).await.unwrap();
    let log = store.events(head.id, 0, 100).await.unwrap();
    let mut folded = SessionState::default();
    for event in &log {
        folded.apply(event.seq, event.at, event.turn_id, &event.body);
    }
    assert_eq!((after.seq, after.state), (4, folded));
    assert!(log.iter().all(|e| e.session_id == head.id));
}

/// However many write at once, numbers have no gap and no event is lost.
pub async fn concurrent_appends_leave_no_gap(store: Store) {
    let owner = tenant("a");
    let project = project(&store, &owner).await;
    let head = session(&store, &owner, project.id).await;
    let mut writers = Vec::new();
    for writer in 0..8 {
        let (store, id) = (store.clone(), head.id);
        writers.push(tokio::spawn(async move {
            for n in 0..10 {
                loop {
                    let head = store.session_any(id).await.unwrap();
                    match store
                        .append(&append(
                            &head,
                            None,
                            vec![message(&format!("{writer}/{n}"))],
                        ))
                        .await
                    {
                        Ok(_) => break,
                        Err(StoreError::Conflict) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let log = store.events(head.id, 0, 1000).await.unwrap();
    assert_eq!(
        log.iter().map(|e| e.seq).collect::<Vec<_>>(),
        (1..=81).collect::<Vec<_>>()
    );
    let mut texts: Vec<_> = log
        .into_iter()
        .filter_map(|e| match e.body {
            EventBody::MessagePosted { text, .. } => Some(text),
            _ => None,
        })
        .collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 80);
}

/// Who has not seen the last event cannot write, and changes nothing.
pub async fn a_stale_writer_is_refused(store: Store) {
    let owner = tenant("a");
    let project = project(&store, &owner).await;
    let head = session(&store, &owner, project.id).await;
    store
        .append(&append(&head, None, vec![message("first")]))
        .await
        .unwrap();
    assert_eq!(
        store
            .append(&append(&head, None, vec![message("second")]))
            .await,
        Err(StoreError::Conflict)
    );
    assert_eq!(store.session_any(head.id).await.unwrap().seq, 2);
    let nobody = SessionHead {
        id: SessionId::new(Ulid::generate()),
        ..head
    };
    assert_eq!(
        store
            .append(&append(&nobody, None, vec![message("x")]))
            .await,
        Err(StoreError::NotFound)
    );
}

/// A lease is one worker's until it expires or is given back, and its fence only grows.
pub async fn a_lease_is_held_by_one(store: Store) {
    let life = Duration::from_secs(10);
    let a = store
        .acquire("turn/x", "a", at(0), life)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(store.acquire("turn/x", "b", at(9), life).await, Ok(None));
    assert_eq!(
        store
            .acquire("turn/y", "b", at(9), life)
            .await
            .unwrap()
            .unwrap()
            .key,
        "turn/y"
    );
    let again = store
        .acquire("turn/x", "a", at(5), life)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((again.fence, again.expires_at), (a.fence, at(15)));
    let renewed = store.renew(&again, at(14), life).await.unwrap();
    assert_eq!(renewed.expires_at, at(24));
    assert_eq!(store.acquire("turn/x", "b", at(20), life).await, Ok(None));
    let b = store
        .acquire("turn/x", "b", at(24), life)
        .await
        .unwrap()
        .unwrap();
    assert!(b.fence > a.fence);
    assert_eq!(store.renew(&a, at(25), life).await, Err(StoreError::Fenced));
    store.release(&a).await.unwrap();
    assert_eq!(store.acquire("turn/x", "c", at(26), life).await, Ok(None));
    store.release(&b).await.unwrap();
    let c = store
        .acquire("turn/x", "c", at(26), life)
        .await
        .unwrap()
        .unwrap();
    assert!(c.fence > b.fence);
    store.release(&c).await.unwrap();
    let back = store
        .acquire("turn/x", "a", at(27), life)
        .await
        .unwrap()
        .unwrap();
    assert!(back.fence > c.fence, "a fence came back");
}

/// T80: whoever lost the lease writes nothing more, even before the new owner has written.
pub async fn a_writer_without_its_lease_is_fenced(store: Store) {
    let owner = tenant("a");
    let project = project(&store, &owner).await;
    let head = session(&store, &owner, project.id).await;
    let life = Duration::from_secs(10);
    let a = store
        .acquire("turn/z", "a", at(0), life)
        .await
        .unwrap()
        .unwrap();
    store
        .append(&append(&head, Some(&a), vec![message("by a")]))
        .await
        .unwrap();
    let b = store
        .acquire("turn/z", "b", at(11), life)
        .await
        .unwrap()
        .unwrap();
    let head = store.session_any(head.id).await.unwrap();
    assert_eq!(
        store
            .append(&append(&head, Some(&a), vec![message("late")]))
            .await,
        Err(StoreError::Fenced)
    );
    assert_eq!(
        store
            .append(&append(&head, Some(&b), vec![message("by b")]))
            .await,
        Ok(3)
    );
    store.release(&b).await.unwrap();
    let head = store.session_any(head.id).await.unwrap();
    assert_eq!(
        store
            .append(&append(&head, Some(&b), vec![message("after")]))
            .await,
        Err(StoreError::Fenced)
    );
}

/// Events are read from any place on, in pages.
pub async fn events_are_read_from_any_place(store: Store) {
    let owner = tenant("a");
    let project = project(&store, &owner).await;
    let head = session(&store, &owner, project.id).await;
    let events = (0..25).map(|n| message(&n.to_string())).collect();
    store.append(&append(&head, None, events)).await.unwrap();
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = store.events(head.id, after, 7).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.seq;
        seen.extend(page.iter().map(|e| e.seq));
    }
    assert_eq!(seen, (1..=26).collect::<Vec<_>>());
    assert_eq!(store.events(head.id, 26, 7).await, Ok(vec![]));
}

/// Sessions with work are found until their work is done.
pub async fn sessions_with_work_are_found(store: Store) {
    let owner = tenant("a");
    let project = project(&store, &owner).await;
    let idle = session(&store, &owner, project.id).await;
    let busy = session(&store, &owner, project.id).await;
    store
        .append(&append(&busy, None, vec![message("work")]))
        .await
        .unwrap();
    let found = store.sessions_with_work(100).await.unwrap();
    assert!(found.contains(&busy.id) && !found.contains(&idle.id));
    store.delete_session(&owner, busy.id).await.unwrap();
    assert!(
        !store
            .sessions_with_work(100)
            .await
            .unwrap()
            .contains(&busy.id)
    );
}
