//! The E2B provider: a virtual machine for each session, at E2B or at a service that speaks its protocol.
//!
//! Inside runs the same supervisor as in a local sandbox, so that commands have names, ends and limits that are told
//! alike; it is asked through envd's processes. Metadata marks what this deployment owns, so that any process finds it.

mod calls;
mod files;
mod owner;
mod provider;

use crate::{
    talk,
    wire::{Reply, Request},
};
use bytes::Bytes;
use e2b_client::{Client, Config, Network, NewSandbox, Sandbox as Handle, SandboxState};
use futures_util::{FutureExt, future::BoxFuture};
use koda_domain::{
    Engine, SandboxId, SessionId,
    sandbox::{Sandbox, SandboxError, SandboxSpec},
};
use owner::{Owner, sandbox_of};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// The port that previews are served on.
const PREVIEW_PORT: u16 = 5173;
/// How long one that was attached to lives at least: it is extended by whoever uses it.
const ATTACHED: Duration = Duration::from_secs(60);
/// How long a paused sandbox may be kept that nobody came back to.
const KEPT_PAUSED: Duration = Duration::from_secs(7 * 24 * 3600);

/// What happens to a sandbox that is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnIdle {
    /// It ends; the next use makes another from the stored files.
    Kill,
    /// It is paused, and resumed by the next use.
    Pause,
}

/// How sandboxes are made at E2B.
#[derive(Debug, Clone)]
pub struct E2bConfig {
    /// Where E2B is, and who asks.
    pub client: Config,
    /// Names this deployment among those of the account: sandboxes of others are not touched.
    pub deployment: String,
    /// Template of each engine.
    pub templates: BTreeMap<Engine, String>,
    /// What happens to a sandbox that is not used.
    pub on_idle: OnIdle,
    /// The longest that the account's plan lets a sandbox run at a stretch.
    pub max_life: Duration,
    /// The most sandboxes at once.
    pub max_sandboxes: usize,
    /// Where browsers find a preview without us, with `PORT` and `ID` in it (`https://PORT-ID.e2b.app`). Previews are proxied
    /// where there is none, and a token keeps all others out.
    pub preview_url: Option<String>,
}

impl E2bConfig {
    /// A client's configuration for E2B's own service.
    #[must_use]
    pub fn client(api_key: &str) -> Config {
        Config::new(api_key)
    }
}

/// See the module.
pub struct E2bProvider {
    config: E2bConfig,
    client: Client,
    /// Tokens of sandboxes that this process has met. Any of it can be forgotten.
    met: Mutex<HashMap<SandboxId, Handle>>,
    /// Sessions for which one is being made here.
    sessions: Mutex<HashMap<SessionId, Weak<tokio::sync::Mutex<()>>>>,
    /// How many are being made here, beside those that the list has.
    making: AtomicUsize,
}

