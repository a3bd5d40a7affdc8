//! An answer of chat completions, as it comes.

use super::text::Split;
use crate::wire::{
    calls::{Partial, Size},
    http,
};
use koda_domain::{
    message::{Content, Usage},
    model::{ModelAnswer, ModelError, ModelEvent, ModelRequest, StopReason},
};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashSet;

#[derive(Deserialize)]
struct Chunk {
    model: Option<String>,
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Tokens>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    /// In a stream.
    delta: Option<Piece>,
    /// In an answer that comes in one piece.
    message: Option<Piece>,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct Piece {
    content: Option<String>,
    refusal: Option<String>,
    /// As DeepSeek and vLLM call it.
    reasoning_content: Option<String>,
    /// As OpenRouter and Ollama call it.
    reasoning: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<CallPiece>>,
}

#[derive(Deserialize)]
struct CallPiece {
    index: Option<usize>,
    id: Option<String>,
    function: Option<FunctionPiece>,
}

#[derive(Deserialize)]
struct FunctionPiece {
    name: Option<String>,
    /// Text, in pieces; some send an object.
    arguments: Option<Value>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    prompt_tokens_details: Option<PromptTokens>,
    /// US dollars, where a provider says so.
    cost: Option<f64>,
}

#[derive(Deserialize)]
struct PromptTokens {
    cached_tokens: Option<u64>,
}

impl Tokens {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a price, and not negative"
    )]
    fn usage(&self) -> Usage {
        let cached = self
            .prompt_tokens_details
            .as_ref()
            .and_then(|d| d.cached_tokens);
        let cached = cached.unwrap_or(0).min(self.prompt_tokens);
        Usage {
            input_tokens: self.prompt_tokens - cached,
            cached_tokens: cached,
            cache_write_tokens: 0,
            output_tokens: self.completion_tokens,
            cost_micros: (self.cost.unwrap_or(0.0).max(0.0) * 1e6).ceil() as u64,
            unpriced_tokens: 0,
        }
    }
}

/// What came of a piece.
pub enum Said {
    Pieces(Vec<ModelEvent>),
    All,
}

/// Ids of calls that a conversation has already: some endpoints begin anew with each answer.
pub fn taken(request: &ModelRequest) -> HashSet<String> {
    let calls = request
        .messages
        .iter()
        .flat_map(|m| &m.content)
        .filter_map(|c| match c {
            Content::ToolCall(call) => Some(call.id.clone()),
            _ => None,
        });
    calls.collect()
}

/// A call of which pieces still come.
struct Growing {
    index: Option<usize>,
    /// Its id as the endpoint has it.
    told: Option<String>,
    call: Partial,
}

/// An answer as it grows.
pub struct Answer {
    model: String,
    text: String,
    thinking: String,
    calls: Vec<Growing>,
    taken: HashSet<String>,
    finish: Option<String>,
    refused: bool,
    done: bool,
    usage: Usage,
    size: Size,
    /// Where calls are written into the text.
    split: Option<Split>,
}

impl Answer {
    pub fn new(model: &str, taken: HashSet<String>, in_words: bool) -> Self {
        Self {
            model: model.to_owned(),
            text: String::new(),
            thinking: String::new(),
            calls: Vec::new(),
            taken,
            finish: None,
            refused: false,
            done: false,
            usage: Usage::default(),
            size: Size::default(),
            split: in_words.then(Split::default),
        }
    }

    pub fn take(&mut self, data: &str) -> Result<Said, ModelError> {
        let data = data.trim();
        if data == "[DONE]" {
            self.done = true;
            return Ok(Said::All);
        }
        if data.is_empty() {
            return Ok(Said::Pieces(vec![]));
        }
        let chunk: Chunk = serde_json::from_str(data).map_err(|error| {
            ModelError::Unavailable(format!("the answer cannot be read: {error}"))
        })?;
        self.chunk(chunk).map(Said::Pieces)
    }

