//! Both formats as frames of a stream. <https://docs.anthropic.com/en/docs/build-with-claude/streaming>,
//! <https://platform.openai.com/docs/api-reference/chat-streaming>

use super::script::Answer;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

static CALLS: AtomicU64 = AtomicU64::new(0);

fn fresh(prefix: &str) -> String {
    format!("{prefix}_{:08}", CALLS.fetch_add(1, Ordering::Relaxed))
}

/// What both providers refuse.
pub fn check(body: &Value, anthropic: bool) -> Result<(), String> {
    let messages = body["messages"].as_array().filter(|m| !m.is_empty());
    let messages = messages.ok_or("messages: at least one message is required")?;
    if !body["model"].is_string() {
        return Err("model: Field required".into());
    }
    if anthropic && !body["max_tokens"].is_u64() {
        return Err("max_tokens: Field required".into());
    }
    if anthropic {
        pairs_of_blocks(messages)
    } else {
        pairs_of_messages(messages)
    }
}

/// Every `tool_use` is answered in the next message, by results that stand first.
fn pairs_of_blocks(messages: &[Value]) -> Result<(), String> {
    let mut open: HashSet<String> = HashSet::new();
    for (n, message) in messages.iter().enumerate() {
        let blocks = message["content"]
            .as_array()
            .ok_or("messages: content must be a list here")?;
        if blocks.is_empty() {
            return Err(format!("messages.{n}: content must not be empty"));
        }
        let of = |kind: &str, id: &str| -> Vec<String> {
            let fit = blocks.iter().filter(|b| b["type"] == kind);
            fit.filter_map(|b| b[id].as_str().map(str::to_owned))
                .collect()
        };
        let results: HashSet<String> = of("tool_result", "tool_use_id").into_iter().collect();
        if results != open {
            return Err(format!(
                "messages.{n}: `tool_use` ids were found without `tool_result` blocks immediately after: {open:?}"
            ));
        }
        let first_other = blocks.iter().position(|b| b["type"] != "tool_result");
        let last_result = blocks.iter().rposition(|b| b["type"] == "tool_result");
        if let (Some(other), Some(result)) = (first_other, last_result)
            && other < result
        {
            return Err(format!("messages.{n}: tool_result blocks must come first"));
        }
        if blocks
            .iter()
            .any(|b| b["type"] == "text" && b["text"].as_str().is_none_or(|t| t.trim().is_empty()))
        {
            return Err(format!(
                "messages.{n}: text content blocks must be non-empty"
            ));
        }
        if blocks
            .iter()
            .any(|b| b["type"] == "tool_use" && !b["input"].is_object())
        {
            return Err(format!(
                "messages.{n}: tool_use.input: Input should be a valid dictionary"
            ));
        }
        open = of("tool_use", "id").into_iter().collect();
    }
    if open.is_empty() {
        Ok(())
    } else {
        Err("messages: the last message has unanswered tool_use".into())
    }
}

