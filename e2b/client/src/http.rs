//! Requests: sent, tried again where that is safe, and their errors understood.

use crate::{Config, Error, Missing};
use reqwest::{RequestBuilder, Response, StatusCode, header};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};

/// The wait before the first retry.
const BACKOFF: Duration = Duration::from_millis(100);

/// When a request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// Twice is as good as once.
    Safe,
    /// Only where it was never sent.
    Unsent,
}

/// Connections, shared by everything that one client does.
#[derive(Clone)]
pub(crate) struct Http {
    pub client: reqwest::Client,
    pub config: Arc<Config>,
}

impl Http {
    pub fn new(config: Config) -> Result<Self, Error> {
        if config.api_key.is_empty() || config.api_key.chars().any(char::is_control) {
            return Err(Error::Authentication(
                "the API key is empty or malformed".into(),
            ));
        }
        for url in config.api_url.iter().chain(&config.sandbox_url) {
            if !(url.starts_with("https://") || url.starts_with("http://")) {
                return Err(Error::InvalidArgument(format!(
                    "{url} does not begin with https:// or http://"
                )));
            }
        }
        // Another part of the program may have chosen one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .user_agent(concat!("e2b-client-rust/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .tcp_keepalive(Duration::from_secs(30))
            .tcp_nodelay(true)
            // Tokens in headers of E2B's own would go along to wherever a sandbox sends us.
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(64)
            .build()
            .map_err(|e| Error::InvalidArgument(e.without_url().to_string()))?;
        Ok(Self {
            client,
            config: Arc::new(config),
        })
    }

    /// Sends a request, and again where that is safe; any status is an answer. It is made anew for each attempt.
    pub async fn send(
        &self,
        again: Again,
        request: impl Fn() -> Result<RequestBuilder, Error>,
    ) -> Result<Response, Error> {
        let mut attempt = 0;
        loop {
            let sent = request()?.send().await;
            let wait = match &sent {
                Ok(response) => self.wait_after(response, again),
                Err(error) if error.is_builder() => None,
                Err(error) => {
                    let unsent = error.is_connect();
                    let repeat = unsent || (again == Again::Safe && !error.is_timeout());
                    repeat.then_some(BACKOFF * 2_u32.pow(attempt.min(6)))
                }
            };
            match wait {
                Some(wait) if attempt < self.config.retries => {
                    attempt += 1;
                    tokio::time::sleep(wait).await;
                }
                _ => return sent.map_err(|e| broken(&e)),
            }
        }
    }

    /// As [`Self::send`], with the body of what succeeded at hand: one that is cut is asked for again where that is safe.
    pub async fn send_whole(
        &self,
        again: Again,
        request: impl Fn() -> Result<RequestBuilder, Error>,
    ) -> Result<Response, Error> {
        let mut tries = 0;
        loop {
            let mut response = self.send(again, &request).await?;
            if !response.status().is_success() {
                return Ok(response);
            }
            let mut whole = http::Response::new(());
            *whole.status_mut() = response.status();
            *whole.headers_mut() = std::mem::take(response.headers_mut());
            match response.bytes().await.map_err(|e| broken(&e)) {
                Ok(bytes) => return Ok(whole.map(|()| bytes).into()),
                Err(Error::ConnectionLost(_))
                    if again == Again::Safe && tries < self.config.retries =>
                {
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What to wait before a request is sent again that was answered like this.
    fn wait_after(&self, response: &Response, again: Again) -> Option<Duration> {
        match response.status() {
            // Nothing was done.
            StatusCode::TOO_MANY_REQUESTS => {
                retry_after(response).filter(|w| *w <= self.config.max_retry_after)
            }
            StatusCode::SERVICE_UNAVAILABLE if again == Again::Safe => Some(
                retry_after(response)
                    .unwrap_or(BACKOFF)
                    .min(self.config.max_retry_after),
            ),
            _ => None,
        }
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?;
    let seconds: f64 = value.to_str().ok()?.trim().parse().ok()?;
    (0.0..1e6)
        .contains(&seconds)
        .then(|| Duration::from_secs_f64(seconds))
}

/// A transport's error. Addresses can hold signatures, so they are left out.
pub(crate) fn broken(error: &reqwest::Error) -> Error {
    use std::error::Error as _;
    let mut causes = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    let text = if causes.is_empty() {
        "nobody says why".to_owned()
    } else {
        causes.join(": ")
    };
    if error.is_builder() {
        Error::InvalidArgument(text)
    } else if error.is_connect() {
        Error::Unreachable(text)
    } else if error.is_timeout() {
        Error::TimedOut(text)
    } else {
        Error::ConnectionLost(text)
    }
}

/// Errors of the control plane, of envd's HTTP, of RPC, and of the edge, in one.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ErrorBody {
    pub message: String,
    /// A number, or a name in RPC.
    pub code: serde_json::Value,
    /// Said by the edge only.
    pub sandbox_id: Option<String>,
    pub port: Option<u16>,
    /// A word for why nothing could be made, such as `sandbox_capacity_unavailable`.
    #[serde(rename = "error_code")]
    pub error_code: Option<String>,
}

/// The body of an answer that is an error.
pub(crate) async fn error_body(response: Response) -> (StatusCode, Option<Duration>, ErrorBody) {
    let status = response.status();
    let wait = retry_after(&response);
    let bytes = response.bytes().await.unwrap_or_default();
    let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| ErrorBody {
        message: String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned(),
        ..ErrorBody::default()
    });
    (status, wait, body)
}

/// What an answer of the control plane means that is an error.
pub(crate) async fn control_error(response: Response, missing: Missing) -> Error {
    let (status, retry_after, body) = error_body(response).await;
    let message = body.message;
    match status {
        StatusCode::BAD_REQUEST => Error::InvalidArgument(message),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::Authentication(message),
        StatusCode::NOT_FOUND => Error::NotFound {
            what: missing,
            message,
        },
        StatusCode::CONFLICT => Error::Conflict(message),
        StatusCode::TOO_MANY_REQUESTS => Error::RateLimited {
            retry_after,
            message,
        },
        // With a reason of E2B's own nothing was made; without one, who knows.
        StatusCode::SERVICE_UNAVAILABLE if body.error_code.is_some() => Error::Capacity(message),
        _ => Error::Api {
            status: status.as_u16(),
            message,
        },
    }
}
