//! The Connect protocol's server side, for JSON: unary calls and streams of envelopes.
//! Source: the protocol's specification at connectrpc.com/docs/protocol.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http_body_util::{BodyExt, Limited};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use std::{convert::Infallible, time::Duration};

/// The most bytes of a request's message: input to a process can be large.
const LIMIT: usize = 64 << 20;
/// Marks the last envelope of a stream.
const END: u8 = 0x02;

/// Codes of the protocol that envd uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    FailedPrecondition,
    Unimplemented,
    Internal,
    Unauthenticated,
}

impl Code {
    fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::InvalidArgument => "invalid_argument",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::FailedPrecondition => "failed_precondition",
            Self::Unimplemented => "unimplemented",
            Self::Internal => "internal",
            Self::Unauthenticated => "unauthenticated",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::InvalidArgument | Self::FailedPrecondition => StatusCode::BAD_REQUEST,
            Self::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::AlreadyExists => StatusCode::CONFLICT,
            Self::Unimplemented => StatusCode::NOT_IMPLEMENTED,
            Self::Unknown | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
        }
    }
}

/// What went wrong in a call.
#[derive(Debug, Clone)]
pub struct RpcError {
    code: Code,
    message: String,
}

impl RpcError {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    fn json(&self) -> serde_json::Value {
        json!({"code": self.code.name(), "message": self.message})
    }

    /// The end of a stream that failed.
    fn trailer(&self) -> Bytes {
        envelope(END, json!({"error": self.json()}).to_string().as_bytes())
    }
}

impl IntoResponse for RpcError {
    fn into_response(self) -> Response {
        let body = axum::Json(self.json());
        (self.code.status(), body).into_response()
    }
}

fn envelope(flags: u8, message: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(5 + message.len());
    bytes.put_u8(flags);
    bytes.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    bytes.put_slice(message);
    bytes.freeze()
}

fn content_type(headers: &HeaderMap) -> &str {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

async fn bytes_of(body: Body) -> Result<Bytes, RpcError> {
    let collected = Limited::new(body, LIMIT)
        .collect()
        .await
        .map_err(|e| RpcError::new(Code::InvalidArgument, e.to_string()))?;
    Ok(collected.to_bytes())
}

fn parse<T: DeserializeOwned + Default>(bytes: &[u8]) -> Result<T, RpcError> {
    if bytes.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(bytes).map_err(|e| {
        RpcError::new(
            Code::InvalidArgument,
            format!("unmarshal message: proto: {e}"),
        )
    })
}

fn unsupported() -> Response {
    StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response()
}

/// The headers of a call.
pub struct Call {
    pub headers: HeaderMap,
}

impl Call {
    /// Who calls, by HTTP Basic with an empty password.
    pub fn user(&self) -> Option<String> {
        let value = self.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let encoded = value.strip_prefix("Basic ")?.trim_end_matches('=');
        let decoded = String::from_utf8(STANDARD_NO_PAD.decode(encoded).ok()?).ok()?;
        Some(decoded.split_once(':')?.0.to_owned())
    }

    /// When the call is over, whatever comes.
    pub fn timeout(&self) -> Result<Option<Duration>, RpcError> {
        let Some(value) = self.headers.get("connect-timeout-ms") else {
            return Ok(None);
        };
        let milliseconds: u64 = value
            .to_str()
            .ok()
            .and_then(|v| v.parse().ok())
            .ok_or_else(|| {
                RpcError::new(
                    Code::InvalidArgument,
                    "protocol error: invalid timeout in Connect-Timeout-Ms",
                )
            })?;
        Ok((milliseconds > 0).then(|| Duration::from_millis(milliseconds)))
    }

    /// How long a stream may say nothing.
    pub fn keepalive(&self) -> Duration {
        let seconds = self
            .headers
            .get("keepalive-ping-interval")
            .and_then(|v| v.to_str().ok()?.parse().ok())
            .filter(|s| *s > 0)
            .unwrap_or(90);
        Duration::from_secs(seconds)
    }
}

/// When a stream says something: what there is, that there is nothing, and that its time is over.
pub struct Pace {
    silence: Duration,
    deadline: Option<tokio::time::Instant>,
}

impl Pace {
    /// As a call asks for it.
    pub fn of(call: &Call) -> Result<Self, RpcError> {
        Ok(Self {
            silence: call.keepalive(),
            deadline: call.timeout()?.map(|t| tokio::time::Instant::now() + t),
        })
    }

    /// The next of what comes, or nothing where there was silence for long enough to say so.
    pub async fn next<T>(
        &self,
        coming: impl Future<Output = Option<T>>,
    ) -> Result<Option<Option<T>>, RpcError> {
        let next = tokio::time::timeout(self.silence, coming);
        let next = match self.deadline {
            Some(at) => tokio::time::timeout_at(at, next)
                .await
                .map_err(|_| RpcError::new(Code::DeadlineExceeded, "context deadline exceeded"))?,
            None => next.await,
        };
        Ok(next.ok())
    }
}

/// Answers a unary call.
pub async fn unary<Q, A, F>(request: Request, answer: F) -> Response
where
    Q: DeserializeOwned + Default,
    A: Serialize,
    F: AsyncFnOnce(Call, Q) -> Result<A, RpcError>,
{
    let (parts, body) = request.into_parts();
    if content_type(&parts.headers) != "application/json" {
        return unsupported();
    }
    let call = Call {
        headers: parts.headers,
    };
    let answered = async {
        let query = parse(&bytes_of(body).await?)?;
        answer(call, query).await
    };
    match answered.await {
        Ok(answer) => axum::Json(answer).into_response(),
        Err(error) => error.into_response(),
    }
}

/// The messages of a request that streams.
pub fn messages<Q: DeserializeOwned + Default + Send + 'static>(
    body: Body,
) -> impl Stream<Item = Result<Q, RpcError>> + Send {
    async_stream::try_stream! {
        let mut chunks = body.into_data_stream();
        let mut held = BytesMut::new();
        loop {
            while held.len() >= 5 {
                let length = u32::from_be_bytes([held[1], held[2], held[3], held[4]]) as usize;
                if length > LIMIT {
                    Err(RpcError::new(Code::InvalidArgument, "message is too large"))?;
                }
                if held.len() < 5 + length {
                    break;
                }
                let flags = held[0];
                let whole = held.split_to(5 + length);
                if flags & 0x01 != 0 {
                    Err(RpcError::new(Code::Internal, "protocol error: sent compressed message without compression support"))?;
                }
                if flags & END == 0 {
                    yield parse(&whole[5..])?;
                }
            }
            match chunks.next().await {
                Some(chunk) => {
                    let chunk = chunk.map_err(|e| RpcError::new(Code::Unknown, e.to_string()))?;
                    held.extend_from_slice(&chunk);
                }
                None => break,
            }
        }
    }
}

