//! A server that speaks the wire formats of Anthropic's Messages and of OpenAI's chat completions, and says what a script says.

mod count;
mod script;
mod wire;

pub use script::{Answer, Call, Failure, Script};

use bytes::Bytes;
use count::Cache;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use hyper::{
    Request, Response,
    body::{Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::net::TcpListener;

/// The key that the server accepts.
pub const KEY: &str = "sk-scripted-0123456789abcdef";

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Path of the request.
    pub path: String,
    /// Its body.
    pub body: Value,
    /// Tokens of it that were not cached, that were written to the cache, and that were read from it.
    pub tokens: [u64; 3],
}

struct Inner {
    script: Mutex<Script>,
    seen: Mutex<Vec<Seen>>,
    cache: Mutex<Cache>,
}

/// A running server; it ends when it is dropped.
pub struct ModelServer {
    /// Its address, without a path.
    pub url: String,
    inner: Arc<Inner>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Body = BoxBody<Bytes, io::Error>;

impl ModelServer {
    /// Starts a server on a free port of this machine.
    ///
    /// # Panics
    /// Where there is no port.
    pub async fn start(script: impl Into<Script>) -> Self {
        Self::at("127.0.0.1:0", script).await
    }

    /// Starts a server at an address.
    ///
    /// # Panics
    /// Where the address is taken.
    pub async fn at(address: &str, script: impl Into<Script>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner {
            script: Mutex::new(script.into()),
            seen: Mutex::default(),
            cache: Mutex::default(),
        });
        let serving = inner.clone();
        let task = tokio::spawn(async move {
            loop {
                let Ok((socket, _)) = listener.accept().await else {
                    return;
                };
                let _ = socket.set_nodelay(true);
                let inner = serving.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let inner = inner.clone();
                        async move { Ok::<_, io::Error>(inner.answer(request).await) }
                    });
                    let builder =
                        hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = builder
                        .serve_connection(TokioIo::new(socket), service)
                        .await;
                });
            }
        });
        Self { url, inner, task }
    }

    /// Every request so far.
    ///
    /// # Panics
    /// Where a test panicked before.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().unwrap().clone()
    }
}

impl Inner {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let header = |name: &str| {
            request
                .headers()
                .get(name)
                .and_then(|v| v.to_str().ok())
                .map(str::to_owned)
        };
        let key = header("x-api-key").or_else(|| {
            header("authorization")?
                .strip_prefix("Bearer ")
                .map(str::to_owned)
        });
        let anthropic = path.ends_with("/v1/messages");
        if !anthropic && !path.ends_with("/chat/completions") {
            return plain(
                404,
                &json!({"error": {"message": format!("no such path: {path}")}}),
                None,
            );
        }
        if key.as_deref() != Some(KEY) {
            let words = format!("Incorrect API key provided: {}", key.unwrap_or_default());
            return plain(
                401,
                &json!({"type": "error", "error": {"type": "authentication_error", "message": words}}),
                None,
            );
        }
        if anthropic && header("anthropic-version").is_none() {
            return plain(
                400,
                &json!({"error": {"message": "anthropic-version: header is required"}}),
                None,
            );
        }
        let body = request
            .into_body()
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default();
        let Ok(body) = serde_json::from_slice::<Value>(&body) else {
            return plain(
                400,
                &json!({"error": {"message": "the body is not JSON"}}),
                None,
            );
        };
        if let Err(words) = wire::check(&body, anthropic) {
            return plain(
                400,
                &json!({"error": {"type": "invalid_request_error", "message": words}}),
                None,
            );
        }
        let tokens = self.cache.lock().unwrap().count(&body, anthropic);
        self.seen.lock().unwrap().push(Seen {
            path,
            body: body.clone(),
            tokens,
        });
        let Some(answer) = self.script.lock().unwrap().next(&body) else {
            return plain(
                400,
                &json!({"error": {"message": "the script has no answer to this"}}),
                None,
            );
        };
        if let Some(failure) = &answer.fail {
            let error =
                json!({"type": "error", "error": {"type": "scripted", "message": failure.words}});
            return plain(failure.status, &error, failure.retry_after);
        }
        if body["stream"] != true {
            return plain(200, &wire::whole(&answer, tokens), None);
        }
        let frames = if anthropic {
            wire::anthropic(&answer, tokens)
        } else {
            wire::chat(&answer, tokens)
        };
        streamed(frames, &answer)
    }
}

fn plain(status: u16, body: &Value, retry_after: Option<u64>) -> Response<Body> {
    let bytes = Bytes::from(body.to_string());
    let body = http_body_util::Full::new(bytes)
        .map_err(|never| match never {})
        .boxed();
    let mut response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    if let Some(seconds) = retry_after {
        response = response.header("retry-after", seconds);
    }
    response.body(body).unwrap()
}

/// Bytes with the time in milliseconds since 1970 in the place of `@now`, for measuring how long words are on their way.
fn stamped(bytes: Bytes) -> Bytes {
    const NOW: &str = "@now";
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.contains(NOW) => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            let now = now.unwrap_or_default().as_millis().to_string();
            Bytes::from(text.replace(NOW, &now))
        }
        _ => bytes,
    }
}

/// Sends frames one by one, cut where the script wants it.
fn streamed(frames: Vec<String>, answer: &Answer) -> Response<Body> {
    let pace = Duration::from_millis(answer.pace_ms);
    let mut pieces: Vec<Option<Bytes>> = Vec::new();
    for (n, frame) in frames.into_iter().enumerate() {
        if answer.break_after.is_some_and(|after| n >= after) {
            pieces.push(None);
            break;
        }
        let bytes = frame.into_bytes();
        match answer.split {
            Some(size) => pieces.extend(
                bytes
                    .chunks(size.max(1))
                    .map(|c| Some(Bytes::copy_from_slice(c))),
            ),
            None => pieces.push(Some(Bytes::from(bytes))),
        }
    }
    let hangs = answer.hangs;
    let body = stream::iter(pieces).then(move |piece| async move {
        if !pace.is_zero() {
            tokio::time::sleep(pace).await;
        }
        piece
            .map(|bytes| Frame::data(stamped(bytes)))
            .ok_or_else(|| io::Error::other("as the script says"))
    });
    let after = stream::once(async move {
        if hangs {
            std::future::pending::<()>().await;
        }
        Ok(Frame::data(Bytes::new()))
    });
    Response::builder()
        .header("content-type", "text/event-stream")
        .body(BodyExt::boxed(StreamBody::new(Box::pin(body.chain(after)))))
        .unwrap()
}
