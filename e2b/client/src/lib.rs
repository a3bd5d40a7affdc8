//! An async client for [E2B](https://e2b.dev) sandboxes: virtual machines made in a moment, for code that nobody vouches
//! for.
//!
//! ```no_run
//! use e2b_client::{Client, Command, Config, NewSandbox};
//!
//! # async fn hello() -> Result<(), e2b_client::Error> {
//! let client = Client::new(Config::from_env()?)?;
//! let sandbox = client.create(&NewSandbox::new("base")).await?;
//! sandbox.files().write("hello.txt", "hello").await?;
//! let output = sandbox.processes().run(Command::shell("cat hello.txt")).await?;
//! assert_eq!((output.stdout.as_ref(), output.code), (&b"hello"[..], 0));
//! client.kill(sandbox.id()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Retries happen only where the protocol makes them safe; see [`Error`] for what is told apart, and
//! [`Client::create`] for why one call never makes two sandboxes.

mod client;
mod config;
mod connect;
mod create;
mod error;
mod files;
mod http;
mod model;
mod processes;
mod sandbox;
mod utf8;
mod watch;

pub use client::{Client, Pages};
pub use config::Config;
pub use error::{Error, Missing};
pub use files::{EntryInfo, EntryKind, Files, WrittenFile};
pub use model::{
    Lifecycle, ListQuery, Metric, Network, NewSandbox, OnTimeout, SandboxInfo, SandboxState,
};
pub use processes::{
    Command, Exited, Output, Process, ProcessEvent, ProcessInfo, Processes, PtySize, Selector,
    Signal,
};
pub use sandbox::{Host, Operation, Sandbox, Tokens};
pub use utf8::Utf8Decoder;
pub use watch::{FileChange, FileChangeKind, Watch};

/// The port of envd, the daemon inside a sandbox that does what is asked.
pub const ENVD_PORT: u16 = 49983;
