//! What is sent: pictures, facts, and a beginning that providers can cache.

use crate::room::{BOTH, Room, Wire, assistant, hello, request, say, sent, text, user};
use koda_domain::{
    message::{Content, Message, ToolCall, ToolOutput},
    model::ModelRequest,
};
use koda_model::{Anthropic, Endpoint, Thinking};
use serde_json::{Value, json};

fn called(id: &str, input: Value) -> Content {
    Content::ToolCall(ToolCall {
        id: id.into(),
        name: "write_file".into(),
        input,
    })
}

fn result(id: &str, words: &str) -> Content {
    Content::ToolResult {
        call_id: id.into(),
        output: vec![ToolOutput::Text { text: words.into() }],
        is_error: false,
    }
}

/// A conversation of so many rounds with a tool.
fn rounds(count: usize) -> Vec<Message> {
    let mut talk = vec![user(vec![text("Build it.")])];
    for n in 0..count {
        let id = format!("toolu_{n}");
        talk.push(assistant(vec![called(
            &id,
            json!({"path": format!("src/{n}.ts"), "content": "x".repeat(400)}),
        )]));
        talk.push(user(vec![result(
            &id,
            &format!("Written. {}", "w".repeat(400)),
        )]));
    }
    talk
}

#[tokio::test]
async fn what_was_said_before_is_read_from_the_cache_though_the_facts_change() {
    for wire in BOTH {
        let room = Room::new(wire, vec![say("ok"); 6]).await;
        for n in 1..=6 {
            let mut next = request(rounds(n));
            next.pinned = json!({"phase": "build", "files": vec![json!({"path": "src/a.ts"}); n]});
            room.ask(next).await.unwrap();
        }
        for seen in &room.seen()[1..] {
            let [anew, written, read] = seen.tokens;
            let share = read as f64 / (anew + written + read) as f64;
            assert!(
                share > 0.75,
                "{wire:?}: only {share:.2} of {:?} came from the cache",
                seen.tokens
            );
        }
    }
}

