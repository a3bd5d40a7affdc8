//! Sandboxes in memory: files, and commands that a closure runs.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream, stream::BoxStream};
use jiff::Timestamp;
use koda_domain::{
    SandboxId, WorkPath,
    sandbox::{
        EndedBy, Exec, ExecEvent, ExitStatus, FileWrite, Listed, ProcessName, ProcessStatus,
        ProviderInfo, Sandbox, SandboxError, SandboxProvider, SandboxSpec, Upstream,
    },
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

/// Files of a sandbox, by path below `/app`.
pub type FakeFiles = BTreeMap<String, Bytes>;

/// What a command does.
#[derive(Debug, Clone, Default)]
pub struct FakeRun {
    /// What it prints.
    pub stdout: String,
    /// How long it takes.
    pub takes: Duration,
    /// How it exits.
    pub code: i32,
    /// What ends it, where that is not itself.
    pub ended_by: Option<EndedBy>,
}

type Runner = dyn Fn(&Exec, &mut FakeFiles) -> FakeRun + Send + Sync;

struct Inside {
    sandbox: Sandbox,
    files: FakeFiles,
    processes: BTreeMap<ProcessName, Option<ExitStatus>>,
}

/// Sandboxes in memory.
#[derive(Clone)]
pub struct FakeSandboxes {
    runner: Arc<Runner>,
    inside: Arc<Mutex<BTreeMap<SandboxId, Inside>>>,
    made: Arc<Mutex<u32>>,
    most: usize,
    starting: Duration,
    reading: Duration,
    socket: PathBuf,
}

impl FakeSandboxes {
    /// Sandboxes whose commands the closure runs.
    pub fn new(runner: impl Fn(&Exec, &mut FakeFiles) -> FakeRun + Send + Sync + 'static) -> Self {
        Self {
            runner: Arc::new(runner),
            inside: Arc::default(),
            made: Arc::default(),
            most: usize::MAX,
            starting: Duration::ZERO,
            reading: Duration::ZERO,
            socket: "/nowhere".into(),
        }
    }

    /// The same, with previews behind this Unix socket.
    #[must_use]
    pub fn serving_at(self, socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
            ..self
        }
    }

    /// The same, but never more than so many at once.
    #[must_use]
    pub fn at_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// The same, but each takes this long to be made.
    #[must_use]
    pub fn starting_in(self, starting: Duration) -> Self {
        Self { starting, ..self }
    }

    /// The same, but a file that is read in pieces takes this long to come.
    #[must_use]
    pub fn reading_in(self, reading: Duration) -> Self {
        Self { reading, ..self }
    }

    /// Whether a process runs in any of them.
    #[must_use]
    pub fn runs(&self, name: &str) -> bool {
        let inside = self.inside.lock().unwrap();
        let mut processes = inside.values().flat_map(|inside| &inside.processes);
        processes.any(|(process, status)| process.as_str() == name && status.is_none())
    }

    /// Ends every sandbox, as a provider's failure would.
    pub fn lose_all(&self) {
        self.inside.lock().unwrap().clear();
    }

    /// Makes every sandbox one that began then, and that its provider ends at this time whatever anybody does.
    pub fn will_end(&self, began: Timestamp, end: Timestamp) {
        for inside in self.inside.lock().unwrap().values_mut() {
            inside.sandbox.created_at = began;
            inside.sandbox.expires_at = end;
            inside.sandbox.ends_at = Some(end);
        }
    }

    /// How many were made.
    #[must_use]
    pub fn made(&self) -> u32 {
        *self.made.lock().unwrap()
    }

    /// A file of the only sandbox.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<Bytes> {
        self.inside
            .lock()
            .unwrap()
            .values()
            .next()?
            .files
            .get(path)
            .cloned()
    }

    fn with<T>(
        &self,
        id: &SandboxId,
        use_it: impl FnOnce(&mut Inside) -> T,
    ) -> Result<T, SandboxError> {
        self.inside
            .lock()
            .unwrap()
            .get_mut(id)
            .map(use_it)
            .ok_or(SandboxError::Gone)
    }

    fn start(&self, id: &SandboxId, exec: &Exec) -> Result<FakeRun, SandboxError> {
        let runner = self.runner.clone();
        self.with(id, |inside| {
            if inside.processes.get(&exec.name) == Some(&None) {
                return Err(SandboxError::Busy(exec.name.as_str().into()));
            }
            inside.processes.insert(exec.name.clone(), None);
            Ok(runner(exec, &mut inside.files))
        })?
    }

    /// Lets a command take its time, unless it is killed.
    async fn finish(self, id: SandboxId, name: ProcessName, run: FakeRun) -> ExitStatus {
        let step = Duration::from_millis(5);
        let mut left = run.takes;
        let status = ExitStatus {
            code: run.code,
            ended_by: run.ended_by,
            truncated: false,
        };
        loop {
            let known = self.with(&id, |inside| inside.processes.get(&name).cloned().flatten());
            match known {
                Ok(Some(ended)) => return ended,
                Err(_) => return status,
                Ok(None) if left.is_zero() => {
                    let _ = self.with(&id, |inside| {
                        inside.processes.insert(name, Some(status.clone()))
                    });
                    return status;
                }
                Ok(None) => {
                    tokio::time::sleep(step.min(left)).await;
                    left = left.saturating_sub(step);
                }
            }
        }
    }
}

#[async_trait]
impl SandboxProvider for FakeSandboxes {
    fn info(&self) -> ProviderInfo {
        ProviderInfo {
            name: "fake".into(),
            isolation: "none".into(),
        }
    }

    async fn ready(&self) -> Result<(), SandboxError> {
        Ok(())
    }

