//! What the server says, as a file or in code.

use serde::Deserialize;
use serde_json::Value;

/// Answers in the order in which they are given; one with `when` is given only to a request that fits.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Script(Vec<Answer>);

/// One answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answer {
    /// The request must have this text in its last message.
    pub when: Option<String>,
    /// Only requests that begin with these instructions, such as those of the code generator.
    pub system: Option<String>,
    /// The answer is given again and again.
    pub again: bool,
    /// Reasoning.
    pub think: String,
    /// Words.
    pub say: String,
    /// Tool calls.
    pub call: Vec<Call>,
    /// Why it ends, in the words of the format; by default as the content says.
    pub stop: Option<String>,
    /// An error instead.
    pub fail: Option<Failure>,
    /// An error in the stream, after the words.
    pub error: Option<String>,
    /// The connection is cut after so many frames.
    pub break_after: Option<usize>,
    /// Bytes in each piece on the wire, which cuts characters and JSON anywhere.
    pub split: Option<usize>,
    /// Pause before each frame.
    pub pace_ms: u64,
    /// Words in each piece; by default one.
    pub words_in_piece: Option<usize>,
    /// Nothing more comes after the last frame, and the connection stays.
    pub hangs: bool,
    /// Moments between frames in which only a sign of life comes.
    pub pings: bool,
    /// No tool call is in the stream, as with servers that lose them; it is there in an answer in one piece.
    pub loses_calls: bool,
    /// All tool calls of the answer have the same index in the stream, as with servers that do not count them.
    pub same_index: bool,
}

/// A tool call.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Call {
    /// Name of the tool.
    pub name: String,
    /// Arguments.
    pub input: Value,
    /// Arguments as text, where they are no JSON.
    pub raw: Option<String>,
    /// Id; by default one that no other call has.
    pub id: Option<String>,
}

impl Call {
    /// A call with these arguments.
    #[must_use]
    pub fn new(name: &str, input: Value) -> Self {
        Self {
            name: name.into(),
            input,
            ..Self::default()
        }
    }

    pub(super) fn arguments(&self) -> String {
        self.raw.clone().unwrap_or_else(|| self.input.to_string())
    }
}

/// An answer that is none.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Failure {
    /// Status of HTTP.
    pub status: u16,
    /// Seconds after which to come back.
    pub retry_after: Option<u64>,
    /// The provider's words.
    pub words: String,
}

impl From<Vec<Answer>> for Script {
    fn from(answers: Vec<Answer>) -> Self {
        Self(answers)
    }
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read(yaml: &str) -> Result<Self, String> {
        serde_saphyr::from_str(yaml).map_err(|e| e.to_string())
    }

    /// The answer to a request: the first that fits. It is used up, unless it is to be given again.
    pub(super) fn next(&mut self, body: &Value) -> Option<Answer> {
        let last = body["messages"]
            .as_array()
            .and_then(|m| m.last())
            .map(Value::to_string)
            .unwrap_or_default();
        let system = body["system"].to_string() + &body["messages"][0].to_string();
        let place = self.0.iter().position(|answer| {
            let fits = |wanted: &Option<String>, text: &str| {
                wanted.as_ref().is_none_or(|w| text.contains(w.as_str()))
            };
            fits(&answer.when, &last) && fits(&answer.system, &system)
        })?;
        Some(if self.0[place].again {
            self.0[place].clone()
        } else {
            self.0.remove(place)
        })
    }
}
