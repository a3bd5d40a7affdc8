//! The OpenAPI document, made from the routes.

use crate::{AppState, MOUNTS};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

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

/// Every mount's routes, with their description.
pub(crate) fn merged() -> OpenApiRouter<AppState> {
    MOUNTS.iter().fold(
        OpenApiRouter::with_openapi(Document::openapi()),
        |all, mount| all.merge((mount.router)()),
    )
}

/// The OpenAPI document of all routes.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    merged().into_openapi()
}