#[tokio::test]
async fn facts_stand_at_the_end_and_inside_of_the_last_result() {
    for wire in BOTH {
        let room = Room::new(wire, vec![say("ok"), say("ok")]).await;
        room.ask(hello()).await.unwrap();
        room.ask(request(rounds(1))).await.unwrap();
        for seen in room.seen() {
            let messages = seen.body["messages"].as_array().unwrap();
            let last = messages.last().unwrap().to_string();
            assert!(
                last.contains("<facts>") && last.contains("src/a.ts"),
                "{wire:?} {last}"
            );
            assert!(
                !last.contains("user_messages") && !last.contains("\\\"plan\\\""),
                "{last}"
            );
            let before = Value::from(messages[..messages.len() - 1].to_vec()).to_string();
            assert!(!before.contains("<facts>"));
        }
        let last = room.seen()[1].body["messages"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone();
        match wire {
            Wire::Anthropic => assert_eq!(last["content"].as_array().unwrap().len(), 1),
            Wire::Chat => assert_eq!(last["role"], "tool"),
        }
    }
}

#[tokio::test]
async fn pictures_are_shown_in_messages_and_in_results() {
    for wire in BOTH {
        let room = Room::new(wire, vec![say("I see")]).await;
        let blob = room.picture().await;
        let media_type = "image/png".to_owned();
        let seen_by_tool = Content::ToolResult {
            call_id: "toolu_1".into(),
            output: vec![ToolOutput::Image {
                blob: blob.clone(),
                media_type: media_type.clone(),
            }],
            is_error: false,
        };
        let gone = koda_domain::BlobId::of(b"gone");
        let talk = vec![
            user(vec![
                text("Look."),
                Content::Image {
                    blob,
                    media_type: media_type.clone(),
                },
                Content::Image {
                    blob: gone,
                    media_type,
                },
            ]),
            assistant(vec![called("toolu_1", json!({}))]),
            user(vec![seen_by_tool]),
        ];
        room.ask(request(talk)).await.unwrap();
        let sent = sent(&room.seen()[0]);
        // "a picture" in base64.
        assert_eq!(sent.matches("YSBwaWN0dXJl").count(), 2, "{wire:?} {sent}");
        assert_eq!(
            sent.matches("(a picture was here)").count(),
            1,
            "{wire:?} {sent}"
        );
    }
}

#[tokio::test]
async fn results_stand_first_whatever_was_said_between() {
    for wire in BOTH {
        let room = Room::new(wire, vec![say("ok")]).await;
        let talk = vec![
            user(vec![text("Go.")]),
            assistant(vec![
                text("Two."),
                called("toolu_1", json!("{broken")),
                called("toolu_2", json!({})),
            ]),
            user(vec![
                result("toolu_1", "no"),
                result("toolu_2", ""),
                text("(I stopped you there.)"),
            ]),
            assistant(vec![text("  ")]),
            user(vec![text("Go on.")]),
        ];
        // The server refuses what a provider refuses.
        room.ask(request(talk)).await.unwrap();
    }
}

#[tokio::test]
async fn thoughts_go_back_to_whom_they_are_signed_for() {
    let thoughts = |signature: Option<&str>| {
        vec![
            user(vec![text("Go.")]),
            assistant(vec![
                Content::Thinking {
                    text: "Deep thought".into(),
                    signature: signature.map(str::to_owned),
                },
                Content::HiddenThinking {
                    data: "veiled".into(),
                },
                called("toolu_1", json!({})),
            ]),
            user(vec![result("toolu_1", "ok")]),
        ]
    };
    let room = Room::new(Wire::Anthropic, vec![say("ok"), say("ok")]).await;
    room.ask(request(thoughts(Some("c2lnbmVk")))).await.unwrap();
    room.ask(request(thoughts(None))).await.unwrap();
    let seen = room.seen();
    assert!(sent(&seen[0]).contains("Deep thought") && sent(&seen[0]).contains("veiled"));
    assert!(!sent(&seen[1]).contains("Deep thought"));
    let room = Room::new(Wire::Chat, vec![say("ok")]).await;
    room.ask(request(thoughts(Some("c2lnbmVk")))).await.unwrap();
    assert!(!sent(&room.seen()[0]).contains("Deep thought"));
}

#[tokio::test]
async fn thinking_is_asked_for_as_it_is_configured() {
    let room = Room::new(Wire::Anthropic, vec![say("ok"); 3]).await;
    for thinking in [
        Thinking::Default,
        Thinking::Adaptive,
        Thinking::Budget(2000),
    ] {
        let endpoint = Endpoint {
            thinking,
            ..room.endpoint()
        };
        let model = Anthropic::new(endpoint, room.objects.clone()).unwrap();
        let asked = ModelRequest {
            tools: vec![],
            ..hello()
        };
        crate::room::ask(&model, asked).await.unwrap();
    }
    let seen = room.seen();
    assert!(seen[0].body.get("thinking").is_none());
    assert_eq!(seen[1].body["thinking"]["type"], "adaptive");
    assert_eq!(seen[2].body["thinking"]["budget_tokens"], 2000);
    assert_eq!(seen[2].body["max_tokens"], 3000);
}

#[tokio::test]
async fn results_in_words_say_what_they_are_of_and_keep_their_order() {
    let room = Room::new(Wire::Chat, vec![say("ok")]).await;
    let talk = vec![
        user(vec![text("Go.")]),
        assistant(vec![
            called("c1", json!({"path": "src/a.ts", "content": "a"})),
            called("c2", json!({"path": "src/b.ts", "content": "b"})),
        ]),
        user(vec![result("c1", "the first"), result("c2", "the second")]),
    ];
    let chat = room.chat(Some(koda_model::ToolMode::Text));
    crate::room::ask(&chat, request(talk)).await.unwrap();
    let sent = sent(&room.seen()[0]);
    let at = |words: &str| {
        sent.find(words)
            .unwrap_or_else(|| panic!("{words} is not in {sent}"))
    };
    assert!(at("Result of write_file src/a.ts:") < at("the first"));
    assert!(at("the first") < at("Result of write_file src/b.ts:"));
    assert!(at("Result of write_file src/b.ts:") < at("the second"));
}

#[tokio::test]
async fn many_calls_at_once_do_not_lose_the_cache_of_what_was_before_them() {
    let room = Room::new(Wire::Anthropic, vec![say("ok")]).await;
    let mut talk = rounds(2);
    let ids: Vec<_> = (0..12).map(|n| format!("toolu_many_{n}")).collect();
    talk.push(assistant(
        ids.iter().map(|id| called(id, json!({}))).collect(),
    ));
    talk.push(user(ids.iter().map(|id| result(id, "ok")).collect()));
    room.ask(request(talk)).await.unwrap();
    let body = room.seen()[0].body.clone();
    let marked: Vec<usize> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .filter(|(_, m)| {
            m["content"]
                .as_array()
                .unwrap()
                .iter()
                .any(|b| b.get("cache_control").is_some())
        })
        .map(|(n, _)| n)
        .collect();
    // The place that the request before marked last, and the newest that stays.
    assert_eq!(marked, [3, 5]);
}
