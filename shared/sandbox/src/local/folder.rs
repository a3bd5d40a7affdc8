//! A sandbox's folders on this machine: what it is, its `/app`, and its sockets.

use super::cgroup::Groups;
use koda_domain::{
    SandboxId,
    sandbox::{Sandbox, SandboxError},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// What a template's folder has that is not a workspace's.
const NOT_COPIED: [&str; 4] = ["node_modules", "dist", ".vite-cache", ".koda"];
/// How long killed processes may take to be gone.
const GONE: Duration = Duration::from_secs(5);

/// What is remembered of a sandbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Meta {
    pub sandbox: Sandbox,
    /// Its `/run/koda`.
    pub run: PathBuf,
    /// The first process of its namespace.
    pub init: Option<Init>,
}

/// A process, told apart from a later one with the same number by when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Init {
    pid: i32,
    began: u64,
}

/// A sandbox's folder.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
    id: String,
}

impl Folder {
    pub fn of(root: &Path, id: &SandboxId) -> Result<Self, SandboxError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if id.0.starts_with("sbx-") && id.0.len() <= 64 && id.0.bytes().all(plain) {
            Ok(Self {
                path: root.join(&id.0),
                id: id.0.clone(),
            })
        } else {
            Err(SandboxError::Gone)
        }
    }

    pub fn app(&self) -> PathBuf {
        self.path.join("app")
    }

    pub fn log(&self) -> PathBuf {
        self.path.join("supervisor.log")
    }

    pub fn info(&self) -> PathBuf {
        self.path.join("bwrap.json")
    }

    pub fn control(&self, meta: &Meta) -> PathBuf {
        meta.run.join("control.sock")
    }

    /// What it is; none while it is being made, and none where it is not there.
    pub fn meta(&self) -> Option<Meta> {
        serde_json::from_slice(&fs::read(self.path.join("meta.json")).ok()?).ok()
    }

    pub fn save(&self, meta: &Meta) -> io::Result<()> {
        let temporary = self
            .path
            .join(format!("meta.{}.tmp", ulid::Ulid::generate()));
        fs::write(&temporary, serde_json::to_vec(meta)?)?;
        fs::rename(temporary, self.path.join("meta.json"))
    }

    pub fn age(&self) -> Duration {
        let modified = fs::metadata(&self.path).and_then(|m| m.modified()).ok();
        modified.and_then(|m| m.elapsed().ok()).unwrap_or_default()
    }

    /// Makes the folders and copies the template.
    pub fn lay_out(&self, template: &Path, run: &Path) -> Result<(), SandboxError> {
        let laid = (|| {
            fs::create_dir_all(self.app())?;
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(run)?;
            copy(template, &self.app(), true)?;
            // Where the template's packages are mounted.
            fs::create_dir_all(self.app().join("node_modules"))?;
            fs::create_dir_all(self.app().join(".koda"))
        })();
        laid.map_err(|error: io::Error| {
            SandboxError::Unavailable(format!("the template cannot be copied: {error}"))
        })
    }

    /// What bubblewrap reported of the namespace's first process.
    pub fn reported_init(&self) -> Option<Init> {
        let report: serde_json::Value =
            serde_json::from_slice(&fs::read(self.info()).ok()?).ok()?;
        let pid = i32::try_from(report["child-pid"].as_i64()?).ok()?;
        Some(Init {
            pid,
            began: began(pid)?,
        })
    }

    /// Ends what still runs, and removes everything.
    pub fn clear(&self) {
        let meta = self.meta();
        let init = meta
            .as_ref()
            .and_then(|m| m.init)
            .or_else(|| self.reported_init());
        if let Some(init) = init {
            let limit = Instant::now() + GONE;
            // The supervisor may be about to end by itself.
            while began(init.pid) == Some(init.began) && Instant::now() < limit {
                let _ = kill(Pid::from_raw(init.pid), Signal::SIGKILL);
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let groups = Groups::of(&self.id);
        groups.remove();
        if let Some(meta) = &meta {
            let _ = fs::remove_dir_all(&meta.run);
        }
        let root = self.path.parent().unwrap_or(&self.path);
        let _ = fs::remove_dir_all(run_folder(root, &SandboxId(self.id.clone())));
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// When a process began, in the kernel's ticks; none where there is no such process, or only its remains.
fn began(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    if matches!(fields.first(), Some(&"Z" | &"X")) {
        return None;
    }
    fields.get(19)?.parse().ok()
}

/// A short path for sockets, whose addresses hold at most 108 bytes: one per sandbox, for this user alone.
pub(super) fn run_folder(root: &Path, id: &SandboxId) -> PathBuf {
    let base = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let base = if base.as_os_str().len() > 40 {
        PathBuf::from("/tmp")
    } else {
        base
    };
    let name = Sha256::digest(format!("{}\0{}", root.display(), id.0).as_bytes());
    let name = data_encoding::HEXLOWER.encode(&name[..10]);
    base.join(format!("koda-{}", Uid::current())).join(name)
}

/// Every sandbox that has a folder.
pub(super) fn ids(root: &Path) -> Vec<SandboxId> {
    let Ok(entries) = fs::read_dir(root) else {
        return Vec::new();
    };
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let mut ids: Vec<_> = names
        .filter(|name| name.starts_with("sbx-"))
        .map(SandboxId)
        .collect();
    ids.sort();
    ids
}

/// Takes the lock of the root's folder, for as long as the file is open.
pub(super) fn lock(root: &Path, path: &Path) -> Result<fs::File, SandboxError> {
    let locked = (|| {
        fs::create_dir_all(root)?;
        let file = fs::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        file.lock()?;
        Ok(file)
    })();
    locked.map_err(|error: io::Error| {
        SandboxError::Unavailable(format!("{} cannot be written: {error}", root.display()))
    })
}

fn copy(from: &Path, to: &Path, top: bool) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if top && NOT_COPIED.iter().any(|skip| name == *skip) {
            continue;
        }
        let target = to.join(&name);
        let kind = entry.file_type()?;
        if kind.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&entry.path(), &target, false)?;
        } else if kind.is_file() && entry.metadata()?.mode() & 0o400 != 0 {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
