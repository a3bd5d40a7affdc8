//! What goes wrong on the way.

use crate::room::{room, soon};
use e2b_client::{Command, Error, ListQuery, NewSandbox, ProcessEvent};
use e2b_emulator::fault::{Action, Fault};
use futures_util::StreamExt;
use std::time::{Duration, Instant};

fn fault(path: &str, times: u32, then: Action) -> Fault {
    Fault {
        method: None,
        path: path.into(),
        skip: 0,
        times,
        then,
    }
}

fn answer(status: u16, retry_after: Option<u64>) -> Action {
    Action::Answer {
        status,
        body: format!("{{\"code\":{status},\"message\":\"by the script\"}}"),
        retry_after,
    }
}

#[tokio::test]
async fn one_creation_makes_one_sandbox_even_where_the_answer_is_lost() {
    let room = room().await;
    for lost in [Action::LoseAnswer, Action::CutAfter(10)] {
        room.emulator
            .set_faults(vec![fault("/v2/sandboxes", 1, lost)]);
        let sandbox = room.sandbox().await;
        sandbox.files().list(".", 1).await.unwrap();
        let all = room.client.list(&ListQuery::default()).await.unwrap();
        assert_eq!(all.len(), 1, "{all:?}");
        room.client.kill(sandbox.id()).await.unwrap();
    }
}

