//! Previews: each on a host of its own, proxied to its sandbox. Nothing of the canvas reaches them, and nothing that
//! they say about anything but themselves reaches a browser.

mod upstream;

use crate::{AppState, Code, error::ApiError, guard};
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use hyper_util::rt::TokioIo;
use koda_domain::SessionId;

const GONE: &str = include_str!("proxy/waiting.html");

/// Answers previews' hosts, and leaves all others to the app.
pub(crate) fn in_front_of(app: Router, state: AppState) -> Router {
    app.layer(axum::middleware::from_fn_with_state(state, route))
}

async fn route(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let Some(handle) = state.site.handle_in(guard::host(&request)) else {
        return next.run(request).await;
    };
    let mut response = match state.site.session_of(&handle) {
        Some(session) => forward(&state, session, &handle, request).await,
        None => {
            ApiError::new(Code::Forbidden, "This preview address is not valid.").into_response()
        }
    };
    protect(&state, &handle, response.headers_mut());
    response
}

async fn forward(
    state: &AppState,
    session: SessionId,
    handle: &str,
    mut request: Request,
) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return ApiError::new(Code::Forbidden, "A preview only shows.").into_response();
    }
    // Opens an editor on the machine of whoever runs the server.
    if request.uri().path().starts_with("/__open-in-editor") {
        return ApiError::not_found().into_response();
    }
    let upgrade = is_websocket(request.headers());
    if upgrade && !from_itself(state, handle, request.headers()) {
        return ApiError::new(Code::Forbidden, "Only the preview itself may connect here.")
            .into_response();
    }
    let browser = upgrade.then(|| hyper::upgrade::on(&mut request));
    clean_request(request.headers_mut(), upgrade);
    let is_page = request
        .headers()
        .get("sec-fetch-dest")
        .is_some_and(|d| d == "iframe" || d == "document");
    let answered = upstream::send(&state.studio, session, request).await;
    let mut response = match answered {
        Ok(response) => response,
        Err(_) if is_page => return (StatusCode::BAD_GATEWAY, Html(GONE)).into_response(),
        Err(error) => return error.into_response(),
    };
    if let Some(browser) = browser.filter(|_| response.status() == StatusCode::SWITCHING_PROTOCOLS)
    {
        let sandbox = hyper::upgrade::on(&mut response);
        let shutdown = state.shutdown.clone();
        tokio::spawn(async move {
            let (Ok(browser), Ok(sandbox)) = tokio::join!(browser, sandbox) else {
                return;
            };
            let (mut browser, mut sandbox) = (TokioIo::new(browser), TokioIo::new(sandbox));
            let copying = tokio::io::copy_bidirectional(&mut browser, &mut sandbox);
            shutdown.run_until_cancelled(copying).await;
        });
    }
    clean_response(response.headers_mut());
    response
}

fn is_websocket(headers: &HeaderMap) -> bool {
    headers
        .get(header::UPGRADE)
        .is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

fn from_itself(state: &AppState, handle: &str, headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|v| v.to_str().ok());
    origin.is_some_and(|origin| origin.eq_ignore_ascii_case(&state.site.preview_origin(handle)))
}

/// What a sandbox may know of a request.
fn clean_request(headers: &mut HeaderMap, upgrade: bool) {
    const PASSED: [HeaderName; 8] = [
        header::ACCEPT,
        header::ACCEPT_ENCODING,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::RANGE,
        header::SEC_WEBSOCKET_KEY,
        header::SEC_WEBSOCKET_VERSION,
        header::SEC_WEBSOCKET_PROTOCOL,
    ];
    let sent = std::mem::take(headers);
    for name in PASSED {
        if let Some(value) = sent.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    headers.insert(header::HOST, HeaderValue::from_static("preview.localhost"));
    if upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(
            header::ORIGIN,
            HeaderValue::from_static("http://preview.localhost"),
        );
    }
}

/// What a browser may learn from a sandbox's answer.
fn clean_response(headers: &mut HeaderMap) {
    const DROPPED: [&str; 13] = [
        "set-cookie",
        "strict-transport-security",
        "clear-site-data",
        "alt-svc",
        "service-worker-allowed",
        "content-security-policy",
        "content-security-policy-report-only",
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "location",
        "refresh",
        "x-frame-options",
        "report-to",
    ];
    for name in DROPPED {
        headers.remove(name);
    }
}

fn protect(state: &AppState, handle: &str, headers: &mut HeaderMap) {
    let own = state.site.preview_origin(handle);
    let socket = own.replacen("http", "ws", 1);
    let policy = format!(
        "default-src 'self' 'unsafe-inline' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; \
         connect-src 'self' {socket} data: blob:; frame-ancestors {}; frame-src 'none'; form-action 'none'; \
         base-uri 'none'; object-src 'none'",
        state.site.embedders()
    );
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("content-security-policy", &policy);
    set("x-content-type-options", "nosniff");
    set("referrer-policy", "no-referrer");
    set("cross-origin-resource-policy", "same-origin");
    set(
        "permissions-policy",
        "camera=(), microphone=(), geolocation=(), clipboard-read=(), payment=(), usb=()",
    );
}