fn pairs_of_messages(messages: &[Value]) -> Result<(), String> {
    let mut open: HashSet<String> = HashSet::new();
    for message in messages {
        if message["role"] == "tool" {
            let id = message["tool_call_id"].as_str().unwrap_or_default();
            if !open.remove(id) {
                return Err(format!(
                    "messages with role 'tool' must be a response to a preceding message with 'tool_calls' ({id})"
                ));
            }
            continue;
        }
        if !open.is_empty() {
            return Err(format!(
                "tool_call_ids did not have response messages: {open:?}"
            ));
        }
        let calls = message["tool_calls"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        open.extend(
            calls
                .iter()
                .filter_map(|c| c["id"].as_str().map(str::to_owned)),
        );
    }
    Ok(())
}

/// A text in pieces of some words.
fn pieces(text: &str, words: usize) -> Vec<String> {
    let words_of: Vec<&str> = text.split_inclusive(' ').collect();
    words_of
        .chunks(words.max(1))
        .map(<[&str]>::concat)
        .collect()
}

/// Arguments in pieces, never within a character: that is what a provider's tokens are like.
fn call_pieces(arguments: &str) -> Vec<String> {
    let chars: Vec<char> = arguments.chars().collect();
    let size = 40.max(chars.len() / 2000);
    chars.chunks(size).map(|c| c.iter().collect()).collect()
}

pub fn anthropic(answer: &Answer, tokens: [u64; 3]) -> Vec<String> {
    let mut frames = Vec::new();
    let mut event = |data: Value| {
        let name = data["type"].as_str().unwrap_or_default().to_owned();
        frames.push(format!("event: {name}\ndata: {data}\n\n"));
    };
    let [input, written, read] = tokens;
    event(json!({"type": "message_start", "message": {
        "id": fresh("msg"), "type": "message", "role": "assistant", "model": "scripted-1", "content": [],
        "usage": {"input_tokens": input, "cache_creation_input_tokens": written, "cache_read_input_tokens": read, "output_tokens": 1},
    }}));
    event(json!({"type": "ping"}));
    let mut index = 0;
    let words = answer.words_in_piece.unwrap_or(1);
    let mut output = 0;
    if !answer.think.is_empty() {
        event(
            json!({"type": "content_block_start", "index": index, "content_block": {"type": "thinking", "thinking": "", "signature": ""}}),
        );
        for piece in pieces(&answer.think, words) {
            output += 1;
            event(
                json!({"type": "content_block_delta", "index": index, "delta": {"type": "thinking_delta", "thinking": piece}}),
            );
        }
        event(
            json!({"type": "content_block_delta", "index": index, "delta": {"type": "signature_delta", "signature": "c2lnbmVk"}}),
        );
        event(json!({"type": "content_block_stop", "index": index}));
        index += 1;
    }
    if !answer.say.is_empty() {
        event(
            json!({"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}),
        );
        for piece in pieces(&answer.say, words) {
            output += 1;
            if answer.pings {
                event(json!({"type": "ping"}));
            }
            event(
                json!({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": piece}}),
            );
        }
        event(json!({"type": "content_block_stop", "index": index}));
        index += 1;
    }
    if let Some(kind) = &answer.error {
        event(json!({"type": "error", "error": {"type": kind, "message": "as the script says"}}));
        return frames;
    }
    for call in &answer.call {
        let id = call.id.clone().unwrap_or_else(|| fresh("toolu"));
        event(
            json!({"type": "content_block_start", "index": index, "content_block": {"type": "tool_use", "id": id, "name": call.name, "input": {}}}),
        );
        event(
            json!({"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": ""}}),
        );
        for piece in call_pieces(&call.arguments()) {
            output += 10;
            event(
                json!({"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": piece}}),
            );
        }
        event(json!({"type": "content_block_stop", "index": index}));
        index += 1;
    }
    let by_content = if answer.call.is_empty() {
        "end_turn"
    } else {
        "tool_use"
    };
    let stop = answer.stop.as_deref().unwrap_or(by_content);
    event(
        json!({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null}, "usage": {"output_tokens": output.max(1)}}),
    );
    // Clients ignore what they do not know.
    event(json!({"type": "something_new", "of": "tomorrow"}));
    event(json!({"type": "message_stop"}));
    frames
}

pub fn chat(answer: &Answer, tokens: [u64; 3]) -> Vec<String> {
    let mut frames = Vec::new();
    let id = fresh("chatcmpl");
    let mut chunk = |delta: Value, finish: Option<&str>| {
        let data = json!({
            "id": id, "object": "chat.completion.chunk", "model": "scripted-1",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        });
        frames.push(format!("data: {data}\n\n"));
    };
    let words = answer.words_in_piece.unwrap_or(1);
    let mut output = 1;
    chunk(json!({"role": "assistant", "content": ""}), None);
    for piece in pieces(&answer.think, words) {
        chunk(json!({"reasoning_content": piece}), None);
    }
    for piece in pieces(&answer.say, words) {
        output += 1;
        chunk(json!({"content": piece}), None);
    }
    let calls = if answer.loses_calls {
        &[][..]
    } else {
        &answer.call
    };
    for (n, call) in calls.iter().enumerate() {
        let id = call.id.clone().unwrap_or_else(|| fresh("call"));
        let n = if answer.same_index { 0 } else { n };
        chunk(
            json!({"tool_calls": [{"index": n, "id": id, "type": "function", "function": {"name": call.name, "arguments": ""}}]}),
            None,
        );
        for piece in call_pieces(&call.arguments()) {
            output += 10;
            chunk(
                json!({"tool_calls": [{"index": n, "function": {"arguments": piece}}]}),
                None,
            );
        }
    }
    if let Some(kind) = &answer.error {
        frames.push(format!(
            "data: {}\n\n",
            json!({"error": {"type": kind, "message": "as the script says"}})
        ));
        return frames;
    }
    let by_content = if answer.call.is_empty() {
        "stop"
    } else {
        "tool_calls"
    };
    chunk(
        json!({}),
        Some(answer.stop.as_deref().unwrap_or(by_content)),
    );
    frames.push(format!(
        "data: {}\n\n",
        json!({"id": id, "choices": [], "usage": usage(tokens, output)})
    ));
    if answer.pings {
        frames.insert(1, ": OPENROUTER PROCESSING\n\n".into());
    }
    frames.push("data: [DONE]\n\n".into());
    frames
}

fn usage([input, _, read]: [u64; 3], output: u64) -> Value {
    json!({
        "prompt_tokens": input + read, "completion_tokens": output, "total_tokens": input + read + output,
        "prompt_tokens_details": {"cached_tokens": read},
    })
}

/// A completion that is not streamed.
pub fn whole(answer: &Answer, tokens: [u64; 3]) -> Value {
    let calls: Vec<Value> = answer
        .call
        .iter()
        .map(|call| {
            json!({
                "id": call.id.clone().unwrap_or_else(|| fresh("call")), "type": "function",
                "function": {"name": call.name, "arguments": call.arguments()},
            })
        })
        .collect();
    let mut message = json!({"role": "assistant", "content": answer.say});
    if !calls.is_empty() {
        message["tool_calls"] = Value::Array(calls);
    }
    let by_content = if answer.call.is_empty() {
        "stop"
    } else {
        "tool_calls"
    };
    json!({
        "id": fresh("chatcmpl"), "object": "chat.completion", "model": "scripted-1",
        "choices": [{"index": 0, "message": message, "finish_reason": answer.stop.as_deref().unwrap_or(by_content)}],
        "usage": usage(tokens, 10),
    })
}
