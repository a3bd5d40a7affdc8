//! A script of things that go wrong, for tests of clients.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Something that goes wrong with matching requests.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fault {
    /// Method that a request has to have, where it matters.
    #[serde(default)]
    pub method: Option<String>,
    /// Its path, or what that begins with where this ends with a slash.
    #[serde(default)]
    pub path: String,
    /// Requests that pass before it happens.
    #[serde(default)]
    pub skip: u32,
    /// Requests that it happens to; 1 where nothing is said.
    #[serde(default = "once")]
    pub times: u32,
    /// What happens.
    pub then: Action,
}

fn once() -> u32 {
    1
}

/// What goes wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The answer comes late, by milliseconds.
    Delay(u64),
    /// Another answer comes instead, and nothing is done.
    Answer {
        /// HTTP status.
        status: u16,
        /// Body, JSON where it begins like that.
        #[serde(default)]
        body: String,
        /// Seconds for `Retry-After`.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// The connection is cut before anything is done.
    Refuse,
    /// The request is served, and the connection cut before the answer.
    LoseAnswer,
    /// The connection is cut after this many bytes of the answer's body.
    CutAfter(usize),
    /// Every event of a stream comes twice.
    Duplicate,
    /// The answer's body comes in pieces of this many bytes.
    Pieces(usize),
    /// The sandbox that is addressed ends this many milliseconds after the request came.
    Expire(u64),
}

/// Faults that are still to happen.
#[derive(Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    fn held(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the script.
    pub fn set(&self, faults: Vec<Fault>) {
        *self.held() = faults;
    }

    /// What is still to happen.
    pub fn left(&self) -> Vec<Fault> {
        self.held().clone()
    }

    /// What happens to a request.
    pub fn next(&self, method: &str, path: &str) -> Option<Action> {
        let mut faults = self.held();
        let at = faults.iter().position(|f| {
            f.times > 0
                && (path == f.path || f.path.ends_with('/') && path.starts_with(&f.path))
                && f.method
                    .as_deref()
                    .is_none_or(|m| m.eq_ignore_ascii_case(method))
        })?;
        let fault = &mut faults[at];
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        fault.times -= 1;
        let action = fault.then.clone();
        if fault.times == 0 {
            faults.remove(at);
        }
        Some(action)
    }
}

/// A body that goes wrong. What is cut ends with an error, which cuts the connection.
pub fn spoiled(
    body: axum::body::Body,
    action: &Action,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send + use<> {
    let cut = match action {
        Action::CutAfter(bytes) => Some(*bytes),
        _ => None,
    };
    let piece = match action {
        Action::Pieces(bytes) => Some((*bytes).max(1)),
        _ => None,
    };
    let twice = matches!(action, Action::Duplicate);
    async_stream::try_stream! {
        let mut chunks = body.into_data_stream();
        let mut sent = 0;
        let mut held = BytesMut::new();
        while let Some(chunk) = chunks.next().await {
            let mut chunk = chunk.map_err(std::io::Error::other)?;
            if let Some(cut) = cut {
                let left = cut.saturating_sub(sent);
                if chunk.len() >= left {
                    yield chunk.slice(..left);
                    // Lets what was written get out first.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Err(std::io::Error::other("cut by the fault script"))?;
                }
                sent += chunk.len();
                yield chunk;
            } else if let Some(piece) = piece {
                while !chunk.is_empty() {
                    yield chunk.split_to(piece.min(chunk.len()));
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            } else if twice {
                held.extend_from_slice(&chunk);
                while held.len() >= 5 {
                    let length = u32::from_be_bytes([held[1], held[2], held[3], held[4]]) as usize;
                    if held.len() < 5 + length {
                        break;
                    }
                    let whole = held.split_to(5 + length).freeze();
                    let data = whole[0] == 0 && whole.windows(6).any(|w| w == b"\"data\"");
                    if data {
                        yield whole.clone();
                    }
                    yield whole;
                }
            } else {
                yield chunk;
            }
        }
    }
}
