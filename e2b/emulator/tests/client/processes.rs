//! Processes: told exactly, listened to, fed, ended.

use crate::room::{room, soon};
use e2b_client::{Command, Error, Missing, ProcessEvent, PtySize, Selector, Signal, Utf8Decoder};
use futures_util::StreamExt;
use std::time::{Duration, Instant};

#[tokio::test]
async fn exit_codes_and_both_outputs_are_told() {
    let room = room().await;
    let processes = room.sandbox().await.processes();
    let output = processes
        .run(Command::shell("echo out; echo err >&2; exit 7"))
        .await
        .unwrap();
    assert_eq!(
        (output.stdout.as_ref(), output.stderr.as_ref(), output.code),
        (&b"out\n"[..], &b"err\n"[..], 7)
    );
    assert_eq!(output.status, "exit status 7");
    let output = processes.run(Command::new("true")).await.unwrap();
    assert_eq!((output.code, output.status.as_str()), (0, "exit status 0"));
    let output = processes
        .run(Command::new("printf").args(["%s|", "$(id)", "a b", "ü", ""]))
        .await
        .unwrap();
    assert_eq!(output.stdout, "$(id)|a b|ü||");
    let output = processes
        .run(Command::new("no-such-program"))
        .await
        .unwrap();
    assert_eq!(output.code, 127);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-program"));
}

#[tokio::test]
async fn output_comes_while_the_process_runs_and_in_order() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    let script = "for i in 1 2 3; do echo $i; sleep 0.1; done; while [ ! -e go ]; do sleep 0.05; done; echo 4";
    let mut process = sandbox
        .processes()
        .start(Command::shell(script))
        .await
        .unwrap();
    let mut text = String::new();
    while text != "1\n2\n3\n" {
        match process.next().await.unwrap().unwrap() {
            ProcessEvent::Stdout(bytes) => text.push_str(&String::from_utf8_lossy(&bytes)),
            other => panic!("{other:?} after {text:?}"),
        }
    }
    sandbox.files().write("go", "").await.unwrap();
    assert_eq!(process.wait().await.unwrap().stdout, "4\n");
}

#[tokio::test]
async fn large_output_is_whole_and_characters_are_not_cut() {
    let room = room().await;
    let processes = room.sandbox().await.processes();
    let output = processes
        .run(Command::shell(
            "head -c 5000000 /dev/zero | tr '\\0' x; echo end >&2",
        ))
        .await
        .unwrap();
    assert!(output.stdout.len() == 5_000_000 && output.stdout.iter().all(|b| *b == b'x'));
    assert_eq!(output.stderr, "end\n");
    let mut process = processes
        .start(Command::shell(
            "printf '\\xe6\\x97'; sleep 0.2; printf '\\xa5\\xe6\\x9c'; sleep 0.2; printf '\\xac'",
        ))
        .await
        .unwrap();
    let (mut decoder, mut text, mut pieces) = (Utf8Decoder::default(), String::new(), 0);
    while let Some(event) = process.next().await {
        if let ProcessEvent::Stdout(bytes) = event.unwrap() {
            text.push_str(&decoder.push(&bytes));
            pieces += 1;
        }
    }
    assert_eq!((text.as_str(), pieces > 1), ("日本", true));
}

#[tokio::test]
async fn a_process_has_the_variables_folder_and_user_it_was_given() {
    let room = room().await;
    let processes = room.sandbox().await.processes();
    let mut command = Command::shell("echo $X; pwd; whoami; echo $HOME");
    command.env.insert("X".into(), "a b\"c".into());
    command.cwd = Some("/tmp".into());
    let output = processes.run(command).await.unwrap();
    assert_eq!(output.stdout, "a b\"c\n/tmp\nuser\n/home/user\n");
    let mut wrong = Command::new("true");
    wrong.cwd = Some("/no/such/folder".into());
    let refused = processes.run(wrong).await;
    assert!(
        matches!(&refused, Err(Error::InvalidArgument(why)) if why.contains("/no/such/folder")),
        "{refused:?}"
    );
    let mut wrong = Command::new("true");
    wrong.user = Some("nobody-here".into());
    assert!(matches!(
        processes.run(wrong).await,
        Err(Error::Authentication(_))
    ));
}

