//! The E2B provider: a virtual machine for each session, at E2B or at a service that speaks its protocol.
//!
//! Inside runs the same supervisor as in a local sandbox, so that commands have names, ends and limits that are told
//! alike; it is asked through envd's processes. Metadata marks what this deployment owns, so that any process finds it.

mod calls;
mod files;
mod owner;

use crate::{
    talk,
    wire::{Reply, Request},
};
use async_trait::async_trait;
use bytes::Bytes;
use e2b_client::{Client, Config, Network, NewSandbox, Sandbox as Handle, SandboxState};
use futures_util::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream::BoxStream};
use koda_domain::{
    Engine, SandboxId, WorkPath,
    sandbox::{
        Exec, ExecEvent, FileWrite, Listed, ProcessName, ProcessStatus, ProviderInfo, Sandbox,
        SandboxError, SandboxProvider, SandboxSpec, Upstream,
    },
};
use owner::{Owner, sandbox_of};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
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
    creating: tokio::sync::Mutex<()>,
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
            creating: tokio::sync::Mutex::default(),
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

    /// The session's sandbox, where it has one; doubles are ended.
    async fn of_session(&self, spec: &SandboxSpec) -> Result<Option<Sandbox>, SandboxError> {
        let query = self.owner().of_session(spec.session);
        let mut found = self
            .client
            .list(&query)
            .await
            .map_err(|e| calls::failed(&e))?;
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

    async fn make(&self, spec: &SandboxSpec) -> Result<(), SandboxError> {
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
            // Previews are proxied, and only the proxy has the token.
            allow_public_traffic: Some(false),
            // Dev servers refuse hosts that they do not know.
            mask_request_host: Some("localhost:${PORT}".into()),
            ..Network::default()
        });
        let made = self.client.create(&new).await;
        let handle = made.map_err(|e| calls::not_made(&e, template))?;
        let id = SandboxId(handle.id().to_owned());
        self.met().insert(id.clone(), handle);
        let limits = Request::Limit {
            memory: spec.limits.memory,
            pids: spec.limits.pids,
            disk: spec.limits.disk,
        };
        let limited = self.ask(&id, &limits).await;
        match limited {
            Ok(Reply::Done) => Ok(()),
            other => {
                let _ = self.client.kill(&id.0).await;
                self.met().remove(&id);
                Err(match other {
                    Err(SandboxError::Gone) => calls::no_supervisor(template),
                    Err(error) => error,
                    Ok(reply) => talk::nonsense(&format!("{reply:?}")),
                })
            }
        }
    }
}

#[async_trait]
impl SandboxProvider for E2bProvider {
    fn info(&self) -> ProviderInfo {
        ProviderInfo {
            name: "e2b".into(),
            isolation: "a virtual machine for each session (E2B), no network".into(),
        }
    }

    async fn ready(&self) -> Result<(), SandboxError> {
        for template in self.config.templates.values() {
            let there = self.client.template_exists(template).await;
            if !there.map_err(|e| calls::failed(&e))? {
                return Err(calls::no_template(template));
            }
        }
        Ok(())
    }

    async fn create(&self, spec: &SandboxSpec) -> Result<Sandbox, SandboxError> {
        let _one_at_a_time = self.creating.lock().await;
        if let Some(sandbox) = self.of_session(spec).await? {
            return Ok(sandbox);
        }
        if self.owned().await?.len() >= self.config.max_sandboxes {
            return Err(SandboxError::OverLimit(format!(
                "{} sandboxes run already, which is the most that this deployment is set to (KODA_MAX_SANDBOXES)",
                self.config.max_sandboxes
            )));
        }
        self.make(spec).await?;
        // Another process may have made one at the same moment.
        self.of_session(spec).await?.ok_or(SandboxError::Gone)
    }

    async fn get(&self, id: &SandboxId) -> Result<Sandbox, SandboxError> {
        if !owner::is_id(&id.0) {
            return Err(SandboxError::Gone);
        }
        let failed = |e: e2b_client::Error| calls::failed(&e);
        let mut info = self.client.get(&id.0).await.map_err(failed)?;
        if info.state == SandboxState::Paused && self.owner().owns(&info) {
            self.met().remove(id);
            self.attach(id).await?;
            info = self.client.get(&id.0).await.map_err(failed)?;
        }
        if !self.owner().owns(&info) {
            return Err(SandboxError::Gone);
        }
        sandbox_of(&info, self.config.max_life).ok_or(SandboxError::Gone)
    }

