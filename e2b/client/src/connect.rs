//! envd's RPC: the Connect protocol, in JSON, as the official clients speak it.
//! Source: connectrpc.com/docs/protocol, and `spec/envd` of e2b-dev/E2B.

use crate::{
    Error, Missing, Sandbox,
    http::{Again, broken},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use reqwest::{Method, RequestBuilder};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::time::Duration;

/// How often an idle stream is asked to say that it lives, as the official clients ask.
const KEEPALIVE: Duration = Duration::from_secs(50);
/// Two of those missed, and a stream counts as lost.
const SILENCE: Duration = Duration::from_secs(110);
/// The most bytes of one message: envd's own are below 100 KB, listings below a few MB.
const LIMIT: usize = 64 << 20;
/// Head of an envelope: flags, and the length in 4 bytes, big-endian.
const HEAD: usize = 5;
const COMPRESSED: u8 = 0x01;
const END: u8 = 0x02;

/// A piece of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Envelope {
    Message(Bytes),
    /// The last one, with what ended the stream.
    End(Bytes),
}

/// Cuts a stream of bytes into envelopes, wherever its pieces begin and end.
#[derive(Debug, Default)]
pub(crate) struct Envelopes {
    held: BytesMut,
}

impl Envelopes {
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next whole envelope.
    pub fn next(&mut self) -> Result<Option<Envelope>, Error> {
        if self.held.len() < HEAD {
            return Ok(None);
        }
        let flags = self.held[0];
        let length = u32::from_be_bytes([self.held[1], self.held[2], self.held[3], self.held[4]]);
        let length = length as usize;
        if length > LIMIT {
            return Err(Error::Protocol(format!("a message of {length} bytes")));
        }
        if flags & COMPRESSED != 0 {
            return Err(Error::Protocol(
                "a compressed message that was not asked for".into(),
            ));
        }
        if self.held.len() < HEAD + length {
            self.held.reserve(HEAD + length - self.held.len());
            return Ok(None);
        }
        self.held.advance(HEAD);
        let message = self.held.split_to(length).freeze();
        Ok(Some(if flags & END == 0 {
            Envelope::Message(message)
        } else {
            Envelope::End(message)
        }))
    }
}

fn enveloped(message: &[u8]) -> Result<Bytes, Error> {
    let length = u32::try_from(message.len())
        .map_err(|_| Error::InvalidArgument("the request is too large".into()))?;
    let mut bytes = BytesMut::with_capacity(HEAD + message.len());
    bytes.put_u8(0);
    bytes.put_u32(length);
    bytes.put_slice(message);
    Ok(bytes.freeze())
}

/// What a code of the protocol means.
pub(crate) fn error_of(code: &str, message: String) -> Error {
    match code {
        "invalid_argument" | "failed_precondition" | "out_of_range" => {
            Error::InvalidArgument(message)
        }
        "unauthenticated" | "permission_denied" => Error::Authentication(message),
        "not_found" => {
            let what = if message.starts_with("process") {
                Missing::Process
            } else {
                Missing::File
            };
            Error::NotFound { what, message }
        }
        "already_exists" => Error::AlreadyExists(message),
        "resource_exhausted" => Error::RateLimited {
            retry_after: None,
            message,
        },
        "canceled" | "deadline_exceeded" => Error::TimedOut(message),
        "unavailable" => Error::ConnectionLost(message),
        _ => Error::Api {
            status: 500,
            message: format!("{code}: {message}"),
        },
    }
}

/// Who a call is made as: HTTP Basic with an empty password.
fn as_user(request: RequestBuilder, user: Option<&str>) -> RequestBuilder {
    match user {
        Some(user) => request.header(
            "Authorization",
            format!("Basic {}", STANDARD.encode(format!("{user}:"))),
        ),
        None => request,
    }
}

