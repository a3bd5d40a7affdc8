//! Answers, however they are cut.

use crate::room::{BOTH, Room, Wire, hello, say};
use koda_domain::{message::Content, model::StopReason};
use koda_model::ToolMode;
use koda_testkit::model_server::{Answer, Call};
use serde_json::json;

const SPOKEN: &str = "Grüße — 你好 👋🏽 «fin» and a \"quote\" \\ too";

fn everything() -> Answer {
    Answer {
        think: "Let me think about 日本.".into(),
        say: SPOKEN.into(),
        call: vec![
            Call::new(
                "write_file",
                json!({"path": "src/ä.ts", "content": "const a = \"🙂\";\n"}),
            ),
            Call::new("finish", json!({})),
        ],
        pings: true,
        ..Answer::default()
    }
}

#[tokio::test]
async fn words_thoughts_and_calls_come_whole_wherever_the_wire_is_cut() {
    for wire in BOTH {
        for split in [None, Some(1), Some(2), Some(3), Some(7), Some(64)] {
            let room = Room::new(
                wire,
                vec![Answer {
                    split,
                    ..everything()
                }],
            )
            .await;
            let told = room.ask(hello()).await.unwrap();
            assert_eq!(told.text, SPOKEN, "{wire:?} {split:?}");
            assert_eq!(told.thinking, "Let me think about 日本.");
            assert_eq!(told.started, ["write_file", "finish"]);
            let calls: Vec<_> = told.answer.tool_calls().collect();
            assert_eq!(calls[0].input["content"], "const a = \"🙂\";\n");
            assert_eq!(calls[1].input, json!({}));
            assert_ne!(calls[0].id, calls[1].id);
            assert_eq!(told.answer.stop, StopReason::ToolUse);
            assert_eq!(told.answer.model, "scripted-1");
        }
    }
}

#[tokio::test]
async fn tokens_and_money_are_counted() {
    for wire in BOTH {
        let room = Room::new(wire, vec![say("one two three"), say("four")]).await;
        let usage = room.ask(hello()).await.unwrap().answer.usage;
        let [input, written, read] = room.seen()[0].tokens;
        assert_eq!(
            (
                usage.input_tokens,
                usage.cache_write_tokens,
                usage.cached_tokens
            ),
            (input, written, read)
        );
        assert!(usage.output_tokens >= 3);
        let cost = (input as f64
            + 1.25 * written as f64
            + 0.1 * read as f64
            + 10.0 * usage.output_tokens as f64)
            .ceil();
        assert_eq!(usage.cost_micros, cost as u64, "{wire:?}");
        let again = room.ask(hello()).await.unwrap().answer.usage;
        assert!(
            again.cached_tokens > 1000,
            "{wire:?}: the rules were not read from the cache: {again:?}"
        );
    }
}

#[tokio::test]
async fn a_call_that_the_limit_cut_off_is_dropped_and_the_rest_kept() {
    for (wire, stop) in [
        (Wire::Anthropic, "max_tokens"),
        (Wire::Anthropic, "model_context_window_exceeded"),
        (Wire::Chat, "length"),
    ] {
        let cut = Call {
            name: "write_file".into(),
            raw: Some("{\"path\": \"a.ts\", \"content\": \"const".into()),
            ..Call::default()
        };
        let answer = Answer {
            say: "I begin.".into(),
            call: vec![Call::new("finish", json!({"summary": "x"})), cut],
            stop: Some(stop.into()),
            ..Answer::default()
        };
        let room = Room::new(wire, vec![answer]).await;
        let answer = room.ask(hello()).await.unwrap().answer;
        assert_eq!(answer.stop, StopReason::MaxTokens);
        let names: Vec<_> = answer.tool_calls().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["finish"], "{wire:?}");
    }
}

#[tokio::test]
async fn arguments_that_are_no_json_reach_the_tool_as_they_are() {
    for wire in BOTH {
        let call = Call {
            name: "write_file".into(),
            raw: Some("{path: oops".into()),
            ..Call::default()
        };
        let room = Room::new(
            wire,
            vec![Answer {
                call: vec![call],
                ..Answer::default()
            }],
        )
        .await;
        let answer = room.ask(hello()).await.unwrap().answer;
        assert_eq!(
            answer.tool_calls().next().unwrap().input,
            json!("{path: oops")
        );
    }
}

#[tokio::test]
async fn a_refusal_is_told_as_one() {
    for (wire, stop) in [(Wire::Anthropic, "refusal"), (Wire::Chat, "content_filter")] {
        let room = Room::new(
            wire,
            vec![Answer {
                stop: Some(stop.into()),
                ..say("I will not.")
            }],
        )
        .await;
        assert_eq!(
            room.ask(hello()).await.unwrap().answer.stop,
            StopReason::Refusal
        );
    }
}

#[tokio::test]
async fn five_megabytes_of_arguments_come_through_and_an_answer_without_an_end_is_ended() {
    for wire in BOTH {
        let of = |size: usize| Answer {
            call: vec![Call::new(
                "write_file",
                json!({"path": "a.ts", "content": "x".repeat(size)}),
            )],
            ..Answer::default()
        };
        let room = Room::new(wire, vec![of(5 << 20), of(9 << 20)]).await;
        let answer = room.ask(hello()).await.unwrap().answer;
        assert_eq!(
            answer.tool_calls().next().unwrap().input["content"]
                .as_str()
                .unwrap()
                .len(),
            5 << 20
        );
        let error = room.ask(hello()).await.err().unwrap();
        assert!(!error.is_retryable(), "{error}");
    }
}