    fn chunk(&mut self, chunk: Chunk) -> Result<Vec<ModelEvent>, ModelError> {
        if let Some(error) = chunk.error.filter(|e| !e.is_null()) {
            return Err(fault(&error));
        }
        if let Some(model) = chunk.model.filter(|m| !m.is_empty()) {
            self.model = model;
        }
        if let Some(usage) = chunk.usage {
            self.usage = usage.usage();
        }
        let mut told = Vec::new();
        for choice in chunk.choices.into_iter().take(1) {
            self.finish = choice.finish_reason.or_else(|| self.finish.take());
            if let Some(piece) = choice.delta.or(choice.message) {
                self.piece(piece, &mut told)?;
            }
        }
        Ok(told)
    }

    fn piece(&mut self, piece: Piece, told: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let reasoning = piece
            .reasoning_content
            .or(piece.reasoning)
            .filter(|t| !t.is_empty());
        if let Some(text) = reasoning {
            self.size.add(&text)?;
            self.thinking.push_str(&text);
            told.push(ModelEvent::Thinking(text));
        }
        self.refused |= piece.refusal.as_ref().is_some_and(|t| !t.is_empty());
        for text in [piece.content, piece.refusal]
            .into_iter()
            .flatten()
            .filter(|t| !t.is_empty())
        {
            self.size.add(&text)?;
            let shown = match &mut self.split {
                Some(split) => split.push(&text),
                None => text.clone(),
            };
            self.text.push_str(&text);
            if !shown.is_empty() {
                told.push(ModelEvent::Text(shown));
            }
        }
        for call in piece.tool_calls.unwrap_or_default() {
            self.call(call, told)?;
        }
        Ok(())
    }

    fn call(&mut self, piece: CallPiece, told: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let named = piece
            .function
            .as_ref()
            .and_then(|f| f.name.as_ref())
            .is_some_and(|name| !name.is_empty());
        let known = match (piece.index, &piece.id) {
            // Some endpoints give all calls the same index: one that has a name and another id is another call.
            (Some(index), id) => {
                let last = self.calls.iter().rposition(|g| g.index == Some(index));
                last.filter(|n| {
                    let other = id.as_ref().is_some_and(|id| {
                        !id.is_empty() && self.calls[*n].told.as_ref() != Some(id)
                    });
                    !(named && other)
                })
            }
            // Without an index a piece with a name begins a call, and one without goes on with the last.
            (None, Some(id))
                if self
                    .calls
                    .last()
                    .is_some_and(|g| g.told.as_ref() == Some(id)) =>
            {
                Some(self.calls.len() - 1)
            }
            (None, Some(_)) => None,
            (None, None) if named => None,
            (None, None) => self.calls.len().checked_sub(1),
        };
        let function = piece.function;
        let name = function
            .as_ref()
            .and_then(|f| f.name.clone())
            .unwrap_or_default();
        let place = known.unwrap_or_else(|| {
            let id = self.fresh(piece.id.clone().unwrap_or_default());
            told.push(ModelEvent::ToolCallStarted {
                id: id.clone(),
                name: name.clone(),
            });
            self.calls.push(Growing {
                index: piece.index,
                told: piece.id.clone(),
                call: Partial {
                    id,
                    name,
                    arguments: String::new(),
                },
            });
            self.calls.len() - 1
        });
        let arguments = match function.and_then(|f| f.arguments) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
        };
        self.size.add(&arguments)?;
        self.calls[place].call.arguments.push_str(&arguments);
        Ok(())
    }

    /// An id that no call of the conversation has.
    fn fresh(&mut self, id: String) -> String {
        let id = if id.is_empty() || self.taken.contains(&id) {
            let numbers = self.taken.len()..;
            let made = numbers.map(|n| format!("call_{n}"));
            made.into_iter()
                .find(|id| !self.taken.contains(id))
                .unwrap_or(id)
        } else {
            id
        };
        self.taken.insert(id.clone());
        id
    }

    /// What was held back of the text, once all has come.
    pub fn rest(&mut self) -> Option<ModelEvent> {
        let rest = self.split.as_mut()?.rest();
        (!rest.is_empty()).then_some(ModelEvent::Text(rest))
    }

    /// The answer, and whether it seems to have lost its calls.
    pub fn whole(mut self) -> Result<(ModelAnswer, bool), ModelError> {
        let cut = self.finish.as_deref() == Some("length");
        let mut content = Vec::new();
        if !self.thinking.is_empty() {
            let text = std::mem::take(&mut self.thinking);
            content.push(Content::Thinking {
                text,
                signature: None,
            });
        }
        let text = std::mem::take(&mut self.text);
        let mut calls: Vec<Partial> = std::mem::take(&mut self.calls)
            .into_iter()
            .map(|growing| growing.call)
            .collect();
        let words = match self.split.take() {
            Some(_) => {
                let (words, found) = super::text::read(&text, cut);
                for (name, arguments) in found {
                    let id = self.fresh(String::new());
                    calls.push(Partial {
                        id,
                        name,
                        arguments,
                    });
                }
                words
            }
            None => text,
        };
        if !words.trim().is_empty() {
            content.push(Content::Text { text: words });
        }
        if self.finish.is_none() && !self.done {
            return Err(ModelError::Unavailable("the answer broke off".into()));
        }
        // An endpoint that loses the calls which it streams says that it has some, or gives an answer with nothing in it.
        let says_so = self.finish.as_deref() == Some("tool_calls");
        let empty = content.is_empty() && !cut && !self.refused;
        let lost = calls.is_empty() && (says_so || empty);
        let whole = calls.into_iter().filter(|call| !cut || call.is_whole());
        content.extend(whole.map(|call| Content::ToolCall(call.whole())));
        let has_calls = content.iter().any(|c| matches!(c, Content::ToolCall(_)));
        let stop = match self.finish.as_deref() {
            _ if cut => StopReason::MaxTokens,
            Some("content_filter") => StopReason::Refusal,
            _ if has_calls => StopReason::ToolUse,
            _ if self.refused => StopReason::Refusal,
            _ => StopReason::EndTurn,
        };
        Ok((
            ModelAnswer {
                content,
                stop,
                usage: self.usage,
                model: self.model,
            },
            lost,
        ))
    }
}