/// A call with one answer.
pub(crate) async fn unary<Q: Serialize, A: DeserializeOwned>(
    sandbox: &Sandbox,
    again: Again,
    method: &str,
    user: Option<&str>,
    query: &Q,
) -> Result<A, Error> {
    let body =
        Bytes::from(serde_json::to_vec(query).map_err(|e| Error::InvalidArgument(e.to_string()))?);
    let timeout = sandbox.client.config().request_timeout;
    let request = || {
        let request = sandbox
            .request(Method::POST, method)
            .header("Content-Type", "application/json")
            .header("Connect-Protocol-Version", "1")
            .timeout(timeout)
            .body(body.clone());
        Ok(as_user(request, user))
    };
    crate::client::read(sandbox.send_whole(again, request).await?).await
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Trailer {
    error: Option<TrailerError>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TrailerError {
    code: String,
    message: String,
}

/// A call whose answer is a stream. With a `deadline` the server ends the call; if it does not, this side does a little
/// later. It is not sent again once it was sent: what it starts has begun.
pub(crate) async fn stream<Q: Serialize, A: DeserializeOwned + Send + 'static>(
    sandbox: &Sandbox,
    method: &str,
    user: Option<&str>,
    query: &Q,
    deadline: Option<Duration>,
) -> Result<impl Stream<Item = Result<A, Error>> + Send + use<Q, A>, Error> {
    const GRACE: Duration = Duration::from_secs(10);
    let message = serde_json::to_vec(query).map_err(|e| Error::InvalidArgument(e.to_string()))?;
    let body = enveloped(&message)?;
    let request = || {
        let mut request = sandbox
            .request(Method::POST, method)
            .header("Content-Type", "application/connect+json")
            .header("Connect-Protocol-Version", "1")
            .header("Keepalive-Ping-Interval", KEEPALIVE.as_secs())
            .body(body.clone());
        if let Some(deadline) = deadline {
            request = request.header(
                "Connect-Timeout-Ms",
                deadline.as_millis().max(1).to_string(),
            );
        }
        Ok(as_user(request, user))
    };
    let first = sandbox.client.config().request_timeout;
    let response = tokio::time::timeout(first, sandbox.send(Again::Unsent, request))
        .await
        .map_err(|_| Error::TimedOut("the call was not taken up".into()))??;
    let over = deadline.map(|d| tokio::time::Instant::now() + d + GRACE);
    let sandbox = sandbox.clone();
    Ok(async_stream::try_stream! {
        let mut chunks = response.bytes_stream();
        let mut envelopes = Envelopes::default();
        loop {
            while let Some(envelope) = envelopes.next()? {
                match envelope {
                    Envelope::Message(message) => {
                        yield serde_json::from_slice(&message).map_err(|e| Error::Protocol(e.to_string()))?;
                    }
                    Envelope::End(message) => {
                        let trailer: Trailer = serde_json::from_slice(&message)
                            .map_err(|e| Error::Protocol(e.to_string()))?;
                        if let Some(error) = trailer.error {
                            Err(match error_of(&error.code, error.message) {
                                Error::ConnectionLost(why) => sandbox.lost(why).await,
                                error => error,
                            })?;
                        }
                        return;
                    }
                }
            }
            let next = tokio::time::timeout(SILENCE, chunks.next());
            let next = match over {
                Some(over) => tokio::time::timeout_at(over, next).await
                    .map_err(|_| Error::TimedOut("the deadline is over".into()))?,
                None => next.await,
            };
            match next {
                Ok(Some(Ok(chunk))) => envelopes.push(&chunk),
                Ok(Some(Err(error))) => Err(sandbox.lost(broken(&error).to_string()).await)?,
                Ok(None) => Err(sandbox.lost("the stream ended before its end".into()).await)?,
                Err(_) => Err(sandbox.lost("the stream is silent".into()).await)?,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Envelope, Envelopes, enveloped};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn envelopes_are_the_same_however_the_stream_is_cut(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
            cuts in prop::collection::vec(0usize..2500, 0..12),
        ) {
            let mut bytes = Vec::new();
            for message in &messages {
                bytes.extend_from_slice(&enveloped(message).unwrap_or_default());
            }
            bytes.extend_from_slice(&[2, 0, 0, 0, 2, b'{', b'}']);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
            cuts.sort_unstable();
            let (mut envelopes, mut found, mut from) = (Envelopes::default(), Vec::new(), 0);
            for cut in cuts.into_iter().chain([bytes.len()]) {
                envelopes.push(&bytes[from..cut]);
                from = cut;
                while let Ok(Some(envelope)) = envelopes.next() {
                    found.push(envelope);
                }
            }
            let mut expected: Vec<_> = messages.into_iter().map(|m| Envelope::Message(m.into())).collect();
            expected.push(Envelope::End("{}".into()));
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_message_that_is_too_large_or_compressed_is_refused() {
        for head in [[0, 0xff, 0, 0, 0], [1, 0, 0, 0, 1]] {
            let mut envelopes = Envelopes::default();
            envelopes.push(&head);
            assert!(envelopes.next().is_err());
        }
    }
}
