//! Routes, a file for each resource.

pub(crate) mod assets;
pub(crate) mod files;
pub(crate) mod objects;
pub(crate) mod preview;
pub(crate) mod projects;
pub(crate) mod renders;
pub(crate) mod sessions;
pub(crate) mod status;
pub(crate) mod versions;

use crate::{AppState, Code, error::ApiError};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

/// A list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Items<T> {
    /// In the list's order.
    pub items: Vec<T>,
}

/// Files, versions and assets.
pub(crate) fn file_routes() -> OpenApiRouter<AppState> {
    files::router()
        .merge(versions::router())
        .merge(assets::router())
}

pub(crate) async fn method_not_allowed() -> ApiError {
    ApiError::new(
        Code::BadRequest,
        "This address does not take that method; see /api/openapi.json.",
    )
}
