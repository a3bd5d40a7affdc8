//! Requests to a provider, and its errors understood.

use futures_util::{Stream, StreamExt};
use koda_domain::model::ModelError;
use reqwest::{RequestBuilder, Response, StatusCode, header};
use serde_json::Value;
use sse_stream::SseByteStream;
use std::time::{Duration, SystemTime};

/// How long a provider may say nothing: a model that thinks without showing it, or reads a long request on a small machine,
/// takes minutes to its first word. A connection that is dead is noticed long before by the system.
const SILENCE: Duration = Duration::from_secs(300);
/// How long an answer that comes in one piece may take.
const WHOLE: Duration = Duration::from_secs(600);
/// How often the system asks whether a silent connection still stands.
const ALIVE: Duration = Duration::from_secs(20);
/// The most of an error's body that is read, in bytes.
const ERROR_BODY: usize = 64 << 10;
/// The most of a provider's words that is told on, in characters.
const WORDS: usize = 300;

/// A client for one provider.
///
/// # Errors
/// Where the system has no certificates.
pub fn client() -> Result<reqwest::Client, ModelError> {
    // Another part of the program may have chosen one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(concat!("koda/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10))
        .tcp_keepalive(ALIVE)
        .tcp_nodelay(true)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|e| ModelError::Unavailable(e.without_url().to_string()))
}

/// What a provider said no to.
#[derive(Debug, Clone)]
pub struct Refused {
    pub status: Option<StatusCode>,
    /// The provider's own words, for finding out which part of a request it does not know.
    pub words: String,
    pub error: ModelError,
}

/// Sends a request; what is not a success is read and understood.
pub async fn send(request: RequestBuilder, streaming: bool) -> Result<Response, Refused> {
    let failed = |error| Refused {
        status: None,
        words: String::new(),
        error,
    };
    let sent = if streaming {
        let sent = tokio::time::timeout(SILENCE, request.send()).await;
        sent.map_err(|_| failed(silent()))?
    } else {
        request.timeout(WHOLE).send().await
    };
    let response = sent.map_err(|e| failed(broken(&e)))?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let after = retry_after(&response);
    let words = words_of(response).await;
    let error = understood(status, &words, after);
    Err(Refused {
        status: Some(status),
        words,
        error,
    })
}

async fn words_of(response: Response) -> String {
    let mut body = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(Ok(chunk)) = stream.next().await {
        body.extend_from_slice(&chunk);
        if body.len() > ERROR_BODY {
            break;
        }
    }
    let said = serde_json::from_slice::<Value>(&body).ok();
    // Some put the error into a list.
    let said = said.map(|v| v.get(0).cloned().unwrap_or(v));
    let found = said.as_ref().and_then(|v| {
        let error = v.get("error").unwrap_or(v);
        error.get("message").or(Some(error)).and_then(Value::as_str)
    });
    found.map_or_else(
        || String::from_utf8_lossy(&body).into_owned(),
        str::to_owned,
    )
}

/// A status and a provider's words, as an error of ours. Words of a refused key are dropped: they can quote it.
pub fn understood(status: StatusCode, words: &str, after: Option<Duration>) -> ModelError {
    let lower = words.to_lowercase();
    let has = |list: &[&str]| list.iter().any(|w| lower.contains(w));
    match status.as_u16() {
        402 => ModelError::OutOfCredit,
        _ if has(&[
            "credit balance",
            "insufficient_quota",
            "exceeded your current quota",
            "insufficient credits",
        ]) =>
        {
            ModelError::OutOfCredit
        }
        401 | 403 => ModelError::Unauthorized,
        404 => ModelError::UnknownModel(short(words)),
        413 => ModelError::TooLong,
        400 if has(&[
            "prompt is too long",
            "context length",
            "context_length",
            "context window",
            "maximum context",
            "context limit",
        ]) =>
        {
            ModelError::TooLong
        }
        429 | 503 | 529 => ModelError::Busy { after },
        408 | 409 | 500..=599 => {
            ModelError::Unavailable(format!("status {}: {}", status.as_u16(), short(words)))
        }
        _ => ModelError::Rejected(format!("status {}: {}", status.as_u16(), short(words))),
    }
}

pub fn short(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(WORDS).collect()
}

/// `Retry-After` in seconds or as a date; the finer `retry-after-ms` where a provider sends it.
fn retry_after(response: &Response) -> Option<Duration> {
    let number = |name: &str| -> Option<f64> {
        let value = response.headers().get(name)?.to_str().ok()?;
        value.trim().parse().ok().filter(|n| (0.0..1e7).contains(n))
    };
    let milliseconds = number("retry-after-ms").map(|ms| ms / 1e3);
    let seconds = milliseconds.or_else(|| number(header::RETRY_AFTER.as_str()));
    let until = || {
        let date = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
        let until = httpdate::parse_http_date(date).ok()?;
        Some(until.duration_since(SystemTime::now()).unwrap_or_default())
    };
    seconds.map(Duration::from_secs_f64).or_else(until)
}

fn silent() -> ModelError {
    ModelError::Unavailable("no answer in time".into())
}

/// A transport's error, without the address.
pub fn broken(error: &reqwest::Error) -> ModelError {
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the answer broke off"
    };
    ModelError::Unavailable(what.into())
}

/// The data of each server-sent event.
pub fn events(response: Response) -> impl Stream<Item = Result<String, ModelError>> + Send {
    let bytes = Box::pin(response.bytes_stream());
    let events = SseByteStream::new(bytes).filter_map(|event| async move {
        match event {
            Ok(event) => event.data.map(Ok),
            Err(sse_stream::Error::Body(error)) => {
                Some(Err(error.downcast_ref::<reqwest::Error>().map_or_else(
                    || ModelError::Unavailable("the answer broke off".into()),
                    broken,
                )))
            }
            Err(error) => Some(Err(ModelError::Unavailable(format!(
                "the answer cannot be read: {error}"
            )))),
        }
    });
    async_stream::stream! {
        let mut events = Box::pin(events);
        loop {
            match tokio::time::timeout(SILENCE, events.next()).await {
                Ok(Some(event)) => yield event,
                Ok(None) => return,
                Err(_) => {
                    yield Err(silent());
                    return;
                }
            }
        }
    }
}
