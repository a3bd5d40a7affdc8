//! What `/proc` says about the processes of this sandbox.

use std::{collections::HashSet, fs};

/// Marks every process of a command, inherited by all that it starts.
pub const MARK: &str = "KODA_PROC";

/// A process of this sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    pub parent: i32,
    pub group: i32,
    pub threads: u32,
    pub zombie: bool,
    /// The command that it belongs to, by its mark.
    pub mark: Option<String>,
}

/// Every process but init and this one.
pub fn all() -> Vec<Process> {
    let own = std::process::id().cast_signed();
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| *pid != 1 && *pid != own)
        .filter_map(read)
        .collect()
}

fn read(pid: i32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may hold anything; fields are counted from behind it.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<i32>().ok();
    Some(Process {
        pid,
        zombie: matches!(fields.first(), Some(&"Z" | &"X")),
        parent: number(1)?,
        group: number(2)?,
        threads: number(17)?.unsigned_abs(),
        mark: mark(pid),
    })
}

fn mark(pid: i32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    environment.split(|b| *b == 0).find_map(|entry| {
        let (name, value) = std::str::from_utf8(entry).ok()?.split_once('=')?;
        (name == MARK).then(|| value.to_owned())
    })
}

/// The live processes of a command: marked, in its group, or started by one of these.
pub fn of_command(name: &str, group: Option<i32>) -> Vec<Process> {
    let all = all();
    let mut members: HashSet<i32> = all
        .iter()
        .filter(|p| p.mark.as_deref() == Some(name) || Some(p.group) == group)
        .map(|p| p.pid)
        .collect();
    loop {
        let before = members.len();
        let children: Vec<i32> = all
            .iter()
            .filter(|p| members.contains(&p.parent))
            .map(|p| p.pid)
            .collect();
        members.extend(children);
        if members.len() == before {
            break;
        }
    }
    all.into_iter()
        .filter(|p| members.contains(&p.pid) && !p.zombie)
        .collect()
}

/// Bytes of memory that a process accounts for: its share of what it shares, where the kernel says.
pub fn memory(pid: i32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
    let share = rollup.ok().and_then(|text| {
        let line = text
            .lines()
            .find(|line| line.starts_with("Pss:"))?
            .to_owned();
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    if let Some(kilobytes) = share {
        return kilobytes * 1024;
    }
    let pages = fs::read_to_string(format!("/proc/{pid}/statm")).ok();
    let resident = pages.and_then(|text| text.split_whitespace().nth(1)?.parse::<u64>().ok());
    resident.unwrap_or_default() * 4096
}
