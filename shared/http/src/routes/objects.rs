//! What signed URLs of this server point at.

use crate::{
    AppState,
    error::{ApiError, ApiResult},
};
use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::{StreamExt, TryStreamExt};
use koda_domain::{
    limits::ASSET_BYTES,
    objects::{DownloadTerms, ObjectBody, ObjectError},
};
use std::ops::Range;

/// Routes of objects. They are no part of the API: addresses are made by it, and carry their own permission.
pub(crate) fn router() -> Router<AppState> {
    Router::new().route("/objects/{*key}", get(read).put(write))
}

async fn write(
    State(state): State<AppState>,
    Path(key): Path<String>,
    request: Request,
) -> ApiResult<StatusCode> {
    let gateway = state.gateway.ok_or_else(ApiError::not_found)?;
    let query = request.uri().query().unwrap_or_default().to_owned();
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .map(str::to_owned);
    let body = http_body_util::Limited::new(
        request.into_body(),
        usize::try_from(ASSET_BYTES).unwrap_or(usize::MAX),
    );
    let stream = Body::new(body)
        .into_data_stream()
        .map_err(|e| ObjectError::Mismatch(e.to_string()));
    gateway
        .put(&key, &query, kind.as_deref(), stream.boxed())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn read(
    State(state): State<AppState>,
    Path(key): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> ApiResult<Response> {
    let gateway = state.gateway.ok_or_else(ApiError::not_found)?;
    let range = headers
        .get(header::RANGE)
        .and_then(|v| v.to_str().ok())
        .and_then(parse_range);
    let query = request.uri().query().unwrap_or_default();
    let (body, terms) = match range {
        // The last bytes: how many there are is known only after a look.
        Some(Wanted::Last(count)) => {
            let (whole, _) = gateway.get(&key, query, None).await?;
            let start = whole.meta.size.saturating_sub(count);
            gateway
                .get(&key, query, Some(start..whole.meta.size))
                .await?
        }
        Some(Wanted::Part(range)) => gateway.get(&key, query, Some(range)).await?,
        None => gateway.get(&key, query, None).await?,
    };
    Ok(respond(body, &terms, headers.contains_key(header::RANGE)))
}

enum Wanted {
    Part(Range<u64>),
    Last(u64),
}

/// One range of bytes (RFC 9110, 14.1.2); several, or another unit, are answered with the whole.
fn parse_range(text: &str) -> Option<Wanted> {
    let (start, end) = text.strip_prefix("bytes=")?.split_once('-')?;
    if start.is_empty() {
        return end.parse().ok().filter(|n| *n > 0).map(Wanted::Last);
    }
    let start: u64 = start.parse().ok()?;
    let end = if end.is_empty() {
        u64::MAX
    } else {
        end.parse::<u64>().ok()?.checked_add(1)?
    };
    Some(Wanted::Part(start..end))
}

fn respond(body: ObjectBody, terms: &DownloadTerms, ranged: bool) -> Response {
    let ObjectBody {
        meta,
        range,
        stream,
    } = body;
    let partial = ranged && (range.start, range.end) != (0, meta.size);
    let mut response = Body::from_stream(stream).into_response();
    if partial {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    let headers = response.headers_mut();
    let mut set = |name, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, meta.media_type);
    set(
        header::CONTENT_LENGTH,
        (range.end - range.start).to_string(),
    );
    set(header::ACCEPT_RANGES, "bytes".into());
    set(header::CACHE_CONTROL, "private, max-age=3600".into());
    // Whatever it is, it is data, and never runs as a page of ours.
    set(
        header::CONTENT_SECURITY_POLICY,
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'"
            .into(),
    );
    if partial {
        set(
            header::CONTENT_RANGE,
            format!("bytes {}-{}/{}", range.start, range.end - 1, meta.size),
        );
    }
    if let Some(name) = &terms.attachment {
        set(header::CONTENT_DISPOSITION, disposition(name));
    }
    response
}

/// RFC 6266, with a plain name for old clients.
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._- ".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}
