//! Tool calls that come in pieces.

use koda_domain::{message::ToolCall, model::ModelError};
use serde_json::{Value, json};

/// The most that one answer may hold, in bytes.
const LARGEST: usize = 8 << 20;

/// What an answer has grown to, so that one without an end is ended.
#[derive(Debug, Default)]
pub struct Size(usize);

impl Size {
    pub fn add(&mut self, piece: &str) -> Result<(), ModelError> {
        self.0 += piece.len();
        if self.0 > LARGEST {
            return Err(ModelError::Rejected("the answer has no end".into()));
        }
        Ok(())
    }
}

/// A call whose arguments are still coming.
#[derive(Debug, Default)]
pub struct Partial {
    pub id: String,
    pub name: String,
    pub arguments: String,
}

impl Partial {
    /// The call, once it is whole. Arguments that are no JSON are kept as text: the tool says what is wrong with them.
    pub fn whole(self) -> ToolCall {
        let text = self.arguments.trim();
        let input = if text.is_empty() {
            json!({})
        } else {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(self.arguments.clone()))
        };
        ToolCall {
            id: self.id,
            name: self.name,
            input,
        }
    }

    /// Whether the arguments are JSON: those that a limit of tokens cut off are not.
    pub fn is_whole(&self) -> bool {
        let text = self.arguments.trim();
        text.is_empty() || serde_json::from_str::<Value>(text).is_ok()
    }
}

/// Arguments as providers take them back: an object, whatever the model wrote.
pub fn object(input: &Value) -> Value {
    if input.is_object() {
        input.clone()
    } else {
        json!({ "unreadable": input })
    }
}
