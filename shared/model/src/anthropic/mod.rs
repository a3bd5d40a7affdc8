//! Anthropic's Messages API, streamed. <https://docs.anthropic.com/en/api/messages>

mod answer;

use crate::{
    endpoint::{Endpoint, Thinking},
    wire::{
        arrange::{NOT_SHOWN, Pictures, with_facts},
        calls::object,
        http,
    },
};
use answer::{Answer, Said};
use async_trait::async_trait;
use futures_util::StreamExt;
use koda_domain::{
    BlobId,
    message::{Content, Message, Speaker, ToolOutput},
    model::{LanguageModel, ModelError, ModelEvent, ModelLabel, ModelRequest, ModelStream, Role},
    objects::ObjectStore,
};
use serde_json::{Value, json};
use std::sync::Arc;

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
        let mut answer = Answer::new(&self.endpoint.model);
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
