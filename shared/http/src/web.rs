//! The canvas: static files, with one page for all its addresses.

use axum::{
    Router,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
    routing::any,
};
use std::path::Path;
use tower_http::{
    compression::CompressionLayer,
    services::{ServeDir, ServeFile},
    set_header::SetResponseHeaderLayer,
};

const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>Koda</title>\
    <p>The canvas is not built. Run <code>make build</code>, or <code>npm run build</code> in <code>web/</code>, and load this page again.";

/// Serves the built canvas; addresses of the API that do not exist are errors, not pages.
pub(crate) fn canvas(dir: &Path) -> Router {
    let index = dir.join("index.html");
    // Names below /assets hold a hash of the content.
    let hashed = Router::new()
        .fallback_service(ServeDir::new(dir.join("assets")))
        .layer(SetResponseHeaderLayer::overriding(
            header::CACHE_CONTROL,
            |response: &axum::http::Response<_>| {
                let found =
                    response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
                Some(HeaderValue::from_static(if found {
                    "public, max-age=31536000, immutable"
                } else {
                    "no-store"
                }))
            },
        ));
    let pages = if index.is_file() {
        Router::new().fallback_service(ServeDir::new(dir).fallback(ServeFile::new(index)))
    } else {
        Router::new().fallback(|| async { (StatusCode::SERVICE_UNAVAILABLE, Html(NOT_BUILT)) })
    };
    Router::new()
        .route("/api/{*rest}", any(no_such_route))
        .nest_service("/assets", hashed)
        .fallback_service(pages)
        .layer(CompressionLayer::new())
}

async fn no_such_route(_: Uri) -> Response {
    crate::error::ApiError::not_found().into_response()
}
