//! Sandboxes behind a provider's own host, such as `https://5173-abc.e2b.app`.

use super::{Attempt, again, path, unreachable};
use crate::error::ApiError;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
};
use http_body_util::{BodyExt, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use serde::Deserialize;
use std::{sync::LazyLock, time::Duration};

/// The most bytes of an edge's error.
const ERROR: usize = 64 << 10;
/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(60);

type Https = Client<HttpsConnector<HttpConnector>, Body>;

/// Connections are kept: a page asks for hundreds of modules.
static CLIENT: LazyLock<Option<Https>> = LazyLock::new(|| {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(Duration::from_secs(10)));
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_platform_verifier(rustls::crypto::ring::default_provider())
        .ok()?
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    Some(
        Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector),
    )
});

/// What an edge says where it does not reach the sandbox.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EdgeError {
    #[expect(dead_code, reason = "tells an edge's error from a dev server's")]
    sandbox_id: String,
    port: Option<u16>,
}

pub(super) async fn send(
    origin: &str,
    headers: &[(String, String)],
    parts: &Parts,
) -> Result<Attempt, ApiError> {
    let client = CLIENT.as_ref().ok_or_else(unreachable)?;
    let mut request = again(parts, &format!("{origin}{}", path(parts)))?;
    // The edge finds the sandbox by its host, or by these.
    request.headers_mut().remove(header::HOST);
    // An edge's errors are told apart by their form.
    request
        .headers_mut()
        .insert("x-requested-with", HeaderValue::from_static("koda"));
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            request.headers_mut().insert(name, value);
        }
    }
    let Ok(response) = client.request(request).await else {
        return Ok(Attempt::NotYet);
    };
    if response.status() != StatusCode::BAD_GATEWAY {
        return Ok(Attempt::Answered(Box::new(response.map(Body::new))));
    }
    let (head, body) = response.into_parts();
    let Ok(body) = Limited::new(body, ERROR).collect().await else {
        return Ok(Attempt::NotYet);
    };
    let body = body.to_bytes();
    match serde_json::from_slice::<EdgeError>(&body) {
        Ok(EdgeError { port: Some(_), .. }) => Ok(Attempt::NotYet),
        Ok(EdgeError { port: None, .. }) => Ok(Attempt::Moved),
        Err(_) => {
            let response = axum::response::Response::from_parts(head, Body::from(body));
            Ok(Attempt::Answered(Box::new(response)))
        }
    }
}
