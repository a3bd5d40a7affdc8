//! Control groups, where this process may make them: the kernel's own limits behind the supervisor's.

use koda_domain::sandbox::SandboxLimits;
use std::{fs, io, path::PathBuf};

const ROOT: &str = "/sys/fs/cgroup";
/// The kernel's memory limit lies above the supervisor's, so that a command ends with a reason and the supervisor lives.
const HEADROOM: u64 = 256 << 20;
/// A period of the CPU quota, in microseconds.
const PERIOD: u64 = 100_000;

/// The groups that a sandbox's processes join. Empty where none can be made.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups(pub Vec<PathBuf>);

impl Groups {
    /// Makes groups for a sandbox, as far as this machine lets us.
    pub fn make(id: &str, limits: &SandboxLimits) -> Self {
        let groups = if PathBuf::from(ROOT).join("cgroup.controllers").exists() {
            unified(id, limits).map(|group| vec![group])
        } else {
            separate(id, limits)
        };
        Self(groups.unwrap_or_default())
    }

    /// The groups that a sandbox of this id would have.
    pub fn of(id: &str) -> Self {
        let unified = PathBuf::from(ROOT).join("koda").join(id);
        let separate =
            ["memory", "pids", "cpu"].map(|c| PathBuf::from(ROOT).join(c).join("koda").join(id));
        Self(
            [unified]
                .into_iter()
                .chain(separate)
                .filter(|path| path.exists())
                .collect(),
        )
    }

    /// Files that a process writes itself into to join.
    pub fn join_files(&self) -> Vec<PathBuf> {
        self.0
            .iter()
            .map(|group| group.join("cgroup.procs"))
            .collect()
    }

    /// Removes groups whose processes are gone.
    pub fn remove(&self) {
        for group in &self.0 {
            for _ in 0..50 {
                match fs::remove_dir(group) {
                    Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                        std::thread::sleep(std::time::Duration::from_millis(10));
                    }
                    _ => break,
                }
            }
        }
    }
}

fn quota(limits: &SandboxLimits) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a few cores"
    )]
    let quota = (limits.cpus.max(0.1) * PERIOD as f64) as u64;
    quota
}

/// Version 2: one tree.
fn unified(id: &str, limits: &SandboxLimits) -> io::Result<PathBuf> {
    let top = PathBuf::from(ROOT).join("koda");
    fs::create_dir_all(&top)?;
    fs::write(
        PathBuf::from(ROOT).join("cgroup.subtree_control"),
        "+memory +pids +cpu",
    )?;
    fs::write(top.join("cgroup.subtree_control"), "+memory +pids +cpu")?;
    let group = top.join(id);
    fs::create_dir_all(&group)?;
    fs::write(
        group.join("memory.max"),
        (limits.memory + HEADROOM).to_string(),
    )?;
    fs::write(group.join("pids.max"), (limits.pids + 16).to_string())?;
    fs::write(group.join("cpu.max"), format!("{} {PERIOD}", quota(limits)))?;
    Ok(group)
}

/// Version 1: a tree for each resource.
fn separate(id: &str, limits: &SandboxLimits) -> io::Result<Vec<PathBuf>> {
    let make = |resource: &str, settings: &[(&str, String)]| -> io::Result<PathBuf> {
        let group = PathBuf::from(ROOT).join(resource).join("koda").join(id);
        fs::create_dir_all(&group)?;
        for (file, value) in settings {
            fs::write(group.join(file), value)?;
        }
        Ok(group)
    };
    let memory = (limits.memory + HEADROOM).to_string();
    Ok(vec![
        make("memory", &[("memory.limit_in_bytes", memory)])?,
        make("pids", &[("pids.max", (limits.pids + 16).to_string())])?,
        make(
            "cpu",
            &[
                ("cpu.cfs_period_us", PERIOD.to_string()),
                ("cpu.cfs_quota_us", quota(limits).to_string()),
            ],
        )?,
    ])
}
