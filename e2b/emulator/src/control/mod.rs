//! The control plane: what `api.<domain>` serves.

mod sandboxes;
mod templates;

use crate::{World, error::ApiError};
use axum::{
    Router,
    body::Bytes,
    extract::{FromRequest, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The body of a request. What is not there is the default, as E2B's optional bodies have it.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest<Arc<World>> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, world: &Arc<World>) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, world)
            .await
            .map_err(|e| ApiError::bad(format!("Error when parsing request: {e}")))?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|e| ApiError::bad(format!("Error when parsing request: {e}")))
    }
}

/// Routes of the control plane.
pub fn router(world: Arc<World>) -> Router {
    let keyed = Router::new()
        .route(
            "/sandboxes",
            post(sandboxes::create_v1).get(sandboxes::list_v1),
        )
        .route(
            "/v2/sandboxes",
            post(sandboxes::create).get(sandboxes::list),
        )
        .route(
            "/sandboxes/{id}",
            get(sandboxes::get).delete(sandboxes::kill),
        )
        .route("/sandboxes/{id}/timeout", post(sandboxes::timeout))
        .route("/sandboxes/{id}/refreshes", post(sandboxes::refresh))
        .route("/sandboxes/{id}/connect", post(sandboxes::connect))
        .route("/v2/sandboxes/{id}/connect", post(sandboxes::connect))
        .route("/sandboxes/{id}/resume", post(sandboxes::resume))
        .route("/sandboxes/{id}/pause", post(sandboxes::pause))
        .route("/sandboxes/{id}/network", put(sandboxes::network))
        .route("/sandboxes/{id}/metrics", get(sandboxes::metrics))
        .route("/v3/templates", post(templates::request))
        .route("/templates", get(templates::list))
        .route("/v2/templates", get(templates::list))
        .route(
            "/templates/tags",
            post(templates::tag).delete(templates::untag),
        )
        .route("/templates/aliases/{alias}", get(templates::alias))
        .route(
            "/templates/{id}",
            get(templates::get).delete(templates::remove),
        )
        .route("/templates/{id}/tags", get(templates::tags))
        .route("/templates/{id}/files/{hash}", get(templates::layer))
        .route("/v2/templates/{id}/builds/{build}", post(templates::start))
        .route(
            "/templates/{id}/builds/{build}/status",
            get(templates::status),
        )
        .layer(middleware::from_fn_with_state(world.clone(), authenticate));
    Router::new()
        .route("/health", get(async || StatusCode::OK))
        .route("/_layers/{template}/{hash}", put(templates::upload))
        .route(
            "/_emulator/faults",
            put(set_faults).delete(clear_faults).get(list_faults),
        )
        .route("/_emulator/sandboxes", delete(sandboxes::kill_all))
        .merge(keyed)
        .fallback(async || ApiError::new(StatusCode::NOT_FOUND, "no matching operation was found"))
        .layer(axum::extract::DefaultBodyLimit::max(2 << 30))
        .with_state(world)
}

async fn authenticate(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let refused = |message: &str| ApiError::new(StatusCode::UNAUTHORIZED, message).into_response();
    let Some(key) = request.headers().get("x-api-key") else {
        return refused("authentication failed: Invalid API key. no authorization header");
    };
    if key.as_bytes() != world.options.api_key.as_bytes() {
        return refused(
            "Invalid API key, please visit https://e2b.dev/docs/api-key for more information.",
        );
    }
    next.run(request).await
}

async fn set_faults(
    State(world): State<Arc<World>>,
    Body(faults): Body<Vec<crate::fault::Fault>>,
) -> StatusCode {
    world.faults.set(faults);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(world): State<Arc<World>>) -> StatusCode {
    world.faults.set(vec![]);
    StatusCode::NO_CONTENT
}

async fn list_faults(State(world): State<Arc<World>>) -> axum::Json<Vec<crate::fault::Fault>> {
    axum::Json(world.faults.left())
}
