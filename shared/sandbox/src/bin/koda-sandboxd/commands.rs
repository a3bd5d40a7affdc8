//! Commands by name: started, listened to, ended with everything that they started.

use crate::{
    processes::{self, MARK},
    wire::{Orders, Reply},
};
use data_encoding::BASE64;
use koda_domain::sandbox::{EndedBy, Exec, ExitStatus};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    collections::HashMap,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    fs::OpenOptions,
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    sync::mpsc,
};

/// How long output may still come after a command and all it started have ended.
const DRAIN: Duration = Duration::from_secs(1);
/// How long it may take until killed processes are gone.
const GONE: Duration = Duration::from_secs(5);

/// A command that was started.
#[derive(Debug, Clone)]
struct Entry {
    group: i32,
    started: Instant,
    ended_by: Option<EndedBy>,
    status: Option<ExitStatus>,
}

/// Every command of this sandbox, those that are over too.
pub struct Commands {
    orders: Orders,
    entries: Mutex<HashMap<String, Entry>>,
}

impl Commands {
    pub fn new(orders: Orders) -> Self {
        Self {
            orders,
            entries: Mutex::new(HashMap::new()),
        }
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, HashMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a command. What it says goes to `listener`, or to a log file where nobody listens.
    pub fn start(
        self: &Arc<Self>,
        exec: Exec,
        listener: Option<mpsc::Sender<Reply>>,
    ) -> Result<(), Reply> {
        let name = exec.name.as_str().to_owned();
        let mut entries = self.entries();
        if entries
            .get(&name)
            .is_some_and(|entry| entry.status.is_none())
        {
            return Err(Reply::Busy);
        }
        let failed = |message: String| Reply::Failed { message };
        let (program, args) = exec
            .argv
            .split_first()
            .ok_or_else(|| failed("no program was named".into()))?;
        let child = Command::new(program)
            .args(args)
            .current_dir(&self.orders.app)
            .envs(&exec.env)
            .env(MARK, &name)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(format!("{program} cannot be started: {error}")))?;
        let group = child.id().map_or(0, u32::cast_signed);
        // Where memory runs out, the kernel ends commands before the supervisor.
        let _ = std::fs::write(format!("/proc/{group}/oom_score_adj"), "800");
        entries.insert(
            name.clone(),
            Entry {
                group,
                started: Instant::now(),
                ended_by: None,
                status: None,
            },
        );
        drop(entries);
        let commands = self.clone();
        tokio::spawn(async move { commands.attend(name, exec, child, listener).await });
        Ok(())
    }

    async fn attend(
        self: Arc<Self>,
        name: String,
        exec: Exec,
        mut child: Child,
        listener: Option<mpsc::Sender<Reply>>,
    ) {
        let log = match &listener {
            Some(_) => None,
            None => open_log(&self.orders.app, &name).await,
        };
        let sink = Sink {
            listener: listener.clone(),
            log: log.map(|f| Arc::new(tokio::sync::Mutex::new(f))),
            cap: exec.output_cap,
        };
        let out = tokio::spawn(sink.clone().pass_on(child.stdout.take(), false));
        let err = tokio::spawn(sink.pass_on(child.stderr.take(), true));
        let waited = tokio::time::timeout(exec.deadline, child.wait()).await;
        if waited.is_err() {
            self.end(&name, EndedBy::Deadline, Duration::ZERO).await;
        }
        let exit = match waited {
            Ok(exit) => exit,
            Err(_) => child.wait().await,
        };
        // What it left running would run without a deadline and hold its output open.
        self.end_tree(&name, Duration::ZERO).await;
        let mut truncated = false;
        for reader in [out, err] {
            truncated |= tokio::time::timeout(DRAIN, reader)
                .await
                .is_ok_and(|cut| cut.unwrap_or(true));
        }
        let code = exit.map_or(-1, |e| {
            e.code().unwrap_or_else(|| 128 + e.signal().unwrap_or(0))
        });
        let status = {
            let mut entries = self.entries();
            let entry = entries.get_mut(&name);
            let ended_by = entry.as_ref().and_then(|e| e.ended_by);
            let status = ExitStatus {
                code,
                ended_by,
                truncated,
            };
            if let Some(entry) = entry {
                entry.status = Some(status.clone());
            }
            status
        };
        if let Some(listener) = listener {
            let _ = listener.send(Reply::Exited { status }).await;
        }
    }

