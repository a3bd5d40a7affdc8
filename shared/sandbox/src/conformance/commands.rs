//! Commands: told exactly, listened to, ended whole.

use super::{Bench, exec, file, fresh, path, shell, soon};
use bytes::Bytes;
use futures_util::StreamExt;
use koda_domain::sandbox::{EndedBy, ExecEvent, ProcessName, ProcessStatus, SandboxError, run};
use std::time::Duration;

/// Output is told while the command runs.
pub async fn output_comes_while_the_command_runs(bench: Bench) {
    let id = fresh(&bench).await;
    let script =
        "echo first; while [ ! -e go ]; do sleep 0.05; done; echo second; echo oops >&2; exit 3";
    let mut events = bench
        .provider
        .exec(&id, &exec("stream", &["sh", "-c", script]))
        .await
        .expect("a stream");
    let first = events.next().await.expect("an event").expect("output");
    assert_eq!(first, ExecEvent::Stdout(Bytes::from_static(b"first\n")));
    bench
        .provider
        .write(&id, vec![file("go", "")])
        .await
        .expect("written");
    let (mut out, mut err, mut code) = (Vec::new(), Vec::new(), None);
    while let Some(event) = events.next().await {
        match event.expect("an event") {
            ExecEvent::Stdout(bytes) => out.extend_from_slice(&bytes),
            ExecEvent::Stderr(bytes) => err.extend_from_slice(&bytes),
            ExecEvent::Exited(status) => code = Some(status.code),
        }
    }
    assert_eq!(
        (out.as_slice(), err.as_slice(), code),
        (&b"second\n"[..], &b"oops\n"[..], Some(3))
    );
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// T35: arguments arrive verbatim; there is no shell.
pub async fn arguments_arrive_verbatim(bench: Bench) {
    let id = fresh(&bench).await;
    let argv = [
        "printf",
        "%s|",
        "$(touch /app/pwn)",
        "`id`",
        "a;b",
        "new\nline",
        "--help",
        "-y",
        "ü",
        "",
    ];
    let output = run(&*bench.provider, &id, &exec("argv", &argv))
        .await
        .expect("a run");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "$(touch /app/pwn)|`id`|a;b|new\nline|--help|-y|ü||"
    );
    assert!(matches!(
        bench.provider.read(&id, &path("pwn"), 10).await,
        Err(SandboxError::NotFound(_))
    ));
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// T10: nothing of the server's environment is inside, and nobody is root.
pub async fn the_environment_is_its_own(bench: Bench) {
    let id = fresh(&bench).await;
    let script = "env; id -u; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'";
    let mut with = exec("env", &["sh", "-c", script]);
    with.env.insert("KODA_EXTRA".into(), "given".into());
    let output = run(&*bench.provider, &id, &with).await.expect("a run");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("KODA_EXTRA=given"), "{text}");
    assert!(!text.contains("\n0\n"), "it runs as root:\n{text}");
    // Every variable of this process is a canary, unless it says what any machine's would.
    let canaries: Vec<String> = std::env::vars()
        .filter(|(name, value)| {
            !["PATH", "LANG", "TERM", "TZ", "USER", "SHLVL", "_", "PWD"].contains(&name.as_str())
                && value.len() > 3
        })
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert!(!canaries.is_empty(), "there is nothing to look for");
    for canary in canaries {
        let name = canary.split('=').next();
        assert!(!text.contains(&canary), "{name:?} of the server is inside");
    }
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// A program that is not there is refused with a reason; a signal is 128 and its number.
pub async fn failures_to_start_and_signals_are_told(bench: Bench) {
    let id = fresh(&bench).await;
    let missing = bench
        .provider
        .exec(&id, &exec("none", &["no-such-program"]))
        .await
        .err();
    assert!(
        matches!(missing, Some(SandboxError::Rejected(_))),
        "{missing:?}"
    );
    let output = run(
        &*bench.provider,
        &id,
        &exec("sig", &["sh", "-c", "kill -9 $$"]),
    )
    .await
    .expect("a run");
    assert_eq!((output.status.code, output.status.ended_by), (137, None));
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// F25: a deadline ends the whole tree, double forks and new sessions included.
pub async fn a_deadline_ends_the_whole_tree(bench: Bench) {
    let id = fresh(&bench).await;
    let script = "(setsid sh -c 'while :; do date > /app/alive; sleep 0.1; done' &) ; sleep 60";
    let mut late = exec("late", &["sh", "-c", script]);
    late.deadline = Duration::from_secs(1);
    let output = run(&*bench.provider, &id, &late).await.expect("a run");
    assert_eq!(output.status.ended_by, Some(EndedBy::Deadline));
    let left = shell(&bench, &id, "rm -f alive; sleep 0.5; ls alive 2>&1").await;
    assert!(left.contains("No such file") || left.is_empty(), "{left}");
    assert!(matches!(
        bench.provider.read(&id, &path("alive"), 100).await,
        Err(SandboxError::NotFound(_))
    ));
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// Killing returns when nothing is left, and asks before it forces.
pub async fn killing_leaves_nothing(bench: Bench) {
    let id = fresh(&bench).await;
    let script = "trap 'echo bye > /app/bye; exit 0' TERM; (trap '' TERM; sleep 60) & while :; do sleep 0.05; done";
    bench
        .provider
        .spawn(&id, &exec("victim", &["sh", "-c", script]))
        .await
        .expect("spawned");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let name = ProcessName::new("victim");
    bench
        .elsewhere
        .kill(&id, &name, Duration::from_secs(1))
        .await
        .expect("killed");
    let ProcessStatus::Exited(status) = bench.provider.process(&id, &name).await.expect("a status")
    else {
        panic!("it still runs")
    };
    assert_eq!(status.ended_by, Some(EndedBy::Kill));
    assert_eq!(
        bench
            .provider
            .read(&id, &path("bye"), 10)
            .await
            .expect("read"),
        "bye\n"
    );
    let left = shell(&bench, &id, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").await;
    assert!(!left.contains("sleep 60"), "{left}");
    bench
        .provider
        .kill(&id, &ProcessName::new("nobody"), Duration::ZERO)
        .await
        .expect("killing nothing");
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// Output is kept up to a cap; the command does not wait for what is dropped.
pub async fn output_is_capped(bench: Bench) {
    let id = fresh(&bench).await;
    let mut loud = exec(
        "loud",
        &["sh", "-c", "head -c 3000000 /dev/zero; echo done >&2"],
    );
    loud.output_cap = 1000;
    let output = run(&*bench.provider, &id, &loud).await.expect("a run");
    assert_eq!(
        (
            output.stdout.len(),
            output.status.code,
            output.status.truncated
        ),
        (1000, 0, true)
    );
    assert_eq!(output.stderr, b"done\n");
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// A name is one process at a time; a spawned one runs on without its caller and says how it ended.
pub async fn a_spawned_process_is_found_by_name(bench: Bench) {
    let id = fresh(&bench).await;
    let name = ProcessName::new("worker");
    assert_eq!(
        bench.provider.process(&id, &name).await.expect("a status"),
        ProcessStatus::Unknown
    );
    let wait = exec(
        "worker",
        &[
            "sh",
            "-c",
            "while [ ! -e stop ]; do sleep 0.05; done; exit 5",
        ],
    );
    bench.provider.spawn(&id, &wait).await.expect("spawned");
    assert_eq!(
        bench.elsewhere.process(&id, &name).await.expect("a status"),
        ProcessStatus::Running
    );
    assert!(matches!(
        bench.elsewhere.spawn(&id, &wait).await,
        Err(SandboxError::Busy(_))
    ));
    assert!(matches!(
        bench.elsewhere.exec(&id, &wait).await.err(),
        Some(SandboxError::Busy(_))
    ));
    bench
        .provider
        .write(&id, vec![file("stop", "")])
        .await
        .expect("written");
    soon("the process did not end", async || {
        matches!(bench.elsewhere.process(&id, &name).await, Ok(ProcessStatus::Exited(s)) if s.code == 5)
    })
    .await;
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// A command that says nothing is running as soon as it is started, and runs on when nobody listens.
pub async fn a_command_that_says_nothing_is_started_at_once(bench: Bench) {
    let id = fresh(&bench).await;
    let name = ProcessName::new("quiet");
    let events = bench
        .provider
        .exec(&id, &exec("quiet", &["sleep", "50"]))
        .await
        .expect("a stream");
    drop(events);
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(
            bench.elsewhere.process(&id, &name).await.expect("a status"),
            ProcessStatus::Running
        );
    }
    bench
        .elsewhere
        .kill(&id, &name, Duration::ZERO)
        .await
        .expect("killed");
    let status = bench.provider.process(&id, &name).await;
    assert!(
        matches!(&status, Ok(ProcessStatus::Exited(s)) if s.ended_by == Some(EndedBy::Kill)),
        "{status:?}"
    );
    bench.provider.destroy(&id).await.expect("destroyed");
}
