//! Processes of a sandbox.

use crate::{
    Error, Sandbox,
    connect::{stream, unary},
    http::Again,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream::BoxStream};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// What to run. There is no shell unless it is one: see [`Command::shell`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Command {
    /// Program, looked up on the sandbox's PATH.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables of its own.
    pub env: BTreeMap<String, String>,
    /// Where it begins; the user's home where nothing is said.
    pub cwd: Option<String>,
    /// Who it is; the sandbox's default where nothing is said.
    pub user: Option<String>,
    /// A name by which it can be found.
    pub tag: Option<String>,
    /// Whether it takes input.
    pub stdin: bool,
    /// Whether it has a terminal, and of which size.
    pub pty: Option<PtySize>,
    /// When the sandbox kills it.
    pub deadline: Option<Duration>,
}

impl Command {
    /// A program without arguments.
    #[must_use]
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            ..Self::default()
        }
    }

    /// A line for a login shell, as the official clients run theirs.
    #[must_use]
    pub fn shell(line: impl Into<String>) -> Self {
        Self::new("/bin/bash").args(["-l".to_owned(), "-c".to_owned(), line.into()])
    }

    /// With these arguments after those it has.
    #[must_use]
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }
}

/// The size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PtySize {
    /// Across.
    pub cols: u16,
    /// Down.
    pub rows: u16,
}

/// Which process is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Selector {
    /// By its number.
    Pid(u32),
    /// By the name that it was given.
    Tag(String),
}

/// What a process can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM.
    Term,
    /// SIGKILL.
    Kill,
}

/// What a process says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessEvent {
    /// From its standard output.
    Stdout(Bytes),
    /// From its standard error.
    Stderr(Bytes),
    /// From its terminal.
    Pty(Bytes),
    /// It is over; always last.
    Exited(Exited),
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exited {
    /// Its exit code; -1 where a signal ended it.
    #[serde(default, rename = "exitCode")]
    pub code: i32,
    /// Whether it ended by itself.
    #[serde(default)]
    pub exited: bool,
    /// In words, such as `exit status 1` or `signal: killed`.
    #[serde(default)]
    pub status: String,
}

/// Everything that a process said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// From its standard output.
    pub stdout: Bytes,
    /// From its standard error.
    pub stderr: Bytes,
    /// Its exit code; -1 where a signal ended it.
    pub code: i32,
    /// In words.
    pub status: String,
}

/// A process that runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProcessInfo {
    /// Its number.
    pub pid: u32,
    /// Its name.
    #[serde(default)]
    pub tag: Option<String>,
    /// What it is.
    pub config: ProcessConfig,
}

/// What a process was started as.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ProcessConfig {
    /// Program.
    pub cmd: String,
    /// Arguments.
    pub args: Vec<String>,
    /// Where it began.
    pub cwd: Option<String>,
}

fn base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Bytes>, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    let bytes = STANDARD
        .decode(text.as_bytes())
        .map_err(serde::de::Error::custom)?;
    Ok(Some(bytes.into()))
}

#[derive(Deserialize)]
struct Message {
    event: Event,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Event {
    start: Option<Start>,
    data: Option<Data>,
    end: Option<Exited>,
}

#[derive(Deserialize)]
struct Start {
    pid: u32,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Data {
    #[serde(deserialize_with = "base64")]
    stdout: Option<Bytes>,
    #[serde(deserialize_with = "base64")]
    stderr: Option<Bytes>,
    #[serde(deserialize_with = "base64")]
    pty: Option<Bytes>,
}

impl Event {
    fn told(self) -> Option<ProcessEvent> {
        if let Some(exited) = self.end {
            return Some(ProcessEvent::Exited(exited));
        }
        let data = self.data?;
        let stdout = data.stdout.map(ProcessEvent::Stdout);
        let stderr = data.stderr.map(ProcessEvent::Stderr);
        stdout
            .or(stderr)
            .or_else(|| data.pty.map(ProcessEvent::Pty))
    }
}

/// A process that is listened to. Dropping it does not end the process, and what it says then is lost.
pub struct Process {
    pid: u32,
    events: BoxStream<'static, Result<ProcessEvent, Error>>,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process")
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

impl Process {
    /// Its number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Listens to its end.
    ///
    /// # Errors
    /// [`Error::TimedOut`] where its deadline ended it.
    pub async fn wait(mut self) -> Result<Output, Error> {
        let (mut stdout, mut stderr) = (BytesMut::new(), BytesMut::new());
        while let Some(event) = self.next().await {
            match event? {
                ProcessEvent::Stdout(bytes) | ProcessEvent::Pty(bytes) => {
                    stdout.extend_from_slice(&bytes);
                }
                ProcessEvent::Stderr(bytes) => stderr.extend_from_slice(&bytes),
                ProcessEvent::Exited(exited) => {
                    return Ok(Output {
                        stdout: stdout.freeze(),
                        stderr: stderr.freeze(),
                        code: exited.code,
                        status: exited.status,
                    });
                }
            }
        }
        Err(Error::Protocol("the process's end was not told".into()))
    }
}

impl Stream for Process {
    type Item = Result<ProcessEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_next_unpin(cx)
    }
}

/// Processes of a sandbox.
#[derive(Debug, Clone)]
pub struct Processes {
    sandbox: Sandbox,
}

impl Processes {
    pub(crate) fn new(sandbox: Sandbox) -> Self {
        Self { sandbox }
    }