#[tokio::test]
async fn a_creation_that_is_not_known_to_have_failed_is_not_repeated() {
    let room = room().await;
    for then in [Action::Refuse, answer(500, None), answer(504, None)] {
        room.emulator
            .set_faults(vec![fault("/v2/sandboxes", 1, then)]);
        let unknown = room.client.create(&NewSandbox::new("base")).await;
        assert!(
            matches!(unknown, Err(Error::CreateUnknown { .. })),
            "{unknown:?}"
        );
        assert!(
            room.client
                .list(&ListQuery::default())
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn a_limit_of_calls_is_waited_for_and_a_long_one_told() {
    let room = room().await;
    room.emulator
        .set_faults(vec![fault("/v2/sandboxes", 1, answer(429, Some(1)))]);
    let began = Instant::now();
    room.sandbox().await;
    assert!(began.elapsed() >= Duration::from_secs(1));
    room.emulator
        .set_faults(vec![fault("/v2/sandboxes", 1, answer(429, Some(600)))]);
    let limited = room.client.create(&NewSandbox::new("base")).await;
    let expected = Some(Duration::from_secs(600));
    assert!(
        matches!(&limited, Err(Error::RateLimited { retry_after, .. }) if *retry_after == expected),
        "{limited:?}"
    );
}

#[tokio::test]
async fn what_can_be_asked_again_is() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    sandbox.files().write("f", "1").await.unwrap();
    for then in [Action::Refuse, Action::LoseAnswer, answer(503, None)] {
        for path in ["/files", "/filesystem.Filesystem/Stat", "/sandboxes/"] {
            room.emulator.set_faults(vec![fault(path, 2, then.clone())]);
            sandbox.files().read("f").await.unwrap();
            sandbox.files().stat("f").await.unwrap();
            room.client.get(sandbox.id()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_process_is_never_started_twice() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    room.emulator
        .set_faults(vec![fault("/process.Process/Start", 1, Action::LoseAnswer)]);
    let lost = sandbox
        .processes()
        .run(Command::shell("echo once >> log"))
        .await;
    assert!(matches!(lost, Err(Error::ConnectionLost(_))), "{lost:?}");
    soon("it was not started", async || {
        sandbox.files().exists("log").await.unwrap()
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(sandbox.files().read("log").await.unwrap(), "once\n");
}

#[tokio::test]
async fn a_stream_in_small_pieces_is_the_same() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    room.emulator
        .set_faults(vec![fault("/process.Process/Start", 1, Action::Pieces(3))]);
    let output = sandbox
        .processes()
        .run(Command::shell("echo hello; exit 4"))
        .await
        .unwrap();
    assert_eq!((output.stdout.as_ref(), output.code), (&b"hello\n"[..], 4));
}

#[tokio::test]
async fn a_stream_that_is_cut_is_no_end() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    room.emulator.set_faults(vec![fault(
        "/process.Process/Start",
        1,
        Action::CutAfter(60),
    )]);
    let cut = sandbox
        .processes()
        .run(Command::shell("echo one; sleep 0.2; echo two"))
        .await;
    assert!(matches!(cut, Err(Error::ConnectionLost(_))), "{cut:?}");
}

#[tokio::test]
async fn a_sandbox_that_ends_under_a_command_is_told_from_a_broken_connection() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    room.emulator.set_faults(vec![fault(
        "/process.Process/Start",
        1,
        Action::Expire(300),
    )]);
    let mut process = sandbox
        .processes()
        .start(Command::shell("echo up; sleep 60"))
        .await
        .unwrap();
    let first = process.next().await.unwrap().unwrap();
    assert_eq!(first, ProcessEvent::Stdout("up\n".into()));
    let gone = process.next().await.unwrap();
    assert_eq!(gone, Err(Error::SandboxGone(sandbox.id().into())));
}

#[tokio::test]
async fn a_full_disk_is_told() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    room.emulator
        .set_faults(vec![fault("/files", 1, answer(507, None))]);
    let full = sandbox.files().write("f", "1").await;
    assert!(matches!(full, Err(Error::NoSpace(_))), "{full:?}");
}

#[tokio::test]
async fn errors_never_hold_the_key_or_a_token() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    room.emulator
        .set_faults(vec![fault("/", 100, Action::Refuse)]);
    let token = sandbox.tokens().envd.clone().unwrap();
    let texts = [
        format!("{:?}", room.client.list(&ListQuery::default()).await),
        format!("{:?}", sandbox.files().read("x").await),
        format!("{:?} {sandbox:?} {:?}", room.client, sandbox.host(49983)),
    ];
    for text in texts {
        assert!(
            !text.contains(&token) && !text.contains(room.emulator.api_key()),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_takes_no_token_along() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    let redirect = Action::Answer {
        status: 307,
        body: String::new(),
        retry_after: None,
    };
    room.emulator.set_faults(vec![fault("/files", 1, redirect)]);
    let read = sandbox.files().read("x").await;
    assert!(
        matches!(read, Err(Error::Api { status: 307, .. })),
        "{read:?}"
    );
}

#[tokio::test]
async fn an_upload_that_nobody_answers_ends() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    let mut config = crate::room::config(&room.emulator);
    config.request_timeout = Duration::from_secs(1);
    config.retries = 0;
    let client = e2b_client::Client::new(config).unwrap();
    let hasty = client.connect(sandbox.id(), Duration::from_secs(60));
    let hasty = hasty.await.unwrap();
    room.emulator
        .set_faults(vec![fault("/files", 9, Action::Delay(20_000))]);
    let began = Instant::now();
    let written = hasty.files().write("a", "b").await;
    assert!(matches!(written, Err(Error::TimedOut(_))), "{written:?}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn want_of_room_at_e2b_is_told_at_once_and_as_what_it_is() {
    let room = room().await;
    let body = r#"{"code":503,"message":"no room","error_code":"sandbox_capacity_unavailable"}"#;
    let full = Action::Answer {
        status: 503,
        body: body.into(),
        retry_after: None,
    };
    room.emulator
        .set_faults(vec![fault("/v2/sandboxes", 1, full)]);
    let made = room.client.create(&NewSandbox::new("base")).await;
    assert!(matches!(made, Err(Error::Capacity(_))), "{made:?}");
}

#[tokio::test]
async fn a_template_that_is_not_there_is_no_sandbox_that_is_gone() {
    let room = room().await;
    let body = r#"{"code":404,"message":"Template 'x' not found"}"#;
    let missing = Action::Answer {
        status: 404,
        body: body.into(),
        retry_after: None,
    };
    room.emulator
        .set_faults(vec![fault("/v2/sandboxes", 1, missing)]);
    let error = room.client.create(&NewSandbox::new("x")).await.unwrap_err();
    assert!(!error.is_gone(), "{error:?}");
}

#[tokio::test]
async fn a_command_that_ran_is_not_told_as_one_that_was_refused() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    room.emulator.set_faults(vec![
        fault("/process.Process/Start", 1, Action::CutAfter(10)),
        fault("/sandboxes/", 9, answer(429, Some(100))),
    ]);
    let error = sandbox
        .processes()
        .run(Command::shell("touch done"))
        .await
        .unwrap_err();
    assert!(!error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn a_file_that_is_cut_in_the_middle_is_read_again() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    let bytes = vec![7; 100_000];
    sandbox.files().write("big", bytes.clone()).await.unwrap();
    room.emulator
        .set_faults(vec![fault("/files", 1, Action::CutAfter(500))]);
    assert_eq!(sandbox.files().read("big").await.unwrap(), bytes);
}

#[tokio::test]
async fn an_answer_that_is_cut_in_the_middle_is_asked_for_again() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    sandbox.files().write("there", "x").await.unwrap();
    let path = format!("/sandboxes/{}", sandbox.id());
    room.emulator.set_faults(vec![
        fault("/filesystem.Filesystem/Stat", 1, Action::CutAfter(10)),
        fault(&path, 1, Action::CutAfter(10)),
    ]);
    assert_eq!(sandbox.files().stat("there").await.unwrap().size, 1);
    assert_eq!(
        room.client.get(sandbox.id()).await.unwrap().id,
        sandbox.id()
    );
}

#[tokio::test]
async fn a_move_whose_answer_is_cut_is_not_made_again() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    sandbox.files().write("from", "x").await.unwrap();
    room.emulator.set_faults(vec![fault(
        "/filesystem.Filesystem/Move",
        1,
        Action::CutAfter(10),
    )]);
    let moved = sandbox.files().rename("from", "to").await;
    assert!(matches!(moved, Err(Error::ConnectionLost(_))), "{moved:?}");
    assert!(sandbox.files().exists("to").await.unwrap());
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_at_once() {
    let mut config = e2b_client::Config::new("e2b_0");
    config.api_url = Some("api.example.com".into());
    let made = e2b_client::Client::new(config);
    assert!(matches!(made, Err(Error::InvalidArgument(_))));
}
