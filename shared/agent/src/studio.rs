//! The studio: what it is made of, and what can go wrong in it.

use crate::{
    bell::{Bell, News, Room},
    commit::Recent,
    environment::Environments,
};
use bytes::Bytes;
use koda_domain::{
    BlobId, Clock, Engine, Ids, SessionId, TenantId,
    dispatch::{Dispatcher, Errand},
    limits::TurnBudget,
    model::LanguageModel,
    objects::{ObjectError, ObjectKey, ObjectStore, read_all},
    rate::{Costly, Rates},
    sandbox::{SandboxError, SandboxLimits, SandboxProvider},
    settings::FieldError,
    store::{SessionStore, StoreError},
};
use std::{
    borrow::Cow,
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, Semaphore, broadcast};

/// What a studio works with.
pub struct StudioParts {
    /// Logs, projects, leases.
    pub store: Arc<dyn SessionStore>,
    /// Bytes.
    pub objects: Arc<dyn ObjectStore>,
    /// Where code runs.
    pub sandboxes: Arc<dyn SandboxProvider>,
    /// Who writes it.
    pub model: Arc<dyn LanguageModel>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Names.
    pub ids: Arc<dyn Ids>,
    /// Brings work to where it is done; none where a worker of this process does it.
    pub dispatcher: Option<Arc<dyn Dispatcher>>,
    /// Names this process among all that share the store.
    pub owner: String,
    /// Limits and policies.
    pub options: StudioOptions,
}

/// Limits and policies.
#[derive(Debug, Clone)]
pub struct StudioOptions {
    /// Of one turn.
    pub budget: TurnBudget,
    /// Of one sandbox.
    pub limits: SandboxLimits,
    /// How long a sandbox lives without being used.
    pub idle: Duration,
    /// Sandboxes of each engine that wait for a session.
    pub warm: usize,
    /// How long a job's lease lives without being renewed: the longest pause after a worker died.
    pub lease: Duration,
    /// How often text that streams becomes an event.
    pub coalesce: Duration,
    /// Renders that run at once in this process.
    pub renders: usize,
    /// Sandboxes that draw one long render together.
    pub render_sandboxes: u32,
    /// How often the worker looks for work that nobody rang for.
    pub poll: Duration,
    /// How often a tenant may do what costs something.
    pub rates: Rates,
}

impl Default for StudioOptions {
    fn default() -> Self {
        Self {
            budget: TurnBudget::default(),
            limits: SandboxLimits::default(),
            idle: Duration::from_secs(30 * 60),
            warm: 0,
            lease: Duration::from_secs(10),
            coalesce: Duration::from_millis(100),
            renders: 2,
            render_sandboxes: 1,
            poll: Duration::from_secs(1),
            rates: Rates::default(),
        }
    }
}

/// Why a command was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum StudioError {
    /// No such thing, or another tenant's.
    #[error("not found")]
    NotFound,
    /// Fields that break rules.
    #[error("the request breaks rules")]
    Invalid(Vec<FieldError>),
    /// Does not fit the state; the text says why and what to do.
    #[error("{0}")]
    Conflict(String),
    /// Over a limit; the text says which.
    #[error("{0}")]
    TooMany(String),
    /// More often in a minute than is allowed.
    #[error("at most {most} {} a minute", what.plural())]
    TooOften {
        /// What was asked for.
        what: Costly,
        /// How often it may be done.
        most: u32,
        /// How long to wait.
        wait: Duration,
    },
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// Object storage failed.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The sandbox failed.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

impl StudioError {
    /// One field that breaks a rule.
    pub(crate) fn field(field: &str, message: &str) -> Self {
        Self::Invalid(vec![FieldError {
            field: field.into(),
            message: message.into(),
        }])
    }
}

impl From<StoreError> for StudioError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            other => Self::Store(other),
        }
    }
}

/// A lock that a panic elsewhere does not close.
pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// See the crate's documentation.
pub struct Studio {
    pub(crate) parts: StudioParts,
    pub(crate) bell: Bell,
    pub(crate) work: Notify,
    /// Sessions that were given work since somebody looked.
    pub(crate) rung: Mutex<HashSet<SessionId>>,
    pub(crate) recent: Recent,
    pub(crate) environments: Environments,
    pub(crate) render_slots: Semaphore,
}

