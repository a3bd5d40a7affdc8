//! A session's sandbox: made when needed, filled from the store, found again, replaced when lost.

use crate::{Studio, StudioError, commit::Writer, studio::held};
use jiff::{SignedDuration, Timestamp};
use koda_domain::{
    Engine, EventBody, SandboxId, SessionId, TenantId, VersionId,
    event::SandboxStatus,
    render::RenderStatus,
    sandbox::{
        Exec, ProcessName, ProcessStatus, Sandbox, SandboxError, SandboxSpec, Upstream, Waiting,
    },
    store::{SessionHead, StoreError},
    version::{Files, Manifest},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};
use tracing::{Instrument, info_span, warn};

/// The process that serves the preview.
pub(crate) const PREVIEW: &str = "preview";
/// How long an upstream is remembered: a page load asks for hundreds of modules.
const UPSTREAM_SECONDS: i64 = 2;
/// A sandbox whose provider will end it this soon, whatever anybody does, is replaced before work begins in it. It is also
/// never more than this part of the longest life.
const LAST_MINUTES: SignedDuration = SignedDuration::from_mins(10);
const LAST_PART: i32 = 6;
/// How long it is left at that where no sandbox can be made to wait.
const COLD: SignedDuration = SignedDuration::from_mins(5);
/// How often use of a preview lets its sandbox live on.
const TOUCH_SECONDS: i64 = 60;

/// What this process remembers of sandboxes. All of it can be forgotten.
#[derive(Default)]
pub(crate) struct Environments {
    locks: Mutex<HashMap<SessionId, Arc<tokio::sync::Mutex<()>>>>,
    upstreams: Mutex<HashMap<SessionId, (Timestamp, Upstream)>>,
    touched: Mutex<HashMap<SandboxId, Timestamp>>,
    stale: Mutex<HashSet<SessionId>>,
    /// Until when no sandbox is made to wait, after one could not be made.
    cold_until: Mutex<Option<Timestamp>>,
}

/// Whether a render is at work in the session's sandbox.
pub(crate) fn is_rendering(head: &SessionHead) -> bool {
    let mut renders = head.state.renders.iter();
    renders.any(|r| r.status == RenderStatus::Running)
}

impl Environments {
    /// One preparation of a session's sandbox at a time in this process.
    fn lock(&self, session: SessionId) -> Arc<tokio::sync::Mutex<()>> {
        held(&self.locks).entry(session).or_default().clone()
    }

    /// Sessions whose sandbox should be made to show the working files, and are asked for only once.
    pub(crate) fn take_stale(&self) -> Vec<SessionId> {
        held(&self.stale).drain().collect()
    }

    pub(crate) fn mark_stale(&self, session: SessionId) {
        held(&self.stale).insert(session);
    }

    pub(crate) fn forget(&self, session: SessionId) {
        held(&self.locks).remove(&session);
        held(&self.upstreams).remove(&session);
    }
}

/// What `/app` is to hold.
pub(crate) struct Contents<'a> {
    pub files: &'a Files,
    pub manifest: Option<&'a Manifest>,
}

impl Studio {
    /// The session's sandbox, alive, with this engine's template, these contents and its preview running.
    pub(crate) async fn prepare(
        &self,
        head: &SessionHead,
        engine: Engine,
        contents: Contents<'_>,
    ) -> Result<SandboxId, StudioError> {
        let lock = self.environments.lock(head.id);
        let _guard = lock.lock().await;
        let began = self.clock().now();
        let (sandbox, fresh) = self
            .find_or_create(head.id, engine)
            .instrument(info_span!("sandbox", session.id = %head.id))
            .await?;
        self.fill(&head.tenant, &sandbox, contents.files, contents.manifest)
            .await?;
        self.serve_preview(&sandbox).await?;
        if fresh {
            let seconds = self.seconds_since(began);
            self.tell_sandbox(
                head.id,
                SandboxStatus::Ready,
                Some(sandbox.clone()),
                Some(seconds),
            )
            .await?;
        }
        self.touch(&sandbox).await;
        Ok(sandbox)
    }

    /// The same with the session's working files.
    pub(crate) async fn prepare_working(
        &self,
        head: &SessionHead,
    ) -> Result<SandboxId, StudioError> {
        let proposed = head
            .state
            .proposal
            .as_ref()
            .filter(|p| p.open)
            .map(|p| p.plan.engine);
        let engine = proposed.or(head.state.engine()).unwrap_or(Engine::Remotion);
        let manifest = head.state.manifest().filter(|m| m.engine == engine);
        self.prepare(
            head,
            engine,
            Contents {
                files: &head.state.files,
                manifest: manifest.as_ref(),
            },
        )
        .await
    }