/// An answer that comes in one piece.
pub fn whole(body: &[u8], model: &str, taken: HashSet<String>) -> Result<ModelAnswer, ModelError> {
    let chunk: Chunk = serde_json::from_slice(body)
        .map_err(|error| ModelError::Unavailable(format!("the answer cannot be read: {error}")))?;
    let mut answer = Answer::new(model, taken, false);
    answer.done = true;
    answer.chunk(chunk)?;
    answer.whole().map(|(answer, _)| answer)
}

/// An answer that came in one piece, as if it had been streamed.
pub fn pieces(answer: &ModelAnswer) -> Vec<ModelEvent> {
    let pieces = answer.content.iter().filter_map(|content| match content {
        Content::Text { text } => Some(ModelEvent::Text(text.clone())),
        Content::Thinking { text, .. } => Some(ModelEvent::Thinking(text.clone())),
        Content::ToolCall(call) => Some(ModelEvent::ToolCallStarted {
            id: call.id.clone(),
            name: call.name.clone(),
        }),
        _ => None,
    });
    pieces.collect()
}

/// An error that comes in the stream, after a status that said all was well.
fn fault(error: &Value) -> ModelError {
    let words = error["message"]
        .as_str()
        .or(error.as_str())
        .unwrap_or("no reason given");
    let code = error["code"].as_u64().and_then(|c| u16::try_from(c).ok());
    let named = match error["code"].as_str().or(error["type"].as_str()) {
        Some("rate_limit_exceeded" | "rate_limit_error") => Some(429),
        Some("overloaded_error" | "server_overloaded") => Some(529),
        Some("invalid_request_error") => Some(400),
        _ => None,
    };
    let status = code.or(named).and_then(|c| StatusCode::from_u16(c).ok());
    http::understood(
        status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        words,
        None,
    )
}
