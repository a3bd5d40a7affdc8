//! Anthropic's Messages API, streamed. <https://docs.anthropic.com/en/api/messages>

mod answer;

use crate::{
    abilities::limit_in,
    endpoint::{Endpoint, Thinking},
    prices::priced,
    wire::{
        arrange::{NOT_SHOWN, Pictures, with_facts},
        calls::object,
        http::{self, Refused},
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
use reqwest::Response;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};

const VERSION: &str = "2023-06-01";

/// Claude, or whatever speaks its protocol.
pub struct Anthropic {
    client: reqwest::Client,
    endpoint: Endpoint,
    objects: Arc<dyn ObjectStore>,
    known: Arc<Mutex<Known>>,
}

/// What is known of the endpoint so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    thinking: Thinking,
    most_output: Option<u32>,
}

impl Known {
    /// What is left of it when the endpoint has refused a part, and whether that holds for other requests too; `None` where
    /// that is not why it refused.
    fn without(self, refused: &Refused, asked: u32) -> Option<(Self, bool)> {
        let words = refused.words.to_lowercase();
        if refused.status?.as_u16() != 400 {
            return None;
        }
        let asked = self.most_output.map_or(asked, |most| most.min(asked));
        let limit = limit_in(&words, asked).filter(|_| words.contains("max_tokens"));
        if let Some(limit) = limit {
            let most_output = Some(limit);
            return Some((
                Self {
                    most_output,
                    ..self
                },
                true,
            ));
        }
        if words.contains("thinking") && self.thinking != Thinking::Default {
            // A conversation that another model had a part in may have steps without thinking, which this one does not take.
            let always = words.contains("support") || words.contains("adaptive");
            let thinking = Thinking::Default;
            return Some((Self { thinking, ..self }, always));
        }
        None
    }
}

impl Anthropic {
    /// A model at an endpoint; pictures of conversations are in the object store.
    ///
    /// # Errors
    /// Where the system has no certificates.
    pub fn new(endpoint: Endpoint, objects: Arc<dyn ObjectStore>) -> Result<Self, ModelError> {
        Ok(Self {
            client: http::client()?,
            known: Arc::new(Mutex::new(Known {
                thinking: endpoint.thinking,
                most_output: endpoint.most_output,
            })),
            endpoint,
            objects,
        })
    }

    /// Sends a request, and again without what the endpoint says it does not know.
    async fn send(&self, request: &ModelRequest) -> Result<Response, ModelError> {
        let mut known = *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tried = vec![known];
        loop {
            let body = self.body(request, known).await?;
            let url = format!("{}/v1/messages", self.endpoint.base_url);
            let mut post = self
                .client
                .post(url)
                .header("anthropic-version", VERSION)
                .json(&body);
            if let Some(key) = &self.endpoint.key {
                post = post.header("x-api-key", key.expose());
            }
            let refused = match http::send(post, true).await {
                Ok(response) => return Ok(response),
                Err(refused) => refused,
            };
            match known.without(&refused, request.max_output_tokens) {
                Some((less, always)) if !tried.contains(&less) => {
                    tracing::info!(
                        model = self.endpoint.model,
                        ?less,
                        "Learned what an endpoint can do"
                    );
                    if always {
                        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = less;
                    }
                    tried.push(less);
                    known = less;
                }
                _ => return Err(refused.error),
            }
        }
    }

    async fn body(&self, request: &ModelRequest, known: Known) -> Result<Value, ModelError> {
        let pictures = Pictures::load(&*self.objects, &request.tenant, &request.messages).await?;
        let limit = request
            .max_output_tokens
            .min(known.most_output.unwrap_or(u32::MAX));
        let mut body = json!({
            "model": self.endpoint.model,
            "max_tokens": limit,
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
        match known.thinking {
            Thinking::Default => {}
            Thinking::Adaptive => {
                body["thinking"] = json!({"type": "adaptive", "display": "summarized"})
            }
            Thinking::Budget(tokens) => {
                body["thinking"] = json!({"type": "enabled", "budget_tokens": tokens});
                // The limit counts thinking too.
                let most = known.most_output.unwrap_or(u32::MAX);
                body["max_tokens"] = json!(limit.saturating_add(tokens).min(most));
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
    // The last message holds facts that change; what stands before it stays, and is cached. The mark of the request before is set
    // again: a provider looks only some twenty blocks back for what it holds, and many calls at once are more.
    let before = told.len().saturating_sub(1);
    let kept = told[..before]
        .iter_mut()
        .rev()
        .filter(|m| m["role"] == "assistant")
        .take(2)
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
        let response = self.send(&request).await?;
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
                        priced(&mut answer.usage, price.as_ref());
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
