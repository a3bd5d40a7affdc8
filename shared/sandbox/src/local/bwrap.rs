//! The command line that makes a sandbox, and what it means when it fails.

use koda_domain::sandbox::SandboxError;
use std::{
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

/// Where the supervisor's socket and the preview's are, inside.
pub(super) const RUN: &str = "/run/koda";
/// Where our programs are, inside.
const BIN: &str = "/opt/koda";
/// Folders of the system that programs need, read-only.
const SYSTEM: [&str; 6] = ["/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin"];
/// Files and folders of /etc that programs need; nothing else of it is there.
const ETC: [&str; 6] = [
    "/etc/fonts",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
];

/// Parts of /proc that set or start something on the whole machine. Where the server is root, code inside has root's
/// identity to the kernel, without any capability; some of these ask for nothing more than that.
const KERNEL: [&str; 10] = [
    "/proc/sys",
    "/proc/irq",
    "/proc/bus",
    "/proc/fs",
    "/proc/acpi",
    "/proc/scsi",
    "/proc/driver",
    "/proc/pressure",
    "/proc/mtrr",
    "/proc/sysrq-trigger",
];

/// What a sandbox sees of this machine.
pub(super) struct View {
    /// Its `/app`.
    pub app: PathBuf,
    /// The template's packages.
    pub modules: Option<PathBuf>,
    /// Its `/run/koda`.
    pub run: PathBuf,
    /// The supervisor.
    pub sandboxd: PathBuf,
    /// The checker and renderer.
    pub capture: PathBuf,
    /// Bytes of `/tmp`.
    pub tmp: u64,
}

/// Arguments of `bwrap` up to the supervisor's own.
pub(super) fn arguments(view: &View) -> Vec<String> {
    let mut args: Vec<String> = [
        "--unshare-user",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-net",
        "--unshare-cgroup-try",
        "--uid",
        "1000",
        "--gid",
        "1000",
        "--hostname",
        "sandbox",
        "--cap-drop",
        "ALL",
        "--new-session",
        "--clearenv",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
    ]
    .map(str::to_owned)
    .to_vec();
    let mut add = |parts: &[&str]| args.extend(parts.iter().map(|p| (*p).to_owned()));
    for path in KERNEL {
        add(&["--ro-bind-try", path, path]);
    }
    add(&[
        "--size",
        &view.tmp.to_string(),
        "--tmpfs",
        "/tmp",
        "--tmpfs",
        "/run",
    ]);
    for path in SYSTEM.into_iter().chain(ETC) {
        match std::fs::read_link(path) {
            // Where /lib is a link into /usr, it is one inside too.
            Ok(target) if SYSTEM.contains(&path) => {
                add(&["--symlink", &target.to_string_lossy(), path])
            }
            _ => add(&["--ro-bind-try", path, path]),
        }
    }
    for tool in ["node", "ffmpeg"] {
        if let Some(prefix) = prefix_of(tool) {
            add(&[
                "--ro-bind",
                &prefix.to_string_lossy(),
                &prefix.to_string_lossy(),
            ]);
        }
    }
    add(&["--bind", &view.app.to_string_lossy(), "/app"]);
    if let Some(modules) = &view.modules {
        add(&["--ro-bind", &modules.to_string_lossy(), "/app/node_modules"]);
    }
    add(&["--bind", &view.run.to_string_lossy(), RUN]);
    add(&[
        "--ro-bind",
        &view.sandboxd.to_string_lossy(),
        &format!("{BIN}/koda-sandboxd"),
    ]);
    add(&[
        "--ro-bind-try",
        &view.capture.to_string_lossy(),
        &format!("{BIN}/koda-capture"),
    ]);
    add(&["--chdir", "/app"]);
    for (name, value) in environment() {
        add(&["--setenv", name, &value]);
    }
    add(&["--", &format!("{BIN}/koda-sandboxd")]);
    args
}

/// The whole environment inside; nothing of the server's own comes along.
fn environment() -> Vec<(&'static str, String)> {
    let mut path = format!("{BIN}:/usr/local/bin:/usr/bin:/bin");
    for tool in ["node", "ffmpeg"] {
        if let Some(prefix) = prefix_of(tool) {
            path = format!("{path}:{}/bin", prefix.display());
        }
    }
    vec![
        ("PATH", path),
        ("HOME", "/tmp".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("KODA_PORT", "5173".to_owned()),
        ("KODA_SOCKET", format!("{RUN}/preview.sock")),
        ("KODA_VITE_CACHE", "/app/.koda/vite".to_owned()),
    ]
}

/// The folder that a program is installed below, where that is not one of the system's.
fn prefix_of(tool: &str) -> Option<PathBuf> {
    let program = which(tool)?.canonicalize().ok()?;
    if SYSTEM.iter().any(|system| program.starts_with(system)) {
        return None;
    }
    program.parent()?.parent().map(Path::to_path_buf)
}

/// Finds a program on the PATH of this process.
pub(super) fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
}

/// Whether sandboxes can be made here.
pub(super) async fn probe() -> Result<(), SandboxError> {
    if cfg!(not(target_os = "linux")) {
        return Err(SandboxError::Rejected(
            "The local sandbox needs Linux. Run Koda in a Linux virtual machine or container host."
                .into(),
        ));
    }
    if which("bwrap").is_none() {
        return Err(SandboxError::Rejected(
            "bubblewrap is not installed. Install it (on Debian and Ubuntu: apt-get install bubblewrap) and start again."
                .into(),
        ));
    }
    let args = [
        "--unshare-user",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--uid",
        "1000",
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "true",
    ];
    let probed = Command::new("bwrap")
        .args(args)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(std::time::Duration::from_secs(10), probed).await {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => Err(SandboxError::Rejected(explain(&String::from_utf8_lossy(
            &output.stderr,
        )))),
        Ok(Err(error)) => Err(SandboxError::Rejected(format!(
            "bubblewrap cannot be started: {error}"
        ))),
        Err(_) => Err(SandboxError::TimedOut(
            "bubblewrap did not come back".into(),
        )),
    }
}

/// What to do about what bubblewrap says.
pub(super) fn explain(stderr: &str) -> String {
    let said = stderr.lines().last().unwrap_or("nothing").trim();
    let namespaces = [
        "namespace",
        "Operation not permitted",
        "Permission denied",
        "uid map",
    ];
    if namespaces.iter().any(|word| said.contains(word)) {
        format!(
            "This machine does not allow user namespaces, which the local sandbox is made of (bubblewrap said: {said}). \
             Allow them: on Debian `sysctl kernel.unprivileged_userns_clone=1`; on Ubuntu 24.04 and newer \
             `sysctl kernel.apparmor_restrict_unprivileged_userns=0`; in a container, run Koda on the host or in a \
             virtual machine instead."
        )
    } else {
        format!("bubblewrap failed: {said}")
    }
}
