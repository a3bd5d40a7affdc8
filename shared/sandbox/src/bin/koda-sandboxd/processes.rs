//! What `/proc` says about the processes of this sandbox.

use nix::{
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, waitpid},
    },
    unistd::Pid,
};
use std::{
    collections::{HashMap, HashSet},
    fs,
    os::unix::fs::MetadataExt,
};

/// As many processes can be ended one after another.
const FEW: usize = 8;

/// A process of this sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    parent: i32,
    pub threads: u32,
    zombie: bool,
    stopped: bool,
    /// Resident bytes, those that are shared with others too.
    pub resident: u64,
}

/// Every process but this one.
#[derive(Debug, Default)]
pub struct Table(HashMap<i32, Process>);

impl Table {
    pub fn read() -> Self {
        let own = std::process::id().cast_signed();
        let Ok(entries) = fs::read_dir("/proc") else {
            return Self::default();
        };
        let pids = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let found = pids.filter(|pid| *pid != own).filter_map(read);
        Self(found.map(|p| (p.pid, p)).collect())
    }

    /// What lives below a command's runner, the runner not counted.
    pub fn below(&self, runner: i32) -> Vec<Process> {
        self.descendants(HashSet::from([runner]))
            .into_iter()
            .filter(|p| p.pid != runner)
            .collect()
    }

    /// Whether a process is there and is more than its remains.
    pub fn lives(&self, pid: i32) -> bool {
        self.0.get(&pid).is_some_and(|p| !p.zombie)
    }

    /// What belongs to no command: it became this process's child because its runner is dead.
    fn strays(&self, runners: &HashSet<i32>) -> HashSet<i32> {
        let own = std::process::id().cast_signed();
        let children = self.0.values().filter(|p| p.parent == own);
        children
            .map(|p| p.pid)
            .filter(|pid| !runners.contains(pid))
            .collect()
    }

    fn descendants(&self, mut members: HashSet<i32>) -> Vec<Process> {
        loop {
            let before = members.len();
            let children = self.0.values().filter(|p| members.contains(&p.parent));
            let children: Vec<i32> = children.map(|p| p.pid).collect();
            members.extend(children);
            if members.len() == before {
                break;
            }
        }
        let live = members.into_iter().filter_map(|pid| self.0.get(&pid));
        live.filter(|p| !p.zombie).copied().collect()
    }
}

fn read(pid: i32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may hold anything; fields are counted from behind it.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    Some(Process {
        pid,
        zombie: matches!(fields.first(), Some(&"Z" | &"X")),
        stopped: matches!(fields.first(), Some(&"T")),
        parent: fields.get(1)?.parse().ok()?,
        threads: fields.get(17)?.parse().ok()?,
        resident: fields.get(21)?.parse::<u64>().ok()? * 4096,
    })
}

/// Buries the dead that belong to no command, and ends those of them that live. Returns how many live.
pub fn end_strays(table: &Table, runners: &HashSet<i32>) -> usize {
    let strays = table.strays(runners);
    for pid in &strays {
        // Reaps it only if it is dead.
        let _ = waitpid(Pid::from_raw(*pid), Some(WaitPidFlag::WNOHANG));
    }
    let live = table.descendants(strays);
    for process in &live {
        send(process.pid, Signal::SIGKILL);
    }
    live.len()
}

/// Sends a signal to a process that may be gone already.
pub fn send(pid: i32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid), signal);
}

/// Ends processes that may be forking as fast as they can: stopped first, until there is nobody left to stop, they
/// cannot start others while they are ended. `now` where that has taken too long.
pub fn force(processes: &[Process], now: bool) {
    let unstopped: Vec<_> = processes.iter().filter(|p| !p.stopped).collect();
    let (these, signal) = if now || unstopped.is_empty() || processes.len() < FEW {
        (processes.iter().collect(), Signal::SIGKILL)
    } else {
        (unstopped, Signal::SIGSTOP)
    };
    for process in these {
        send(process.pid, signal);
    }
}

/// Bytes of memory that a process accounts for: its share of what it shares, where the kernel says.
pub fn memory(process: &Process) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", process.pid));
    let share = rollup.ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("Pss:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    share.map_or(process.resident, |kilobytes| kilobytes * 1024)
}

/// Bytes of files on a device that have no name any more but that a process holds open.
pub fn nameless(process: &Process, device: u64, seen: &mut HashSet<u64>) -> u64 {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{}/fd", process.pid)) else {
        return 0;
    };
    let files = descriptors
        .flatten()
        .filter_map(|fd| fs::metadata(fd.path()).ok())
        .filter(|meta| meta.is_file() && meta.nlink() == 0 && meta.dev() == device);
    files
        .filter(|meta| seen.insert(meta.ino()))
        .map(|meta| meta.blocks() * 512)
        .sum()
}
