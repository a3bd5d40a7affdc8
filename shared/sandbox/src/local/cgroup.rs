//! Control groups, where this process may make them: the kernel's own limits behind the supervisor's.

use koda_domain::sandbox::SandboxLimits;
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

const ROOT: &str = "/sys/fs/cgroup";
/// The kernel's memory limit lies above the supervisor's, so that a command ends with a reason and the supervisor lives.
const HEADROOM: u64 = 256 << 20;
/// Processes beyond the limit: the supervisor's own, and enough to see that it was passed.
const SPARE_PIDS: u32 = 16;
/// A period of the CPU quota, in microseconds.
const PERIOD: u64 = 100_000;
/// Version 1 has a tree for each of these.
const RESOURCES: [&str; 3] = ["memory", "pids", "cpu"];

/// The groups that a sandbox's processes join. Empty where none can be made.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups(Vec<PathBuf>);

impl Groups {
    /// Makes groups for a sandbox, as far as this machine lets us. `files` is what it may keep in memory as files.
    pub fn make(id: &str, limits: &SandboxLimits, files: u64) -> Self {
        let settings = Settings::of(limits, files);
        let made = match unified_top() {
            Some(top) => unified(&top.join(name(id)), &settings).map(|group| vec![group]),
            None => separate(id, &settings),
        };
        Self(made.unwrap_or_else(|_| {
            // Half of them would not be a limit.
            Self::of(id).remove();
            Vec::new()
        }))
    }

    /// The groups that a sandbox of this id has.
    pub fn of(id: &str) -> Self {
        let unified = unified_top().map(|top| top.join(name(id)));
        let separate = RESOURCES.map(|resource| Path::new(ROOT).join(resource).join(name(id)));
        let all = unified.into_iter().chain(separate);
        Self(all.filter(|path| path.is_dir()).collect())
    }

    /// Puts a process into them. Where that is not allowed, the supervisor's limits are all there is.
    pub fn join(&self, pid: i32) {
        for group in &self.0 {
            if let Err(error) = fs::write(group.join("cgroup.procs"), pid.to_string()) {
                tracing::debug!("{} cannot be joined: {error}", group.display());
            }
        }
    }

    /// Where the kernel counts the processes that it killed for want of memory.
    pub fn oom_file(&self) -> Option<PathBuf> {
        let files = self
            .0
            .iter()
            .flat_map(|group| ["memory.events", "memory.oom_control"].map(|f| group.join(f)));
        files.into_iter().find(|file| file.is_file())
    }

    /// Removes groups whose processes are gone.
    pub fn remove(&self) {
        for group in &self.0 {
            for _ in 0..100 {
                match fs::remove_dir(group) {
                    Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                        std::thread::sleep(Duration::from_millis(10));
                    }
                    _ => break,
                }
            }
        }
    }
}

fn name(id: &str) -> String {
    format!("koda-{id}")
}

struct Settings {
    memory: String,
    pids: String,
    quota: u64,
}

impl Settings {
    fn of(limits: &SandboxLimits, files: u64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a few cores"
        )]
        let quota = (limits.cpus.max(0.1) * PERIOD as f64) as u64;
        Self {
            memory: limits.memory.saturating_add(files + HEADROOM).to_string(),
            pids: limits.pids.saturating_add(SPARE_PIDS).to_string(),
            quota,
        }
    }
}

/// Version 2: where groups can be made. For root at the top; for others where systemd has handed a part to the user.
fn unified_top() -> Option<PathBuf> {
    let root = Path::new(ROOT);
    if !root.join("cgroup.controllers").exists() {
        return None;
    }
    if nix::unistd::Uid::effective().is_root() {
        return Some(root.to_owned());
    }
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let handed = format!("user@{}.service", nix::unistd::Uid::effective());
    let (above, _) = own.split_once(&handed)?;
    Some(root.join(above).join(handed))
}

/// Version 2: one tree.
fn unified(group: &Path, settings: &Settings) -> io::Result<PathBuf> {
    if let Some(top) = group.parent() {
        // They may be on already, and then it may not be ours to say so.
        let _ = fs::write(top.join("cgroup.subtree_control"), "+memory +pids +cpu");
    }
    fs::create_dir_all(group)?;
    fs::write(group.join("memory.max"), &settings.memory)?;
    fs::write(group.join("pids.max"), &settings.pids)?;
    let cpu = format!("{} {PERIOD}", settings.quota);
    fs::write(group.join("cpu.max"), cpu)?;
    Ok(group.to_owned())
}

/// Version 1: a tree for each resource.
fn separate(id: &str, settings: &Settings) -> io::Result<Vec<PathBuf>> {
    let make = |resource: &str, files: &[(&str, &str)]| -> io::Result<PathBuf> {
        let group = Path::new(ROOT).join(resource).join(name(id));
        fs::create_dir_all(&group)?;
        for (file, value) in files {
            fs::write(group.join(file), value)?;
        }
        Ok(group)
    };
    let (period, quota) = (PERIOD.to_string(), settings.quota.to_string());
    Ok(vec![
        make("memory", &[("memory.limit_in_bytes", &settings.memory)])?,
        make("pids", &[("pids.max", &settings.pids)])?,
        make(
            "cpu",
            &[("cpu.cfs_period_us", &period), ("cpu.cfs_quota_us", &quota)],
        )?,
    ])
}