    async fn create(&self, spec: &SandboxSpec) -> Result<Sandbox, SandboxError> {
        tokio::time::sleep(self.starting).await;
        let mut all = self.inside.lock().unwrap();
        if let Some(found) = all
            .values()
            .find(|i| (i.sandbox.session, i.sandbox.place) == (spec.session, spec.place))
        {
            return Ok(found.sandbox.clone());
        }
        if all.len() >= self.most {
            return Err(SandboxError::OverLimit("no more sandboxes".into()));
        }
        let mut made = self.made.lock().unwrap();
        *made += 1;
        let sandbox = Sandbox {
            id: SandboxId(format!("fake-{made}")),
            session: spec.session,
            place: spec.place,
            template: spec.template,
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::MAX,
            ends_at: None,
        };
        let inside = Inside {
            sandbox: sandbox.clone(),
            files: FakeFiles::new(),
            processes: BTreeMap::new(),
        };
        all.insert(sandbox.id.clone(), inside);
        Ok(sandbox)
    }

    async fn get(&self, id: &SandboxId) -> Result<Sandbox, SandboxError> {
        self.with(id, |inside| inside.sandbox.clone())
    }

    async fn exec(
        &self,
        id: &SandboxId,
        exec: &Exec,
    ) -> Result<BoxStream<'static, Result<ExecEvent, SandboxError>>, SandboxError> {
        let run = self.start(id, exec)?;
        let said = Bytes::from(run.stdout.clone());
        let ending = self.clone().finish(id.clone(), exec.name.clone(), run);
        let head = stream::iter((!said.is_empty()).then_some(Ok(ExecEvent::Stdout(said))));
        Ok(head
            .chain(stream::once(async { Ok(ExecEvent::Exited(ending.await)) }))
            .boxed())
    }

    async fn spawn(&self, id: &SandboxId, exec: &Exec) -> Result<(), SandboxError> {
        let run = self.start(id, exec)?;
        tokio::spawn(self.clone().finish(id.clone(), exec.name.clone(), run));
        Ok(())
    }

    async fn process(
        &self,
        id: &SandboxId,
        name: &ProcessName,
    ) -> Result<ProcessStatus, SandboxError> {
        self.with(id, |inside| match inside.processes.get(name) {
            None => ProcessStatus::Unknown,
            Some(None) => ProcessStatus::Running,
            Some(Some(status)) => ProcessStatus::Exited(status.clone()),
        })
    }

    async fn kill(
        &self,
        id: &SandboxId,
        name: &ProcessName,
        _: Duration,
    ) -> Result<(), SandboxError> {
        self.with(id, |inside| {
            if let Some(running @ None) = inside.processes.get_mut(name) {
                *running = Some(ExitStatus {
                    code: 137,
                    ended_by: Some(EndedBy::Kill),
                    truncated: false,
                });
            }
        })
    }

    async fn write(&self, id: &SandboxId, files: Vec<FileWrite>) -> Result<(), SandboxError> {
        self.with(id, |inside| {
            inside
                .files
                .extend(files.into_iter().map(|f| (f.path.to_string(), f.bytes)))
        })
    }

    async fn read(&self, id: &SandboxId, path: &WorkPath, max: u64) -> Result<Bytes, SandboxError> {
        let found = self.with(id, |inside| inside.files.get(path.as_str()).cloned())?;
        let found = found.ok_or_else(|| SandboxError::NotFound(path.to_string()))?;
        if found.len() as u64 > max {
            return Err(SandboxError::OverLimit(format!(
                "{path} is larger than {max} bytes"
            )));
        }
        Ok(found)
    }

    async fn read_stream(
        &self,
        id: &SandboxId,
        path: &WorkPath,
    ) -> Result<BoxStream<'static, Result<Bytes, SandboxError>>, SandboxError> {
        let mut bytes = self.read(id, path, u64::MAX).await?;
        let first = bytes.split_to(bytes.len() / 2);
        let reading = self.reading;
        let rest = async move {
            tokio::time::sleep(reading).await;
            Ok(bytes)
        };
        Ok(stream::iter([Ok(first)]).chain(stream::once(rest)).boxed())
    }

    async fn list(
        &self,
        id: &SandboxId,
        _: Option<&WorkPath>,
    ) -> Result<Vec<Listed>, SandboxError> {
        self.with(id, |inside| {
            let listed = inside.files.iter().map(|(path, bytes)| Listed {
                path: path.clone(),
                is_dir: false,
                size: bytes.len() as u64,
            });
            listed.collect()
        })
    }

    async fn remove(&self, id: &SandboxId, paths: Vec<WorkPath>) -> Result<(), SandboxError> {
        self.with(id, |inside| {
            for path in paths {
                let folder = format!("{path}/");
                inside
                    .files
                    .retain(|name, _| *name != path.as_str() && !name.starts_with(&folder));
            }
        })
    }

    async fn preview(&self, id: &SandboxId) -> Result<Upstream, SandboxError> {
        self.with(id, |_| Upstream::Unix(self.socket.clone()))
    }

    async fn extend(&self, id: &SandboxId, _: Duration) -> Result<(), SandboxError> {
        self.with(id, |_| ())
    }

    async fn owned(&self) -> Result<Vec<Sandbox>, SandboxError> {
        Ok(self
            .inside
            .lock()
            .unwrap()
            .values()
            .map(|i| i.sandbox.clone())
            .collect())
    }

    async fn destroy(&self, id: &SandboxId) -> Result<(), SandboxError> {
        self.inside.lock().unwrap().remove(id);
        Ok(())
    }

    async fn sweep(&self) -> Result<u32, SandboxError> {
        Ok(0)
    }
}
