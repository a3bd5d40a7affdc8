//! The edge: what `<port>-<id>.<domain>` serves, and the shared host with routing headers.

use crate::{
    World,
    cell::Cell,
    envd,
    sandbox::{Sandbox, State},
};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// What only E2B itself may call.
const INTERNAL: [&str; 7] = [
    "/init",
    "/freeze",
    "/unfreeze",
    "/collapse",
    "/fsfreeze",
    "/fsthaw",
    "/upgrade",
];
const TRAFFIC_TOKEN: &str = "e2b-traffic-access-token";

/// A sandbox and a port of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub id: String,
    pub port: u16,
}

/// Which sandbox a request is for, where it is for one.
pub fn target(headers: &HeaderMap, host: &str) -> Option<Result<Target, &'static str>> {
    let label = host.split(['.', ':']).next().unwrap_or_default();
    if let Some((port, id)) = label.split_once('-')
        && host.contains('.')
        && !port.is_empty()
        && port.bytes().all(|b| b.is_ascii_digit())
    {
        // The node may follow the id.
        let id = id.split('-').next().unwrap_or(id).to_owned();
        return Some(
            port.parse()
                .map(|port| Target { id, port })
                .map_err(|_| "Invalid sandbox port"),
        );
    }
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    match (text("e2b-sandbox-id"), text("e2b-sandbox-port")) {
        (None, None) => None,
        (Some(id), Some(port)) => {
            let id = id.split('-').next().unwrap_or(id).to_owned();
            Some(
                port.parse()
                    .map(|port| Target { id, port })
                    .map_err(|_| "Invalid sandbox port"),
            )
        }
        _ => Some(Err("missing header")),
    }
}

/// Whether an error is shown as a page.
fn wants_html(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let accept = text(header::ACCEPT);
    if accept.contains("application/json") && !accept.contains("text/html") {
        return false;
    }
    match text(HeaderName::from_static("sec-fetch-mode")).as_str() {
        "cors" | "no-cors" | "same-origin" | "websocket" => return false,
        "navigate" => {}
        _ if headers.contains_key("x-requested-with") => return false,
        _ => {}
    }
    let agent = text(header::USER_AGENT);
    [
        "mozilla", "chrome", "safari", "firefox", "edge", "opera", "msie",
    ]
    .iter()
    .any(|name| agent.contains(name))
}

fn refused(headers: &HeaderMap, status: StatusCode, mut body: Value) -> Response {
    body["code"] = status.as_u16().into();
    if wants_html(headers) {
        let message = body["message"].as_str().unwrap_or_default();
        let page = format!("<!doctype html><title>E2B emulator</title><h1>{message}</h1>");
        return (status, axum::response::Html(page)).into_response();
    }
    (status, axum::Json(body)).into_response()
}

fn gone(headers: &HeaderMap, id: &str) -> Response {
    let body = json!({"sandboxId": id, "message": "The sandbox was not found"});
    refused(headers, StatusCode::BAD_GATEWAY, body)
}

/// Serves a request for a sandbox.
pub async fn serve(world: Arc<World>, target: Target, request: Request) -> Response {
    let headers = request.headers();
    let Some(sandbox) = world.sandbox(&target.id) else {
        return gone(headers, &target.id);
    };
    if target.port == envd::PORT && INTERNAL.contains(&request.uri().path()) {
        let message = "This endpoint is reserved for the E2B control plane and is not reachable through the sandbox URL";
        let body = json!({"message": message, "path": request.uri().path()});
        return refused(headers, StatusCode::NOT_FOUND, body);
    }
    if let Err(response) = let_in(&sandbox, &target, headers) {
        return *response;
    }
    if sandbox.state() == State::Paused && sandbox.resumes_by_traffic() {
        let life = Duration::from_secs(300).min(world.options.max_life);
        let _ = sandbox.resume(life).await;
    }
    let Some((folder, run)) = sandbox.reach() else {
        return gone(headers, &target.id);
    };
    let stream = match Cell::dial(&folder, target.port).await {
        Ok(Some(stream)) => stream,
        Ok(None) => {
            let body = json!({
                "sandboxId": target.id, "port": target.port,
                "message": "The sandbox is running but port is not open",
            });
            return refused(headers, StatusCode::BAD_GATEWAY, body);
        }
        Err(_) => return gone(headers, &target.id),
    };
    let headers = headers.clone();
    tokio::select! {
        answered = forward(&sandbox, &target, stream, request, run.clone()) => answered,
        () = run.cancelled() => gone(&headers, &target.id),
    }
}

