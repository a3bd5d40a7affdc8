//! The OpenAPI document, made from the routes.

use crate::{AppState, MOUNTS};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Koda",
        description = "From a sentence to a finished animation.",
        license(name = "MIT", identifier = "MIT")
    ),
    paths(crate::routes::files::read_file)
)]
struct Document;

/// The OpenAPI document of all routes.
#[utoipa::path(get, path = "/api/openapi.json", operation_id = "get_openapi", tag = "status",
    responses((status = 200, content_type = "application/json", body = serde_json::Value)))]
async fn openapi() -> axum::Json<utoipa::openapi::OpenApi> {
    axum::Json(document())
}

/// Every mount's routes, with their description.
pub(crate) fn merged() -> OpenApiRouter<AppState> {
    MOUNTS
        .iter()
        .fold(
            OpenApiRouter::with_openapi(Document::openapi()),
            |all, mount| all.merge((mount.router)()),
        )
        .routes(routes!(openapi))
}

/// The OpenAPI document of all routes.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    merged().into_openapi()
}
