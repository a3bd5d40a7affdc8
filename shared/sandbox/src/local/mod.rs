//! The local provider: bubblewrap on this machine, for a first run, development, and CI without a container engine.
//!
//! A sandbox is a set of namespaces with `koda-sandboxd` in it. It is no child of the server: it survives the server's
//! death, is found again by its folder, and ends by itself when its life is over.

mod bwrap;
mod cgroup;
mod client;
mod files;
mod folder;

use crate::wire::{Orders, Reply, Request};
use async_trait::async_trait;
use bytes::Bytes;
use cgroup::Groups;
use folder::{Folder, Meta};
use futures_util::{StreamExt, stream::BoxStream};
use koda_domain::{
    Clock, Engine, SandboxId, SessionId, WorkPath,
    sandbox::{
        Exec, ExecEvent, FileWrite, Listed, ProcessName, ProcessStatus, ProviderInfo, Sandbox,
        SandboxError, SandboxProvider, SandboxSpec, Upstream,
    },
};
use std::{collections::BTreeMap, path::PathBuf, process::Stdio, sync::Arc, time::Duration};
use tokio::process::Command;
use tokio_util::io::ReaderStream;

/// How long a sandbox may take to come up.
const START: Duration = Duration::from_secs(10);
/// How long a half-made sandbox is left alone: another process may be making it.
const UNFINISHED: Duration = Duration::from_secs(60);
/// Bytes of `/tmp`, where Chromium and FFmpeg keep what they work on.
const TMP: u64 = 1 << 30;

/// Where things are on this machine.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// Folder of the sandboxes.
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
}

impl LocalProvider {
    /// A provider whose sandboxes are below `config.root`.
    #[must_use]
    pub fn new(config: LocalConfig, clock: Arc<dyn Clock>) -> Self {
        Self {
            config,
            clock,
            creating: tokio::sync::Mutex::new(()),
        }
    }

    fn folder(&self, id: &SandboxId) -> Result<Folder, SandboxError> {
        Folder::of(&self.config.root, id)
    }

    /// A sandbox that answers.
    async fn alive(&self, id: &SandboxId) -> Result<(Folder, Meta), SandboxError> {
        let folder = self.folder(id)?;
        let meta = folder.meta().ok_or(SandboxError::Gone)?;
        match client::ask(&folder.control(&meta), &Request::Ping).await {
            Ok(_) => Ok((folder, meta)),
            Err(error) => Err(error),
        }
    }

    async fn of_session(&self, session: SessionId) -> Result<Option<Sandbox>, SandboxError> {
        Ok(self
            .owned()
            .await?
            .into_iter()
            .find(|sandbox| sandbox.session == session))
    }

    async fn make(&self, spec: &SandboxSpec) -> Result<Sandbox, SandboxError> {
        let template = self.config.templates.get(&spec.template).ok_or_else(|| {
            SandboxError::Rejected(format!(
                "There is no template for the engine {} on this machine.",
                spec.template
            ))
        })?;
        let id = SandboxId(format!(
            "sbx-{}",
            ulid::Ulid::generate().to_string().to_ascii_lowercase()
        ));
        let folder = self.folder(&id)?;
        let now = self.clock.now();
        let mut meta = Meta {
            sandbox: Sandbox {
                id: id.clone(),
                session: spec.session,
                template: spec.template,
                created_at: now,
                expires_at: now.checked_add(spec.life).unwrap_or(now),
            },
            run: folder::run_folder(&self.config.root, &id),
            init: None,
        };
        let (laid, source) = (folder.clone(), template.clone());
        let run = meta.run.clone();
        blocking(move || laid.lay_out(&source, &run)).await?;
        let started = self.start(&folder, &mut meta, template, spec).await;
        if let Err(error) = started {
            self.clear(&folder).await;
            return Err(error);
        }
        Ok(meta.sandbox)
    }

