//! What every session store does.

use crate::samples::{self, message};
use jiff::Timestamp;
use koda_domain::{
    AssetId, EventBody, ProjectId, SessionId, SessionState, TenantId,
    asset::{Asset, AssetStatus},
    project::Project,
    rate::Costly,
    store::{Append, KeyAnswer, Lease, SessionHead, SessionStore, StoreError},
};
use std::{sync::Arc, time::Duration};
use ulid::Ulid;

/// The store under test.
pub type Store = Arc<dyn SessionStore>;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn tenant(name: &str) -> TenantId {
    TenantId(name.into())
}

fn new_project(owner: &TenantId, second: i64) -> Project {
    samples::project(owner, at(second))
}

async fn project(store: &Store, owner: &TenantId) -> Project {
    let project = new_project(owner, 0);
    store.create_project(&project).await.unwrap();
    project
}

async fn session(store: &Store, owner: &TenantId, project: ProjectId) -> SessionHead {
    let created = EventBody::SessionCreated {
        project_id: project,
        node_id: "n1".into(),
        settings: koda_domain::Settings::default(),
    };
    let mut head = samples::session(&new_project(owner, 0));
    head.project_id = project;
    head.state.apply(1, at(0), None, &created);
    head.seq = 1;
    store
        .create_session(&head, at(0), &[created])
        .await
        .unwrap();
    head
}

fn append(head: &SessionHead, lease: Option<&Lease>, events: Vec<EventBody>) -> Append {
    samples::append(head, at(1), lease, events)
}

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

/// T47: another tenant's things are as unknown as things that do not exist.
pub async fn tenants_do_not_see_each_other(store: Store) {
    let (a, b) = (tenant("a"), tenant("b"));
    let project = project(&store, &a).await;
    let head = session(&store, &a, project.id).await;
    assert_eq!(
        store.project(&b, project.id).await,
        Err(StoreError::NotFound)
    );
    assert_eq!(store.session(&b, head.id).await, Err(StoreError::NotFound));
    assert_eq!(
        store.sessions(&b, project.id).await,
        Err(StoreError::NotFound)
    );
    assert_eq!(
        store.assets(&b, project.id).await,
        Err(StoreError::NotFound)
    );
    assert_eq!(
        store.delete_session(&b, head.id).await,
        Err(StoreError::NotFound)
    );
    assert_eq!(
        store.delete_project(&b, project.id).await,
        Err(StoreError::NotFound)
    );
    let stolen = Project {
        tenant: b.clone(),
        ..project.clone()
    };
    assert_eq!(
        store.update_project(&stolen, 1).await,
        Err(StoreError::NotFound)
    );
    assert_eq!(store.projects(&b, None, 10).await.unwrap().items, []);
    assert!(store.session(&a, head.id).await.is_ok());
}

/// A write names the revision that it changes.
pub async fn a_project_is_changed_by_revision(store: Store) {
    let owner = tenant("a");
    let mut project = project(&store, &owner).await;
    project.name = "Second".into();
    project.updated_at = at(5);
    assert_eq!(store.update_project(&project, 1).await, Ok(2));
    assert_eq!(
        store.update_project(&project, 1).await,
        Err(StoreError::Conflict)
    );
    let stored = store.project(&owner, project.id).await.unwrap();
    assert_eq!(
        (stored.name.as_str(), stored.revision, stored.updated_at),
        ("Second", 2, at(5))
    );
    assert_eq!(
        store.create_project(&project).await,
        Err(StoreError::Exists)
    );
}

