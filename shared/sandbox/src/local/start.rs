//! Bringing a sandbox up: sockets first, then bubblewrap, held back until its limits are set and it is written down.

use super::{
    LocalConfig, bwrap,
    cgroup::Groups,
    client,
    folder::{self, Folder, Init, Meta},
    probe,
};
use crate::{
    talk,
    wire::{Orders, Request},
};
use command_fds::{CommandFdExt, FdMapping};
use koda_domain::sandbox::{SandboxError, SandboxSpec};
use serde::Deserialize;
use std::{
    io::{self, PipeReader, PipeWriter},
    os::{fd::OwnedFd, unix::net::UnixListener},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::AsyncReadExt,
    net::unix::pipe,
    process::{Child, Command},
};

/// How long a sandbox may take to come up.
const START: Duration = Duration::from_secs(15);
/// How long bubblewrap may take to end when it has failed.
const FAIL: Duration = Duration::from_secs(2);
/// Bytes of `/tmp`, where Chromium and FFmpeg keep what they work on.
const TMP: u64 = 1 << 30;
/// Bytes of `/dev/shm`.
const SHM: u64 = 256 << 20;
/// The port inside that previews are served on.
const PREVIEW_PORT: u16 = 5173;
/// Descriptors of bubblewrap's report, and of what holds it back.
const INFO: i32 = 3;
const BLOCK: i32 = 4;
/// The other end of the report's pipe: where this process dies, bubblewrap must still be able to write, or it would end
/// and leave what it had begun waiting for ever.
const KEPT: i32 = 5;

fn unavailable(error: &io::Error) -> SandboxError {
    SandboxError::Unavailable(error.to_string())
}

/// What is held on this side until the sandbox may go on.
struct Held {
    child: Child,
    info: PipeReader,
    block: PipeWriter,
}

/// Starts a sandbox whose folders are laid out; `meta` gets its first process.
pub(super) async fn start(
    config: &LocalConfig,
    folder: &Folder,
    meta: &mut Meta,
    spec: &SandboxSpec,
    nested: bwrap::Nested,
) -> Result<(), SandboxError> {
    let tmp = TMP.min(spec.limits.disk);
    // Files in memory count as memory to the kernel, but have limits of their own.
    let groups = Groups::make(&meta.sandbox.id.0, &spec.limits, tmp + SHM);
    let orders = Orders {
        id: meta.sandbox.id.0.clone(),
        app: "/app".into(),
        port: PREVIEW_PORT,
        life_ms: talk::milliseconds(spec.life),
        memory: spec.limits.memory,
        pids: spec.limits.pids,
        disk: spec.limits.disk,
        oom: groups.oom_file().map(|_| bwrap::OOM.to_owned()),
        user: None,
        socket: None,
        start: vec![],
    };
    let template = config.templates.get(&spec.template);
    let view = bwrap::View {
        app: folder.app(),
        etc: folder.etc(),
        modules: template
            .map(|t| t.join("node_modules"))
            .filter(|m| m.is_dir()),
        sandboxd: config.sandboxd.clone(),
        capture: config.capture.clone(),
        oom: groups.oom_file(),
        port: PREVIEW_PORT,
        tmp,
        shm: SHM,
        limits: spec.limits.clone(),
        nested,
    };
    let held = launch(folder, meta, &view, &orders).map_err(|e| unavailable(&e))?;
    let Held {
        mut child,
        info,
        block,
    } = held;
    let up = tokio::time::timeout(START, async {
        let init = reported_init(info).await?;
        groups.join(init.pid());
        meta.init = Some(init);
        folder.save(meta).map_err(|e| unavailable(&e))?;
        drop(block);
        client::ask(&folder::control(meta), &Request::Ping).await
    });
    match up.await {
        Ok(Ok(_)) => {
            // Takes its exit status when it ends, so that no zombie stays.
            tokio::spawn(async move { child.wait().await });
            Ok(())
        }
        Ok(Err(error)) => {
            let failed = tokio::time::timeout(FAIL, child.wait()).await.is_ok();
            let _ = child.start_kill();
            let said = std::fs::read_to_string(folder.log()).unwrap_or_default();
            Err(if failed && !said.trim().is_empty() {
                SandboxError::Rejected(probe::explain(&said))
            } else {
                SandboxError::Unavailable(format!("a sandbox did not come up: {error}"))
            })
        }
        Err(_) => {
            let _ = child.start_kill();
            Err(SandboxError::TimedOut("it did not come up".into()))
        }
    }
}

fn launch(folder: &Folder, meta: &Meta, view: &bwrap::View, orders: &Orders) -> io::Result<Held> {
    // Sockets live on this side only and are handed over open: code inside cannot reach the first, nor replace the
    // second by a link to something of this machine.
    let socket = |path| UnixListener::bind(path).map(OwnedFd::from);
    let control = socket(folder::control(meta))?;
    let preview = socket(folder::preview(meta))?;
    let (info, report) = io::pipe()?;
    let (wait, block) = io::pipe()?;
    let kept = info.try_clone()?;
    let mut command = Command::new("bwrap");
    command
        .args([
            "--info-fd",
            &INFO.to_string(),
            "--block-fd",
            &BLOCK.to_string(),
        ])
        .args(bwrap::arguments(view))
        .arg(serde_json::to_string(orders)?)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::from(control))
        .stdout(Stdio::from(preview))
        .stderr(std::fs::File::create(folder.log())?)
        // Away from the terminal's signals; what ends the server does not end it.
        .process_group(0);
    command
        .fd_mappings(vec![
            FdMapping {
                parent_fd: report.into(),
                child_fd: INFO,
            },
            FdMapping {
                parent_fd: wait.into(),
                child_fd: BLOCK,
            },
            FdMapping {
                parent_fd: kept.into(),
                child_fd: KEPT,
            },
        ])
        .map_err(io::Error::other)?;
    // With the command go this side's ends of what was handed over.
    command.spawn().map(|child| Held { child, info, block })
}

/// What bubblewrap reports of the namespace's first process.
async fn reported_init(info: PipeReader) -> Result<Init, SandboxError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Report {
        child_pid: i32,
    }
    let mut info = pipe::Receiver::from_owned_fd(info.into()).map_err(|e| unavailable(&e))?;
    let mut said = Vec::new();
    loop {
        if let Ok(report) = serde_json::from_slice::<Report>(&said) {
            return Init::of(report.child_pid).ok_or(SandboxError::Gone);
        }
        let count = info
            .read_buf(&mut said)
            .await
            .map_err(|e| unavailable(&e))?;
        if count == 0 {
            return Err(SandboxError::Gone);
        }
    }
}
