//! The local provider: bubblewrap on this machine, for a first run, development, and CI without a container engine.
//!
//! A sandbox is a set of namespaces with `koda-sandboxd` in it. It is no child of the server: it survives the server's
//! death, is found again by its folder, and ends by itself when its life is over.

mod bwrap;
mod cgroup;
mod client;
mod folder;
mod probe;
mod start;
mod tools;
mod waiting;

use crate::{
    files, talk,
    wire::{Reply, Request},
};
use async_trait::async_trait;
use bytes::Bytes;
use folder::{Folder, Meta};
use futures_util::{StreamExt, future::join_all, stream::BoxStream};
use koda_domain::{
    Clock, Engine, SandboxId, WorkPath,
    sandbox::{
        Exec, ExecEvent, FileWrite, Listed, ProcessName, ProcessStatus, ProviderInfo, Sandbox,
        SandboxError, SandboxLimits, SandboxProvider, SandboxSpec, Upstream, Waiting,
    },
};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};
use tokio_util::io::ReaderStream;

/// Where things are on this machine.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// Folder of the sandboxes; every deployment has its own.
    pub root: PathBuf,
    /// Folder of each engine's template, its packages installed.
    pub templates: BTreeMap<Engine, PathBuf>,
    /// `koda-sandboxd`.
    pub sandboxd: PathBuf,
    /// `koda-capture`.
    pub capture: PathBuf,
    /// The most sandboxes at once.
    pub max_sandboxes: usize,
}

/// See the module.
pub struct LocalProvider {
    config: LocalConfig,
    clock: Arc<dyn Clock>,
    /// One creation at a time in this process; a lock file keeps other processes out.
    creating: tokio::sync::Mutex<()>,
    /// What bubblewrap can do here, once it has been tried out.
    nested: tokio::sync::OnceCell<bwrap::Nested>,
    /// Set once those that an earlier server let wait are cleared away.
    cleared: tokio::sync::OnceCell<()>,
}

impl LocalProvider {
    /// A provider whose sandboxes are below `config.root`.
    #[must_use]
    pub fn new(config: LocalConfig, clock: Arc<dyn Clock>) -> Self {
        Self {
            config,
            clock,
            creating: tokio::sync::Mutex::new(()),
            nested: tokio::sync::OnceCell::new(),
            cleared: tokio::sync::OnceCell::new(),
        }
    }

    fn folder(&self, id: &SandboxId) -> Result<Folder, SandboxError> {
        Folder::of(&self.config.root, id)
    }

    fn known(&self, id: &SandboxId) -> Result<(Folder, Meta), SandboxError> {
        let folder = self.folder(id)?;
        let meta = folder.meta().ok_or(SandboxError::Gone)?;
        Ok((folder, meta))
    }

    async fn ask(&self, id: &SandboxId, request: &Request) -> Result<Reply, SandboxError> {
        let (_, meta) = self.known(id)?;
        client::ask(&folder::control(&meta), request).await
    }

    /// A sandbox that answers.
    async fn alive(&self, id: &SandboxId) -> Result<(Folder, Meta), SandboxError> {
        let (folder, meta) = self.known(id)?;
        client::ping(&meta).await?;
        Ok((folder, meta))
    }

