//! What goes wrong at a provider, and what comes of it.

use crate::room::{BOTH, Room, Wire, hello, say};
use koda_domain::model::{LanguageModel, ModelError, Role};
use koda_model::{Anthropic, Chat, Door, Endpoint, Key};
use koda_testkit::model_server::{Answer, Failure, KEY};
use std::{sync::Arc, time::Duration};

fn fails(status: u16, words: &str) -> Answer {
    let fail = Some(Failure {
        status,
        words: words.into(),
        retry_after: Some(7),
    });
    Answer {
        fail,
        ..Answer::default()
    }
}

#[tokio::test]
async fn each_refusal_of_a_provider_has_its_own_error() {
    let busy = |e: &ModelError| matches!(e, ModelError::Busy { after: Some(after) } if *after == Duration::from_secs(7));
    type Check = fn(&ModelError) -> bool;
    let cases: [(u16, &str, Check); 9] = [
        (
            400,
            "prompt is too long: 210000 tokens > 200000 maximum",
            |e| *e == ModelError::TooLong,
        ),
        (
            400,
            "This model's maximum context length is 8192 tokens",
            |e| *e == ModelError::TooLong,
        ),
        (
            400,
            "Your credit balance is too low to access the API",
            |e| *e == ModelError::OutOfCredit,
        ),
        (
            429,
            "You exceeded your current quota, please check your plan",
            |e| *e == ModelError::OutOfCredit,
        ),
        (402, "Insufficient credits", |e| {
            *e == ModelError::OutOfCredit
        }),
        (404, "model: claude-nine", |e| {
            matches!(e, ModelError::UnknownModel(_))
        }),
        (403, "not for you", |e| *e == ModelError::Unauthorized),
        (502, "bad gateway", |e| {
            matches!(e, ModelError::Unavailable(_)) && e.is_retryable()
        }),
        (
            422,
            "temperature must be below 2",
            |e| matches!(e, ModelError::Rejected(w) if w.contains("temperature")),
        ),
    ];
    for wire in BOTH {
        for (status, words, check) in &cases {
            let room = Room::new(wire, vec![fails(*status, words)]).await;
            let error = room.ask(hello()).await.err().unwrap();
            assert!(check(&error), "{wire:?} {status} {words}: {error:?}");
        }
        for status in [429, 503, 529] {
            let room = Room::new(wire, vec![fails(status, "come back")]).await;
            let error = room.ask(hello()).await.err().unwrap();
            assert!(busy(&error), "{wire:?} {status}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_key_is_in_no_error_and_no_debug_output() {
    for wire in BOTH {
        let room = Room::new(wire, vec![]).await;
        let endpoint = Endpoint {
            key: Some(Key::new("sk-wrong-and-secret")),
            ..room.endpoint()
        };
        assert!(!format!("{endpoint:?}").contains("secret"));
        let model: Arc<dyn LanguageModel> = match wire {
            Wire::Anthropic => Arc::new(Anthropic::new(endpoint, room.objects.clone()).unwrap()),
            Wire::Chat => Arc::new(Chat::new(endpoint, None, room.objects.clone()).unwrap()),
        };
        let error = crate::room::ask(&*model, hello()).await.err().unwrap();
        assert_eq!(error, ModelError::Unauthorized);
        assert!(!format!("{error:?} {error}").contains("secret"));
    }
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_stream_is_an_error_of_its_kind() {
    for wire in BOTH {
        let room = Room::new(
            wire,
            vec![
                Answer {
                    error: Some("overloaded_error".into()),
                    ..say("I was about to")
                },
                Answer {
                    error: Some("api_error".into()),
                    ..say("I was about to")
                },
            ],
        )
        .await;
        assert_eq!(
            room.ask(hello()).await.err(),
            Some(ModelError::Busy { after: None }),
            "{wire:?}"
        );
        assert!(matches!(
            room.ask(hello()).await.err(),
            Some(ModelError::Unavailable(_))
        ));
    }
}

#[tokio::test]
async fn a_stream_that_ends_too_soon_is_no_answer() {
    for wire in BOTH {
        for after in [0, 1, 3, 6] {
            let room = Room::new(
                wire,
                vec![Answer {
                    break_after: Some(after),
                    ..say("one two three four five six")
                }],
            )
            .await;
            let error = room.ask(hello()).await.err().unwrap();
            assert!(
                matches!(error, ModelError::Unavailable(_)),
                "{wire:?} {after}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_unavailable() {
    for wire in BOTH {
        let mut room = Room::new(wire, vec![]).await;
        room.server.url = "http://127.0.0.1:1".into();
        let error = room.ask(hello()).await.err().unwrap();
        assert_eq!(error, ModelError::Unavailable("no connection".into()));
    }
}

#[tokio::test]
async fn the_next_model_is_asked_where_one_fails_before_its_first_word_and_never_after_it() {
    let first = Room::new(
        Wire::Anthropic,
        vec![
            fails(529, "overloaded"),
            Answer {
                break_after: Some(5),
                pace_ms: 30,
                ..say("one two three")
            },
            fails(422, "no"),
        ],
    )
    .await;
    let second = Room::new(
        Wire::Chat,
        vec![say("from the second"), say("not to be heard")],
    )
    .await;
    let chain = || vec![first.model(), second.model()];
    let door = Door::new(chain(), chain()).unwrap();
    assert_eq!(door.describe(Role::Orchestrator).provider, "anthropic");
    let told = crate::room::ask(&door, hello()).await.unwrap();
    assert_eq!(told.text, "from the second");
    let cut = crate::room::ask(&door, hello()).await.err().unwrap();
    assert!(matches!(cut, ModelError::Unavailable(_)));
    let rejected = crate::room::ask(&door, hello()).await.err().unwrap();
    assert!(
        matches!(rejected, ModelError::Rejected(_)),
        "what is wrong everywhere was asked elsewhere"
    );
    assert_eq!(second.seen().len(), 1);
}

#[tokio::test]
async fn what_an_endpoint_does_not_know_is_left_out_and_remembered() {
    let room = Room::new(Wire::Chat, vec![
        fails(400, "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."),
        fails(400, "Unrecognized request argument supplied: stream_options"),
        fails(400, "scripted-1 does not support tools"),
        say("```tool finish\n{}\n```"),
        say("ok"),
    ]).await;
    let chat = room.chat(None);
    let told = crate::room::ask(&chat, hello()).await.unwrap();
    assert_eq!(told.answer.tool_calls().count(), 1);
    crate::room::ask(&chat, hello()).await.unwrap();
    let seen = room.seen();
    assert_eq!(seen.len(), 5);
    for request in &seen[3..] {
        let body = &request.body;
        assert!(body.get("max_completion_tokens").is_some() && body.get("max_tokens").is_none());
        assert!(body.get("stream_options").is_none() && body.get("tools").is_none());
    }
}

#[tokio::test]
async fn a_probe_says_what_an_endpoint_can_do() {
    use koda_testkit::model_server::Call;
    use serde_json::json;
    for wire in BOTH {
        let able = vec![
            say("ready"),
            Answer {
                call: vec![Call::new("set_colour", json!({"colour": "#FF8800"}))],
                ..Answer::default()
            },
        ];
        let room = Room::new(wire, able).await;
        let found = koda_model::probe(&*room.model(), Role::Orchestrator).await;
        assert!(
            found.len() == 3 && found.iter().all(|f| f.works),
            "{found:?}"
        );
        let room = Room::new(wire, vec![say("ready"), say("I have set it.")]).await;
        let found = koda_model::probe(&*room.model(), Role::Orchestrator).await;
        assert!(!found[2].works, "{found:?}");
        let room = Room::new(wire, vec![]).await;
        let found = koda_model::probe(&*room.model(), Role::Orchestrator).await;
        assert!(found.len() == 1 && !found[0].works);
    }
    assert!(KEY.len() > 10);
}
