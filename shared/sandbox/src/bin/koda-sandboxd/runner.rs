//! One command and what it starts. Orphans of the command become this process's children, however they cut themselves
//! off, so that the command's processes are always those below this one.

use nix::{
    errno::Errno,
    sys::{
        prctl,
        wait::{WaitStatus, waitpid},
    },
    unistd::{Pid, setsid},
};
use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

/// Runs `PROGRAM ARGV0 [ARGUMENT…]` and ends as it ends.
pub fn run(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let (Some(program), Some(name)) = (args.next(), args.next()) else {
        return ExitCode::from(2);
    };
    if let Err(error) = prctl::set_child_subreaper(true) {
        eprintln!("koda: orphans cannot be adopted: {error}");
        return ExitCode::from(126);
    }
    // Its own session is only tidiness: what belongs together is told by descent.
    let _ = setsid();
    // Where memory runs out, the kernel ends commands before the supervisor.
    let _ = std::fs::write("/proc/self/oom_score_adj", "800");
    let started = Command::new(program)
        .arg0(&name)
        .args(args)
        .process_group(0)
        .spawn();
    let child = match started {
        Ok(child) => Pid::from_raw(child.id().cast_signed()),
        Err(error) => {
            eprintln!("koda: {} cannot be started: {error}", name.display());
            return ExitCode::from(126);
        }
    };
    loop {
        let code = match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) if pid == child => code,
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => 128 + signal as i32,
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(_) => 126,
        };
        return ExitCode::from(u8::try_from(code).unwrap_or(126));
    }
}
