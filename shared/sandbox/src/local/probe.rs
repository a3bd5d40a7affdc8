//! Whether sandboxes can be made on this machine, and what to do where they cannot.

use super::{
    bwrap::{self, Nested},
    tools::which,
};
use koda_domain::sandbox::SandboxError;
use std::{process::Stdio, time::Duration};
use tokio::process::Command;

/// How long an empty sandbox may take.
const TRIED: Duration = Duration::from_secs(10);

/// Makes an empty sandbox with the walls of a real one.
pub(super) async fn probe() -> Result<Nested, SandboxError> {
    if cfg!(not(target_os = "linux")) {
        return Err(SandboxError::Rejected(
            "The local sandbox needs Linux. Run Koda in a Linux virtual machine, or use Docker or E2B sandboxes."
                .into(),
        ));
    }
    if which("bwrap").is_none() {
        return Err(SandboxError::Rejected(
            "bubblewrap is not installed. Install it (on Debian and Ubuntu: apt-get install bubblewrap) and start \
             again, or use Docker or E2B sandboxes."
                .into(),
        ));
    }
    let strict = attempt(Nested::Off).await;
    if strict.is_ok() {
        return Ok(Nested::Off);
    }
    // Older than 0.8, or on a machine whose settings cannot be written.
    match attempt(Nested::On).await {
        Ok(()) => Ok(Nested::On),
        Err(error) => Err(error),
    }
}

async fn attempt(nested: Nested) -> Result<(), SandboxError> {
    let tried = Command::new("bwrap")
        .args(bwrap::walls(nested))
        .args(["--", "/usr/bin/true"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(TRIED, tried).await {
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
    if said.contains("Can't mount proc") {
        return format!(
            "Sandboxes cannot be made inside this container: it does not let /proc be mounted (bubblewrap said: \
             {said}). Run Koda on the host or in a virtual machine, or use Docker or E2B sandboxes."
        );
    }
    let refusals = [
        "namespace",
        "Operation not permitted",
        "Permission denied",
        "uid map",
        "uid_map",
    ];
    if refusals.iter().any(|word| said.contains(word)) {
        return format!(
            "This machine does not allow user namespaces, which the local sandbox is made of (bubblewrap said: {said}). \
             Allow them: on Debian with `sysctl kernel.unprivileged_userns_clone=1`, on Ubuntu 24.04 and newer with \
             `sysctl kernel.apparmor_restrict_unprivileged_userns=0` or an AppArmor profile for bwrap. In a container \
             that cannot be changed; there, use Docker or E2B sandboxes."
        );
    }
    format!("bubblewrap failed: {said}")
}
