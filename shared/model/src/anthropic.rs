//! Anthropic's Messages API, streamed. <https://docs.anthropic.com/en/api/messages>

use crate::{
    endpoint::{Endpoint, Thinking},
    wire::{
        arrange::{NOT_SHOWN, Pictures, with_facts},
        calls::{Partial, Size, object},
        http,
    },
};
use async_trait::async_trait;
use futures_util::StreamExt;
use koda_domain::{
    BlobId,
    message::{Content, Message, Speaker, ToolOutput, Usage},
    model::{
        LanguageModel, ModelAnswer, ModelError, ModelEvent, ModelLabel, ModelRequest, ModelStream,
        Role, StopReason,
    },
    objects::ObjectStore,
};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

const VERSION: &str = "2023-06-01";

/// Claude, or whatever speaks its protocol.
pub struct Anthropic {
    client: reqwest::Client,
    endpoint: Endpoint,
    objects: Arc<dyn ObjectStore>,
}

impl Anthropic {
    /// A model at an endpoint; pictures of conversations are in the object store.
    ///
    /// # Errors
    /// Where the system has no certificates.
    pub fn new(endpoint: Endpoint, objects: Arc<dyn ObjectStore>) -> Result<Self, ModelError> {
        Ok(Self {
            client: http::client()?,
            endpoint,
            objects,
        })
    }

    async fn body(&self, request: &ModelRequest) -> Result<Value, ModelError> {
        let pictures = Pictures::load(&*self.objects, &request.tenant, &request.messages).await?;
        let mut body = json!({
            "model": self.endpoint.model,
            "max_tokens": request.max_output_tokens,
            "stream": true,
            "system": system(&request.system),
            "messages": messages(&with_facts(request), &pictures),
        });
        if !request.tools.is_empty() {
            body["tools"] = request.tools.iter().map(|tool| json!({
                "name": tool.name, "description": tool.description, "input_schema": tool.input_schema,
                // Long files come as they are written, instead of after a silence.
                "eager_input_streaming": true,
            })).collect();
        }
        match self.endpoint.thinking {
            Thinking::Default => {}
            Thinking::Adaptive => {
                body["thinking"] = json!({"type": "adaptive", "display": "summarized"})
            }
            Thinking::Budget(tokens) => {
                body["thinking"] = json!({"type": "enabled", "budget_tokens": tokens});
                // The limit counts thinking too.
                body["max_tokens"] = json!(request.max_output_tokens + tokens);
            }
        }
        Ok(body)
    }
}

const KEPT: &str = "ephemeral";

/// Instructions, with a mark that the cache holds everything up to here: tools stand in front of them.
fn system(parts: &[String]) -> Value {
    let mut blocks: Vec<Value> = parts
        .iter()
        .map(|text| json!({"type": "text", "text": text}))
        .collect();
    if let Some(last) = blocks.last_mut() {
        last["cache_control"] = json!({"type": KEPT});
    }
    Value::Array(blocks)
}

fn messages(talk: &[Message], pictures: &Pictures) -> Value {
    let mut told: Vec<Value> = Vec::new();
    for message in talk {
        let content: Vec<Value> = message
            .content
            .iter()
            .filter_map(|c| block(c, pictures))
            .collect();
        if content.is_empty() {
            continue;
        }
        let role = match message.speaker {
            Speaker::User => "user",
            Speaker::Assistant => "assistant",
        };
        told.push(json!({"role": role, "content": content}));
    }
    // The last message holds facts that change; what stands before it stays, and is cached.
    let before = told.len().saturating_sub(1);
    let kept = told[..before]
        .iter_mut()
        .rev()
        .take(1)
        .filter_map(|m| m["content"].as_array_mut()?.last_mut());
    for block in kept {
        // Thinking cannot carry a mark.
        if !matches!(
            block["type"].as_str(),
            Some("thinking" | "redacted_thinking")
        ) {
            block["cache_control"] = json!({"type": KEPT});
        }
    }
    Value::Array(told)
}

