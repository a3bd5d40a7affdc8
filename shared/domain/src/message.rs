//! What a conversation with a language model is made of.

use crate::BlobId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The person, or the server in the person's place (tool results).
    User,
    /// The model.
    Assistant,
}

/// One entry of the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub speaker: Speaker,
    /// What is said, in order.
    pub content: Vec<Content>,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Plain words.
    Text {
        /// UTF-8.
        text: String,
    },
    /// The model's reasoning, handed back unchanged within a tool loop.
    Thinking {
        /// UTF-8.
        text: String,
        /// The provider's proof that it is unchanged.
        signature: Option<String>,
    },
    /// Reasoning that the provider does not show, handed back unchanged as well.
    HiddenThinking {
        /// As the provider gave it.
        data: String,
    },
    /// The model asks for a tool.
    ToolCall(ToolCall),
    /// What the tool gave.
    ToolResult {
        /// Which call this answers.
        call_id: String,
        /// Text and pictures.
        output: Vec<ToolOutput>,
        /// Whether the tool refused or failed.
        is_error: bool,
    },
    /// A picture from the object store.
    Image {
        /// Its content.
        blob: BlobId,
        /// Such as `image/png`.
        media_type: String,
    },
}

/// A request for a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ToolCall {
    /// Unique within the session.
    pub id: String,
    /// A tool that was offered.
    pub name: String,
    /// Arguments as the model gave them; checked by the tool.
    pub input: serde_json::Value,
}

/// A piece of a tool's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToolOutput {
    /// Plain words.
    Text {
        /// UTF-8.
        text: String,
    },
    /// A picture from the object store.
    Image {
        /// Its content.
        blob: BlobId,
        /// Such as `image/png`.
        media_type: String,
    },
}

/// Tokens and money of one model call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Usage {
    /// Tokens read at full price.
    pub input_tokens: u64,
    /// Tokens read from the provider's cache.
    pub cached_tokens: u64,
    /// Tokens written to the provider's cache, at a price above that of reading.
    pub cache_write_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Price in millionths of a US dollar, of what has a known price.
    pub cost_micros: u64,
    /// Tokens read and written whose price is not known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unpriced_tokens: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Usage {
    /// All tokens, read and written.
    #[must_use]
    pub const fn tokens(&self) -> u64 {
        self.input_tokens + self.cached_tokens + self.cache_write_tokens + self.output_tokens
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens += other.input_tokens;
        self.cached_tokens += other.cached_tokens;
        self.cache_write_tokens += other.cache_write_tokens;
        self.output_tokens += other.output_tokens;
        self.cost_micros += other.cost_micros;
        self.unpriced_tokens += other.unpriced_tokens;
    }
}
