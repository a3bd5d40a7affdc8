//! Projects, assets, keys and counts.

use super::{Store, at, new_project, project, session, tenant};
use koda_domain::{
    AssetId, ProjectId,
    asset::{Asset, AssetRole, AssetStatus},
    project::Project,
    rate::Costly,
    store::{KeyAnswer, StoreError},
};
use ulid::Ulid;

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
        seconds: Some(1.5),
        role: Some(AssetRole::Reference),
        path: "public/assets/a.png".into(),
        status: AssetStatus::Pending,
        created_at: at(0),
    }
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