fn block(content: &Content, pictures: &Pictures) -> Option<Value> {
    Some(match content {
        // The API refuses empty text.
        Content::Text { text } if text.trim().is_empty() => return None,
        Content::Text { text } => json!({"type": "text", "text": text}),
        Content::Thinking {
            text,
            signature: Some(signature),
        } => {
            json!({"type": "thinking", "thinking": text, "signature": signature})
        }
        // Another provider's.
        Content::Thinking {
            signature: None, ..
        } => return None,
        Content::HiddenThinking { data } => json!({"type": "redacted_thinking", "data": data}),
        Content::ToolCall(call) => {
            json!({"type": "tool_use", "id": call.id, "name": call.name, "input": object(&call.input)})
        }
        Content::ToolResult {
            call_id,
            output,
            is_error,
        } => {
            let output: Vec<Value> = output
                .iter()
                .filter_map(|piece| match piece {
                    ToolOutput::Text { text } if text.trim().is_empty() => None,
                    ToolOutput::Text { text } => Some(json!({"type": "text", "text": text})),
                    ToolOutput::Image { blob, media_type } => {
                        Some(picture(blob, media_type, pictures))
                    }
                })
                .collect();
            json!({"type": "tool_result", "tool_use_id": call_id, "content": output, "is_error": is_error})
        }
        Content::Image { blob, media_type } => picture(blob, media_type, pictures),
    })
}

fn picture(blob: &BlobId, media_type: &str, pictures: &Pictures) -> Value {
    match pictures.get(blob) {
        Some(data) => json!({
            "type": "image", "source": {"type": "base64", "media_type": media_type, "data": data},
        }),
        None => json!({"type": "text", "text": NOT_SHOWN}),
    }
}

#[async_trait]
impl LanguageModel for Anthropic {
    async fn stream(&self, request: ModelRequest) -> Result<ModelStream, ModelError> {
        let body = self.body(&request).await?;
        let url = format!("{}/v1/messages", self.endpoint.base_url);
        let mut post = self
            .client
            .post(url)
            .header("anthropic-version", VERSION)
            .json(&body);
        if let Some(key) = &self.endpoint.key {
            post = post.header("x-api-key", key.expose());
        }
        let response = http::send(post, true)
            .await
            .map_err(|refused| refused.error)?;
        let mut events = Box::pin(http::events(response));
        let mut answer = Answer {
            model: self.endpoint.model.clone(),
            ..Answer::default()
        };
        let price = self.endpoint.price;
        let told = async_stream::stream! {
            while let Some(event) = events.next().await {
                let said = event.and_then(|data| answer.take(&data));
                match said {
                    Ok(Said::Nothing) => {}
                    Ok(Said::Piece(piece)) => yield Ok(piece),
                    Ok(Said::All) => {
                        let mut answer = std::mem::take(&mut answer).whole();
                        if let Some(price) = price {
                            answer.usage.cost_micros = price.micros(&answer.usage);
                        }
                        yield Ok(ModelEvent::Finished(answer));
                        return;
                    }
                    Err(error) => {
                        yield Err(error);
                        return;
                    }
                }
            }
            yield Err(ModelError::Unavailable("the answer broke off".into()));
        };
        Ok(told.boxed())
    }

    fn describe(&self, _: Role) -> ModelLabel {
        ModelLabel {
            provider: "anthropic".into(),
            model: self.endpoint.model.clone(),
            is_ai: true,
        }
    }
}

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
#[serde(tag = "type", rename_all = "snake_case")]
enum Delta {
    TextDelta {
        text: String,
    },
    InputJsonDelta {
        partial_json: String,
    },
    ThinkingDelta {
        thinking: String,
    },
    SignatureDelta {
        signature: String,
    },
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

enum Said {
    Nothing,
    Piece(ModelEvent),
    All,
}

#[derive(Default)]
struct Answer {
    model: String,
    blocks: BTreeMap<usize, Growing>,
    stop: Option<String>,
    usage: Usage,
    size: Size,
}

impl Answer {
    fn take(&mut self, data: &str) -> Result<Said, ModelError> {
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
            Delta::TextDelta { text } => text,
            Delta::InputJsonDelta { partial_json } => partial_json,
            Delta::ThinkingDelta { thinking } => thinking,
            Delta::SignatureDelta { signature } => signature,
            Delta::Other => return Ok(Said::Nothing),
        };
        self.size.add(piece)?;
        Ok(match (self.blocks.get_mut(&index), delta) {
            (Some(Growing::Text(text)), Delta::TextDelta { text: piece }) => {
                text.push_str(&piece);
                Said::Piece(ModelEvent::Text(piece))
            }
            (Some(Growing::Call(call)), Delta::InputJsonDelta { partial_json }) => {
                call.arguments.push_str(&partial_json);
                Said::Nothing
            }
            (Some(Growing::Thinking { text, .. }), Delta::ThinkingDelta { thinking }) => {
                text.push_str(&thinking);
                Said::Piece(ModelEvent::Thinking(thinking))
            }
            (
                Some(Growing::Thinking { signature, .. }),
                Delta::SignatureDelta { signature: piece },
            ) => {
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

    fn whole(self) -> ModelAnswer {
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
