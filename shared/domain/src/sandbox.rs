//! The seam to sandboxes: places where untrusted code runs, and that may vanish at any moment.

use crate::{SandboxId, SessionId, WorkPath, format::Engine};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use utoipa::ToSchema;

/// What a sandbox is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct SandboxSpec {
    /// Whose sandbox it is. Creating twice for one session and place gives the one that lives.
    pub session: SessionId,
    /// Which of the session's sandboxes: 0 is the one it works in, others help it with a render.
    pub place: u32,
    /// What `/app` is made from.
    pub template: Engine,
    /// What it may use.
    pub limits: SandboxLimits,
    /// How long it lives without [`SandboxProvider::extend`].
    pub life: Duration,
}

/// Sandboxes that wait for a session to come.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// What their `/app` is made from.
    pub template: Engine,
    /// What each may use.
    pub limits: SandboxLimits,
    /// How long each lives without being asked for again.
    pub life: Duration,
    /// How many there are to be.
    pub count: usize,
}

/// What a sandbox may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SandboxLimits {
    /// Bytes of memory.
    pub memory: u64,
    /// Cores.
    pub cpus: f64,
    /// Processes and threads.
    pub pids: u32,
    /// Bytes on disk, `/app` and `/tmp` together.
    pub disk: u64,
}

impl Default for SandboxLimits {
    fn default() -> Self {
        Self {
            memory: 2 << 30,
            cpus: 2.0,
            pids: 512,
            disk: 2 << 30,
        }
    }
}

/// A sandbox that lives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sandbox {
    /// Its name at the provider.
    pub id: SandboxId,
    /// Whose it is.
    pub session: SessionId,
    /// Which of the session's, see [`SandboxSpec::place`].
    #[serde(default)]
    pub place: u32,
    /// What `/app` was made from.
    pub template: Engine,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends unless extended.
    pub expires_at: Timestamp,
    /// When it ends however much it is extended, where there is such a time.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
}

/// Names a process within a sandbox, so that any handler can find it: letters, digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProcessName(String);

impl ProcessName {
    /// Takes a name made by us.
    ///
    /// # Panics
    /// Where it is empty, longer than 80 or holds another character: names are never user input.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        assert!(
            !name.is_empty() && name.len() <= 80 && name.bytes().all(plain),
            "bad process name"
        );
        Self(name)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A command. Never a shell line: `argv[0]` is looked up on the sandbox's PATH, the rest are arguments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exec {
    /// For [`SandboxProvider::process`] and [`SandboxProvider::kill`]; unique among running ones.
    pub name: ProcessName,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Added to the sandbox's own environment.
    pub env: BTreeMap<String, String>,
    /// Where the whole process tree is killed.
    pub deadline: Duration,
    /// Bytes of stdout and of stderr that are kept, each; more is read and dropped.
    pub output_cap: u64,
}

impl Exec {
    /// A command with a deadline and an output cap of 1 MiB.
    #[must_use]
    pub fn new(name: ProcessName, argv: &[&str], deadline: Duration) -> Self {
        Self {
            name,
            argv: argv.iter().map(|a| (*a).to_owned()).collect(),
            env: BTreeMap::new(),
            deadline,
            output_cap: 1 << 20,
        }
    }
}

/// What a running command says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecEvent {
    /// From its standard output, as it comes.
    Stdout(Bytes),
    /// From its standard error, as it comes.
    Stderr(Bytes),
    /// It is over; always last.
    Exited(ExitStatus),
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitStatus {
    /// Exit code, or 128 + signal.
    pub code: i32,
    /// What ended it, where it did not end by itself.
    pub ended_by: Option<EndedBy>,
    /// Whether output was dropped.
    pub truncated: bool,
}

/// What ended a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// Its deadline.
    Deadline,
    /// [`SandboxProvider::kill`].
    Kill,
    /// The sandbox's memory limit.
    Memory,
    /// The sandbox's disk limit.
    Disk,
    /// The sandbox's limit of processes.
    Pids,
}

/// Where a named process stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessStatus {
    /// It runs.
    Running,
    /// It ended.
    Exited(ExitStatus),
    /// No process of that name was started in this sandbox.
    Unknown,
}

/// A file to write. Its bytes arrive exactly.
#[derive(Debug, Clone, PartialEq)]
pub struct FileWrite {
    /// Below `/app`.
    pub path: WorkPath,
    /// Content.
    pub bytes: Bytes,
}

/// A file or folder in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Below `/app`.
    pub path: String,
    /// Whether it is a folder.
    pub is_dir: bool,
    /// Bytes; 0 for a folder.
    pub size: u64,
}

/// How to reach a sandbox's preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    /// HTTP over a Unix socket on this machine.
    Unix(PathBuf),
    /// HTTP over TCP, reachable from the server only.
    Tcp {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// A public origin of the provider's, such as `https://5173-abc.e2b.app`.
    Public {
        /// Scheme and host.
        origin: String,
        /// Headers that it demands.
        headers: Vec<(String, String)>,
    },
}

/// Why a sandbox could not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SandboxError {
    /// It does not live any more. Make a new one and fill it from the manifest.
    #[error("the sandbox is gone")]
    Gone,
    /// No such file.
    #[error("no such file in the sandbox: {0}")]
    NotFound(String),
    /// The path names a folder, a socket or another thing that is not a plain file.
    #[error("not a plain file: {0}")]
    NotAFile(String),
    /// A process of that name runs already.
    #[error("a process named {0} is already running")]
    Busy(String),
    /// It took too long.
    #[error("the sandbox took too long: {0}")]
    TimedOut(String),
    /// Over a limit of size, disk, memory or number of sandboxes.
    #[error("over a sandbox limit: {0}")]
    OverLimit(String),
    /// The provider refuses this machine or this request; the text says what to do.
    #[error("{0}")]
    Rejected(String),
    /// The provider cannot be reached; may pass.
    #[error("sandboxes are unavailable: {0}")]
    Unavailable(String),
}