#[tokio::test]
async fn ids_that_an_endpoint_uses_again_are_made_new() {
    let again = || Answer {
        call: vec![Call {
            id: Some("call_0".into()),
            ..Call::new("finish", json!({}))
        }],
        ..Answer::default()
    };
    let room = Room::new(Wire::Chat, vec![again(), again()]).await;
    let first = room.ask(hello()).await.unwrap().answer;
    let call = first.tool_calls().next().unwrap().clone();
    let mut next = hello();
    next.messages.push(crate::room::assistant(first.content));
    let done = Content::ToolResult {
        call_id: call.id.clone(),
        output: vec![],
        is_error: false,
    };
    next.messages.push(crate::room::user(vec![done]));
    let second = room.ask(next).await.unwrap().answer;
    assert_ne!(second.tool_calls().next().unwrap().id, call.id);
}

#[tokio::test]
async fn an_endpoint_that_loses_streamed_calls_is_asked_for_whole_answers() {
    let losing = || Answer {
        loses_calls: true,
        ..everything()
    };
    let room = Room::new(Wire::Chat, vec![losing(), losing(), losing()]).await;
    let chat = room.chat(None);
    let told = crate::room::ask(&chat, hello()).await.unwrap();
    assert_eq!(told.answer.tool_calls().count(), 2);
    assert_eq!(chat.tool_mode(), ToolMode::Whole);
    crate::room::ask(&chat, hello()).await.unwrap();
    let streamed: Vec<_> = room
        .seen()
        .iter()
        .map(|s| s.body["stream"] == true)
        .collect();
    assert_eq!(streamed, [true, false, false]);
}

#[tokio::test]
async fn a_model_without_tools_writes_its_calls_into_its_words() {
    let words = "I write two files.\n\n````file src/a.md\n```\ncode\n```\n````\n```edit src/b.ts\n<<<<<<< SEARCH\nconst a = 1;\n=======\nconst a = 2;\n>>>>>>> REPLACE\n```\n\n```tool finish\n{\"summary\": \"Done\"}\n```";
    for split in [None, Some(1), Some(5)] {
        let room = Room::new(
            Wire::Chat,
            vec![Answer {
                split,
                ..say(words)
            }],
        )
        .await;
        let told = crate::room::ask(&room.chat(Some(ToolMode::Text)), hello())
            .await
            .unwrap();
        assert_eq!(told.text.trim(), "I write two files.");
        let calls: Vec<_> = told
            .answer
            .tool_calls()
            .map(|c| (c.name.as_str(), c.input.clone()))
            .collect();
        assert_eq!(
            calls[0],
            (
                "write_file",
                json!({"path": "src/a.md", "content": "```\ncode\n```\n"})
            )
        );
        assert_eq!(
            calls[1],
            (
                "edit_file",
                json!({"path": "src/b.ts", "old": "const a = 1;", "new": "const a = 2;"})
            )
        );
        assert_eq!(calls[2], ("finish", json!({"summary": "Done"})));
        let sent = crate::room::sent(&room.seen()[0]);
        assert!(sent.contains("fenced block") && room.seen()[0].body.get("tools").is_none());
        // And they are read back as they were written.
        let mut next = hello();
        next.messages
            .push(crate::room::assistant(told.answer.content.clone()));
        let results = told.answer.tool_calls().map(|c| Content::ToolResult {
            call_id: c.id.clone(),
            output: vec![],
            is_error: false,
        });
        next.messages.push(crate::room::user(results.collect()));
        let room = Room::new(Wire::Chat, vec![say("ok")]).await;
        crate::room::ask(&room.chat(Some(ToolMode::Text)), next)
            .await
            .unwrap();
        let told = room.seen()[0].body["messages"][2]["content"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            told.contains("````file src/a.md\n```\ncode\n```\n````"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn calls_that_an_endpoint_gives_the_same_index_stay_apart() {
    let room = Room::new(
        Wire::Chat,
        vec![Answer {
            same_index: true,
            ..everything()
        }],
    )
    .await;
    let told = room.ask(hello()).await.unwrap();
    let apart = Room::new(Wire::Chat, vec![everything()]).await;
    let expected = apart.ask(hello()).await.unwrap();
    let inputs = |told: &crate::room::Told| -> Vec<_> {
        let calls = told.answer.tool_calls();
        calls.map(|c| (c.name.clone(), c.input.clone())).collect()
    };
    assert_eq!(inputs(&told).len(), 2);
    assert_eq!(inputs(&told), inputs(&expected));
}

#[tokio::test]
async fn an_empty_answer_is_taken_for_a_lost_call_and_asked_for_in_one_piece() {
    let empty = || Answer {
        think: String::new(),
        say: String::new(),
        loses_calls: true,
        stop: Some("stop".into()),
        ..everything()
    };
    let room = Room::new(Wire::Chat, vec![empty(), empty()]).await;
    let chat = room.chat(None);
    let told = crate::room::ask(&chat, hello()).await.unwrap();
    assert_eq!(told.answer.tool_calls().count(), 2);
    assert_eq!(chat.tool_mode(), ToolMode::Whole);
    // An endpoint that has nothing to say loses nothing.
    let room = Room::new(Wire::Chat, vec![say(""), say(""), say("ok")]).await;
    let chat = room.chat(None);
    let told = crate::room::ask(&chat, hello()).await.unwrap();
    assert_eq!(told.answer.content, []);
    assert_eq!(chat.tool_mode(), ToolMode::Stream);
}