    async fn start(
        &self,
        folder: &Folder,
        meta: &mut Meta,
        template: &std::path::Path,
        spec: &SandboxSpec,
    ) -> Result<(), SandboxError> {
        let view = bwrap::View {
            app: folder.app(),
            modules: Some(template.join("node_modules")).filter(|m| m.is_dir()),
            run: meta.run.clone(),
            sandboxd: self.config.sandboxd.clone(),
            capture: self.config.capture.clone(),
            tmp: TMP.min(spec.limits.disk),
        };
        let orders = Orders {
            socket: format!("{}/control.sock", bwrap::RUN),
            app: "/app".into(),
            life_ms: u64::try_from(spec.life.as_millis()).unwrap_or(u64::MAX),
            memory: spec.limits.memory,
            pids: spec.limits.pids,
            disk: spec.limits.disk,
        };
        let orders =
            serde_json::to_string(&orders).map_err(|e| SandboxError::Rejected(e.to_string()))?;
        let groups = Groups::make(&meta.sandbox.id.0, &spec.limits);
        // The shell joins the control groups, opens the file for bubblewrap's report, and becomes bubblewrap. All that
        // it runs is this constant; names of files come as arguments.
        let script = r#"for f in $KODA_GROUPS; do echo $$ > "$f"; done; unset KODA_GROUPS; exec bwrap --info-fd 3 "$@" 3> "$KODA_INFO""#;
        let joins: Vec<_> = groups
            .join_files()
            .iter()
            .map(|p| p.to_string_lossy().into_owned())
            .collect();
        let log = std::fs::File::create(folder.log())
            .map_err(|e| SandboxError::Unavailable(e.to_string()))?;
        let mut child = Command::new("/bin/sh")
            .args(["-c", script, "sh"])
            .args(bwrap::arguments(&view))
            .arg(orders)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("KODA_GROUPS", joins.join(" "))
            .env("KODA_INFO", folder.info())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            // Away from the terminal's signals; what ends the server does not end it.
            .process_group(0)
            .spawn()
            .map_err(|e| SandboxError::Rejected(format!("bubblewrap cannot be started: {e}")))?;
        let control = folder.control(meta);
        let began = std::time::Instant::now();
        loop {
            if client::ask(&control, &Request::Ping).await.is_ok() {
                break;
            }
            if let Ok(Some(_)) = child.try_wait() {
                let said = std::fs::read_to_string(folder.log()).unwrap_or_default();
                return Err(SandboxError::Rejected(bwrap::explain(&said)));
            }
            if began.elapsed() > START {
                let _ = child.kill().await;
                return Err(SandboxError::TimedOut("it did not come up".into()));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        meta.init = folder.reported_init();
        folder
            .save(meta)
            .map_err(|e| SandboxError::Unavailable(e.to_string()))?;
        // Takes its exit status when it ends, so that no zombie stays.
        tokio::spawn(async move { child.wait().await });
        Ok(())
    }

    /// Ends what is left of a sandbox and removes its folders.
    async fn clear(&self, folder: &Folder) {
        let folder = folder.clone();
        let _ = blocking(move || {
            folder.clear();
            Ok(())
        })
        .await;
    }
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
                let name = program
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                return Err(SandboxError::Rejected(format!(
                    "{name} is not built; run `make build`."
                )));
            }
        }
        bwrap::probe().await
    }

    async fn create(&self, spec: &SandboxSpec) -> Result<Sandbox, SandboxError> {
        let _one_at_a_time = self.creating.lock().await;
        let lock = self.config.root.join(".lock");
        let root = self.config.root.clone();
        // Held until the sandbox answers: another process that looks then finds it.
        let _lock = blocking(move || folder::lock(&root, &lock)).await?;
        if let Some(sandbox) = self.of_session(spec.session).await? {
            return Ok(sandbox);
        }
        if self.owned().await?.len() >= self.config.max_sandboxes {
            return Err(SandboxError::OverLimit(format!(
                "{} sandboxes run already, which is the most that this machine is set to (KODA_MAX_SANDBOXES)",
                self.config.max_sandboxes
            )));
        }
        self.make(spec).await
    }

    async fn get(&self, id: &SandboxId) -> Result<Sandbox, SandboxError> {
        Ok(self.alive(id).await?.1.sandbox)
    }

    async fn exec(
        &self,
        id: &SandboxId,
        exec: &Exec,
    ) -> Result<BoxStream<'static, Result<ExecEvent, SandboxError>>, SandboxError> {
        let folder = self.folder(id)?;
        let meta = folder.meta().ok_or(SandboxError::Gone)?;
        let request = Request::Exec { exec: exec.clone() };
        client::listen(&folder.control(&meta), &request, exec.name.as_str()).await
    }

    async fn spawn(&self, id: &SandboxId, exec: &Exec) -> Result<(), SandboxError> {
        let (folder, meta) = self.alive(id).await?;
        match client::ask(
            &folder.control(&meta),
            &Request::Spawn { exec: exec.clone() },
        )
        .await?
        {
            Reply::Busy => Err(SandboxError::Busy(exec.name.as_str().to_owned())),
            Reply::Failed { message } => Err(SandboxError::Rejected(message)),
            _ => Ok(()),
        }
    }

    async fn process(
        &self,
        id: &SandboxId,
        name: &ProcessName,
    ) -> Result<ProcessStatus, SandboxError> {
        let folder = self.folder(id)?;
        let meta = folder.meta().ok_or(SandboxError::Gone)?;
        let request = Request::Status {
            name: name.as_str().to_owned(),
        };
        Ok(match client::ask(&folder.control(&meta), &request).await? {
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
        let folder = self.folder(id)?;
        let meta = folder.meta().ok_or(SandboxError::Gone)?;
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        let request = Request::Kill {
            name: name.as_str().to_owned(),
            grace_ms,
        };
        client::ask(&folder.control(&meta), &request)
            .await
            .map(|_| ())
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
        Ok(Upstream::Unix(meta.run.join("preview.sock")))
    }

    async fn extend(&self, id: &SandboxId, life: Duration) -> Result<(), SandboxError> {
        let (folder, mut meta) = self.alive(id).await?;
        let life_ms = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
        client::ask(&folder.control(&meta), &Request::Extend { life_ms }).await?;
        let now = self.clock.now();
        meta.sandbox.expires_at = now.checked_add(life).unwrap_or(now);
        folder
            .save(&meta)
            .map_err(|e| SandboxError::Unavailable(e.to_string()))
    }

    async fn owned(&self) -> Result<Vec<Sandbox>, SandboxError> {
        let mut owned = Vec::new();
        for id in folder::ids(&self.config.root) {
            if let Ok((_, meta)) = self.alive(&id).await {
                owned.push(meta.sandbox);
            }
        }
        Ok(owned)
    }

    async fn destroy(&self, id: &SandboxId) -> Result<(), SandboxError> {
        let Ok(folder) = self.folder(id) else {
            return Ok(());
        };
        if let Some(meta) = folder.meta() {
            // Gone already is as good.
            let _ = client::ask(&folder.control(&meta), &Request::Shutdown).await;
        }
        self.clear(&folder).await;
        Ok(())
    }

    async fn sweep(&self) -> Result<u32, SandboxError> {
        let mut swept = 0;
        for id in folder::ids(&self.config.root) {
            let folder = self.folder(&id)?;
            let gone = match folder.meta() {
                Some(meta) => {
                    matches!(
                        client::ask(&folder.control(&meta), &Request::Ping).await,
                        Err(SandboxError::Gone)
                    )
                }
                None => folder.age() > UNFINISHED,
            };
            if gone {
                self.clear(&folder).await;
                swept += 1;
            }
        }
        Ok(swept)
    }
}
