//! From this machine into a cell: mounts of its own, the layers of its template over each other, then bubblewrap.
//!
//! It is a step of its own, because a process with threads cannot leave its user namespace.

use anyhow::Context;
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    unistd::{getgid, getuid},
};
use serde::{Deserialize, Serialize};
use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

/// The descriptor that bubblewrap reports on.
pub const INFO: i32 = 3;
/// Folders of the system that programs need, read-only.
const SYSTEM: [&str; 6] = ["/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin"];
/// More that programs need to find libraries, fonts and authorities.
const SYSTEM_FILES: [&str; 8] = [
    "/etc/fonts",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ssl/certs",
    "/var/cache/fontconfig",
    "/var/lib/dpkg/status",
];
/// Parts of /proc that set something on the whole machine.
const KERNEL: [&str; 6] = [
    "/proc/sys",
    "/proc/irq",
    "/proc/bus",
    "/proc/fs",
    "/proc/acpi",
    "/proc/sysrq-trigger",
];
/// What envd needs to be several users, and nothing else.
const CAPABILITIES: [&str; 8] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_NET_BIND_SERVICE",
];

/// What a cell is to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Layers of the template, the uppermost first.
    pub lower: Vec<PathBuf>,
    /// Takes what is written inside.
    pub upper: PathBuf,
    /// Overlayfs's own.
    pub work: PathBuf,
    /// Where the layers come together.
    pub root: PathBuf,
    /// This program.
    pub program: PathBuf,
    /// Whether this machine's network is inside: while templates are built.
    pub network: bool,
}

/// Whether there is only one identity inside: where this is not root.
pub fn single() -> bool {
    !getuid().is_root()
}

/// Becomes the cell.
///
/// # Errors
/// Where the kernel refuses, or bubblewrap is missing. It does not return otherwise.
pub fn enter(entry: &Entry) -> anyhow::Result<()> {
    let alone = single();
    if alone {
        let (uid, gid) = (getuid(), getgid());
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)
            .context("this machine does not let you make user namespaces")?;
        std::fs::write("/proc/self/setgroups", "deny")?;
        std::fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
        std::fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))?;
    } else {
        unshare(CloneFlags::CLONE_NEWNS)?;
    }
    let none = None::<&Path>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    let lower: Vec<_> = entry
        .lower
        .iter()
        .map(|l| l.to_string_lossy().into_owned())
        .collect();
    let mut options = format!(
        "lowerdir={},upperdir={},workdir={}",
        lower.join(":"),
        entry.upper.display(),
        entry.work.display()
    );
    if alone {
        options.push_str(",userxattr");
    }
    mount(
        Some("overlay"),
        &entry.root,
        Some("overlay"),
        MsFlags::empty(),
        Some(options.as_str()),
    )
    .context("the layers of the template could not be put over each other (overlayfs)")?;
    let error = Command::new("bwrap").args(arguments(entry, alone)).exec();
    Err(error).context("bubblewrap could not be started")
}

fn arguments(entry: &Entry, alone: bool) -> Vec<String> {
    let mut args: Vec<String> = Vec::new();
    let mut add = |parts: &[&str]| args.extend(parts.iter().map(|p| (*p).to_owned()));
    add(&["--info-fd", &INFO.to_string(), "--die-with-parent"]);
    add(&["--unshare-pid", "--unshare-ipc", "--unshare-uts"]);
    add(&["--hostname", "e2b", "--new-session", "--clearenv"]);
    if !entry.network {
        add(&["--unshare-net"]);
    }
    add(&["--cap-drop", "ALL"]);
    if alone {
        add(&["--unshare-user", "--uid", "1000", "--gid", "1000"]);
    } else {
        for capability in CAPABILITIES {
            add(&["--cap-add", capability]);
        }
    }
    add(&["--bind", &entry.root.to_string_lossy(), "/"]);
    add(&[
        "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm", "--chmod", "1777", "/dev/shm",
    ]);
    for path in KERNEL {
        add(&["--ro-bind-try", path, path]);
    }
    for path in SYSTEM {
        // Where /lib is a link into /usr, the base layer has it.
        if std::fs::symlink_metadata(path).is_ok_and(|m| m.is_dir()) {
            add(&["--ro-bind", path, path]);
        }
    }
    for path in SYSTEM_FILES {
        add(&["--ro-bind-try", path, path]);
    }
    if entry.network {
        add(&["--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf"]);
    }
    let program = entry.program.to_string_lossy();
    add(&["--ro-bind", &program, "/.envd", "--chdir", "/"]);
    add(&[
        "--setenv",
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]);
    add(&["--", "/.envd", "envd"]);
    if alone {
        add(&["--single"]);
    }
    args
}

/// Folders and links of a system's root that every template begins with.
///
/// # Errors
/// Where they cannot be written.
pub fn lay_base(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    for name in [
        "app",
        "etc/ssl/certs",
        "home/user",
        "opt",
        "root",
        "run",
        "srv",
        "tmp",
        "var/cache",
        "var/lib/dpkg",
        "var/tmp",
        "usr",
    ] {
        std::fs::create_dir_all(folder.join(name))?;
    }
    for name in ["tmp", "var/tmp"] {
        std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o1777))?;
    }
    for path in SYSTEM {
        if let Ok(target) = std::fs::read_link(path) {
            symlink(target, folder.join(path.trim_start_matches('/')))?;
        }
    }
    for (name, text) in [
        (
            "passwd",
            "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\nuser:x:1000:1000::/home/user:/bin/bash\n",
        ),
        ("group", "root:x:0:\nnogroup:x:65534:\nuser:x:1000:\n"),
        ("hosts", "127.0.0.1 localhost e2b\n::1 localhost\n"),
        (
            "nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files dns\n",
        ),
        ("profile", "export LANG=C.UTF-8\n"),
        ("resolv.conf", ""),
        ("hostname", "e2b\n"),
    ] {
        std::fs::write(folder.join("etc").join(name), text)?;
    }
    if !single() {
        chown(folder.join("home/user"), Some(1000), Some(1000))?;
    }
    Ok(())
}
