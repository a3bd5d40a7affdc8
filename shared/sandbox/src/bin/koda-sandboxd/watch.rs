//! Limits and life: what the kernel does not hold by itself is looked at several times a second.

use crate::{
    commands::Commands,
    limits::{Held, Limits},
    processes::{self, Process, Table},
};
use koda_domain::sandbox::EndedBy;
use std::{
    collections::HashSet,
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::Notify};

const LOOK: Duration = Duration::from_millis(200);
/// How often commands are looked at that have run for a while, such as a preview's server.
const SETTLED_LOOK: Duration = Duration::from_secs(1);
const SETTLED: Duration = Duration::from_secs(60);
/// Measuring a tree of files takes at most one part of so many of the time.
const DISK_SHARE: u32 = 20;
/// A million tiny files are as bad as a large one.
const PER_FILE: u64 = 256;
/// After a command was ended for the disk, the next one may take this much more: it may be there to clean up.
const LEEWAY: u64 = 4 << 20;

/// How long the sandbox still lives.
pub struct Life {
    until: Mutex<Instant>,
    changed: Notify,
}

impl Life {
    pub fn new(life: Duration) -> Self {
        Self {
            until: Mutex::new(later(life)),
            changed: Notify::new(),
        }
    }

    pub fn extend(&self, life: Duration) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = later(life);
        self.changed.notify_waiters();
    }

    /// Returns when its time is over.
    pub async fn over(&self) {
        loop {
            let changed = self.changed.notified();
            let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
            if until <= Instant::now() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep_until(until.into()) => {}
                () = changed => {}
            }
        }
    }
}

fn later(by: Duration) -> Instant {
    let year = Duration::from_secs(365 * 24 * 3600);
    Instant::now() + by.min(year)
}

/// Ends commands that go over a limit, for as long as the sandbox lives.
pub fn hold_limits(commands: &Commands, app: &str, limits: &Held, runtime: &Handle) {
    let mut disk = Disk::new(Path::new(app));
    let mut pause = LOOK;
    loop {
        std::thread::sleep(pause);
        if fs::metadata(app).is_ok_and(|app| app.nlink() == 0) {
            // Somebody has removed the sandbox from outside.
            std::process::exit(0);
        }
        let running = commands.running();
        let young = running.first().is_some_and(|(_, _, age)| *age < SETTLED);
        pause = if young { LOOK } else { SETTLED_LOOK };
        if running.is_empty() {
            pause = LOOK;
            continue;
        }
        let table = Table::read();
        let shares: Vec<Share> = running
            .into_iter()
            .map(|(name, runner, _)| Share::of(name, table.below(runner)))
            .collect();
        for share in &shares {
            commands.saw(&share.name, share.resident);
        }
        if let Some((name, limit)) = over_limit(&shares, &limits.get(), &mut disk) {
            runtime.block_on(commands.end(&name, limit, Duration::ZERO));
        }
    }
}

/// Which command is to end, and for what.
fn over_limit(shares: &[Share], limits: &Limits, disk: &mut Disk<'_>) -> Option<(String, EndedBy)> {
    // What processes share is counted once only where that matters: telling it apart is slow.
    if shares.iter().map(|s| s.resident).sum::<u64>() > limits.memory {
        let exact: Vec<u64> = shares.iter().map(Share::memory).collect();
        if exact.iter().sum::<u64>() > limits.memory {
            let worst = shares.iter().zip(&exact).max_by_key(|(_, bytes)| **bytes);
            return worst.map(|(share, _)| (share.name.clone(), EndedBy::Memory));
        }
    }
    if shares.iter().map(Share::threads).sum::<u32>() > limits.pids {
        let worst = shares.iter().max_by_key(|s| s.threads());
        return worst.map(|share| (share.name.clone(), EndedBy::Pids));
    }
    if disk.is_over(shares, limits.disk) {
        // What was started last is what made it grow.
        return shares.first().map(|s| (s.name.clone(), EndedBy::Disk));
    }
    None
}

struct Share {
    name: String,
    processes: Vec<Process>,
    resident: u64,
}

impl Share {
    fn of(name: String, processes: Vec<Process>) -> Self {
        let resident = processes.iter().map(|p| p.resident).sum();
        Self {
            name,
            processes,
            resident,
        }
    }

    fn memory(&self) -> u64 {
        self.processes.iter().map(processes::memory).sum()
    }

    fn threads(&self) -> u32 {
        self.processes.iter().map(|p| p.threads).sum()
    }
}

struct Disk<'a> {
    app: &'a Path,
    /// Bytes beyond the limit that are let be for now.
    leeway: u64,
    due: Instant,
}

impl<'a> Disk<'a> {
    fn new(app: &'a Path) -> Self {
        Self {
            app,
            leeway: 0,
            due: Instant::now(),
        }
    }

    fn is_over(&mut self, shares: &[Share], limit: u64) -> bool {
        let began = Instant::now();
        if began < self.due {
            return false;
        }
        let used = used(self.app, Some(&self.app.join("node_modules")))
            + used(Path::new("/tmp"), None)
            + nameless(self.app, shares);
        self.due = Instant::now() + began.elapsed() * DISK_SHARE;
        let over = used > limit + self.leeway;
        if over {
            self.leeway = used + LEEWAY - limit;
        } else if used <= limit {
            self.leeway = 0;
        }
        over
    }
}

fn nameless(app: &Path, shares: &[Share]) -> u64 {
    let Ok(device) = fs::metadata(app).map(|meta| meta.dev()) else {
        return 0;
    };
    let mut seen = HashSet::new();
    let processes = shares.iter().flat_map(|share| &share.processes);
    processes
        .map(|p| processes::nameless(p, device, &mut seen))
        .sum()
}

/// Bytes on disk below a folder, without what is mounted into it.
fn used(folder: &Path, without: Option<&Path>) -> u64 {
    let mut total = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            total += meta.blocks() * 512 + PER_FILE;
            if meta.is_dir() && without != Some(&entry.path()) {
                folders.push(entry.path());
            }
        }
    }
    total
}