/// Ports other than envd's may be closed to whoever has no token.
fn let_in(sandbox: &Sandbox, target: &Target, headers: &HeaderMap) -> Result<(), Box<Response>> {
    let Some(token) = sandbox
        .traffic_token
        .as_ref()
        .filter(|_| target.port != envd::PORT)
    else {
        return Ok(());
    };
    let message = match headers.get(TRAFFIC_TOKEN) {
        Some(sent) if sent.as_bytes() == token.as_bytes() => return Ok(()),
        Some(_) => format!(
            "Sandbox is secured with traffic access token. Provided token in header '{TRAFFIC_TOKEN}' is invalid"
        ),
        None => format!(
            "Sandbox is secured with traffic access token. Token header '{TRAFFIC_TOKEN}' is missing"
        ),
    };
    let body = json!({"sandboxId": target.id, "message": message});
    Err(Box::new(refused(headers, StatusCode::FORBIDDEN, body)))
}

async fn forward(
    sandbox: &Sandbox,
    target: &Target,
    stream: tokio::net::UnixStream,
    mut request: Request,
    run: CancellationToken,
) -> Response {
    let failed = |error: hyper::Error| {
        tracing::warn!("A sandbox did not answer: {error:?}");
        StatusCode::BAD_GATEWAY.into_response()
    };
    let upgrades = request.headers().contains_key(header::UPGRADE);
    let outside = upgrades.then(|| hyper::upgrade::on(&mut request));
    let (mut parts, body) = request.into_parts();
    // Towards the sandbox the request is for a path, on the connection that is open.
    let path = parts
        .uri
        .path_and_query()
        .map_or("/", |p| p.as_str())
        .to_owned();
    let Ok(uri) = path.parse() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    parts.uri = uri;
    parts.version = axum::http::Version::HTTP_11;
    parts.headers.remove(TRAFFIC_TOKEN);
    if !upgrades {
        parts.headers.remove(header::CONNECTION);
    }
    if let Some(mask) = sandbox.network().mask_request_host {
        let host = mask.replace("${PORT}", &target.port.to_string());
        if let Ok(host) = HeaderValue::from_str(&host) {
            parts.headers.insert(header::HOST, host);
        }
    }
    let (mut sender, connection) = match http1::handshake(TokioIo::new(stream)).await {
        Ok(both) => both,
        Err(error) => return failed(error),
    };
    let ended = run.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = connection.with_upgrades() => {}
            () = ended.cancelled() => {}
        }
    });
    let mut response = match sender.send_request(Request::from_parts(parts, body)).await {
        Ok(response) => response,
        Err(error) => return failed(error),
    };
    if let Some(outside) = outside.filter(|_| response.status() == StatusCode::SWITCHING_PROTOCOLS)
    {
        let inside = hyper::upgrade::on(&mut response);
        tokio::spawn(async move {
            if let (Ok(outside), Ok(inside)) = tokio::join!(outside, inside) {
                let (mut outside, mut inside) = (TokioIo::new(outside), TokioIo::new(inside));
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut outside, &mut inside) => {}
                    () = run.cancelled() => {}
                }
            }
        });
        return response.map(Body::new);
    }
    let (parts, body) = response.into_parts();
    let mut chunks = Body::new(body).into_data_stream();
    // A run that is over cuts its connections instead of ending them.
    let chunks = async_stream::stream! {
        loop {
            tokio::select! {
                chunk = chunks.next() => match chunk {
                    Some(chunk) => yield chunk.map_err(std::io::Error::other),
                    None => break,
                },
                () = run.cancelled() => {
                    yield Err(std::io::Error::other("the sandbox is gone"));
                    break;
                }
            }
        }
    };
    Response::from_parts(parts, Body::from_stream(chunks))
}
