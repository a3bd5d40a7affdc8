//! The command line that makes a sandbox.

use super::tools::{self, Tool};
use koda_domain::sandbox::SandboxLimits;
use std::path::{Path, PathBuf};

/// Where our programs are, inside.
const BIN: &str = "/opt/koda";
/// Where the kernel's count of processes killed for want of memory is, inside.
pub(super) const OOM: &str = "/opt/koda/oom";
/// Folders of the system that programs need, read-only.
pub(super) const SYSTEM: [&str; 6] = ["/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin"];
/// More that programs need to find libraries and fonts. Nothing else of /etc and /var is there.
const SYSTEM_FILES: [&str; 6] = [
    "/etc/fonts",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/var/cache/fontconfig",
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

/// Whether code inside may make user namespaces of its own, where it would have every capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nested {
    /// It may not.
    Off,
    /// This bubblewrap, or this machine, cannot keep it from that.
    On,
}

/// What a sandbox sees of this machine.
pub(super) struct View {
    /// Its `/app`.
    pub app: PathBuf,
    /// Its files of `/etc`.
    pub etc: PathBuf,
    /// The template's packages.
    pub modules: Option<PathBuf>,
    /// The supervisor.
    pub sandboxd: PathBuf,
    /// The checker and renderer.
    pub capture: PathBuf,
    /// See [`OOM`].
    pub oom: Option<PathBuf>,
    /// Where the preview is served.
    pub port: u16,
    /// Bytes of `/tmp`.
    pub tmp: u64,
    /// Bytes of `/dev/shm`.
    pub shm: u64,
    /// What it may use.
    pub limits: SandboxLimits,
    /// Namespaces of its own.
    pub nested: Nested,
}

#[derive(Default)]
struct Arguments(Vec<String>);

impl Arguments {
    fn add(&mut self, parts: &[&str]) {
        self.0.extend(parts.iter().map(|part| (*part).to_owned()));
    }

    fn bind(&mut self, how: &str, from: &Path, to: &str) {
        self.add(&[how, &from.to_string_lossy(), to]);
    }
}

/// What keeps a sandbox apart, the same when sandboxes are made and when it is tried out whether they can be.
pub(super) fn walls(nested: Nested) -> Vec<String> {
    let mut args = Arguments::default();
    args.add(&["--unshare-user", "--unshare-pid", "--unshare-ipc"]);
    args.add(&["--unshare-uts", "--unshare-net", "--unshare-cgroup-try"]);
    if nested == Nested::Off {
        args.add(&["--disable-userns"]);
    }
    args.add(&["--uid", "1000", "--gid", "1000", "--hostname", "sandbox"]);
    args.add(&["--cap-drop", "ALL", "--new-session", "--as-pid-1"]);
    args.add(&["--clearenv", "--proc", "/proc", "--dev", "/dev"]);
    for path in KERNEL {
        args.add(&["--ro-bind-try", path, path]);
    }
    for path in SYSTEM {
        match std::fs::read_link(path) {
            // Where /lib is a link into /usr, it is one inside too.
            Ok(target) => args.add(&["--symlink", &target.to_string_lossy(), path]),
            Err(_) => args.add(&["--ro-bind-try", path, path]),
        }
    }
    args.0
}

/// Arguments of `bwrap` up to the supervisor's orders.
pub(super) fn arguments(view: &View) -> Vec<String> {
    let mut args = Arguments(walls(view.nested));
    args.add(&["--size", &view.tmp.to_string(), "--tmpfs", "/tmp"]);
    args.add(&["--size", &view.shm.to_string(), "--tmpfs", "/dev/shm"]);
    args.add(&["--dir", "/tmp/home"]);
    for path in SYSTEM_FILES {
        args.add(&["--ro-bind-try", path, path]);
    }
    for (name, _) in super::folder::ETC {
        args.bind("--ro-bind", &view.etc.join(name), &format!("/etc/{name}"));
    }
    args.bind("--bind", &view.app, "/app");
    if let Some(modules) = &view.modules {
        args.bind("--ro-bind", modules, "/app/node_modules");
    }
    let ours = |name: &str| format!("{BIN}/{name}");
    args.bind("--ro-bind", &view.sandboxd, &ours("koda-sandboxd"));
    args.bind("--ro-bind", &view.capture, &ours("koda-capture"));
    if let Some(oom) = &view.oom {
        args.bind("--ro-bind", oom, OOM);
    }
    let mut variables = environment(view.port, &view.limits);
    for tool in tools::outside_the_system() {
        match tool {
            Tool::Program { name, file } => args.bind("--ro-bind", &file, &ours(name)),
            Tool::Browser { file, folder } => {
                args.bind("--ro-bind", &folder, &folder.to_string_lossy());
                variables.push(("KODA_CHROMIUM", file.to_string_lossy().into_owned()));
            }
        }
    }
    // What is left writable is /app, /tmp and /dev/shm, each of limited size.
    args.add(&[
        "--remount-ro",
        "/dev",
        "--remount-ro",
        "/",
        "--chdir",
        "/app",
    ]);
    for (name, value) in variables {
        args.add(&["--setenv", name, &value]);
    }
    args.add(&["--", &ours("koda-sandboxd"), "supervise"]);
    args.0
}

/// The whole environment inside; nothing of the server's own comes along.
fn environment(port: u16, limits: &SandboxLimits) -> Vec<(&'static str, String)> {
    vec![
        ("PATH", format!("{BIN}:/usr/local/bin:/usr/bin:/bin")),
        ("HOME", "/tmp/home".to_owned()),
        ("USER", "koda".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("TERM", "dumb".to_owned()),
        ("TZ", "UTC".to_owned()),
        ("KODA_PORT", port.to_string()),
        ("KODA_VITE_CACHE", "/app/.koda/vite".to_owned()),
        // The group that holds it to that cannot be seen from inside.
        ("KODA_CPUS", limits.cpus.to_string()),
    ]
}
