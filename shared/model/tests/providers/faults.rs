//! What goes wrong at a provider, and what comes of it.

use crate::room::{BOTH, Room, Wire, hello, say};
use koda_domain::model::{LanguageModel, ModelError, Role};
use koda_model::{Anthropic, Chat, Door, Endpoint, Key, Thinking, ToolMode};
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
            Answer {
                call: vec![
                    Call::new("set_colour", json!({"colour": "#111111"})),
                    Call::new("set_colour", json!({"colour": "#222222"})),
                ],
                ..Answer::default()
            },
            say("Red."),
        ];
        let room = Room::new(wire, able).await;
        let found = koda_model::probe(&*room.model(), Role::Orchestrator).await;
        assert!(
            found.len() == 5 && found.iter().all(|f| f.works),
            "{found:?}"
        );
        let unable = [
            "ready",
            "I have set it.",
            "Both are set.",
            "I see no picture.",
        ]
        .map(say);
        let room = Room::new(wire, unable.to_vec()).await;
        let found = koda_model::probe(&*room.model(), Role::Orchestrator).await;
        assert_eq!(found.iter().filter(|f| f.works).count(), 2, "{found:?}");
        let room = Room::new(wire, vec![]).await;
        let found = koda_model::probe(&*room.model(), Role::Orchestrator).await;
        assert!(found.len() == 1 && !found[0].works);
    }
    assert!(KEY.len() > 10);
}

#[tokio::test]
async fn a_limit_of_tokens_that_a_provider_names_is_kept_to() {
    for (wire, words) in [
        (
            Wire::Anthropic,
            "max_tokens: 1000 > 512, which is the maximum allowed number of output tokens",
        ),
        (
            Wire::Chat,
            "`max_tokens` must be less than or equal to `512`, the maximum value for this model",
        ),
    ] {
        let room = Room::new(wire, vec![fails(400, words), say("ok"), say("ok")]).await;
        let model = room.model();
        crate::room::ask(&*model, hello()).await.unwrap();
        crate::room::ask(&*model, hello()).await.unwrap();
        let asked: Vec<_> = room
            .seen()
            .iter()
            .map(|s| s.body["max_tokens"].clone())
            .collect();
        assert_eq!(asked, [1000, 512, 512], "{wire:?}");
    }
}

#[tokio::test]
async fn an_endpoint_that_refuses_whatever_is_left_out_is_not_asked_for_ever() {
    let again = |words| Answer {
        again: true,
        ..fails(400, words)
    };
    // It names what was sent, whichever name that has.
    let room = Room::new(
        Wire::Chat,
        vec![again(
            "max_tokens is not right, and max_completion_tokens neither",
        )],
    )
    .await;
    let error = room.ask(hello()).await.err().unwrap();
    assert!(matches!(error, ModelError::Rejected(_)), "{error:?}");
    assert!(room.seen().len() <= 7, "{}", room.seen().len());
}

#[tokio::test]
async fn what_is_wrong_with_one_tool_does_not_take_all_away() {
    for (status, words) in [
        (
            400,
            "Invalid schema for function 'finish': schema must have type object",
        ),
        (500, "tool parser crashed"),
    ] {
        let room = Room::new(Wire::Chat, vec![fails(status, words), say("ok")]).await;
        let chat = room.chat(None);
        crate::room::ask(&chat, hello()).await.err().unwrap();
        assert_eq!(chat.tool_mode(), ToolMode::Stream, "{words}");
    }
}

#[tokio::test]
async fn thinking_that_a_model_does_not_take_is_left_out() {
    let adaptive = |room: &Room| {
        let endpoint = Endpoint {
            thinking: Thinking::Adaptive,
            ..room.endpoint()
        };
        Anthropic::new(endpoint, room.objects.clone()).unwrap()
    };
    let cases = [
        // For good.
        (
            "adaptive thinking is not supported on this model",
            [true, false, false],
        ),
        // For a conversation in which another model answered without it.
        (
            "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`",
            [true, false, true],
        ),
    ];
    for (words, expected) in cases {
        let room = Room::new(
            Wire::Anthropic,
            vec![fails(400, words), say("ok"), say("ok")],
        )
        .await;
        let model = adaptive(&room);
        for _ in 0..2 {
            crate::room::ask(&model, hello()).await.unwrap();
        }
        let thinks: Vec<_> = room
            .seen()
            .iter()
            .map(|s| s.body.get("thinking").is_some())
            .collect();
        assert_eq!(thinks, expected, "{words}");
    }
}
