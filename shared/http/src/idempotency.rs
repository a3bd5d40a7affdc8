//! `Idempotency-Key`: the same POST twice has one effect and one answer.

use crate::{AppState, Code, error::ApiError};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use koda_domain::{
    BlobId, TenantId,
    limits::BODY_BYTES,
    store::{KeyAnswer, StoreError},
};

/// The header's name.
const HEADER: &str = "idempotency-key";

/// Lets a POST with a key through once.
pub(crate) async fn once(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let key = request.headers().get(HEADER).cloned();
    match key {
        Some(key) if request.method() == Method::POST => keyed(&state, &key, request, next)
            .await
            .unwrap_or_else(IntoResponse::into_response),
        _ => next.run(request).await,
    }
}

async fn keyed(
    state: &AppState,
    key: &HeaderValue,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let key = key.to_str().ok().filter(|k| is_key(k)).ok_or_else(|| {
        ApiError::new(
            Code::BadRequest,
            "An Idempotency-Key has 1 to 100 letters, digits, hyphens and underscores.",
        )
    })?;
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, BODY_BYTES).await.map_err(|_| {
        ApiError::new(
            Code::TooLarge,
            "The body is over 2 MB; upload large things as assets.",
        )
    })?;
    let fingerprint = BlobId::of(&[parts.uri.path().as_bytes(), b"\n", &bytes].concat());
    let (store, tenant) = (state.studio.store(), TenantId::single());
    match store
        .begin_key(
            &tenant,
            key,
            fingerprint.as_str(),
            state.studio.clock().now(),
        )
        .await
    {
        Ok(None) => {}
        Ok(Some(KeyAnswer::Done { status, body })) => return Ok(repeated(status, body)),
        Ok(Some(KeyAnswer::Running)) => {
            return Err(ApiError::new(
                Code::Conflict,
                "The first request with this key still runs; ask again in a moment.",
            ));
        }
        Err(StoreError::Conflict) => {
            return Err(ApiError::new(
                Code::Conflict,
                "This key was used for another request; take a new one.",
            ));
        }
        Err(error) => return Err(error.into()),
    }
    let response = next
        .run(Request::from_parts(parts, Body::from(bytes)))
        .await;
    let (parts, body) = response.into_parts();
    let kept = axum::body::to_bytes(body, BODY_BYTES).await;
    let answer = kept
        .as_ref()
        .ok()
        .and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
    match answer {
        Some(body) if parts.status.is_success() => {
            let answer = KeyAnswer::Done {
                status: parts.status.as_u16(),
                body,
            };
            store.finish_key(&tenant, key, &answer).await?;
        }
        // What was refused had no effect: it may be tried again, and mended.
        _ => store.forget_key(&tenant, key).await?,
    }
    Ok(Response::from_parts(
        parts,
        Body::from(kept.unwrap_or_default()),
    ))
}

fn is_key(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn repeated(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
