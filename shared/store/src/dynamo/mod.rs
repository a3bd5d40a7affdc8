//! DynamoDB: one table, every write conditional, logs as chains of batches.
//!
//! | item | pk | sk |
//! |---|---|---|
//! | a session: tenant, project, last number, whether it has work | `S#<session>` | `META` |
//! | the fold of its log up to some number | `S#<session>` | `STATE` |
//! | a batch of events, by the number of its last | `S#<session>` | `E#<number>` |
//! | a lease | `L#<key>` | `LEASE` |
//! | a project with its document | `P#<project>` | `META` |
//! | a project's session | `P#<project>` | `S#<session>` |
//! | a project's asset, and the same by its own id | `P#<project>`, `A#<asset>` | `A#<asset>`, `META` |
//! | an idempotency key | `K#<tenant>#<key>` | `KEY` |
//! | how often a tenant did something in one minute | `U#<tenant>#<what>` | the minute since 1970 |
//!
//! What adds to a log is one transaction: the session's last number is the expected one, the lease is held, the batch is new.
//! The state is not written with it, because a write is charged by the size of the item: it is saved every
//! [`sessions::SNAPSHOT_EVERY`] events and when a session comes to rest, and folded forward when it is read.

mod body;
mod client;
mod flow;
mod leases;
mod records;
mod removal;
mod sessions;
mod table;
mod uses;

pub use client::connect;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use koda_domain::{
    AssetId, Event, EventBody, ProjectId, SessionId, TenantId,
    asset::Asset,
    objects::ObjectStore,
    project::Project,
    rate::{Costly, Window},
    store::{Append, KeyAnswer, Lease, Page, SessionHead, SessionStore, StoreError},
};
use std::{sync::Arc, time::Duration};

/// A session store in one DynamoDB table.
pub struct DynamoStore {
    client: Client,
    table: String,
    /// For what is too large for an item.
    objects: Arc<dyn ObjectStore>,
}

impl DynamoStore {
    /// A store in the table of this name, which has to be there. Records too large for an item go to `objects`.
    #[must_use]
    pub fn new(client: Client, table: &str, objects: Arc<dyn ObjectStore>) -> Self {
        Self {
            client,
            table: table.to_owned(),
            objects,
        }
    }

    /// Makes the table where it is not there: for working offline and for tests. In AWS it is part of the infrastructure.
    ///
    /// # Errors
    /// Where DynamoDB refuses.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        table::create(&self.client, &self.table).await
    }
}

#[async_trait]
impl SessionStore for DynamoStore {
    async fn ready(&self) -> Result<(), StoreError> {
        // Any consistent read of a key shows that the table is there and may be read.
        self.get("READY", "READY").await.map(drop)
    }

    async fn create_project(&self, project: &Project) -> Result<(), StoreError> {
        self.put_project(project).await
    }

    async fn project(&self, tenant: &TenantId, id: ProjectId) -> Result<Project, StoreError> {
        self.get_project(tenant, id).await
    }

    async fn projects(
        &self,
        tenant: &TenantId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Project>, StoreError> {
        self.list_projects(tenant, cursor, limit).await
    }

    async fn update_project(&self, project: &Project, expected: u64) -> Result<u64, StoreError> {
        self.replace_project(project, expected).await
    }

    async fn delete_project(&self, tenant: &TenantId, id: ProjectId) -> Result<(), StoreError> {
        self.remove_project(tenant, id).await
    }

    async fn create_session(
        &self,
        head: &SessionHead,
        at: Timestamp,
        events: &[EventBody],
    ) -> Result<(), StoreError> {
        self.put_session(head, at, events).await
    }

    async fn session(&self, tenant: &TenantId, id: SessionId) -> Result<SessionHead, StoreError> {
        let head = self.head(id).await?;
        if head.tenant == *tenant {
            Ok(head)
        } else {
            Err(StoreError::NotFound)
        }
    }

    async fn session_any(&self, id: SessionId) -> Result<SessionHead, StoreError> {
        self.head(id).await
    }

    async fn sessions(
        &self,
        tenant: &TenantId,
        project: ProjectId,
    ) -> Result<Vec<SessionHead>, StoreError> {
        self.heads_of(tenant, project).await
    }

    async fn delete_session(&self, tenant: &TenantId, id: SessionId) -> Result<(), StoreError> {
        self.remove_session(tenant, id).await
    }

    async fn append(&self, append: &Append) -> Result<u64, StoreError> {
        self.add_events(append).await
    }

    async fn events(
        &self,
        id: SessionId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        self.events_after(id, after, limit).await
    }

    async fn acquire(
        &self,
        key: &str,
        owner: &str,
        now: Timestamp,
        life: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        self.take_lease(key, owner, now, life).await
    }

    async fn renew(
        &self,
        lease: &Lease,
        now: Timestamp,
        life: Duration,
    ) -> Result<Lease, StoreError> {
        self.renew_lease(lease, now, life).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.release_lease(lease).await
    }

    async fn sessions_with_work(&self, limit: usize) -> Result<Vec<SessionId>, StoreError> {
        self.finish_removals().await;
        self.with_work(limit).await
    }

    async fn put_asset(&self, tenant: &TenantId, asset: &Asset) -> Result<(), StoreError> {
        self.write_asset(tenant, asset).await
    }

    async fn asset(&self, tenant: &TenantId, id: AssetId) -> Result<Asset, StoreError> {
        self.read_asset(tenant, id).await
    }

    async fn assets(
        &self,
        tenant: &TenantId,
        project: ProjectId,
    ) -> Result<Vec<Asset>, StoreError> {
        self.list_assets(tenant, project).await
    }

    async fn delete_asset(&self, tenant: &TenantId, id: AssetId) -> Result<(), StoreError> {
        self.remove_asset(tenant, id).await
    }

    async fn begin_key(
        &self,
        tenant: &TenantId,
        key: &str,
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<Option<KeyAnswer>, StoreError> {
        self.open_key(tenant, key, fingerprint, now).await
    }

    async fn finish_key(
        &self,
        tenant: &TenantId,
        key: &str,
        answer: &KeyAnswer,
    ) -> Result<(), StoreError> {
        self.answer_key(tenant, key, answer).await
    }

    async fn forget_key(&self, tenant: &TenantId, key: &str) -> Result<(), StoreError> {
        self.free_key(tenant, key).await
    }

    async fn count_use(
        &self,
        tenant: &TenantId,
        what: Costly,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<Duration>, StoreError> {
        self.add_use(tenant, what, most, Window::at(now)).await
    }
}