/// What a provider is, for logs and screens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderInfo {
    /// `local`, `docker`, `e2b`.
    pub name: String,
    /// What keeps the sandboxes apart, in a few words.
    pub isolation: String,
}

/// Runs untrusted code somewhere else. Every call names a sandbox that this deployment owns.
///
/// All calls may be made from any process, at any time; a sandbox that vanished answers [`SandboxError::Gone`].
#[async_trait]
pub trait SandboxProvider: Send + Sync {
    /// What this provider is.
    fn info(&self) -> ProviderInfo;

    /// Whether sandboxes can be made now; an error says what to do.
    async fn ready(&self) -> Result<(), SandboxError>;

    /// Makes a sandbox whose `/app` holds the template, or gives the one that this session has. One that waits for a session
    /// ([`Self::keep_waiting`]) is taken where there is one of this template and these limits.
    async fn create(&self, spec: &SandboxSpec) -> Result<Sandbox, SandboxError>;

    /// Lets those that wait for a session live on, and makes one more where fewer wait than there are to be and there is room; ends
    /// those that are too many.
    /// Gives the one that was made, so that the caller can have its preview served before anybody needs it. No session owns them:
    /// [`Self::owned`] does not list them. Where sandboxes start warm by themselves there are none.
    async fn keep_waiting(&self, _kind: &Waiting) -> Result<Option<SandboxId>, SandboxError> {
        Ok(None)
    }

    /// The sandbox, if it lives.
    async fn get(&self, id: &SandboxId) -> Result<Sandbox, SandboxError>;

    /// Runs a command and streams what it says. Dropping the stream lets it run on; see [`Self::kill`].
    async fn exec(
        &self,
        id: &SandboxId,
        exec: &Exec,
    ) -> Result<BoxStream<'static, Result<ExecEvent, SandboxError>>, SandboxError>;

    /// Starts a command that runs on without anybody listening. Its output goes nowhere.
    async fn spawn(&self, id: &SandboxId, exec: &Exec) -> Result<(), SandboxError>;

    /// Where a named process stands.
    async fn process(
        &self,
        id: &SandboxId,
        name: &ProcessName,
    ) -> Result<ProcessStatus, SandboxError>;

    /// Ends a named process and everything that it started: SIGTERM, and SIGKILL after `grace`.
    /// Returns when nothing of it is left; ending nothing succeeds.
    async fn kill(
        &self,
        id: &SandboxId,
        name: &ProcessName,
        grace: Duration,
    ) -> Result<(), SandboxError>;

    /// Writes files, each whole or not at all, making folders as needed.
    async fn write(&self, id: &SandboxId, files: Vec<FileWrite>) -> Result<(), SandboxError>;

    /// Reads a plain file of at most `max` bytes.
    async fn read(&self, id: &SandboxId, path: &WorkPath, max: u64) -> Result<Bytes, SandboxError>;

    /// Reads a plain file of any size, in pieces.
    async fn read_stream(
        &self,
        id: &SandboxId,
        path: &WorkPath,
    ) -> Result<BoxStream<'static, Result<Bytes, SandboxError>>, SandboxError>;

    /// Everything below a folder, sorted by path; the whole of `/app` without `node_modules` where `None`.
    async fn list(
        &self,
        id: &SandboxId,
        folder: Option<&WorkPath>,
    ) -> Result<Vec<Listed>, SandboxError>;

    /// Removes files or folders; removing nothing succeeds.
    async fn remove(&self, id: &SandboxId, paths: Vec<WorkPath>) -> Result<(), SandboxError>;

    /// How to reach the page that `node dev.mjs` serves, whether or not it runs.
    async fn preview(&self, id: &SandboxId) -> Result<Upstream, SandboxError>;

    /// Lets it live for this long from now.
    async fn extend(&self, id: &SandboxId, life: Duration) -> Result<(), SandboxError>;

    /// Every sandbox that this deployment made and that lives.
    async fn owned(&self) -> Result<Vec<Sandbox>, SandboxError>;

    /// Ends a sandbox and everything in it; succeeds if it is gone already.
    async fn destroy(&self, id: &SandboxId) -> Result<(), SandboxError>;

    /// Removes what dead sandboxes left behind (folders, processes, control groups); returns how many.
    async fn sweep(&self) -> Result<u32, SandboxError>;
}

/// Everything that a command said, once it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecOutput {
    /// Kept standard output.
    pub stdout: Vec<u8>,
    /// Kept standard error.
    pub stderr: Vec<u8>,
    /// How it ended.
    pub status: ExitStatus,
}

/// Runs a command to its end.
///
/// # Errors
/// As [`SandboxProvider::exec`].
pub async fn run(
    provider: &dyn SandboxProvider,
    id: &SandboxId,
    exec: &Exec,
) -> Result<ExecOutput, SandboxError> {
    use futures_util::StreamExt;
    let mut events = provider.exec(id, exec).await?;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while let Some(event) = events.next().await {
        match event? {
            ExecEvent::Stdout(bytes) => stdout.extend_from_slice(&bytes),
            ExecEvent::Stderr(bytes) => stderr.extend_from_slice(&bytes),
            ExecEvent::Exited(status) => {
                return Ok(ExecOutput {
                    stdout,
                    stderr,
                    status,
                });
            }
        }
    }
    Err(SandboxError::Gone)
}
