//! A process that envd started: who listens to it, how it is fed, and how it ends.

use super::{
    connect::{Code, RpcError},
    proto::{Base64, End, Output, ProcessConfig, ProcessEvent, StartRequest},
    users::User,
};
use pty_process::{OwnedWritePty, Size};
use std::{
    collections::BTreeMap,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, Command},
    sync::mpsc,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Bytes of one event of output, as in envd.
const PIECE: usize = 32 << 10;
const PTY_PIECE: usize = 16 << 10;
/// Events that a listener may lag behind before the process has to wait for it.
const LAG: usize = 64;
/// How long output that was already written is still read once a process was killed.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Programs are looked for here.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A process that runs.
pub struct Process {
    pub pid: u32,
    pub tag: Option<String>,
    pub config: ProcessConfig,
    listeners: Mutex<Vec<mpsc::Sender<ProcessEvent>>>,
    stdin: tokio::sync::Mutex<Option<ChildStdin>>,
    pty: tokio::sync::Mutex<Option<OwnedWritePty>>,
    is_pty: bool,
    /// Nobody waits for its output any more.
    cut: CancellationToken,
}

/// A process just begun, with what is to be read from it.
pub struct Begun {
    pub process: Arc<Process>,
    child: Child,
    readers: Vec<(Kind, Box<dyn AsyncRead + Send + Unpin>)>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Stdout,
    Stderr,
    Pty,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn invalid(message: impl Into<String>) -> RpcError {
    RpcError::new(Code::InvalidArgument, message)
}

/// How a process is told to be.
pub struct Setting<'a> {
    pub user: &'a User,
    /// Whether the kernel can make it somebody else.
    pub switch_user: bool,
    pub cwd: &'a Path,
    /// The sandbox's own variables.
    pub variables: BTreeMap<String, String>,
}

/// Starts a process. A program that is not there ends it with 127, because a shell takes it up, as in envd.
/// With it comes what it says, from the first word.
pub fn begin(
    request: &StartRequest,
    setting: &Setting<'_>,
) -> Result<(Begun, mpsc::Receiver<ProcessEvent>), RpcError> {
    let config = request.process.clone();
    let mut variables = BTreeMap::from([
        ("PATH".to_owned(), PATH.to_owned()),
        (
            "HOME".to_owned(),
            setting.user.home.to_string_lossy().into_owned(),
        ),
        ("USER".to_owned(), setting.user.name.clone()),
        ("LOGNAME".to_owned(), setting.user.name.clone()),
    ]);
    variables.extend(setting.variables.clone());
    variables.extend(config.envs.clone());
    let nul = |text: &String| text.contains('\0');
    if nul(&config.cmd) || config.args.iter().any(nul) {
        return Err(invalid("error starting process: invalid argument"));
    }
    let arguments = ["-c", "exec \"${@}\"", "--", config.cmd.as_str()]
        .into_iter()
        .chain(config.args.iter().map(String::as_str));
    let failed = |e: &dyn std::fmt::Display| {
        invalid(format!("error starting process '{}': {e}", config.cmd))
    };
    let (sender, events) = mpsc::channel(LAG);
    let mut process = Process {
        pid: 0,
        tag: request.tag.clone(),
        config: config.clone(),
        listeners: Mutex::new(vec![sender]),
        stdin: tokio::sync::Mutex::default(),
        pty: tokio::sync::Mutex::default(),
        is_pty: request.pty.is_some(),
        cut: CancellationToken::new(),
    };
    let mut readers: Vec<(Kind, Box<dyn AsyncRead + Send + Unpin>)> = Vec::new();
    let child = if let Some(wanted) = request.pty {
        let (pty, pts) = pty_process::open().map_err(|e| failed(&e))?;
        pty.resize(Size::new(wanted.size.rows, wanted.size.cols))
            .map_err(|e| failed(&e))?;
        let mut command = pty_process::Command::new("/bin/sh")
            .args(arguments)
            .env_clear()
            .envs(variables)
            .current_dir(setting.cwd);
        if setting.switch_user {
            command = command.uid(setting.user.uid).gid(setting.user.gid);
        }
        let child = command.spawn(pts).map_err(|e| failed(&e))?;
        let (reader, writer) = pty.into_split();
        readers.push((Kind::Pty, Box::new(reader)));
        *process.pty.get_mut() = Some(writer);
        child
    } else {
        let takes_input = request.stdin.unwrap_or(true);
        let mut command = Command::new("/bin/sh");
        command
            .args(arguments)
            .env_clear()
            .envs(variables)
            .current_dir(setting.cwd)
            .stdin(if takes_input {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if setting.switch_user {
            command.uid(setting.user.uid).gid(setting.user.gid);
        }
        let mut child = command.spawn().map_err(|e| failed(&e))?;
        *process.stdin.get_mut() = child.stdin.take();
        if let Some(stdout) = child.stdout.take() {
            readers.push((Kind::Stdout, Box::new(stdout)));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push((Kind::Stderr, Box::new(stderr)));
        }
        child
    };
    process.pid = child.id().unwrap_or_default();
    let begun = Begun {
        process: Arc::new(process),
        child,
        readers,
    };
    Ok((begun, events))
}

impl Process {
    /// Listens from now on.
    pub fn listen(&self) -> mpsc::Receiver<ProcessEvent> {
        let (sender, events) = mpsc::channel(LAG);
        held(&self.listeners).push(sender);
        events
    }

    /// Tells everybody who listens, at the pace of the slowest.
    async fn tell(&self, event: ProcessEvent) {
        let listeners = held(&self.listeners).clone();
        for listener in listeners {
            let _ = listener.send(event.clone()).await;
        }
        held(&self.listeners).retain(|l| !l.is_closed());
    }

    async fn read(&self, kind: Kind, mut from: Box<dyn AsyncRead + Send + Unpin>) {
        let mut buffer = vec![
            0;
            if matches!(kind, Kind::Pty) {
                PTY_PIECE
            } else {
                PIECE
            }
        ];
        // A pty says that its other side is closed by an error.
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let piece = Base64(buffer[..count].to_vec());
            let output = match kind {
                Kind::Stdout => Output::Stdout(piece),
                Kind::Stderr => Output::Stderr(piece),
                Kind::Pty => Output::Pty(piece),
            };
            self.tell(ProcessEvent::Data(output)).await;
        }
    }

    /// Sends a signal to this process, and to no child of it. What it still says need not be waited for.
    pub fn signal(&self, signal: nix::sys::signal::Signal) -> Result<(), RpcError> {
        self.cut.cancel();
        let pid = i32::try_from(self.pid).unwrap_or(i32::MAX);
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal)
            .map_err(|e| RpcError::new(Code::Internal, format!("error sending signal: {e}")))
    }

    pub async fn write_stdin(&self, bytes: &[u8]) -> Result<(), RpcError> {
        let refused =
            |why: &str| RpcError::new(Code::Internal, format!("error writing to stdin: {why}"));
        if self.is_pty {
            return Err(refused(
                "tty assigned to process — input should be written to the pty, not the stdin",
            ));
        }
        let mut stdin = self.stdin.lock().await;
        let pipe = stdin
            .as_mut()
            .ok_or_else(|| refused("stdin not enabled or closed"))?;
        pipe.write_all(bytes).await.map_err(|e| {
            refused(&format!(
                "error writing to stdin of process '{}': {e}",
                self.pid
            ))
        })
    }

    pub async fn write_pty(&self, bytes: &[u8]) -> Result<(), RpcError> {
        let refused =
            |why: &str| RpcError::new(Code::Internal, format!("error writing to tty: {why}"));
        let mut pty = self.pty.lock().await;
        let pty = pty.as_mut().ok_or_else(|| {
            refused(
                "tty not assigned to process — input should be written to the stdin, not the tty",
            )
        })?;
        pty.write_all(bytes)
            .await
            .map_err(|e| refused(&e.to_string()))
    }

    pub async fn close_stdin(&self) -> Result<(), RpcError> {
        if self.is_pty {
            return Err(RpcError::new(
                Code::Unknown,
                "error closing stdin: cannot close stdin for PTY process — send Ctrl+D (0x04) instead",
            ));
        }
        self.stdin.lock().await.take();
        Ok(())
    }

    pub async fn resize(&self, cols: u16, rows: u16) -> Result<(), RpcError> {
        let pty = self.pty.lock().await;
        let pty = pty.as_ref().ok_or_else(|| {
            RpcError::new(
                Code::Internal,
                "error resizing tty: tty not assigned to process",
            )
        })?;
        pty.resize(Size::new(rows, cols))
            .map_err(|e| RpcError::new(Code::Internal, format!("error resizing tty: {e}")))
    }
}