    /// Every sandbox that is not known to be dead, with what its supervisor says to that.
    async fn living(&self) -> Vec<(Meta, Result<(), SandboxError>)> {
        let ids = folder::ids(&self.config.root);
        let asked = ids.iter().map(|id| async move {
            let (_, meta) = self.known(id).ok()?;
            match client::ping(&meta).await {
                Err(SandboxError::Gone) => None,
                answer => Some((meta, answer)),
            }
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// Keeps every other creation and sweep out, of this process and of others, for as long as it is held.
    async fn alone(
        &self,
    ) -> Result<(tokio::sync::MutexGuard<'_, ()>, std::fs::File), SandboxError> {
        let here = self.creating.lock().await;
        let root = self.config.root.clone();
        Ok((here, blocking(move || folder::lock(&root)).await?))
    }

    /// A new sandbox; one that waits for a session where its limits are given.
    async fn make(
        &self,
        spec: &SandboxSpec,
        waits: Option<SandboxLimits>,
    ) -> Result<Sandbox, SandboxError> {
        let template = self.config.templates.get(&spec.template).ok_or_else(|| {
            SandboxError::Rejected(format!(
                "There is no template for the engine {} on this machine.",
                spec.template
            ))
        })?;
        let nested = *self.nested.get_or_try_init(probe::probe).await?;
        let name = ulid::Ulid::generate().to_string().to_ascii_lowercase();
        let id = SandboxId(format!("sbx-{name}"));
        let folder = self.folder(&id)?;
        let now = self.clock.now();
        let mut meta = Meta {
            run: folder::run_folder(&self.config.root, &id),
            waits,
            sandbox: Sandbox {
                id,
                session: spec.session,
                place: spec.place,
                template: spec.template,
                created_at: now,
                expires_at: now.checked_add(spec.life).unwrap_or(now),
                ends_at: None,
            },
            init: None,
        };
        let (laid, source, written) = (folder.clone(), template.clone(), meta.clone());
        let made = match blocking(move || laid.lay_out(&source, &written)).await {
            Ok(()) => start::start(&self.config, &folder, &mut meta, spec, nested).await,
            Err(error) => Err(error),
        };
        if let Err(error) = made {
            clear(folder).await;
            return Err(error);
        }
        Ok(meta.sandbox)
    }
}

/// Ends what is left of a sandbox and removes its folders.
async fn clear(folder: Folder) {
    let cleared = blocking(move || {
        folder.clear();
        Ok(())
    });
    let _ = cleared.await;
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SandboxError> + Send + 'static,
) -> Result<T, SandboxError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| SandboxError::Unavailable(e.to_string()))?
}

#[async_trait]
impl SandboxProvider for LocalProvider {
    fn info(&self) -> ProviderInfo {
        ProviderInfo {
            name: "local".into(),
            isolation: "namespaces of this machine (bubblewrap), no network".into(),
        }
    }

    async fn ready(&self) -> Result<(), SandboxError> {
        for program in [&self.config.sandboxd, &self.config.capture] {
            if !program.is_file() {
                let name = program.file_name().unwrap_or_default();
                return Err(SandboxError::Rejected(format!(
                    "{} is not built; run `make build`.",
                    name.display()
                )));
            }
        }
        probe::probe().await.map(|_| ())
    }

    async fn create(&self, spec: &SandboxSpec) -> Result<Sandbox, SandboxError> {
        // Until the sandbox answers: another process that looks then finds it.
        let _alone = self.alone().await?;
        self.clear_earlier().await;
        let living = self.living().await;
        let (waiting, owned): (Vec<_>, Vec<_>) =
            living.into_iter().partition(|(it, _)| it.waits.is_some());
        let of_session = owned
            .iter()
            .map(|(meta, answer)| (&meta.sandbox, answer))
            .find(|(it, _)| (it.session, it.place) == (spec.session, spec.place));
        if let Some((sandbox, answer)) = of_session {
            return answer.clone().map(|()| sandbox.clone());
        }
        if owned.len() >= self.config.max_sandboxes {
            return Err(SandboxError::OverLimit(format!(
                "{} sandboxes run already, which is the most that this machine is set to (KODA_MAX_SANDBOXES)",
                self.config.max_sandboxes
            )));
        }
        if let Some(sandbox) = self.take(spec, &waiting).await {
            return Ok(sandbox);
        }
        // Those that wait for somebody else make room.
        let over = (owned.len() + waiting.len() + 1).saturating_sub(self.config.max_sandboxes);
        for (meta, _) in waiting.iter().take(over) {
            self.destroy(&meta.sandbox.id).await?;
        }
        self.make(spec, None).await
    }

    async fn keep_waiting(&self, kind: &Waiting) -> Result<Option<SandboxId>, SandboxError> {
        self.keep(kind).await
    }

    async fn get(&self, id: &SandboxId) -> Result<Sandbox, SandboxError> {
        Ok(self.alive(id).await?.1.sandbox)
    }

