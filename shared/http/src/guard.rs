//! What every request passes: a name for the log, the Host, the Origin, and headers on the way out.

use crate::{AppState, Code, error::ApiError};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};
use tracing::{Instrument, field::Empty};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: String;
}

/// The name of the request at work.
pub(crate) fn request_id() -> String {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}

/// Runs a request under a name, whatever becomes of it.
pub(crate) async fn requests(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let id = format!(
        "req_{}",
        state.studio.ids().ulid().to_string().to_ascii_lowercase()
    );
    // Ids of whom and what it is about are put in by those that find them out.
    let span = tracing::info_span!(
        "request",
        request.id = id,
        method = %request.method(),
        path = request.uri().path(),
        tenant = Empty,
        session.id = Empty,
        otel.kind = "server",
    );
    let began = Instant::now();
    let work = async {
        if let Err(error) = check(&state, &request) {
            return error.into_response();
        }
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        answered.unwrap_or_else(|_| {
            ApiError::new(
                Code::Internal,
                "Something broke here; see the server's log.",
            )
            .into_response()
        })
    };
    let work = CURRENT.scope(id.clone(), work).instrument(span.clone());
    let mut response = work.await;
    span.in_scope(|| measure(response.status(), began.elapsed()));
    protect(&state, response.headers_mut());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Tells the log, and whoever keeps metrics, how a request went: until its answer began, where that is a stream.
fn measure(status: StatusCode, took: Duration) {
    let (seconds, status) = (took.as_secs_f64(), status.as_u16());
    if status >= 500 {
        tracing::warn!(
            histogram.koda.request.seconds = seconds,
            status,
            "The request failed"
        );
    } else {
        tracing::debug!(
            histogram.koda.request.seconds = seconds,
            status,
            "The request was answered"
        );
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The host that a request is for.
pub(crate) fn host(request: &Request) -> &str {
    let named = text(request.headers(), &header::HOST);
    named
        .or_else(|| request.uri().authority().map(|a| a.as_str()))
        .unwrap_or_default()
}

fn check(state: &AppState, request: &Request) -> Result<(), ApiError> {
    let host = host(request);
    // Load balancers ask after health by address.
    if !state.site.is_ours(host) && request.uri().path() != "/api/health" {
        return Err(ApiError::new(
            Code::Misdirected,
            "This server does not answer to that host name.",
        ));
    }
    if matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    ) {
        return Ok(());
    }
    // A page of another site may make a browser send requests here; it cannot hide where they come from.
    let headers = request.headers();
    let foreign = match text(headers, &header::ORIGIN) {
        Some(origin) => !state.site.is_own_origin(origin, host),
        None => matches!(
            text(headers, &HeaderName::from_static("sec-fetch-site")),
            Some("cross-site" | "same-site")
        ),
    };
    if foreign {
        return Err(ApiError::new(
            Code::Forbidden,
            "Requests from other sites are not accepted.",
        ));
    }
    Ok(())
}

fn protect(state: &AppState, headers: &mut HeaderMap) {
    let files = state.site.storage();
    let policy = format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data: blob:{files}; media-src 'self' blob:{files}; font-src 'self' data:; connect-src 'self'{files}; \
         worker-src 'self' blob:; frame-src {}; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; \
         object-src 'none'",
        state.site.previews()
    );
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.entry(name).or_insert(value);
        }
    };
    set(header::CONTENT_SECURITY_POLICY, &policy);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::CACHE_CONTROL, "no-store");
}
