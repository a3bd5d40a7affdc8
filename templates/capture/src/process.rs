//! Child processes that never outlive us: each leads a process group that is killed as a whole.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// How long a killed child may take to be gone.
const GONE_WITHIN: Duration = Duration::from_millis(500);

/// A child with its process group. Dropping it kills the group and waits until the child is gone.
pub struct Group {
    child: Child,
    group: Option<Pid>,
}

impl Group {
    /// Starts a command as leader of its own process group.
    ///
    /// # Errors
    /// What the system says where it cannot be started.
    pub fn spawn(mut command: Command) -> std::io::Result<Self> {
        let child = command.process_group(0).spawn()?;
        let group = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        Ok(Self { child, group })
    }

    /// The child, for its pipes and for waiting.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Kills the whole group, at once.
    pub fn kill(&mut self) {
        if let Some(group) = self.group.take() {
            // The group may be gone already, which is what is wanted.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let began = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && began.elapsed() < GONE_WITHIN {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Removes a folder of processes that were killed: the last of them may still be writing when it is first tried.
pub fn remove(folder: TempDir) {
    let path = folder.keep();
    for _ in 0..140 {
        if std::fs::remove_dir_all(&path).is_ok() || !path.exists() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A command with no input and with its output left alone, whose child is killed when its handle is dropped.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}