impl Studio {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: StudioParts) -> Arc<Self> {
        let render_slots = Semaphore::new(parts.options.renders.max(1));
        Arc::new(Self {
            parts,
            bell: Bell::default(),
            work: Notify::new(),
            rung: Mutex::default(),
            recent: Recent::default(),
            environments: Environments::default(),
            render_slots,
        })
    }

    /// Logs, projects, leases.
    pub fn store(&self) -> &dyn SessionStore {
        &*self.parts.store
    }

    /// Bytes.
    pub fn objects(&self) -> &dyn ObjectStore {
        &*self.parts.objects
    }

    /// Where code runs.
    pub fn sandboxes(&self) -> &dyn SandboxProvider {
        &*self.parts.sandboxes
    }

    /// Who writes it.
    pub fn model(&self) -> &dyn LanguageModel {
        &*self.parts.model
    }

    /// Time.
    pub fn clock(&self) -> &dyn Clock {
        &*self.parts.clock
    }

    /// Names.
    pub fn ids(&self) -> &dyn Ids {
        &*self.parts.ids
    }

    pub(crate) fn options(&self) -> &StudioOptions {
        &self.parts.options
    }

    /// What this process appends in a room from now on, as it is appended. A receiver that lags must read the store; so must one
    /// who wants to know what other processes append, now and then.
    #[must_use]
    pub fn listen(&self, room: Room) -> broadcast::Receiver<Arc<News>> {
        self.bell.listen(room)
    }

    /// Has somebody take up the work of a session that was just given some.
    pub(crate) async fn ring(&self, session: SessionId) {
        match &self.parts.dispatcher {
            None => {
                held(&self.rung).insert(session);
                self.work.notify_one();
            }
            Some(dispatcher) => {
                let refresh = false;
                dispatcher.dispatch(Errand { session, refresh }).await;
            }
        }
    }

    /// Has somebody make a session's sandbox show the working files.
    pub(crate) async fn ring_for_refresh(&self, session: SessionId) {
        match &self.parts.dispatcher {
            None => self.refresh_soon(session),
            Some(dispatcher) => {
                let refresh = true;
                dispatcher.dispatch(Errand { session, refresh }).await;
            }
        }
    }

    /// Counts what costs something against its limit, among all processes.
    ///
    /// # Errors
    /// [`StudioError::TooOften`], or the store's: what cannot be counted is not done.
    pub async fn admit(&self, tenant: &TenantId, what: Costly) -> Result<(), StudioError> {
        let Some(most) = self.options().rates.of(what) else {
            return Ok(());
        };
        let now = self.clock().now();
        match self.store().count_use(tenant, what, most, now).await? {
            None => Ok(()),
            Some(wait) => Err(StudioError::TooOften { what, most, wait }),
        }
    }

    /// The template's own files for a workspace, by path below its root.
    #[must_use]
    pub fn scaffold(engine: Engine) -> Vec<(String, Cow<'static, [u8]>)> {
        crate::scaffold(engine)
    }

    /// Font families that an engine's template carries; all of them where none is named.
    #[must_use]
    pub fn fonts(engine: Option<Engine>) -> Vec<&'static str> {
        crate::turn::fonts(engine)
    }

    /// A blob of a workspace or an asset.
    ///
    /// # Errors
    /// [`StudioError::NotFound`] where there is none.
    pub async fn read_blob(&self, tenant: &TenantId, blob: &BlobId) -> Result<Bytes, StudioError> {
        let max = koda_domain::limits::ASSET_BYTES;
        match read_all(self.objects(), &ObjectKey::blob(tenant, blob), max).await {
            Err(ObjectError::NotFound) => Err(StudioError::NotFound),
            other => Ok(other?),
        }
    }

    pub(crate) async fn put_blob(
        &self,
        tenant: &TenantId,
        bytes: Bytes,
    ) -> Result<BlobId, ObjectError> {
        let blob = BlobId::of(&bytes);
        let key = ObjectKey::blob(tenant, &blob);
        // Content-addressed: what is there already is the same.
        if self.objects().head(&key).await?.is_none() {
            self.objects()
                .put(&key, "application/octet-stream", bytes)
                .await?;
        }
        Ok(blob)
    }
}
