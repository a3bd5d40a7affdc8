//! What the demo model answers: words, and tools to call.

use super::text::hash;
use koda_domain::{
    message::{Content, Message, ToolCall, ToolOutput, Usage},
    model::{ModelAnswer, ModelRequest, StopReason},
};
use serde_json::Value;

/// The name under which the demo model answers.
pub(crate) const NAME: &str = "demo";

/// An answer in the making.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Reply {
    pub text: String,
    pub calls: Vec<(&'static str, Value)>,
}

impl Reply {
    pub fn say(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            calls: Vec::new(),
        }
    }

    #[must_use]
    pub fn call(mut self, tool: &'static str, input: Value) -> Self {
        self.calls.push((tool, input));
        self
    }

    /// The same as an answer to this request. Ids follow from the request alone, so that a repeated step repeats them.
    pub fn answer(self, request: &ModelRequest) -> ModelAnswer {
        let stop = if self.calls.is_empty() {
            StopReason::EndTurn
        } else {
            StopReason::ToolUse
        };
        let told = serde_json::to_string(&request.messages).unwrap_or_default();
        let step = format!(
            "{}_{:012x}",
            request.messages.len(),
            hash(&told) & 0xffff_ffff_ffff
        );
        let mut content = Vec::new();
        if !self.text.is_empty() {
            content.push(Content::Text { text: self.text });
        }
        content.extend(
            self.calls
                .into_iter()
                .enumerate()
                .map(|(n, (name, input))| {
                    Content::ToolCall(ToolCall {
                        id: format!("{NAME}_{step}_{n}"),
                        name: name.into(),
                        input,
                    })
                }),
        );
        let usage = Usage {
            input_tokens: asked(request),
            output_tokens: content.iter().map(weight).sum(),
            ..Usage::default()
        };
        ModelAnswer {
            content,
            stop,
            usage,
            model: NAME.into(),
        }
    }
}

/// Words of a request, as an estimate of its tokens.
fn asked(request: &ModelRequest) -> u64 {
    let system: u64 = request.system.iter().map(|s| count(s)).sum();
    let conversation: u64 = request.messages.iter().map(said).sum();
    system + count(&request.pinned.to_string()) + conversation
}

fn said(message: &Message) -> u64 {
    message.content.iter().map(weight).sum()
}

fn weight(content: &Content) -> u64 {
    match content {
        Content::Text { text } | Content::Thinking { text, .. } => count(text),
        Content::HiddenThinking { .. } => 0,
        Content::ToolCall(call) => count(&call.input.to_string()),
        Content::ToolResult { output, .. } => output.iter().map(output_weight).sum(),
        Content::Image { .. } => 1,
    }
}

fn output_weight(output: &ToolOutput) -> u64 {
    match output {
        ToolOutput::Text { text } => count(text),
        ToolOutput::Image { .. } => 1,
    }
}

fn count(text: &str) -> u64 {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .count() as u64
}

/// Text in the pieces in which it is told: a few words each.
pub(crate) fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for (n, word) in text.split_inclusive(' ').enumerate() {
        match pieces.last_mut() {
            Some(last) if n % 3 != 0 => last.push_str(word),
            _ => pieces.push(word.to_owned()),
        }
    }
    pieces
}
