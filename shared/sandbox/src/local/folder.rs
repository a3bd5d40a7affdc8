//! A sandbox's folders on this machine: what it is, its `/app`, and its sockets.

use super::cgroup::Groups;
use koda_domain::{
    SandboxId,
    sandbox::{Sandbox, SandboxError, SandboxLimits},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// What a template's folder has that is not a workspace's.
const NOT_COPIED: [&str; 5] = ["node_modules", "dist", "tests", ".vite-cache", ".koda"];
/// Files of `/etc` that programs expect.
pub(super) const ETC: [(&str, &str); 4] = [
    ("passwd", "koda:x:1000:1000::/tmp/home:/bin/sh\n"),
    ("group", "koda:x:1000:\n"),
    ("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"),
    (
        "nsswitch.conf",
        "passwd: files\ngroup: files\nhosts: files\n",
    ),
];
/// How long killed processes may take to be gone.
const GONE: Duration = Duration::from_secs(5);

/// What is remembered of a sandbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Meta {
    pub sandbox: Sandbox,
    /// What it may use, where it waits for a session; none where it is one's.
    #[serde(default)]
    pub waits: Option<SandboxLimits>,
    /// Where its sockets are.
    pub run: PathBuf,
    /// The first process of its namespace; none until it is started.
    pub init: Option<Init>,
}

/// Where a supervisor listens.
pub(super) fn control(meta: &Meta) -> PathBuf {
    meta.run
        .join(format!("control.{}.sock", crate::wire::VERSION))
}

/// Where it takes connections to the preview.
pub(super) fn preview(meta: &Meta) -> PathBuf {
    meta.run.join("preview.sock")
}

/// A process, told apart from a later one with the same number by when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Init {
    pid: i32,
    began: u64,
}

impl Init {
    /// The process that has this number now.
    pub fn of(pid: i32) -> Option<Self> {
        began(pid).map(|began| Self { pid, began })
    }

    pub fn pid(self) -> i32 {
        self.pid
    }

    /// Ends it, and with it everything in its namespace; returns when it is gone.
    fn end(self) {
        let limit = Instant::now() + GONE;
        while began(self.pid) == Some(self.began) && Instant::now() < limit {
            // It may be about to end by itself.
            let _ = kill(Pid::from_raw(self.pid), Signal::SIGKILL);
            std::thread::sleep(Duration::from_millis(2));
        }
    }
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

    pub fn etc(&self) -> PathBuf {
        self.path.join("etc")
    }

    pub fn log(&self) -> PathBuf {
        self.path.join("supervisor.log")
    }

    /// What it is; none where it is not there.
    pub fn meta(&self) -> Option<Meta> {
        serde_json::from_slice(&fs::read(self.path.join("meta.json")).ok()?).ok()
    }

    pub fn save(&self, meta: &Meta) -> io::Result<()> {
        let name = format!("meta.{}.tmp", ulid::Ulid::generate());
        let temporary = self.path.join(name);
        fs::write(&temporary, serde_json::to_vec(meta)?)?;
        fs::rename(temporary, self.path.join("meta.json"))
    }

    /// Makes the folders and copies the template.
    pub fn lay_out(&self, template: &Path, meta: &Meta) -> Result<(), SandboxError> {
        let laid = (|| {
            let private = |path: &Path| fs::DirBuilder::new().mode(0o700).create(path);
            private(&self.path)?;
            // Written down before there is anything else, so that all of it can be found and removed.
            self.save(meta)?;
            // Fails where somebody else has made it: the name is not to be guessed, and belongs to this user alone.
            private(&meta.run)?;
            fs::create_dir(self.etc())?;
            for (name, text) in ETC {
                fs::write(self.etc().join(name), text)?;
            }
            fs::create_dir(self.app())?;
            copy(template, &self.app(), &NOT_COPIED)?;
            // Where the template's packages are mounted.
            fs::create_dir(self.app().join("node_modules"))?;
            fs::create_dir(self.app().join(".koda"))
        })();
        laid.map_err(|error: io::Error| {
            SandboxError::Unavailable(format!("the sandbox's folder cannot be made: {error}"))
        })
    }

    /// Ends what still runs, and removes everything.
    pub fn clear(&self) {
        let meta = self.meta();
        match meta.as_ref().and_then(|m| m.init) {
            Some(init) => init.end(),
            // A server that died while it made it could not write down the process that it had started.
            None => supervisors(&self.id).into_iter().for_each(Init::end),
        }
        Groups::of(&self.id).remove();
        if let Some(meta) = &meta {
            let _ = fs::remove_dir_all(&meta.run);
        }
        if fs::remove_dir_all(&self.path).is_err() {
            // Code inside may have shut folders against their owner.
            open_up(&self.path);
            if let Err(error) = fs::remove_dir_all(&self.path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!("{} cannot be removed: {error}", self.path.display());
            }
        }
    }
}

fn open_up(folder: &Path) {
    let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let folders = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.for_each(|entry| open_up(&entry.path()));
}

/// Supervisors of a sandbox, and what is about to become one, by what they were told to do.
fn supervisors(id: &str) -> Vec<Init> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let orders = format!("{{\"id\":\"{id}\",");
    pids.filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|b| *b == 0)
            .any(|argument| argument.starts_with(orders.as_bytes()))
    })
    .filter_map(Init::of)
    .collect()
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

/// A short path for sockets, whose addresses hold at most 108 bytes.
pub(super) fn run_folder(root: &Path, id: &SandboxId) -> PathBuf {
    let base = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let base = base
        .filter(|base| base.is_dir() && base.as_os_str().len() <= 40)
        .unwrap_or_else(|| PathBuf::from("/tmp"));
    let name = Sha256::digest(format!("{}\0{}", root.display(), id.0).as_bytes());
    let name = data_encoding::HEXLOWER.encode(&name[..10]);
    base.join(format!("koda-{name}"))
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

/// Takes the lock of the root's folder, for as long as the file is open. What makes and what sweeps sandboxes holds it.
pub(super) fn lock(root: &Path) -> Result<fs::File, SandboxError> {
    let locked = (|| {
        fs::create_dir_all(root)?;
        let file = fs::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(root.join(".lock"))?;
        file.lock()?;
        Ok(file)
    })();
    locked.map_err(|error: io::Error| {
        SandboxError::Unavailable(format!("{} cannot be written: {error}", root.display()))
    })
}

fn copy(from: &Path, to: &Path, without: &[&str]) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if without.iter().any(|skip| name == *skip) {
            continue;
        }
        let (target, kind) = (to.join(&name), entry.file_type()?);
        if kind.is_dir() {
            fs::create_dir(&target)?;
            copy(&entry.path(), &target, &[])?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
