//! Tool calls that fail, one after the other: how a model that goes round in circles is told from one that works.

use crate::{BlobId, message::ToolCall};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How often one call may fail in the same way.
const SAME: u32 = 3;
/// How many calls may fail with none in between that works.
const ANY: u32 = 12;

/// Tool calls that failed since one worked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Misses {
    /// How many failed.
    pub in_a_row: u32,
    /// How many of the last ones were the same call with the same failure.
    pub same: u32,
    /// Names the last one: tool, input and failure.
    pub last: Option<BlobId>,
}

impl Misses {
    /// Counts a call that is over, and what it said of itself.
    pub(super) fn count(&mut self, call: &ToolCall, is_error: bool, summary: &str) {
        if !is_error {
            *self = Self::default();
            return;
        }
        let name = Self::name(call, summary);
        self.in_a_row += 1;
        self.same = if self.last.as_ref() == Some(&name) {
            self.same + 1
        } else {
            1
        };
        self.last = Some(name);
    }

    /// Counts an answer of which nothing was whole.
    pub(super) fn cut(&mut self) {
        let call = ToolCall {
            id: String::new(),
            name: String::new(),
            input: serde_json::Value::Null,
        };
        self.count(&call, true, "cut off");
    }

    fn name(call: &ToolCall, summary: &str) -> BlobId {
        BlobId::of(format!("{}\n{}\n{summary}", call.name, call.input).as_bytes())
    }

    /// Whether a failure is the one that came last.
    #[must_use]
    pub fn repeats(&self, call: &ToolCall, summary: &str) -> bool {
        self.last.as_ref() == Some(&Self::name(call, summary))
    }

    /// Whether more of this leads nowhere.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        self.same >= SAME || self.in_a_row >= ANY
    }
}