    async fn listen(
        &self,
        method: &str,
        user: Option<&str>,
        query: &Value,
        deadline: Option<Duration>,
    ) -> Result<Process, Error> {
        let messages = stream::<_, Message>(&self.sandbox, method, user, query, deadline).await?;
        let mut messages = Box::pin(messages);
        let pid = loop {
            match messages.next().await {
                Some(Ok(message)) => {
                    if let Some(start) = message.event.start {
                        break start.pid;
                    }
                }
                Some(Err(error)) => return Err(error),
                None => return Err(Error::Protocol("the process was not said to start".into())),
            }
        };
        let mut over = false;
        let events = messages
            .filter_map(async |message| match message {
                Ok(message) => message.event.told().map(Ok),
                Err(error) => Some(Err(error)),
            })
            // What follows the end is the end of the stream.
            .take_while(move |event| {
                let go_on = !over;
                over |= matches!(event, Ok(ProcessEvent::Exited(_)) | Err(_));
                std::future::ready(go_on)
            });
        Ok(Process {
            pid,
            events: events.boxed(),
        })
    }

    /// Starts a process, and listens to it. A program that is not there ends with 127.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] where its folder is not there.
    pub async fn start(&self, command: Command) -> Result<Process, Error> {
        let mut query = json!({
            "process": {"cmd": command.program, "args": command.args, "envs": command.env},
            "stdin": command.stdin,
        });
        if let Some(cwd) = &command.cwd {
            query["process"]["cwd"] = cwd.as_str().into();
        }
        if let Some(tag) = &command.tag {
            query["tag"] = tag.as_str().into();
        }
        if let Some(size) = command.pty {
            query["pty"] = json!({"size": size});
        }
        let method = "/process.Process/Start";
        self.listen(method, command.user.as_deref(), &query, command.deadline)
            .await
    }

    /// Runs a process to its end.
    ///
    /// # Errors
    /// As [`Self::start`] and [`Process::wait`]; an exit code is no error.
    pub async fn run(&self, command: Command) -> Result<Output, Error> {
        self.start(command).await?.wait().await
    }

    /// Listens to a process from now on. One that ended less than half a minute ago tells its end.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn connect(&self, process: &Selector) -> Result<Process, Error> {
        let method = "/process.Process/Connect";
        self.listen(method, None, &json!({"process": process}), None)
            .await
    }

    async fn unary(&self, again: Again, method: &str, query: &Value) -> Result<Value, Error> {
        let method = format!("/process.Process/{method}");
        unary(&self.sandbox, again, &method, None, query).await
    }

    /// Processes that were started through envd and run.
    ///
    /// # Errors
    /// Where the sandbox cannot be asked.
    pub async fn list(&self) -> Result<Vec<ProcessInfo>, Error> {
        let answer = self.unary(Again::Safe, "List", &json!({})).await?;
        let processes = answer.get("processes").cloned().unwrap_or(json!([]));
        serde_json::from_value(processes).map_err(|e| Error::Protocol(e.to_string()))
    }

    async fn send(&self, process: &Selector, kind: &str, bytes: &[u8]) -> Result<(), Error> {
        let query = json!({"process": process, "input": {kind: STANDARD.encode(bytes)}});
        // Input is not the same twice.
        self.unary(Again::Unsent, "SendInput", &query)
            .await
            .map(drop)
    }

    /// Writes to a process's standard input.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Api`] where it takes no input.
    pub async fn send_stdin(&self, process: &Selector, bytes: &[u8]) -> Result<(), Error> {
        self.send(process, "stdin", bytes).await
    }

    /// Types into a process's terminal.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Api`] where it has none.
    pub async fn send_pty(&self, process: &Selector, bytes: &[u8]) -> Result<(), Error> {
        self.send(process, "pty", bytes).await
    }

    /// Ends a process's standard input.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn close_stdin(&self, process: &Selector) -> Result<(), Error> {
        let query = json!({"process": process});
        self.unary(Again::Safe, "CloseStdin", &query)
            .await
            .map(drop)
    }

    /// Sends a signal to a process, and to no child of it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn signal(&self, process: &Selector, signal: Signal) -> Result<(), Error> {
        let name = match signal {
            Signal::Term => "SIGNAL_SIGTERM",
            Signal::Kill => "SIGNAL_SIGKILL",
        };
        let query = json!({"process": process, "signal": name});
        self.unary(Again::Unsent, "SendSignal", &query)
            .await
            .map(drop)
    }

    /// Changes the size of a process's terminal.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Api`] where it has none.
    pub async fn resize(&self, process: &Selector, size: PtySize) -> Result<(), Error> {
        let query = json!({"process": process, "pty": {"size": size}});
        self.unary(Again::Safe, "Update", &query).await.map(drop)
    }
}
