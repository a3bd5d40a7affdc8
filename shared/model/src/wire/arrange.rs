//! A request as real models are told it: pictures loaded, facts at the end.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use koda_domain::{
    BlobId, TenantId,
    message::{Content, Message, Speaker, ToolOutput},
    model::{ModelError, ModelRequest},
    objects::{ObjectKey, ObjectStore, read_all},
};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The most bytes of one picture that providers take.
const PICTURE: u64 = 4 << 20;
/// How many pictures a model is shown again at most; older ones are only named. They are left out so many at a time, because each
/// time what a provider holds of the conversation is void from there on.
const PICTURES: usize = 8;
const LEFT_OUT: usize = 4;
/// Facts that the conversation itself tells.
const TOLD: [&str; 2] = ["user_messages", "request"];

/// Pictures of a conversation, in base64.
#[derive(Debug, Default)]
pub struct Pictures(HashMap<BlobId, String>);

impl Pictures {
    /// Loads the newest pictures of a conversation. One that is gone is left out.
    pub async fn load(
        objects: &dyn ObjectStore,
        tenant: &TenantId,
        messages: &[Message],
    ) -> Result<Self, ModelError> {
        let mut wanted: Vec<&BlobId> = Vec::new();
        for blob in messages
            .iter()
            .flat_map(|m| &m.content)
            .rev()
            .flat_map(pictures_of)
        {
            if !wanted.contains(&blob) {
                wanted.push(blob);
            }
        }
        let left_out = wanted.len().saturating_sub(PICTURES).div_ceil(LEFT_OUT) * LEFT_OUT;
        wanted.truncate(wanted.len() - left_out);
        let mut loaded = HashMap::new();
        for blob in wanted {
            let key = ObjectKey::blob(tenant, blob);
            if let Ok(bytes) = read_all(objects, &key, PICTURE).await {
                loaded.insert(blob.clone(), STANDARD.encode(bytes));
            }
        }
        Ok(Self(loaded))
    }

    pub fn get(&self, blob: &BlobId) -> Option<&str> {
        self.0.get(blob).map(String::as_str)
    }
}

fn pictures_of(content: &Content) -> Vec<&BlobId> {
    match content {
        Content::Image { blob, .. } => vec![blob],
        Content::ToolResult { output, .. } => {
            let pictures = output.iter().rev().filter_map(|o| match o {
                ToolOutput::Image { blob, .. } => Some(blob),
                ToolOutput::Text { .. } => None,
            });
            pictures.collect()
        }
        _ => vec![],
    }
}

/// What is said in the place of a picture that is not shown.
pub const NOT_SHOWN: &str = "(a picture was here)";

/// The facts in words, without what the conversation tells anyway and without what is empty.
pub fn facts(pinned: &Value) -> Option<String> {
    let mut kept = Map::new();
    for (name, value) in pinned.as_object()? {
        let empty = match value {
            Value::Null => true,
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
        if !empty && !TOLD.contains(&name.as_str()) {
            kept.insert(name.clone(), value.clone());
        }
    }
    (!kept.is_empty()).then(|| {
        format!(
            "<facts>\nThe state of this session as the server has it now:\n{}\n</facts>",
            Value::Object(kept)
        )
    })
}

/// The conversation with the facts in its last message: inside of the last tool result, where there is one, because words after
/// results look to a model as if the person had said something.
pub fn with_facts(request: &ModelRequest) -> Vec<Message> {
    let mut messages = request.messages.clone();
    let Some(facts) = facts(&request.pinned) else {
        return messages;
    };
    if messages.last().is_none_or(|m| m.speaker != Speaker::User) {
        messages.push(Message {
            speaker: Speaker::User,
            content: vec![],
        });
    }
    if let Some(last) = messages.last_mut() {
        match last.content.last_mut() {
            Some(Content::ToolResult { output, .. }) => {
                output.push(ToolOutput::Text { text: facts })
            }
            _ => last.content.push(Content::Text { text: facts }),
        }
    }
    messages
}
