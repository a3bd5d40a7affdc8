//! The seam to the session store: event logs, leases, projects and assets.

use crate::{
    AssetId, Event, EventBody, ProjectId, SessionId, SessionState, TenantId, TurnId, asset::Asset,
    project::Project, rate::Costly,
};
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where a session's log stands, with the state that its events add up to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionHead {
    /// Which session.
    pub id: SessionId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The canvas that it is on.
    pub project_id: ProjectId,
    /// Number of the last event; the first event has 1.
    pub seq: u64,
    /// The fold of events 1 to `seq`.
    pub state: SessionState,
}

/// Permission to do one job, held by one worker at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Which job, such as `turn/ses_…` or `render/rnd_…`.
    pub key: String,
    /// Which worker.
    pub owner: String,
    /// Grows with every change of owner; never comes back.
    pub fence: u64,
    /// When it ends unless renewed.
    pub expires_at: Timestamp,
}

/// Events to add at the end of a log, all or none.
#[derive(Debug, Clone)]
pub struct Append {
    /// Which session.
    pub session: SessionId,
    /// The last event that the writer has seen; another is [`StoreError::Conflict`].
    pub expected_seq: u64,
    /// The lease under which the writer works; where it was taken over, [`StoreError::Fenced`].
    pub lease: Option<Lease>,
    /// When.
    pub at: Timestamp,
    /// Which turn the events belong to.
    pub turn: Option<TurnId>,
    /// The events, in order.
    pub events: Vec<EventBody>,
    /// The fold of the log with these events at its end.
    pub state: SessionState,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// In the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
}

/// Why the store refused or failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No such thing, or another tenant's.
    #[error("not found")]
    NotFound,
    /// Somebody else wrote first; read again and retry.
    #[error("written by somebody else meanwhile")]
    Conflict,
    /// The lease was taken over; stop working.
    #[error("the lease was taken over")]
    Fenced,
    /// Something with this id exists.
    #[error("already exists")]
    Exists,
    /// A cursor that this store did not give.
    #[error("not a valid cursor")]
    BadCursor,
    /// A stored record cannot be read.
    #[error("a stored record is damaged: {0}")]
    Corrupt(String),
    /// The store cannot be reached; may pass.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
}

/// A store of sessions. Every method is one conditional write or one consistent read.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Whether the store answers.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Adds a project at revision 1.
    async fn create_project(&self, project: &Project) -> Result<(), StoreError>;

    /// A project of this tenant.
    async fn project(&self, tenant: &TenantId, id: ProjectId) -> Result<Project, StoreError>;

    /// Projects of this tenant, last written first. Their documents are empty.
    async fn projects(
        &self,
        tenant: &TenantId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Project>, StoreError>;

    /// Replaces name, document and `updated_at` where the stored revision is `expected`; returns the new revision.
    async fn update_project(&self, project: &Project, expected: u64) -> Result<u64, StoreError>;

    /// Removes a project with its sessions, their logs and its assets' records.
    async fn delete_project(&self, tenant: &TenantId, id: ProjectId) -> Result<(), StoreError>;

    /// Adds a session whose log begins with these events.
    async fn create_session(
        &self,
        head: &SessionHead,
        at: Timestamp,
        events: &[EventBody],
    ) -> Result<(), StoreError>;

    /// A session's head.
    async fn session(&self, tenant: &TenantId, id: SessionId) -> Result<SessionHead, StoreError>;

    /// A session's head, whoever owns it: for background jobs.
    async fn session_any(&self, id: SessionId) -> Result<SessionHead, StoreError>;

    /// Heads of a project's sessions, oldest first.
    async fn sessions(
        &self,
        tenant: &TenantId,
        project: ProjectId,
    ) -> Result<Vec<SessionHead>, StoreError>;

    /// Removes a session and its log.
    async fn delete_session(&self, tenant: &TenantId, id: SessionId) -> Result<(), StoreError>;

    /// Adds events at the end of a log; returns the new last sequence number.
    async fn append(&self, append: &Append) -> Result<u64, StoreError>;

    /// Events after `after`, oldest first, at most `limit`, without a gap.
    async fn events(
        &self,
        id: SessionId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError>;

    /// Takes a lease where it is free, expired at `now`, or held by the same owner; `None` while another holds it.
    async fn acquire(
        &self,
        key: &str,
        owner: &str,
        now: Timestamp,
        life: Duration,
    ) -> Result<Option<Lease>, StoreError>;

    /// Lets a lease live on from `now`.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] where another owner has taken it since.
    async fn renew(
        &self,
        lease: &Lease,
        now: Timestamp,
        life: Duration,
    ) -> Result<Lease, StoreError>;

    /// Gives a lease back; a lease that was taken over stays with its new owner.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Sessions whose state has work to do (see [`SessionState::has_work`]), whether or not somebody does it.
    async fn sessions_with_work(&self, limit: usize) -> Result<Vec<SessionId>, StoreError>;

    /// Adds or replaces an asset.
    async fn put_asset(&self, tenant: &TenantId, asset: &Asset) -> Result<(), StoreError>;

    /// An asset of this tenant.
    async fn asset(&self, tenant: &TenantId, id: AssetId) -> Result<Asset, StoreError>;

    /// Assets of a project, oldest first.
    async fn assets(&self, tenant: &TenantId, project: ProjectId)
    -> Result<Vec<Asset>, StoreError>;

    /// Removes an asset's record; removing nothing succeeds.
    async fn delete_asset(&self, tenant: &TenantId, id: AssetId) -> Result<(), StoreError>;

    /// Remembers what an idempotency key was answered with, for at least a day. `None` where the key is new: the caller
    /// goes on and calls [`Self::finish_key`]. The same key with another fingerprint is [`StoreError::Conflict`].
    async fn begin_key(
        &self,
        tenant: &TenantId,
        key: &str,
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<Option<KeyAnswer>, StoreError>;

    /// Stores the answer of a key.
    async fn finish_key(
        &self,
        tenant: &TenantId,
        key: &str,
        answer: &KeyAnswer,
    ) -> Result<(), StoreError>;

    /// Frees a key whose request failed, so that a retry is tried anew.
    async fn forget_key(&self, tenant: &TenantId, key: &str) -> Result<(), StoreError>;

    /// Counts one use of something that a tenant may do `most` times in a minute, among all processes; where it would be one
    /// too many nothing is counted, and the answer is how long to wait. A use whose acknowledgement was lost may count twice.
    async fn count_use(
        &self,
        tenant: &TenantId,
        what: Costly,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<Duration>, StoreError>;
}

/// What an idempotency key was answered with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyAnswer {
    /// The first request with this key still runs.
    Running,
    /// Its status and body.
    Done {
        /// HTTP status.
        status: u16,
        /// JSON body.
        body: String,
    },
}
