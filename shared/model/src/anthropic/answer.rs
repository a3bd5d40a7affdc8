//! An answer of Messages, as it comes. <https://docs.anthropic.com/en/docs/build-with-claude/streaming>

use crate::wire::{
    calls::{Partial, Size},
    http,
};
use koda_domain::{
    message::{Content, Usage},
    model::{ModelAnswer, ModelError, ModelEvent, StopReason},
};
use reqwest::StatusCode;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Events of the stream; unknown ones are for clients to ignore.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Start,
    },
    ContentBlockStart {
        index: usize,
        content_block: Block,
    },
    ContentBlockDelta {
        index: usize,
        delta: Delta,
    },
    MessageDelta {
        delta: Ending,
        usage: Option<Tokens>,
    },
    MessageStop {},
    Error {
        error: Fault,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Start {
    model: Option<String>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        text: String,
    },
    Thinking {
        thinking: String,
        signature: Option<String>,
    },
    RedactedThinking {
        data: String,
    },
    ToolUse {
        id: String,
        name: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: String },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(rename = "signature_delta")]
    Signature { signature: String },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Ending {
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
}

/// Counts are of the whole answer so far, not of a piece.
#[derive(Deserialize)]
struct Tokens {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
}

/// A block as it grows.
enum Growing {
    Text(String),
    Thinking {
        text: String,
        signature: Option<String>,
    },
    Hidden(String),
    Call(Partial),
}

/// What came of an event.
pub enum Said {
    Nothing,
    Piece(ModelEvent),
    All,
}

/// An answer as it grows.
#[derive(Default)]
pub struct Answer {
    model: String,
    blocks: BTreeMap<usize, Growing>,
    stop: Option<String>,
    usage: Usage,
    size: Size,
}

impl Answer {
    pub fn new(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            ..Self::default()
        }
    }

    pub fn take(&mut self, data: &str) -> Result<Said, ModelError> {
        let event: Event = serde_json::from_str(data).map_err(|error| {
            ModelError::Unavailable(format!("the answer cannot be read: {error}"))
        })?;
        match event {
            Event::MessageStart { message } => {
                self.model = message.model.unwrap_or_else(|| self.model.clone());
                self.count(message.usage);
            }
            Event::ContentBlockStart {
                index,
                content_block,
            } => return Ok(self.begin(index, content_block)),
            Event::ContentBlockDelta { index, delta } => return self.grow(index, delta),
            Event::MessageDelta { delta, usage } => {
                self.stop = delta.stop_reason.or_else(|| self.stop.take());
                self.count(usage);
            }
            Event::MessageStop {} => return Ok(Said::All),
            Event::Error { error } => return Err(fault(&error)),
            Event::Other => {}
        }
        Ok(Said::Nothing)
    }

    fn begin(&mut self, index: usize, block: Block) -> Said {
        let (growing, said) = match block {
            Block::Text { text } => {
                let said = if text.is_empty() {
                    Said::Nothing
                } else {
                    Said::Piece(ModelEvent::Text(text.clone()))
                };
                (Growing::Text(text), said)
            }
            Block::Thinking {
                thinking,
                signature,
            } => (
                Growing::Thinking {
                    text: thinking,
                    signature: signature.filter(|s| !s.is_empty()),
                },
                Said::Nothing,
            ),
            Block::RedactedThinking { data } => (Growing::Hidden(data), Said::Nothing),
            Block::ToolUse { id, name } => {
                let started = ModelEvent::ToolCallStarted {
                    id: id.clone(),
                    name: name.clone(),
                };
                (
                    Growing::Call(Partial {
                        id,
                        name,
                        arguments: String::new(),
                    }),
                    Said::Piece(started),
                )
            }
            Block::Other => return Said::Nothing,
        };
        self.blocks.insert(index, growing);
        said
    }

    fn grow(&mut self, index: usize, delta: Delta) -> Result<Said, ModelError> {
        let piece = match &delta {
            Delta::Text { text } => text,
            Delta::InputJson { partial_json } => partial_json,
            Delta::Thinking { thinking } => thinking,
            Delta::Signature { signature } => signature,
            Delta::Other => return Ok(Said::Nothing),
        };
        self.size.add(piece)?;
        Ok(match (self.blocks.get_mut(&index), delta) {
            (Some(Growing::Text(text)), Delta::Text { text: piece }) => {
                text.push_str(&piece);
                Said::Piece(ModelEvent::Text(piece))
            }
            (Some(Growing::Call(call)), Delta::InputJson { partial_json }) => {
                call.arguments.push_str(&partial_json);
                Said::Nothing
            }
            (Some(Growing::Thinking { text, .. }), Delta::Thinking { thinking }) => {
                text.push_str(&thinking);
                Said::Piece(ModelEvent::Thinking(thinking))
            }
            (Some(Growing::Thinking { signature, .. }), Delta::Signature { signature: piece }) => {
                signature.get_or_insert_default().push_str(&piece);
                Said::Nothing
            }
            _ => Said::Nothing,
        })
    }

    fn count(&mut self, tokens: Option<Tokens>) {
        let Some(tokens) = tokens else { return };
        let usage = &mut self.usage;
        usage.input_tokens = tokens.input_tokens.unwrap_or(usage.input_tokens);
        usage.output_tokens = tokens.output_tokens.unwrap_or(usage.output_tokens);
        usage.cached_tokens = tokens
            .cache_read_input_tokens
            .unwrap_or(usage.cached_tokens);
        usage.cache_write_tokens = tokens
            .cache_creation_input_tokens
            .unwrap_or(usage.cache_write_tokens);
    }

    pub fn whole(self) -> ModelAnswer {
        let cut = matches!(
            self.stop.as_deref(),
            Some("max_tokens" | "model_context_window_exceeded")
        );
        let content: Vec<Content> = self
            .blocks
            .into_values()
            .filter_map(|block| match block {
                Growing::Text(text) if text.is_empty() => None,
                Growing::Text(text) => Some(Content::Text { text }),
                Growing::Thinking { text, signature } => {
                    Some(Content::Thinking { text, signature })
                }
                Growing::Hidden(data) => Some(Content::HiddenThinking { data }),
                // The limit came in the middle of it.
                Growing::Call(call) if cut && !call.is_whole() => None,
                Growing::Call(call) => Some(Content::ToolCall(call.whole())),
            })
            .collect();
        let calls = content.iter().any(|c| matches!(c, Content::ToolCall(_)));
        let stop = match self.stop.as_deref() {
            _ if cut => StopReason::MaxTokens,
            Some("refusal") => StopReason::Refusal,
            _ if calls => StopReason::ToolUse,
            _ => StopReason::EndTurn,
        };
        ModelAnswer {
            content,
            stop,
            usage: self.usage,
            model: self.model,
        }
    }
}

/// An error that comes in the stream, after a status that said all was well.
fn fault(error: &Fault) -> ModelError {
    let status = match error.kind.as_str() {
        "overloaded_error" => 529,
        "rate_limit_error" => 429,
        "authentication_error" | "permission_error" => 401,
        "billing_error" => 402,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "invalid_request_error" => 400,
        _ => 500,
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    http::understood(status, &error.message, None)
}
