//! A request in the form of chat completions.

use super::{Known, ToolMode, text};
use crate::{
    endpoint::Endpoint,
    wire::{
        arrange::{NOT_SHOWN, Pictures},
        calls::object,
    },
};
use koda_domain::{
    message::{Content, Message, Speaker, ToolOutput},
    model::ModelRequest,
};
use serde_json::{Value, json};
use std::collections::HashMap;

pub fn body(
    endpoint: &Endpoint,
    request: &ModelRequest,
    talk: &[Message],
    pictures: &Pictures,
    known: Known,
    streaming: bool,
) -> Value {
    let in_words = known.tools == ToolMode::Text && !request.tools.is_empty();
    let mut system = request.system.join("\n\n");
    if in_words {
        system.push_str("\n\n");
        system.push_str(&text::instructions(&request.tools));
    }
    let mut messages = vec![json!({"role": "system", "content": system})];
    let teller = Teller {
        pictures,
        shows: known.pictures,
        calls: if in_words {
            names(talk)
        } else {
            HashMap::new()
        },
        in_words,
    };
    for message in talk {
        match message.speaker {
            Speaker::User => teller.user(message, &mut messages),
            Speaker::Assistant => messages.extend(teller.assistant(message)),
        }
    }
    let limit = if known.completion_tokens {
        "max_completion_tokens"
    } else {
        "max_tokens"
    };
    let mut body = json!({"model": endpoint.model, "messages": messages, "stream": streaming});
    let most = known.most_output.unwrap_or(u32::MAX);
    body[limit] = json!(request.max_output_tokens.min(most));
    if streaming && known.usage {
        body["stream_options"] = json!({"include_usage": true});
    }
    if !in_words && !request.tools.is_empty() {
        body["tools"] = request.tools.iter().map(|tool| json!({
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.input_schema},
        })).collect();
    }
    body
}

/// What calls were, by id: a model that wrote them into its text knows no ids.
fn names(talk: &[Message]) -> HashMap<String, String> {
    let pieces = talk.iter().flat_map(|message| &message.content);
    let calls = pieces.filter_map(|piece| match piece {
        Content::ToolCall(call) => {
            let path = call.input["path"].as_str().unwrap_or_default();
            Some((
                call.id.clone(),
                format!("{} {path}", call.name).trim_end().to_owned(),
            ))
        }
        _ => None,
    });
    calls.collect()
}

struct Teller<'a> {
    pictures: &'a Pictures,
    /// Names of the calls whose results are told in words.
    calls: HashMap<String, String>,
    shows: bool,
    in_words: bool,
}

impl Teller<'_> {
    /// Results first, each in a message of its own, then what else was said. Pictures of results follow as the person's: most
    /// endpoints take only text from a tool.
    fn user(&self, message: &Message, messages: &mut Vec<Value>) {
        let mut parts = Vec::new();
        let mut results = Vec::new();
        for content in &message.content {
            match content {
                Content::ToolResult {
                    call_id,
                    output,
                    is_error,
                } => {
                    let mut words = Vec::new();
                    for piece in output {
                        match piece {
                            ToolOutput::Text { text } => words.push(text.as_str()),
                            ToolOutput::Image { blob, media_type } => {
                                words.push(if self.shows {
                                    "(the picture follows)"
                                } else {
                                    NOT_SHOWN
                                });
                                parts.push(self.picture(blob, media_type));
                            }
                        }
                    }
                    let mut words = words.join("\n");
                    if *is_error {
                        words.insert_str(0, "Failed: ");
                    }
                    if self.in_words {
                        let call = self.calls.get(call_id).unwrap_or(call_id);
                        results.push(
                            json!({"type": "text", "text": format!("Result of {call}:\n{words}")}),
                        );
                    } else {
                        messages.push(
                            json!({"role": "tool", "tool_call_id": call_id, "content": words}),
                        );
                    }
                }
                Content::Text { text } => parts.push(json!({"type": "text", "text": text})),
                Content::Image { blob, media_type } => parts.push(self.picture(blob, media_type)),
                _ => {}
            }
        }
        results.append(&mut parts);
        let parts = results;
        if parts.is_empty() {
            return;
        }
        // Plain words where there is nothing else: some endpoints know no parts.
        let plain: Option<Vec<&str>> = parts.iter().map(|p| p["text"].as_str()).collect();
        let content = plain.map_or_else(
            || Value::Array(parts.clone()),
            |words| json!(words.join("\n\n")),
        );
        messages.push(json!({"role": "user", "content": content}));
    }

    fn picture(&self, blob: &koda_domain::BlobId, media_type: &str) -> Value {
        match self.pictures.get(blob).filter(|_| self.shows) {
            Some(data) => {
                json!({"type": "image_url", "image_url": {"url": format!("data:{media_type};base64,{data}")}})
            }
            None => json!({"type": "text", "text": NOT_SHOWN}),
        }
    }

    fn assistant(&self, message: &Message) -> Option<Value> {
        let mut words = Vec::new();
        let mut calls = Vec::new();
        for content in &message.content {
            match content {
                Content::Text { text } => words.push(text.clone()),
                Content::ToolCall(call) if self.in_words => words.push(text::call(call)),
                Content::ToolCall(call) => calls.push(json!({
                    "id": call.id, "type": "function",
                    "function": {"name": call.name, "arguments": object(&call.input).to_string()},
                })),
                _ => {}
            }
        }
        if words.is_empty() && calls.is_empty() {
            return None;
        }
        let words = words.join("\n\n");
        let content = if words.is_empty() {
            Value::Null
        } else {
            json!(words)
        };
        let mut told = json!({"role": "assistant", "content": content});
        if !calls.is_empty() {
            told["tool_calls"] = Value::Array(calls);
        }
        Some(told)
    }
}