    async fn exec(
        &self,
        id: &SandboxId,
        exec: &Exec,
    ) -> Result<BoxStream<'static, Result<ExecEvent, SandboxError>>, SandboxError> {
        let request = Request::Exec { exec: exec.clone() };
        let request = &request;
        let listen = |handle: Handle| async move { calls::listen(&handle, request).await }.boxed();
        let mut replies = self.with(id, listen).await?;
        let first = replies.next().await.unwrap_or(Err(SandboxError::Gone))?;
        talk::started(first, exec.name.as_str())?;
        let events = replies.and_then(|reply| std::future::ready(talk::event(reply)));
        let mut over = false;
        let events = events.take_while(move |event| {
            let go_on = !over;
            over |= !matches!(event, Ok(ExecEvent::Stdout(_) | ExecEvent::Stderr(_)));
            std::future::ready(go_on)
        });
        Ok(events.boxed())
    }

    async fn spawn(&self, id: &SandboxId, exec: &Exec) -> Result<(), SandboxError> {
        let reply = self.ask(id, &Request::Spawn { exec: exec.clone() }).await?;
        talk::started(reply, exec.name.as_str())
    }

    async fn process(
        &self,
        id: &SandboxId,
        name: &ProcessName,
    ) -> Result<ProcessStatus, SandboxError> {
        let name = name.as_str().to_owned();
        Ok(match self.ask(id, &Request::Status { name }).await? {
            Reply::Running => ProcessStatus::Running,
            Reply::Exited { status } => ProcessStatus::Exited(status),
            _ => ProcessStatus::Unknown,
        })
    }

    async fn kill(
        &self,
        id: &SandboxId,
        name: &ProcessName,
        grace: Duration,
    ) -> Result<(), SandboxError> {
        let request = Request::Kill {
            name: name.as_str().to_owned(),
            grace_ms: u64::try_from(grace.as_millis()).unwrap_or(u64::MAX),
        };
        self.ask(id, &request).await.map(drop)
    }

    async fn write(&self, id: &SandboxId, files: Vec<FileWrite>) -> Result<(), SandboxError> {
        let files = &files;
        let write = |handle: Handle| async move { files::write(&handle, files).await }.boxed();
        files::understood(self.with(id, write).await?)
    }

    async fn read(&self, id: &SandboxId, path: &WorkPath, max: u64) -> Result<Bytes, SandboxError> {
        let max = max.to_string();
        self.files(id, &["read", files::APP, path.as_str(), &max])
            .await
    }

    async fn read_stream(
        &self,
        id: &SandboxId,
        path: &WorkPath,
    ) -> Result<BoxStream<'static, Result<Bytes, SandboxError>>, SandboxError> {
        self.files(id, &["check", files::APP, path.as_str()])
            .await?;
        let absolute = format!("{}/{}", files::APP, path.as_str());
        let absolute = &absolute;
        let read = |handle: Handle| {
            async move {
                let files = handle.files().as_user(files::USER);
                let (_, stream) = files.read_stream(absolute).await?;
                Ok(stream.boxed())
            }
            .boxed()
        };
        let stream = self.with(id, read).await?;
        Ok(stream.map_err(|e| calls::failed(&e)).boxed())
    }

    async fn list(
        &self,
        id: &SandboxId,
        folder: Option<&WorkPath>,
    ) -> Result<Vec<Listed>, SandboxError> {
        let mut args = vec!["list", files::APP];
        args.extend(folder.map(WorkPath::as_str));
        let told = self.files(id, &args).await?;
        serde_json::from_slice(&told).map_err(|e| talk::nonsense(&e))
    }

    async fn remove(&self, id: &SandboxId, paths: Vec<WorkPath>) -> Result<(), SandboxError> {
        let names = serde_json::to_string(&paths).map_err(|e| talk::nonsense(&e))?;
        self.files(id, &["remove", files::APP, &names])
            .await
            .map(drop)
    }

    async fn preview(&self, id: &SandboxId) -> Result<Upstream, SandboxError> {
        // An address can be made up for any sandbox; whether it lives has to be asked.
        let reach = |handle: Handle| {
            async move {
                handle.ensure_alive().await?;
                Ok(handle.host(PREVIEW_PORT))
            }
            .boxed()
        };
        let host = self.with(id, reach).await?;
        Ok(Upstream::Public {
            origin: host.origin,
            headers: host.headers,
        })
    }

    async fn extend(&self, id: &SandboxId, life: Duration) -> Result<(), SandboxError> {
        let life = self.life(life);
        let client = &self.client;
        self.with(id, |handle: Handle| {
            async move { client.set_timeout(handle.id(), life).await }.boxed()
        })
        .await
    }

    async fn owned(&self) -> Result<Vec<Sandbox>, SandboxError> {
        let found = self
            .client
            .list(&self.owner().all())
            .await
            .map_err(|e| calls::failed(&e))?;
        let owned = found.into_iter().filter_map(|info| {
            let mut sandbox = sandbox_of(&info, self.config.max_life)?;
            if info.state == SandboxState::Paused {
                let kept = sandbox.expires_at.checked_add(KEPT_PAUSED);
                sandbox.expires_at = kept.unwrap_or(sandbox.expires_at);
            }
            Some(sandbox)
        });
        Ok(owned.collect())
    }

    async fn destroy(&self, id: &SandboxId) -> Result<(), SandboxError> {
        self.met().remove(id);
        if !owner::is_id(&id.0) {
            return Ok(());
        }
        match self.client.get(&id.0).await {
            Ok(info) if self.owner().owns(&info) => self
                .client
                .kill(&id.0)
                .await
                .map(drop)
                .map_err(|e| calls::failed(&e)),
            Ok(_) | Err(e2b_client::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(calls::failed(&error)),
        }
    }

    async fn sweep(&self) -> Result<u32, SandboxError> {
        // A machine takes everything with it; only doubles of a session can be left.
        let mut of_session: BTreeMap<_, Vec<Sandbox>> = BTreeMap::new();
        for sandbox in self.owned().await? {
            of_session.entry(sandbox.session).or_default().push(sandbox);
        }
        let mut swept = 0;
        for (_, mut sandboxes) in of_session {
            sandboxes.sort_by(|a, b| (a.created_at, &a.id.0).cmp(&(b.created_at, &b.id.0)));
            for double in sandboxes.iter().skip(1) {
                self.destroy(&double.id).await?;
                swept += 1;
            }
        }
        Ok(swept)
    }
}
