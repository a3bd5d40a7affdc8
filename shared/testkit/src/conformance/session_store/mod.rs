//! What every session store does.

mod logs;
mod records;

pub use logs::*;
pub use records::*;

use crate::samples;
use jiff::Timestamp;
use koda_domain::{
    EventBody, ProjectId, TenantId,
    project::Project,
    store::{Append, Lease, SessionHead, SessionStore},
};
use std::sync::Arc;

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