impl Begun {
    /// Reads what the process says, until everybody who could say something is silent for good, or it was killed; then
    /// tells how it ended.
    pub async fn watch(self, deadline: Option<Duration>, ended: impl FnOnce(&End)) {
        let Self {
            process,
            mut child,
            readers,
        } = self;
        let mut reading = JoinSet::new();
        for (kind, reader) in readers {
            let process = process.clone();
            reading.spawn(async move { process.read(kind, reader).await });
        }
        let late = async {
            match deadline {
                Some(deadline) => tokio::time::sleep(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = async { while reading.join_next().await.is_some() {} } => {}
            () = process.cut.cancelled() => {}
            () = late => {
                let _ = process.signal(nix::sys::signal::Signal::SIGKILL);
            }
        }
        let status = child.wait().await;
        let _ = tokio::time::timeout(LAST_WORDS, async {
            while reading.join_next().await.is_some() {}
        })
        .await;
        reading.abort_all();
        let end = status.map_or_else(|_| End::default(), told);
        ended(&end);
        process.tell(ProcessEvent::End(end)).await;
        held(&process.listeners).clear();
    }
}

/// An exit status in the words of Go's `os.ProcessState`.
fn told(status: ExitStatus) -> End {
    if let Some(code) = status.code() {
        let text = format!("exit status {code}");
        return End {
            exit_code: code,
            exited: true,
            error: (code != 0).then(|| text.clone()),
            status: text,
        };
    }
    let signal = status.signal().unwrap_or_default();
    let name = match signal {
        1 => "hangup".to_owned(),
        2 => "interrupt".to_owned(),
        3 => "quit".to_owned(),
        6 => "aborted".to_owned(),
        9 => "killed".to_owned(),
        11 => "segmentation fault".to_owned(),
        13 => "broken pipe".to_owned(),
        15 => "terminated".to_owned(),
        other => format!("signal {other}"),
    };
    let text = format!("signal: {name}");
    End {
        exit_code: -1,
        exited: false,
        error: Some(text.clone()),
        status: text,
    }
}
