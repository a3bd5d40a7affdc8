//! HTTP: routes, errors, event streams and the preview proxy. Knows the studio and the seams, and no adapter.

mod error;
mod events;
mod extract;
mod guard;
mod idempotency;
mod openapi;
mod proxy;
mod routes;
mod site;
mod web;

pub use error::{ApiError, Code};
pub use openapi::document;
pub use site::Site;

use axum::Router;
use koda_agent::Studio;
use koda_domain::objects::SignedObjectGateway;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

/// What routes work with.
#[derive(Clone)]
pub struct AppState {
    /// The studio.
    pub studio: Arc<Studio>,
    /// What answers signed URLs of this server, where storage is part of it.
    pub gateway: Option<Arc<dyn SignedObjectGateway>>,
    /// Where this server is found.
    pub site: Arc<Site>,
    /// Ends event streams.
    pub shutdown: CancellationToken,
}

/// One deployable function: which routes it serves, and how.
pub struct Mount {
    /// Its name.
    pub name: &'static str,
    /// Its routes.
    pub router: fn() -> OpenApiRouter<AppState>,
    /// Whether it answers with a stream.
    pub stream: bool,
    /// How long one call may take.
    pub timeout: Duration,
}

/// Every deployable function. `koda-server` merges all of them.
pub const MOUNTS: &[Mount] = &[
    Mount {
        name: "chat",
        router: routes::sessions::router,
        stream: false,
        timeout: Duration::from_secs(30),
    },
    Mount {
        name: "status",
        router: routes::status::router,
        stream: true,
        timeout: Duration::from_secs(900),
    },
    Mount {
        name: "file",
        router: routes::file_routes,
        stream: false,
        timeout: Duration::from_secs(60),
    },
    Mount {
        name: "render",
        router: routes::renders::router,
        stream: false,
        timeout: Duration::from_secs(30),
    },
    Mount {
        name: "sandbox",
        router: routes::preview::router,
        stream: false,
        timeout: Duration::from_secs(60),
    },
    Mount {
        name: "canvas",
        router: routes::projects::router,
        stream: false,
        timeout: Duration::from_secs(30),
    },
];

/// All routes, the canvas from `web_dir`, and the preview proxy, behind one set of guards.
pub fn all(state: AppState, web_dir: &std::path::Path) -> Router {
    let (api, _) = openapi::merged().split_for_parts();
    let app = api
        .merge(routes::objects::router())
        .fallback_service(web::canvas(web_dir))
        .method_not_allowed_fallback(routes::method_not_allowed)
        .with_state(state.clone());
    proxy::in_front_of(guarded(app, state.clone()), state)
}

/// Routes behind what every request passes: names for the log, Host, Origin, keys, headers, and no panic.
pub fn guarded(routes: Router, state: AppState) -> Router {
    routes
        .layer(axum::middleware::from_fn_with_state(
            state.clone(),
            idempotency::once,
        ))
        .layer(axum::middleware::from_fn_with_state(state, guard::requests))
}