    /// Makes the sandbox show the working files as they are now, without anybody waiting for it.
    pub(crate) fn refresh_soon(&self, session: SessionId) {
        self.environments.mark_stale(session);
        self.work.notify_one();
    }

    async fn find_or_create(
        &self,
        session: SessionId,
        engine: Engine,
    ) -> Result<(SandboxId, bool), StudioError> {
        let head = self.store().session_any(session).await?;
        let known = head.state.sandbox.as_ref();
        if let Some(id) = known.and_then(|s| s.id.clone()) {
            match self.sandboxes().get(&id).await {
                // One that its provider ends soon is left in good time, instead of in the middle of something.
                Ok(sandbox)
                    if sandbox.template == engine
                        && (is_rendering(&head) || !self.is_at_its_end(&sandbox)) =>
                {
                    let ready = known.is_some_and(|s| s.status == SandboxStatus::Ready);
                    return Ok((id, !ready));
                }
                Ok(_) => self.sandboxes().destroy(&id).await?,
                Err(SandboxError::Gone) => {
                    let was_ready = known.is_some_and(|s| s.status == SandboxStatus::Ready);
                    if was_ready {
                        self.tell_sandbox(session, SandboxStatus::Lost, None, None)
                            .await?;
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.tell_sandbox(session, SandboxStatus::Starting, None, None)
            .await?;
        match self.create_matching(session, engine).await {
            Ok(id) => {
                self.tell_sandbox(session, SandboxStatus::Starting, Some(id.clone()), None)
                    .await?;
                Ok((id, true))
            }
            Err(error) => {
                self.tell_sandbox(session, SandboxStatus::Failed, None, None)
                    .await?;
                Err(error.into())
            }
        }
    }

    /// Whether somebody has used it, through this process, in the time in which its end counts as near.
    pub(crate) fn was_used_lately(&self, sandbox: &SandboxId) -> bool {
        let used = held(&self.environments.touched).get(sandbox).copied();
        used.is_some_and(|at| self.clock().now().duration_since(at) < LAST_MINUTES)
    }

    /// Whether its provider ends it soon, however much it is extended.
    pub(crate) fn is_at_its_end(&self, sandbox: &Sandbox) -> bool {
        sandbox.ends_at.is_some_and(|ends_at| {
            let whole = ends_at.duration_since(sandbox.created_at);
            let left = ends_at.duration_since(self.clock().now());
            left < LAST_MINUTES.min(whole / LAST_PART)
        })
    }

    async fn create_matching(
        &self,
        session: SessionId,
        engine: Engine,
    ) -> Result<SandboxId, SandboxError> {
        let spec = SandboxSpec {
            session,
            place: 0,
            template: engine,
            limits: self.options().limits.clone(),
            life: self.options().idle,
        };
        let sandbox = self.sandboxes().create(&spec).await?;
        if sandbox.template == engine {
            return Ok(sandbox.id);
        }
        // One that a worker left behind before it could say so.
        self.sandboxes().destroy(&sandbox.id).await?;
        Ok(self.sandboxes().create(&spec).await?.id)
    }

    fn waiting(&self, count: usize) -> [Waiting; 2] {
        [Engine::Remotion, Engine::Theatre].map(|template| Waiting {
            template,
            limits: self.options().limits.clone(),
            life: self.options().idle,
            count,
        })
    }

    /// Has sandboxes wait for sessions, their previews served already, where that is set.
    pub(crate) async fn keep_warm(&self) {
        let now = self.clock().now();
        if held(&self.environments.cold_until).is_some_and(|until| now < until) {
            return;
        }
        for kind in self.waiting(self.options().warm) {
            for _ in 0..kind.count {
                match self.sandboxes().keep_waiting(&kind).await {
                    Ok(None) => break,
                    Ok(Some(made)) => {
                        // A session that has taken it meanwhile sees to that itself.
                        if let Err(error) = self.serve_preview(&made).await {
                            warn!(sandbox.id = %made, %error, "Could not warm up a sandbox: {error}");
                        }
                    }
                    Err(error) => {
                        warn!(%error, "Could not make a sandbox that waits; that is tried again in a few minutes: {error}");
                        *held(&self.environments.cold_until) = now.checked_add(COLD).ok();
                        break;
                    }
                }
            }
        }
    }

    /// Ends those that wait: who comes next may have other templates.
    pub(crate) async fn stop_waiting(&self) {
        for kind in self.waiting(0) {
            // What is left ends by itself.
            let _ = self.sandboxes().keep_waiting(&kind).await;
        }
    }

    async fn serve_preview(&self, sandbox: &SandboxId) -> Result<(), SandboxError> {
        let name = ProcessName::new(PREVIEW);
        if self.sandboxes().process(sandbox, &name).await? == ProcessStatus::Running {
            return Ok(());
        }
        let day = Duration::from_secs(24 * 3600);
        match self
            .sandboxes()
            .spawn(sandbox, &Exec::new(name, &["node", "dev.mjs"], day))
            .await
        {
            Ok(()) | Err(SandboxError::Busy(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Lets a sandbox live on because it is used.
    pub(crate) async fn touch(&self, sandbox: &SandboxId) {
        let now = self.clock().now();
        let due = held(&self.environments.touched)
            .get(sandbox)
            .is_none_or(|last| now.as_second() - last.as_second() >= TOUCH_SECONDS);
        if due
            && self
                .sandboxes()
                .extend(sandbox, self.options().idle)
                .await
                .is_ok()
        {
            held(&self.environments.touched).insert(sandbox.clone(), now);
        }
    }

    pub(crate) async fn tell_sandbox(
        &self,
        session: SessionId,
        status: SandboxStatus,
        sandbox_id: Option<SandboxId>,
        seconds: Option<f64>,
    ) -> Result<(), StudioError> {
        let provider = self.sandboxes().info().name;
        let told = self
            .commit::<StoreError>(session, Writer::default(), |head| {
                let same = head
                    .state
                    .sandbox
                    .as_ref()
                    .is_some_and(|s| s.status == status && s.id == sandbox_id);
                if same {
                    return Ok(vec![]);
                }
                Ok(vec![EventBody::SandboxChanged {
                    status,
                    sandbox_id: sandbox_id.clone(),
                    provider: provider.clone(),
                    seconds,
                }])
            })
            .await;
        told.map(|_| held(&self.environments.upstreams).remove(&session))
            .map_err(StudioError::from)?;
        Ok(())
    }

    /// Seconds from then to now.
    pub(crate) fn seconds_since(&self, then: Timestamp) -> f64 {
        self.clock().now().duration_since(then).as_secs_f64()
    }

    /// Wakes the sandbox and makes it show a version, or the working files. Returns the version that is shown, where
    /// what is shown is one. Before a plan is approved a sandbox that is there is left as it is.
    ///
    /// # Errors
    /// [`StudioError::Conflict`] where there is nothing to show, or a turn is at work on something newer.
    pub async fn open_preview(
        &self,
        tenant: &TenantId,
        session: SessionId,
        version: Option<VersionId>,
    ) -> Result<Option<VersionId>, StudioError> {
        let head = self.store().session(tenant, session).await?;
        let newest = head.state.head_version().map(|v| v.id);
        if let Some(version) = version.filter(|v| Some(*v) != newest) {
            let old = self.version_of(&head, version).await?;
            if head.state.turn.is_some() {
                return Err(StudioError::Conflict(
                    "The agent is at work; older versions can be looked at when it is done.".into(),
                ));
            }
            let manifest = Manifest::new(old.engine, &old.title, &old.settings);
            self.prepare(
                &head,
                old.engine,
                Contents {
                    files: &old.files,
                    manifest: Some(&manifest),
                },
            )
            .await?;
            return Ok(Some(version));
        }
        if head.state.manifest().is_none() {
            // Who reads a plan may have the page loaded already: what stands in for the animation is served.
            let served = head.state.sandbox.as_ref();
            if served.is_some_and(|sandbox| sandbox.status == SandboxStatus::Ready) {
                return Ok(None);
            }
            return Err(StudioError::Conflict(
                "There is nothing to see yet; approve a plan first.".into(),
            ));
        }
        self.prepare_working(&head).await?;
        Ok(newest.filter(|_| !head.state.has_changes()))
    }

    /// Forgets where a session's preview was: it is not there any more.
    pub fn forget_upstream(&self, session: SessionId) {
        held(&self.environments.upstreams).remove(&session);
    }

    /// How to reach the preview of a session whose sandbox lives.
    ///
    /// # Errors
    /// [`SandboxError::Gone`] where there is none; it is being made again where the session has something to show.
    pub async fn preview_upstream(&self, session: SessionId) -> Result<Upstream, StudioError> {
        let now = self.clock().now();
        let known = held(&self.environments.upstreams).get(&session).cloned();
        if let Some((at, upstream)) = known
            && now.as_second() - at.as_second() < UPSTREAM_SECONDS
        {
            return Ok(upstream);
        }
        let head = self.store().session_any(session).await?;
        let id = head.state.sandbox.as_ref().and_then(|s| s.id.clone());
        let found = match &id {
            Some(id) => self.sandboxes().preview(id).await,
            None => Err(SandboxError::Gone),
        };
        match found {
            Ok(upstream) => {
                if let Some(id) = &id {
                    self.touch(id).await;
                }
                held(&self.environments.upstreams).insert(session, (now, upstream.clone()));
                Ok(upstream)
            }
            Err(error) => {
                if error == SandboxError::Gone && head.state.manifest().is_some() {
                    self.refresh_soon(session);
                }
                Err(error.into())
            }
        }
    }
}