    async fn exec(
        &self,
        id: &SandboxId,
        exec: &Exec,
    ) -> Result<BoxStream<'static, Result<ExecEvent, SandboxError>>, SandboxError> {
        let (_, meta) = self.known(id)?;
        let request = Request::Exec { exec: exec.clone() };
        client::listen(&folder::control(&meta), &request, exec.name.as_str()).await
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
        self.ask(id, &talk::status_of(name)).await.map(talk::status)
    }

    async fn kill(
        &self,
        id: &SandboxId,
        name: &ProcessName,
        grace: Duration,
    ) -> Result<(), SandboxError> {
        self.ask(id, &talk::kill(name, grace)).await.map(drop)
    }

    async fn write(&self, id: &SandboxId, files: Vec<FileWrite>) -> Result<(), SandboxError> {
        let app = self.alive(id).await?.0.app();
        blocking(move || files::write(&app, &files)).await
    }

    async fn read(&self, id: &SandboxId, path: &WorkPath, max: u64) -> Result<Bytes, SandboxError> {
        let app = self.alive(id).await?.0.app();
        let path = path.clone();
        blocking(move || files::read(&app, &path, max)).await
    }

    async fn read_stream(
        &self,
        id: &SandboxId,
        path: &WorkPath,
    ) -> Result<BoxStream<'static, Result<Bytes, SandboxError>>, SandboxError> {
        let app = self.alive(id).await?.0.app();
        let path = path.clone();
        let (file, _) = blocking(move || files::open(&app, &path)).await?;
        let stream = ReaderStream::with_capacity(tokio::fs::File::from_std(file), 64 * 1024);
        Ok(stream
            .map(|piece| piece.map_err(|e| SandboxError::Unavailable(e.to_string())))
            .boxed())
    }

    async fn list(
        &self,
        id: &SandboxId,
        folder: Option<&WorkPath>,
    ) -> Result<Vec<Listed>, SandboxError> {
        let app = self.alive(id).await?.0.app();
        let folder = folder.cloned();
        blocking(move || files::list(&app, folder.as_ref())).await
    }

    async fn remove(&self, id: &SandboxId, paths: Vec<WorkPath>) -> Result<(), SandboxError> {
        let app = self.alive(id).await?.0.app();
        blocking(move || files::remove(&app, &paths)).await
    }

    async fn preview(&self, id: &SandboxId) -> Result<Upstream, SandboxError> {
        let (_, meta) = self.alive(id).await?;
        Ok(Upstream::Unix(folder::preview(&meta)))
    }

    async fn extend(&self, id: &SandboxId, life: Duration) -> Result<(), SandboxError> {
        let (folder, mut meta) = self.known(id)?;
        let life_ms = talk::milliseconds(life);
        self.ask(id, &Request::Extend { life_ms }).await?;
        let now = self.clock.now();
        meta.sandbox.expires_at = now.checked_add(life).unwrap_or(now);
        // It may have been destroyed meanwhile.
        folder.save(&meta).map_err(|_| SandboxError::Gone)
    }

    async fn owned(&self) -> Result<Vec<Sandbox>, SandboxError> {
        let living = self.living().await.into_iter();
        let owned = living.filter(|(meta, _)| meta.waits.is_none());
        Ok(owned.map(|(meta, _)| meta.sandbox).collect())
    }

    async fn destroy(&self, id: &SandboxId) -> Result<(), SandboxError> {
        if let Ok(folder) = self.folder(id) {
            clear(folder).await;
        }
        Ok(())
    }

    async fn sweep(&self) -> Result<u32, SandboxError> {
        // Nobody is making one meanwhile: what does not answer is dead.
        let _alone = self.alone().await?;
        let mut swept = 0;
        for id in folder::ids(&self.config.root) {
            let Ok(folder) = self.folder(&id) else {
                continue;
            };
            if self.get(&id).await == Err(SandboxError::Gone) {
                clear(folder).await;
                swept += 1;
            }
        }
        Ok(swept)
    }
}
