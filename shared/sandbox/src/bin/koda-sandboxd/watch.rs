//! Limits and life: what the kernel does not hold by itself is looked at several times a second.

use crate::{commands::Commands, processes, wire::Orders};
use koda_domain::sandbox::EndedBy;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

const LOOK: Duration = Duration::from_millis(200);
/// Measuring a tree of files costs more than looking at processes.
const LOOK_AT_DISK: u32 = 4;
const OPEN_FILES: u64 = 8192;

/// Sets what every command inherits.
pub fn set_limits(orders: &Orders) -> nix::Result<()> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_FSIZE, orders.disk, orders.disk)?;
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let files = OPEN_FILES.min(most);
    setrlimit(Resource::RLIMIT_NOFILE, files, files)?;
    let (_, most) = getrlimit(Resource::RLIMIT_NPROC)?;
    let pids = u64::from(orders.pids).min(most);
    setrlimit(Resource::RLIMIT_NPROC, pids, pids)
}

/// How long the sandbox still lives.
pub struct Life {
    until: Mutex<Instant>,
    changed: Notify,
}

impl Life {
    pub fn new(life: Duration) -> Self {
        Self {
            until: Mutex::new(Instant::now() + life),
            changed: Notify::new(),
        }
    }

    pub fn extend(&self, life: Duration) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + life;
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

/// Ends commands that go over a limit, for as long as the sandbox lives.
pub async fn hold_limits(commands: Arc<Commands>, orders: Orders) {
    for round in 0_u32.. {
        tokio::time::sleep(LOOK).await;
        let running = commands.running();
        if running.is_empty() {
            continue;
        }
        let shares: Vec<Share> = running
            .iter()
            .map(|(name, group)| share(name, *group))
            .collect();
        if shares.iter().map(|s| s.memory).sum::<u64>() > orders.memory
            && let Some(worst) = shares.iter().max_by_key(|s| s.memory)
        {
            commands
                .end(&worst.name, EndedBy::Memory, Duration::ZERO)
                .await;
        } else if shares.iter().map(|s| s.threads).sum::<u32>() > orders.pids
            && let Some(worst) = shares.iter().max_by_key(|s| s.threads)
        {
            commands
                .end(&worst.name, EndedBy::Pids, Duration::ZERO)
                .await;
        } else if round % LOOK_AT_DISK == 0 {
            let used = used(Path::new(&orders.app)) + used(Path::new("/tmp"));
            if used > orders.disk
                && let Some((youngest, _)) = running.first()
            {
                commands.end(youngest, EndedBy::Disk, Duration::ZERO).await;
            }
        }
    }
}

struct Share {
    name: String,
    memory: u64,
    threads: u32,
}

fn share(name: &str, group: i32) -> Share {
    let members = processes::of_command(name, Some(group));
    Share {
        name: name.to_owned(),
        memory: members.iter().map(|p| processes::memory(p.pid)).sum(),
        threads: members.iter().map(|p| p.threads).sum(),
    }
}

/// Bytes on disk below a folder, without what is mounted into it.
fn used(folder: &Path) -> u64 {
    let Ok(top) = fs::symlink_metadata(folder) else {
        return 0;
    };
    let mut total = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            if meta.dev() != top.dev() {
                continue;
            }
            total += meta.blocks() * 512;
            // A million tiny files are as bad as a large one.
            total += 256;
            if meta.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    total
}
