//! Commands by name: started, listened to, ended with everything that they started.

use crate::{
    limits::Held,
    output::{Sink, open_log},
    processes::{self, Table},
    wire::{Orders, Reply},
};
use koda_domain::sandbox::{EndedBy, Exec, ExitStatus};
use nix::sys::signal::Signal;
use std::{
    collections::{HashMap, HashSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    process::{Child, Command},
    sync::{mpsc, watch},
};

/// How long it may take until killed processes are gone.
const GONE: Duration = Duration::from_secs(5);
/// How long a runner may outlive what it ran.
const RUNNER: Duration = Duration::from_millis(300);
/// How long the last output may take to be taken before a command counts as over.
const TAKEN: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(5);

/// A command that was started.
struct Entry {
    /// The process below which its processes are.
    runner: i32,
    started: Instant,
    /// What the kernel had killed for want of memory when it started.
    killed_before: u64,
    /// The most memory that it was seen to take.
    peak: u64,
    ended_by: Option<EndedBy>,
    status: Option<ExitStatus>,
}

/// Every command of this sandbox, those that are over too.
pub struct Commands {
    orders: Orders,
    limits: Held,
    program: PathBuf,
    entries: Mutex<HashMap<String, Entry>>,
}

impl Commands {
    /// `program` is this one, which also runs commands.
    pub fn new(orders: Orders, program: PathBuf, limits: Held) -> Self {
        Self {
            orders,
            program,
            limits,
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
        if entries.get(&name).is_some_and(|e| e.status.is_none()) {
            return Err(Reply::Busy);
        }
        let failed = |message: String| Reply::Failed { message };
        let (program, args) = exec
            .argv
            .split_first()
            .ok_or_else(|| failed("no program was named".into()))?;
        let found = find(&self.orders.app, program)
            .ok_or_else(|| failed(format!("there is no program {program} in the sandbox")))?;
        let mut runner = Command::new(&self.program);
        if let Some((user, group)) = self.orders.user {
            runner.uid(user).gid(group);
        }
        let child = runner
            .arg("run")
            .arg(found)
            .arg(program)
            .args(args)
            .current_dir(&self.orders.app)
            // What holds it to that is out here and cannot be seen from inside.
            .env("KODA_MEMORY", self.limits.get().memory.to_string())
            .envs(&exec.env)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(format!("{program} cannot be started: {error}")))?;
        let entry = Entry {
            runner: child.id().map_or(0, u32::cast_signed),
            started: Instant::now(),
            killed_before: self.killed_for_memory(),
            peak: 0,
            ended_by: None,
            status: None,
        };
        // The lock is held since before the start, so that the runner is never taken for a stray.
        entries.insert(name.clone(), entry);
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
        let (over, is_over) = watch::channel(false);
        let sink = Sink {
            log: match &listener {
                Some(_) => None,
                None => open_log(&self.orders.app, &name, self.orders.user),
            },
            listener: listener.clone(),
            cap: exec.output_cap,
            truncated: Arc::new(AtomicBool::new(false)),
            over: is_over,
        };
        let truncated = sink.truncated.clone();
        let out = sink.clone().pass_on(child.stdout.take(), false);
        let err = sink.pass_on(child.stderr.take(), true);
        let mut reading = tokio::spawn(async move { tokio::join!(out, err) });
        let waited = tokio::time::timeout(exec.deadline, child.wait()).await;
        let exit = match waited {
            Ok(exit) => exit,
            Err(_) => {
                self.end(&name, EndedBy::Deadline, Duration::ZERO).await;
                child.wait().await
            }
        };
        // What it left running would run without a deadline and hold its output open.
        self.end_strays().await;
        let _ = over.send(true);
        // Whoever learns that it is over may read its log, so that the log comes first; but nobody can hold it up.
        let taken = tokio::time::timeout(TAKEN, &mut reading).await.is_ok();
        let code = exit.map_or(-1, |exit| exit.code().unwrap_or(128 + 9));
        let mut status = ExitStatus {
            code,
            ended_by: None,
            truncated: truncated.load(Ordering::Relaxed),
        };
        if let Some(entry) = self.entries().get_mut(&name) {
            status.ended_by = entry.ended_by.or_else(|| self.limit_behind(code, entry));
            entry.status = Some(status.clone());
        }
        if !taken {
            let _ = reading.await;
            status.truncated = truncated.load(Ordering::Relaxed);
        }
        if let Some(listener) = listener {
            let _ = listener.send(Reply::Exited { status }).await;
        }
    }

    /// The limit that a command failed for, where it was the kernel that held it.
    fn limit_behind(&self, code: i32, entry: &Entry) -> Option<EndedBy> {
        let killed = self.killed_for_memory() > entry.killed_before;
        if code == 128 + Signal::SIGXFSZ as i32 {
            Some(EndedBy::Disk)
        } else if killed && code != 0 && (code == 137 || entry.peak > self.limits.get().memory / 2)
        {
            Some(EndedBy::Memory)
        } else {
            None
        }
    }

    /// How many processes the kernel has killed because the sandbox was out of memory.
    fn killed_for_memory(&self) -> u64 {
        let counted = self.orders.oom.as_ref().and_then(|path| {
            let text = fs::read_to_string(path).ok()?;
            let line = text.lines().find_map(|l| l.strip_prefix("oom_kill "))?;
            line.trim().parse().ok()
        });
        counted.unwrap_or_default()
    }

    pub fn status(&self, name: &str) -> Reply {
        match self.entries().get(name).map(|e| e.status.clone()) {
            None => Reply::Unknown,
            Some(Some(status)) => Reply::Exited { status },
            Some(None) => Reply::Running,
        }
    }

    /// Ends a command; returns when nothing of it is left and its status is known.
    pub async fn kill(&self, name: &str, grace: Duration) {
        self.end(name, EndedBy::Kill, grace).await;
        let limit = Instant::now() + GONE + TAKEN;
        while matches!(self.status(name), Reply::Running) && Instant::now() < limit {
            tokio::time::sleep(TICK).await;
        }
    }

    /// Ends a command and remembers why.
    pub async fn end(&self, name: &str, by: EndedBy, grace: Duration) {
        let runner = match self.entries().get_mut(name) {
            Some(entry) if entry.status.is_none() => {
                entry.ended_by.get_or_insert(by);
                entry.runner
            }
            _ => return,
        };
        let began = Instant::now();
        let (mut asked, mut alone_since) = (false, None);
        loop {
            let table = Table::read();
            let strays = processes::end_strays(&table, &self.runners());
            let left = table.below(runner);
            if left.is_empty() {
                let alone: &Instant = alone_since.get_or_insert_with(Instant::now);
                if strays == 0 && !table.lives(runner) {
                    return;
                }
                if alone.elapsed() > RUNNER {
                    // It ends by itself, unless something inside has stopped it.
                    processes::send(runner, Signal::SIGKILL);
                }
            } else if began.elapsed() >= grace {
                processes::force(&left, began.elapsed() > grace + GONE / 2);
            } else if !asked {
                left.iter()
                    .for_each(|p| processes::send(p.pid, Signal::SIGTERM));
                asked = true;
            }
            if began.elapsed() > grace + GONE {
                return;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// Ends what belongs to no command.
    pub async fn end_strays(&self) {
        let limit = Instant::now() + GONE;
        while processes::end_strays(&Table::read(), &self.runners()) > 0 && Instant::now() < limit {
            tokio::time::sleep(TICK).await;
        }
    }

    fn runners(&self) -> HashSet<i32> {
        let entries = self.entries();
        let running = entries.values().filter(|e| e.status.is_none());
        running.map(|e| e.runner).collect()
    }

    /// Commands that run, the youngest first, with their runners and their age.
    pub fn running(&self) -> Vec<(String, i32, Duration)> {
        let entries = self.entries();
        let running = entries.iter().filter(|(_, e)| e.status.is_none());
        let mut running: Vec<_> = running
            .map(|(name, e)| (name.clone(), e.runner, e.started.elapsed()))
            .collect();
        running.sort_by_key(|(_, _, age)| *age);
        running
    }

    /// Remembers how much memory a command was seen to take.
    pub fn saw(&self, name: &str, memory: u64) {
        if let Some(entry) = self.entries().get_mut(name) {
            entry.peak = entry.peak.max(memory);
        }
    }
}

/// A program by its path, or by its name on the sandbox's own PATH.
fn find(app: &str, program: &str) -> Option<PathBuf> {
    let runs = |path: &Path| {
        fs::metadata(path)
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        return Some(Path::new(app).join(program)).filter(|path| runs(path));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|path| runs(path))
}