    pub fn status(&self, name: &str) -> Reply {
        match self.entries().get(name) {
            None => Reply::Unknown,
            Some(Entry {
                status: Some(status),
                ..
            }) => Reply::Exited {
                status: status.clone(),
            },
            Some(_) => Reply::Running,
        }
    }

    /// Ends a command; returns when nothing of it is left and its status is known.
    pub async fn kill(&self, name: &str, grace: Duration) {
        self.end(name, EndedBy::Kill, grace).await;
        let limit = Instant::now() + GONE;
        while matches!(self.status(name), Reply::Running) && Instant::now() < limit {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends a command and remembers why.
    pub async fn end(&self, name: &str, by: EndedBy, grace: Duration) {
        if let Some(entry) = self.entries().get_mut(name)
            && entry.status.is_none()
        {
            entry.ended_by.get_or_insert(by);
        }
        self.end_tree(name, grace).await;
    }

    async fn end_tree(&self, name: &str, grace: Duration) {
        let group = self.entries().get(name).map(|entry| entry.group);
        let began = Instant::now();
        let mut asked = false;
        loop {
            let left = processes::of_command(name, group);
            if left.is_empty() || began.elapsed() > grace + GONE {
                return;
            }
            let force = began.elapsed() >= grace;
            if force || !asked {
                let signal = if force {
                    Signal::SIGKILL
                } else {
                    Signal::SIGTERM
                };
                for process in &left {
                    // It may be gone already.
                    let _ = kill(Pid::from_raw(process.pid), signal);
                }
                asked = true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Commands that run, the youngest first, with their process groups.
    pub fn running(&self) -> Vec<(String, i32)> {
        let entries = self.entries();
        let mut running: Vec<_> = entries.iter().filter(|(_, e)| e.status.is_none()).collect();
        running.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.started));
        running
            .into_iter()
            .map(|(name, entry)| (name.clone(), entry.group))
            .collect()
    }
}

async fn open_log(app: &str, name: &str) -> Option<tokio::fs::File> {
    let folder = PathBuf::from(app).join(".koda/log");
    tokio::fs::create_dir_all(&folder).await.ok()?;
    let path = folder.join(format!("{name}.log"));
    OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .open(path)
        .await
        .ok()
}

/// Where output goes, up to a cap; what is beyond is read and dropped, so that the command never waits for it.
#[derive(Clone)]
struct Sink {
    listener: Option<mpsc::Sender<Reply>>,
    log: Option<Arc<tokio::sync::Mutex<tokio::fs::File>>>,
    cap: u64,
}

impl Sink {
    /// Passes on what comes; tells whether some was dropped.
    async fn pass_on(self, from: Option<impl AsyncRead + Unpin>, is_error: bool) -> bool {
        let Some(mut from) = from else { return false };
        let mut buffer = vec![0; 32 * 1024];
        let mut left = self.cap;
        let mut truncated = false;
        while let Ok(count) = from.read(&mut buffer).await {
            if count == 0 {
                break;
            }
            let keep = usize::try_from(left).unwrap_or(usize::MAX).min(count);
            truncated |= keep < count;
            left -= keep as u64;
            if keep == 0 {
                continue;
            }
            if let Some(log) = &self.log {
                let mut log = log.lock().await;
                let _ = log.write_all(&buffer[..keep]).await;
                let _ = log.flush().await;
            }
            if let Some(listener) = &self.listener {
                let data = BASE64.encode(&buffer[..keep]);
                let reply = if is_error {
                    Reply::Stderr { data }
                } else {
                    Reply::Stdout { data }
                };
                let _ = listener.send(reply).await;
            }
        }
        truncated
    }
}
