//! HTTP: routes, errors, event streams and the preview proxy. Knows the studio and the seams, and no adapter.

mod error;
mod events;
mod extract;
mod guard;
mod idempotency;
mod media;
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
    /// Whether event streams stay open while nothing happens. Where a stream is paid for by the second they do not.
    pub holds_idle_streams: bool,
    /// Ends event streams.
    pub shutdown: CancellationToken,
}

/// One deployable function: which routes it serves, and how.
pub struct Mount {
    /// Its name.
    pub name: &'static str,
    /// Its routes.
    pub router: fn() -> OpenApiRouter<AppState>,
    /// Methods and paths of routes that take the rest of a path, which OpenAPI has no words for.
    pub wildcards: &'static [(&'static str, &'static str)],
    /// Whether it answers with a stream.
    pub stream: bool,
    /// How long one call may take.
    pub timeout: Duration,
}

/// Conversations: sessions, messages, plans.
pub const CHAT: Mount = Mount {
    name: "chat",
    router: routes::sessions::router,
    wildcards: &[],
    stream: false,
    timeout: Duration::from_secs(30),
};

/// Health, logs and event streams.
pub const STATUS: Mount = Mount {
    name: "status",
    router: routes::status::router,
    wildcards: &[],
    stream: true,
    timeout: Duration::from_secs(900),
};

/// Files, versions and assets.
pub const FILE: Mount = Mount {
    name: "file",
    router: routes::file_routes,
    wildcards: &[("GET", routes::files::ANY_FILE)],
    // A file or an archive may be larger than what an answer as a whole may be on Lambda, 6 MB.
    stream: true,
    timeout: Duration::from_secs(60),
};

/// Exports.
pub const RENDER: Mount = Mount {
    name: "render",
    router: routes::renders::router,
    wildcards: &[],
    stream: false,
    timeout: Duration::from_secs(30),
};

/// Sandboxes and their previews.
pub const SANDBOX: Mount = Mount {
    name: "sandbox",
    router: routes::preview::router,
    wildcards: &[],
    stream: false,
    timeout: Duration::from_secs(60),
};

/// Canvas documents.
pub const CANVAS: Mount = Mount {
    name: "canvas",
    router: routes::projects::router,
    wildcards: &[],
    stream: false,
    timeout: Duration::from_secs(30),
};

/// Every deployable function. `koda-server` merges all of them.
pub const MOUNTS: &[Mount] = &[CHAT, STATUS, FILE, RENDER, SANDBOX, CANVAS];

/// Methods, in capitals, and paths of a function's routes, in order.
#[must_use]
pub fn routes_of(mount: &Mount) -> Vec<(String, String)> {
    let described = (mount.router)().into_openapi();
    let described = serde_json::to_value(described.paths).unwrap_or_default();
    let paths = described.as_object().into_iter().flatten();
    let routes = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(|(method, _)| (method.to_ascii_uppercase(), path.clone()))
    });
    let wild = mount.wildcards.iter();
    let wild = wild.map(|(method, path)| ((*method).to_owned(), (*path).to_owned()));
    let mut routes: Vec<_> = routes.chain(wild).collect();
    routes.sort();
    routes
}

/// The routes of one function, behind the same guards as all.
pub fn one(mount: &Mount, state: AppState) -> Router {
    let (routes, _) = (mount.router)().split_for_parts();
    let app = routes
        .fallback(|| async { ApiError::not_found() })
        .method_not_allowed_fallback(routes::method_not_allowed)
        .with_state(state.clone());
    guarded(app, state)
}

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
