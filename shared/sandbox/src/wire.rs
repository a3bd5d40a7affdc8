//! What providers and the supervisor inside a sandbox say to each other: over a Unix socket from outside, or through
//! `koda-sandboxd ask` inside.
//!
//! One connection is one request: a line of JSON from the provider, then lines of JSON from the supervisor.

use koda_domain::sandbox::{Exec, ExitStatus};
use serde::{Deserialize, Serialize};

/// Changes with what is said: a sandbox of another version of Koda counts as gone, and is swept.
pub const VERSION: u32 = 3;

/// What a provider asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Request {
    /// Whether the supervisor lives.
    Ping,
    /// Run a command; that it was started, its output and its end follow. It runs on when the connection closes.
    Exec {
        /// The command.
        exec: Exec,
    },
    /// Start a command; only that it was started follows.
    Spawn {
        /// The command.
        exec: Exec,
    },
    /// Where a process stands.
    Status {
        /// Its name.
        name: String,
    },
    /// End a process with everything that it started.
    Kill {
        /// Its name.
        name: String,
        /// Milliseconds between asking and forcing.
        grace_ms: u64,
    },
    /// Live for this long from now.
    Extend {
        /// Milliseconds.
        life_ms: u64,
    },
    /// Hold these limits from now on.
    Limit {
        /// Bytes of memory.
        memory: u64,
        /// Processes and threads.
        pids: u32,
        /// Bytes below `app` and `/tmp`.
        disk: u64,
    },
    /// End everything.
    Shutdown,
}

/// What a supervisor answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Reply {
    /// Done; of a command, that it was started.
    Done,
    /// A piece of standard output, in base64.
    Stdout {
        /// Bytes.
        data: String,
    },
    /// A piece of standard error, in base64.
    Stderr {
        /// Bytes.
        data: String,
    },
    /// A command is over.
    Exited {
        /// How it ended.
        status: ExitStatus,
    },
    /// A process runs.
    Running,
    /// There is no process of that name.
    Unknown,
    /// A process of that name runs already.
    Busy,
    /// The command cannot be started.
    Failed {
        /// Why.
        message: String,
    },
}

/// What the supervisor is told on its command line, as JSON. It listens on two sockets that it inherits: its standard
/// input takes [`Request`]s, its standard output takes connections to the preview.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Orders {
    /// Whose supervisor it is, so that it can be found among a machine's processes.
    pub id: String,
    /// The folder that commands run in, and whose size is limited.
    pub app: String,
    /// The port inside that previews are served on.
    pub port: u16,
    /// Milliseconds to live without being extended.
    pub life_ms: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Processes and threads.
    pub pids: u32,
    /// Bytes below `app` and `/tmp`.
    pub disk: u64,
    /// The file where the kernel counts what it killed for want of memory, where it does.
    pub oom: Option<String>,
    /// The user and group that commands run as, where that is not the supervisor's own.
    #[serde(default)]
    pub user: Option<(u32, u32)>,
    /// Where it listens, where that is no inherited socket.
    #[serde(default)]
    pub socket: Option<String>,
    /// Commands that it starts by itself.
    #[serde(default)]
    pub start: Vec<Exec>,
}
