//! Tokens, counted as four bytes each, and the prompt caches of both providers.

use serde_json::Value;
use std::collections::{HashSet, hash_map::DefaultHasher};
use std::hash::{Hash, Hasher};

/// Prefixes of requests that were seen.
#[derive(Debug, Default)]
pub struct Cache(HashSet<u64>);

/// What Anthropic does not cache for being too short, in tokens.
const SHORTEST: u64 = 1024;

impl Cache {
    /// Tokens that are read anew, written to the cache, and read from it. Anthropic's cache holds what stands before a mark; OpenAI's
    /// whatever was sent before.
    pub fn count(&mut self, body: &Value, anthropic: bool) -> [u64; 3] {
        let mut hasher = DefaultHasher::new();
        let (mut tokens, mut read, mut marked) = (0, 0, 0);
        for mut block in blocks(body, anthropic) {
            let mark = block
                .as_object_mut()
                .and_then(|b| b.remove("cache_control"))
                .is_some();
            let text = block.to_string();
            text.hash(&mut hasher);
            tokens += text.len().div_ceil(4) as u64;
            if tokens < SHORTEST {
                continue;
            }
            let prefix = hasher.finish();
            if self.0.contains(&prefix) {
                read = tokens;
            }
            if mark || !anthropic {
                self.0.insert(prefix);
                marked = tokens;
            }
        }
        if anthropic {
            let written = marked.saturating_sub(read);
            [tokens - read - written, written, read]
        } else {
            [tokens - read, 0, read]
        }
    }
}

/// Everything in the order in which it is cached.
fn blocks(body: &Value, anthropic: bool) -> Vec<Value> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut blocks = list(&body["tools"]);
    blocks.extend(list(&body["system"]));
    for message in list(&body["messages"]) {
        if anthropic {
            blocks.extend(list(&message["content"]));
        } else {
            blocks.push(message);
        }
    }
    blocks
}
