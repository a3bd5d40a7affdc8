//! The seam to language models.

use crate::{
    TenantId,
    message::{Content, Message, ToolCall, Usage},
};
use async_trait::async_trait;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// Which job a model is asked to do; configuration maps each to a provider and a model name.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, strum::Display,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Plans, drives tools, answers.
    Orchestrator,
    /// Writes and edits files.
    CodeGenerator,
}

/// Everything that one call needs. Rebuilt from stored state every time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelRequest {
    /// Whose pictures the conversation shows.
    pub tenant: TenantId,
    /// The job.
    pub role: Role,
    /// Instructions that stay the same between calls, in a stable order, for the provider's prompt cache.
    pub system: Vec<String>,
    /// Facts of this session as JSON (settings, plan, assets, files, diagnostics) as they are now. They change from call to call,
    /// so they are told at the end, behind what a provider's prompt cache can hold.
    pub pinned: serde_json::Value,
    /// The conversation, oldest first. Every tool call is answered in the message after it.
    pub messages: Vec<Message>,
    /// What the model may call now.
    pub tools: Vec<ToolSpec>,
    /// The most tokens to write.
    pub max_output_tokens: u32,
}

/// A tool as a model sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// `snake_case`.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// JSON Schema of its arguments.
    pub input_schema: serde_json::Value,
}

/// What a model says, as it says it.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelEvent {
    /// A piece of the answer.
    Text(String),
    /// A piece of reasoning.
    Thinking(String),
    /// The model began to write a tool call.
    ToolCallStarted {
        /// Id of the call.
        id: String,
        /// Name of the tool.
        name: String,
    },
    /// The call is over; always last.
    Finished(ModelAnswer),
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelAnswer {
    /// In order.
    pub content: Vec<Content>,
    /// Why it ended.
    pub stop: StopReason,
    /// What it cost.
    pub usage: Usage,
    /// The model that answered, such as `demo` or a provider's model name.
    pub model: String,
}

impl ModelAnswer {
    /// The tools that the answer asks for.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.content.iter().filter_map(|c| match c {
            Content::ToolCall(call) => Some(call),
            _ => None,
        })
    }
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It has said all.
    EndTurn,
    /// It wants tools.
    ToolUse,
    /// It reached its limit of tokens.
    MaxTokens,
    /// It declined.
    Refusal,
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Too many calls, or overloaded; try again.
    #[error("the model is busy")]
    Busy {
        /// When the provider said to come back.
        after: Option<Duration>,
    },
    /// Network or provider fault; may pass.
    #[error("the model cannot be reached: {0}")]
    Unavailable(String),
    /// Wrong or missing key.
    #[error("the model provider refused the key")]
    Unauthorized,
    /// The account has no money left.
    #[error("the account at the model provider has no credit left")]
    OutOfCredit,
    /// The provider has no such model, or not for this key.
    #[error("the model provider has no model {0:?} for this key")]
    UnknownModel(String),
    /// The conversation is longer than the model can read.
    #[error("the conversation is too long for the model")]
    TooLong,
    /// The request can never work.
    #[error("the model refused the request: {0}")]
    Rejected(String),
}

impl ModelError {
    /// Whether the same call may work later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Unavailable(_))
    }
}

/// A stream of what the model says. Ends with [`ModelEvent::Finished`] or an error. Dropping it ends the call.
pub type ModelStream = BoxStream<'static, Result<ModelEvent, ModelError>>;

/// A language model, or several behind one door.
#[async_trait]
pub trait LanguageModel: Send + Sync {
    /// Starts a call.
    ///
    /// # Errors
    /// Where the call could not begin; later failures come in the stream.
    async fn stream(&self, request: ModelRequest) -> Result<ModelStream, ModelError>;

    /// What to call the model of this role on screen.
    fn describe(&self, role: Role) -> ModelLabel;
}

/// A model's name on screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelLabel {
    /// `anthropic`, `openai`, `demo`.
    pub provider: String,
    /// Name of the model.
    pub model: String,
    /// False for the demo model, which is not AI and must be labelled so.
    pub is_ai: bool,
}