/// Pages of projects come last written first, without gap or repetition.
pub async fn projects_are_paged(store: Store) {
    let owner = tenant("pager");
    let mut made = Vec::new();
    for second in [3, 1, 2, 2, 5] {
        let project = new_project(&owner, second);
        store.create_project(&project).await.unwrap();
        made.push((second, project.id));
    }
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = store.projects(&owner, cursor.as_deref(), 2).await.unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items.iter().map(|p| p.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    made.sort_by(|a, b| b.cmp(a));
    assert_eq!(seen, made.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
    assert_eq!(
        store.projects(&owner, Some("nonsense"), 2).await,
        Err(StoreError::BadCursor)
    );
}

/// What belongs to a project goes with it.
pub async fn deleting_a_project_takes_all_of_it(store: Store) {
    let owner = tenant("a");
    let project = project(&store, &owner).await;
    let head = session(&store, &owner, project.id).await;
    let asset = asset(project.id);
    store.put_asset(&owner, &asset).await.unwrap();
    store.delete_project(&owner, project.id).await.unwrap();
    assert_eq!(
        store.project(&owner, project.id).await,
        Err(StoreError::NotFound)
    );
    assert_eq!(store.session_any(head.id).await, Err(StoreError::NotFound));
    assert_eq!(
        store.events(head.id, 0, 10).await,
        Err(StoreError::NotFound)
    );
    assert_eq!(
        store.asset(&owner, asset.id).await,
        Err(StoreError::NotFound)
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

fn asset(project: ProjectId) -> Asset {
    Asset {
        id: AssetId::new(Ulid::generate()),
        project_id: project,
        filename: "a \"b\".png".into(),
        media_type: "image/png".into(),
        kind: None,
        size: 3,
        blob: None,
        width: None,
        height: None,
        path: "public/assets/a.png".into(),
        status: AssetStatus::Pending,
        created_at: at(0),
    }
}

/// Assets are kept, replaced, listed and removed.
pub async fn assets_are_kept(store: Store) {
    let owner = tenant("a");
    let project = project(&store, &owner).await;
    let mut asset = asset(project.id);
    store.put_asset(&owner, &asset).await.unwrap();
    asset.status = AssetStatus::Ready;
    store.put_asset(&owner, &asset).await.unwrap();
    assert_eq!(store.asset(&owner, asset.id).await, Ok(asset.clone()));
    assert_eq!(
        store.assets(&owner, project.id).await,
        Ok(vec![asset.clone()])
    );
    assert_eq!(
        store.asset(&tenant("b"), asset.id).await,
        Err(StoreError::NotFound)
    );
    store.delete_asset(&owner, asset.id).await.unwrap();
    store.delete_asset(&owner, asset.id).await.unwrap();
    assert_eq!(
        store.asset(&owner, asset.id).await,
        Err(StoreError::NotFound)
    );
}

/// T79: a key is answered once; with another request it is a conflict; other tenants do not share it.
pub async fn keys_are_answered_once(store: Store) {
    let (a, b) = (tenant("a"), tenant("b"));
    let done = KeyAnswer::Done {
        status: 201,
        body: "{}".into(),
    };
    assert_eq!(store.begin_key(&a, "k", "print", at(0)).await, Ok(None));
    assert_eq!(
        store.begin_key(&a, "k", "print", at(1)).await,
        Ok(Some(KeyAnswer::Running))
    );
    store.finish_key(&a, "k", &done).await.unwrap();
    assert_eq!(
        store.begin_key(&a, "k", "print", at(3600)).await,
        Ok(Some(done))
    );
    assert_eq!(
        store.begin_key(&a, "k", "other", at(3600)).await,
        Err(StoreError::Conflict)
    );
    assert_eq!(store.begin_key(&b, "k", "other", at(3600)).await, Ok(None));
    assert_eq!(store.begin_key(&a, "crashed", "p", at(0)).await, Ok(None));
    assert_eq!(store.begin_key(&a, "crashed", "p", at(61)).await, Ok(None));
    store.forget_key(&a, "crashed").await.unwrap();
    assert_eq!(store.begin_key(&a, "crashed", "q", at(62)).await, Ok(None));
}

/// T52: something may be done so often in a minute, however many ask at once; another tenant's count and another thing's are
/// their own, and with time there is room again.
pub async fn uses_are_counted_up_to_their_limit(store: Store) {
    let ask = |owner: &str, what, second| {
        let (store, owner) = (store.clone(), tenant(owner));
        async move { store.count_use(&owner, what, 10, at(second)).await.unwrap() }
    };
    let crowd = (0..14).map(|_| tokio::spawn(ask("a", Costly::Turn, 20)));
    let mut admitted = 0;
    for one in crowd.collect::<Vec<_>>() {
        match one.await.unwrap() {
            None => admitted += 1,
            Some(wait) => assert!((1..=60).contains(&wait.as_secs()), "{wait:?}"),
        }
    }
    // One whose acknowledgement is lost may count twice; never is one let in too many.
    assert!((7..=10).contains(&admitted), "{admitted}");
    assert_eq!(ask("b", Costly::Turn, 20).await, None);
    assert_eq!(ask("a", Costly::Render, 20).await, None);
    let wait = ask("a", Costly::Turn, 20).await.unwrap();
    // Half a minute on, half of those of the minute before still count.
    assert!(ask("a", Costly::Turn, 60).await.is_some());
    assert_eq!(
        ask(
            "a",
            Costly::Turn,
            20 + i64::try_from(wait.as_secs()).unwrap() + 1
        )
        .await,
        None
    );
    let mut later = 0;
    while ask("a", Costly::Turn, 90).await.is_none() {
        later += 1;
    }
    assert!((3..=5).contains(&later), "{later}");
    assert_eq!(ask("a", Costly::Turn, 210).await, None);
}

/// Makes each case a test: `session_store_conformance!(make)`, where `make()` gives an empty store.
#[macro_export]
macro_rules! session_store_conformance {
    ($make:expr) => {
        $crate::session_store_conformance!(@cases $make;
            the_head_is_the_fold_of_the_events, concurrent_appends_leave_no_gap, a_stale_writer_is_refused,
            a_lease_is_held_by_one, a_writer_without_its_lease_is_fenced, tenants_do_not_see_each_other,
            a_project_is_changed_by_revision, projects_are_paged, deleting_a_project_takes_all_of_it,
            events_are_read_from_any_place, sessions_with_work_are_found, assets_are_kept, keys_are_answered_once,
            uses_are_counted_up_to_their_limit,
        );
    };
    (@cases $make:expr; $($case:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::conformance::session_store::$case($make().await).await;
        }
    )*};
}