/// Answers a call whose request and answer are streams of envelopes; the request's first message is read.
pub async fn stream<Q, A, S, F>(request: Request, answer: F) -> Response
where
    Q: DeserializeOwned + Default + Send + 'static,
    A: Serialize + Send + 'static,
    S: Stream<Item = Result<A, RpcError>> + Send + 'static,
    F: AsyncFnOnce(Call, Q) -> Result<S, RpcError>,
{
    let (parts, body) = request.into_parts();
    if content_type(&parts.headers) != "application/connect+json" {
        return unsupported();
    }
    let call = Call {
        headers: parts.headers,
    };
    let begun = async {
        let mut queries = Box::pin(messages::<Q>(body));
        let query = queries.next().await.unwrap_or_else(|| {
            Err(RpcError::new(
                Code::InvalidArgument,
                "unary request has zero messages",
            ))
        });
        // A connection that is closed with something unread is reset, and what was answered on it is lost: the end of the request
        // may come after the first message.
        tokio::spawn(async move { while queries.next().await.is_some() {} });
        answer(call, query?).await
    };
    match begun.await {
        Ok(events) => {
            let mut failed = false;
            let envelopes = events.map(|event| match event {
                Ok(message) => match serde_json::to_vec(&message) {
                    Ok(bytes) => (envelope(0, &bytes), false),
                    Err(e) => (RpcError::new(Code::Internal, e.to_string()).trailer(), true),
                },
                Err(error) => (error.trailer(), true),
            });
            let ended = envelopes
                .chain(futures_util::stream::once(async {
                    (envelope(END, b"{}"), true)
                }))
                // One end only.
                .filter_map(move |(bytes, last)| {
                    let repeated = failed;
                    failed |= last;
                    std::future::ready((!repeated).then_some(Ok::<_, Infallible>(bytes)))
                });
            streaming(Body::from_stream(ended))
        }
        Err(error) => streaming(Body::from(error.trailer())),
    }
}

/// Answers a call that streams its request and has one answer.
pub async fn client_stream<A, F>(request: Request, answer: F) -> Response
where
    A: Serialize,
    F: AsyncFnOnce(Body) -> Result<A, RpcError>,
{
    let (parts, body) = request.into_parts();
    if content_type(&parts.headers) != "application/connect+json" {
        return unsupported();
    }
    let bytes = match answer(body).await {
        Ok(answer) => {
            let message = serde_json::to_vec(&answer).unwrap_or_default();
            let mut all = BytesMut::from(&envelope(0, &message)[..]);
            all.extend_from_slice(&envelope(END, b"{}"));
            all.freeze()
        }
        Err(error) => error.trailer(),
    };
    streaming(Body::from(bytes))
}

/// Streams answer 200 even when they fail; the end says so.
fn streaming(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/connect+json")], body).into_response()
}