/// A place that is given back when it is dropped.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl E2bProvider {
    /// A provider; nothing is sent yet.
    ///
    /// # Errors
    /// Where the key cannot be one.
    pub fn new(config: E2bConfig) -> Result<Self, SandboxError> {
        let client = Client::new(config.client.clone()).map_err(|e| calls::failed(&e))?;
        Ok(Self {
            config,
            client,
            met: Mutex::default(),
            sessions: Mutex::default(),
            making: AtomicUsize::new(0),
        })
    }

    fn met(&self) -> std::sync::MutexGuard<'_, HashMap<SandboxId, Handle>> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owner(&self) -> Owner<'_> {
        Owner {
            deployment: &self.config.deployment,
        }
    }

    fn life(&self, wanted: Duration) -> Duration {
        wanted.min(self.config.max_life)
    }

    /// The sandbox, with its tokens; resumed where it is paused.
    async fn handle(&self, id: &SandboxId) -> Result<Handle, SandboxError> {
        let known = self.met().get(id).cloned();
        match known {
            Some(handle) => Ok(handle),
            None => self.attach(id).await,
        }
    }

    /// Asks E2B for the sandbox's tokens, where it is ours.
    async fn attach(&self, id: &SandboxId) -> Result<Handle, SandboxError> {
        if !owner::is_id(&id.0) {
            return Err(SandboxError::Gone);
        }
        let info = self
            .client
            .get(&id.0)
            .await
            .map_err(|e| calls::failed(&e))?;
        if !self.owner().owns(&info) {
            return Err(SandboxError::Gone);
        }
        let life = if info.state == SandboxState::Paused {
            self.life(Duration::from_secs(300))
        } else {
            ATTACHED
        };
        let handle = self
            .client
            .connect(&id.0, life)
            .await
            .map_err(|e| calls::failed(&e))?;
        self.met().insert(id.clone(), handle.clone());
        Ok(handle)
    }

    /// Does something with a sandbox; one that was paused meanwhile is resumed for it, and one that is gone forgotten.
    async fn with<'a, T: Send>(
        &self,
        id: &SandboxId,
        act: impl Fn(Handle) -> BoxFuture<'a, Result<T, e2b_client::Error>> + Send + Sync,
    ) -> Result<T, SandboxError> {
        let done = act(self.handle(id).await?).await;
        let done = match done {
            Err(e2b_client::Error::Paused(_)) => {
                self.met().remove(id);
                act(self.attach(id).await?).await
            }
            done => done,
        };
        done.map_err(|error| {
            let failed = calls::failed(&error);
            if failed == SandboxError::Gone {
                self.met().remove(id);
            }
            failed
        })
    }

    /// Asks the supervisor for one answer.
    async fn ask(&self, id: &SandboxId, request: &Request) -> Result<Reply, SandboxError> {
        let ask = |handle: Handle| async move { calls::ask(&handle, request).await }.boxed();
        calls::reply(&self.with(id, ask).await?)
    }

    /// Runs `koda-sandboxd files` inside.
    async fn files(&self, id: &SandboxId, args: &[&str]) -> Result<Bytes, SandboxError> {
        let run = |handle: Handle| async move { files::run(&handle, args).await }.boxed();
        files::told(self.with(id, run).await?)
    }

    /// What is held while a session's sandbox is made.
    fn session(&self, session: SessionId) -> Arc<tokio::sync::Mutex<()>> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, held| held.strong_count() > 0);
        if let Some(held) = sessions.get(&session).and_then(Weak::upgrade) {
            return held;
        }
        let held = Arc::default();
        sessions.insert(session, Arc::downgrade(&held));
        held
    }

    /// A place among the most sandboxes that may run at once, kept until the new one is in the list.
    async fn place(&self) -> Result<Place<'_>, SandboxError> {
        let place = Place(&self.making);
        let making = self.making.fetch_add(1, Ordering::Relaxed);
        let found = self.client.list(&self.owner().all()).await;
        let found = found.map_err(|e| calls::failed(&e))?;
        // Those that are paused take nothing.
        let running = found
            .iter()
            .filter(|info| info.state == SandboxState::Running);
        if running.count() + making >= self.config.max_sandboxes {
            return Err(SandboxError::OverLimit(format!(
                "{} sandboxes run already, which is the most that this deployment is set to (KODA_MAX_SANDBOXES)",
                self.config.max_sandboxes
            )));
        }
        Ok(place)
    }

    /// The session's sandbox, where it has one; doubles are ended. Lists lag behind creations: one that was made just now is
    /// looked at by its id.
    async fn of_session(
        &self,
        spec: &SandboxSpec,
        made: Option<&SandboxId>,
    ) -> Result<Option<Sandbox>, SandboxError> {
        let query = self.owner().of_session(spec.session);
        let mut found = self
            .client
            .list(&query)
            .await
            .map_err(|e| calls::failed(&e))?;
        found.retain(|info| owner::place_of(info) == spec.place);
        if let Some(made) = made.filter(|made| found.iter().all(|info| info.id != made.0)) {
            match self.client.get(&made.0).await {
                Ok(info) => found.push(info),
                Err(error) if error.is_gone() => {}
                Err(error) => return Err(calls::failed(&error)),
            }
        }
        // Everybody who looks picks the same.
        found.sort_by(|a, b| (a.started_at, &a.id).cmp(&(b.started_at, &b.id)));
        let mut found = found.into_iter();
        let first = found.next();
        for double in found {
            tracing::info!(sandbox.id = %double.id, "Ending a sandbox that another process made for the same session");
            let _ = self.client.kill(&double.id).await;
            self.met().remove(&SandboxId(double.id));
        }
        Ok(first.and_then(|info| sandbox_of(&info, self.config.max_life)))
    }

    async fn make(&self, spec: &SandboxSpec) -> Result<SandboxId, SandboxError> {
        let template = self.config.templates.get(&spec.template).ok_or_else(|| {
            SandboxError::Rejected(format!(
                "There is no E2B template for the engine {}.",
                spec.template
            ))
        })?;
        let mut new = NewSandbox::new(template.clone());
        new.timeout = self.life(spec.life);
        new.metadata = self.owner().metadata(spec);
        new.internet = false;
        new.auto_pause = self.config.on_idle == OnIdle::Pause;
        new.auto_resume = new.auto_pause;
        new.network = Some(Network {
            // Where previews are proxied, only the proxy has the token. A browser cannot send one.
            allow_public_traffic: Some(self.config.preview_url.is_some()),
            // Dev servers refuse hosts that they do not know.
            mask_request_host: Some("localhost:${PORT}".into()),
            ..Network::default()
        });
        let made = self.client.create(&new).await;
        let handle = made.map_err(|e| calls::not_made(&e, template))?;
        let id = SandboxId(handle.id().to_owned());
        self.met().insert(id.clone(), handle);
        Ok(id)
    }

    /// Sets a new sandbox's limits. False where it is gone: another process made one for the same session at the same
    /// moment, and both keep the older.
    async fn limit(&self, id: &SandboxId, spec: &SandboxSpec) -> Result<bool, SandboxError> {
        let limits = Request::Limit {
            memory: spec.limits.memory,
            pids: spec.limits.pids,
            disk: spec.limits.disk,
        };
        let why = match self.ask(id, &limits).await {
            Ok(Reply::Done) => return Ok(true),
            Ok(reply) => talk::nonsense(&format!("{reply:?}")),
            Err(SandboxError::Gone) => match self.client.get(&id.0).await {
                Ok(_) => calls::no_supervisor(&self.config.templates[&spec.template]),
                Err(error) if error.is_gone() => return Ok(false),
                Err(error) => calls::failed(&error),
            },
            Err(error) => error,
        };
        let _ = self.client.kill(&id.0).await;
        self.met().remove(id);
        Err(why)
    }
}