#[tokio::test]
async fn a_process_is_found_listened_to_twice_and_outlives_its_listeners() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    let processes = sandbox.processes();
    let mut command = Command::shell("while [ ! -e go ]; do sleep 0.05; done; echo went; exit 5");
    command.tag = Some("worker".into());
    let process = processes.start(command).await.unwrap();
    let pid = process.pid();
    drop(process);
    let listed = processes.list().await.unwrap();
    assert!(
        listed.iter().any(|p| p.pid == pid
            && p.tag.as_deref() == Some("worker")
            && p.config.cmd == "/bin/bash"),
        "{listed:?}"
    );
    let by_pid = processes.connect(&Selector::Pid(pid)).await.unwrap();
    let by_tag = processes
        .connect(&Selector::Tag("worker".into()))
        .await
        .unwrap();
    sandbox.files().write("go", "").await.unwrap();
    let (a, b) = tokio::join!(by_pid.wait(), by_tag.wait());
    for output in [a.unwrap(), b.unwrap()] {
        assert_eq!((output.stdout.as_ref(), output.code), (&b"went\n"[..], 5));
    }
    assert!(processes.list().await.unwrap().is_empty());
    // How it ended is known for a while.
    let late = processes.connect(&Selector::Pid(pid)).await.unwrap();
    assert_eq!(late.wait().await.unwrap().code, 5);
    let nobody = processes.connect(&Selector::Tag("nobody".into())).await;
    assert!(
        matches!(
            nobody,
            Err(Error::NotFound {
                what: Missing::Process,
                ..
            })
        ),
        "{nobody:?}"
    );
}

#[tokio::test]
async fn a_process_is_fed_until_its_input_ends() {
    let room = room().await;
    let processes = room.sandbox().await.processes();
    let mut command = Command::new("cat");
    command.stdin = true;
    let process = processes.start(command).await.unwrap();
    let it = Selector::Pid(process.pid());
    processes.send_stdin(&it, b"one ").await.unwrap();
    processes.send_stdin(&it, b"two").await.unwrap();
    processes.close_stdin(&it).await.unwrap();
    let output = process.wait().await.unwrap();
    assert_eq!((output.stdout.as_ref(), output.code), (&b"one two"[..], 0));
    let deaf = processes
        .start(Command::new("sleep").args(["5"]))
        .await
        .unwrap();
    let it = Selector::Pid(deaf.pid());
    assert!(processes.send_stdin(&it, b"x").await.is_err());
    processes.signal(&it, Signal::Kill).await.unwrap();
}

#[tokio::test]
async fn signals_end_a_process_and_an_unknown_one_is_not_found() {
    let room = room().await;
    let processes = room.sandbox().await.processes();
    let trap = Command::new("bash").args([
        "-c",
        "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done",
    ]);
    let mut process = processes.start(trap).await.unwrap();
    process.next().await.unwrap().unwrap();
    let it = Selector::Pid(process.pid());
    processes.signal(&it, Signal::Term).await.unwrap();
    let output = process.wait().await.unwrap();
    assert_eq!(output.code, 3);
    let process = processes
        .start(Command::new("sleep").args(["60"]))
        .await
        .unwrap();
    processes
        .signal(&Selector::Pid(process.pid()), Signal::Kill)
        .await
        .unwrap();
    let output = process.wait().await.unwrap();
    assert_eq!(
        (output.code, output.status.as_str()),
        (-1, "signal: killed")
    );
    let missing = processes.signal(&Selector::Pid(99_999), Signal::Term).await;
    assert!(
        matches!(
            missing,
            Err(Error::NotFound {
                what: Missing::Process,
                ..
            })
        ),
        "{missing:?}"
    );
}

#[tokio::test]
async fn a_deadline_kills_the_process() {
    let room = room().await;
    let processes = room.sandbox().await.processes();
    let mut command = Command::new("sleep").args(["60"]);
    command.deadline = Some(Duration::from_millis(400));
    let began = Instant::now();
    let ended = processes.run(command).await;
    assert!(matches!(ended, Err(Error::TimedOut(_))), "{ended:?}");
    assert!(
        began.elapsed() < Duration::from_secs(50),
        "it slept to its end"
    );
    soon("it lives on", async || {
        processes.list().await.unwrap().is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_terminal_has_a_size_that_can_change() {
    let room = room().await;
    let processes = room.sandbox().await.processes();
    let mut command = Command::new("/bin/bash").args(["-i"]);
    command.env.insert("TERM".into(), "dumb".into());
    command.pty = Some(PtySize {
        cols: 100,
        rows: 30,
    });
    let process = processes.start(command).await.unwrap();
    let it = Selector::Pid(process.pid());
    processes.send_pty(&it, b"stty size\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    processes
        .resize(&it, PtySize { cols: 50, rows: 20 })
        .await
        .unwrap();
    processes.send_pty(&it, b"stty size; exit\n").await.unwrap();
    let output = process.wait().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("30 100") && text.contains("20 50"), "{text}");
}
