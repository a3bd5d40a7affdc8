//! The supervisor inside a sandbox: runs commands, holds limits, and ends with everything when its time is over.
//!
//! In a local sandbox it is the first process, so that the kernel lets nothing inside end it, hands it every orphan, and ends
//! everything with it.

#[cfg(target_os = "linux")]
#[path = "../../wire.rs"]
#[expect(dead_code, reason = "the provider's half is not used here")]
mod wire;

#[cfg(target_os = "linux")]
#[path = "../../files.rs"]
mod files;

#[cfg(target_os = "linux")]
mod ask;
#[cfg(target_os = "linux")]
mod commands;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(target_os = "linux")]
mod output;
#[cfg(target_os = "linux")]
mod place;
#[cfg(target_os = "linux")]
mod processes;
#[cfg(target_os = "linux")]
mod runner;
#[cfg(target_os = "linux")]
mod serve;
#[cfg(target_os = "linux")]
mod watch;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let mut args = std::env::args_os().skip(1);
    match args.next().as_deref().and_then(std::ffi::OsStr::to_str) {
        Some("run") => runner::run(args),
        Some("supervise") => serve::supervise(args.next()),
        Some("ask") => ask::ask(args),
        Some("files") => place::files(args),
        _ => {
            eprintln!("koda-sandboxd is started by Koda inside a sandbox");
            std::process::ExitCode::from(2)
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("koda-sandboxd needs Linux");
    std::process::ExitCode::from(2)
}
