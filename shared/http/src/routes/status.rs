//! Health, configuration for the canvas, and event streams.

use crate::{
    AppState, Code,
    error::{ApiError, ApiResult, ErrorBody},
    events::{self, Cursor, Events},
    extract::{Asked, At, OwnedSession, Tenant},
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::IntoResponse,
};
use koda_agent::Studio;
use koda_domain::{
    Engine, Event, ProjectId, limits,
    model::{ModelLabel, Role},
    sandbox::ProviderInfo,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes that tell what is.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(config))
        .routes(routes!(get_openapi))
        .routes(routes!(session_events))
        .routes(routes!(session_log))
        .routes(routes!(project_events))
}

/// The OpenAPI document of all routes.
#[utoipa::path(get, path = "/api/openapi.json", tag = "status",
    responses((status = 200, content_type = "application/json", body = serde_json::Value)))]
async fn get_openapi() -> impl IntoResponse {
    // As it was kept: a function knows its own routes alone. A test holds it to all of them.
    let document = include_str!("../../openapi.json");
    ([(header::CONTENT_TYPE, "application/json")], document)
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok` where it is answered.
    status: &'static str,
    version: &'static str,
    store: Part,
    objects: Part,
    sandbox: SandboxPart,
    model: ModelLabel,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Part {
    ready: bool,
    /// What to do, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SandboxPart {
    #[serde(flatten)]
    part: Part,
    #[serde(flatten)]
    provider: ProviderInfo,
}

fn part(result: Result<(), impl std::fmt::Display>) -> Part {
    Part {
        ready: result.is_ok(),
        message: result.err().map(|error| error.to_string()),
    }
}

/// Whether this process lives, and which of its parts are ready.
#[utoipa::path(get, path = "/api/health", operation_id = "get_health", tag = "status", responses((status = 200, body = Health)))]
async fn health(State(state): State<AppState>) -> Json<Health> {
    let studio = &state.studio;
    let (store, objects, sandbox) = tokio::join!(
        studio.store().ready(),
        studio.objects().ready(),
        studio.sandboxes().ready()
    );
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        store: part(store),
        objects: part(objects),
        sandbox: SandboxPart {
            part: part(sandbox),
            provider: studio.sandboxes().info(),
        },
        model: studio.model().describe(Role::Orchestrator),
    })
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublicConfig {
    version: &'static str,
    models: Models,
    sandbox: ProviderInfo,
    engines: Vec<Engine>,
    /// Font families that compositions can use.
    fonts: Vec<&'static str>,
    limits: PublicLimits,
    /// Prompts to begin with.
    examples: Vec<Example>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Models {
    orchestrator: ModelLabel,
    code_generator: ModelLabel,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublicLimits {
    message_bytes: usize,
    asset_bytes: u64,
    min_seconds: f64,
    max_seconds: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Example {
    title: String,
    prompt: String,
}

const EXAMPLES: &str = include_str!("../examples.json");

/// What the canvas needs to know of this server.
#[utoipa::path(get, path = "/api/v1/config", operation_id = "get_config", tag = "status", responses((status = 200, body = PublicConfig)))]
async fn config(State(state): State<AppState>) -> Json<PublicConfig> {
    let model = state.studio.model();
    Json(PublicConfig {
        version: env!("CARGO_PKG_VERSION"),
        models: Models {
            orchestrator: model.describe(Role::Orchestrator),
            code_generator: model.describe(Role::CodeGenerator),
        },
        sandbox: state.studio.sandboxes().info(),
        engines: vec![Engine::Remotion, Engine::Theatre],
        fonts: Studio::fonts(None),
        limits: PublicLimits {
            message_bytes: limits::MESSAGE_BYTES,
            asset_bytes: limits::ASSET_BYTES,
            min_seconds: koda_domain::settings::MIN_SECONDS,
            max_seconds: koda_domain::settings::MAX_SECONDS,
        },
        examples: serde_json::from_str(EXAMPLES).unwrap_or_default(),
    })
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct After {
    /// Where to begin, as `Last-Event-ID` says it; the header wins.
    after: Option<String>,
}

impl After {
    fn place(self, headers: &HeaderMap) -> Option<String> {
        let last = headers
            .get("last-event-id")
            .and_then(|v| v.to_str().ok())
            .map(str::to_owned);
        last.or(self.after).filter(|place| !place.is_empty())
    }
}

fn bad_place() -> ApiError {
    ApiError::new(
        Code::BadRequest,
        "This is not a place in the stream; leave it out to begin at the start.",
    )
}

/// A session's events as they happen.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/events", operation_id = "stream_session_events", tag = "events",
    params(("session" = String, Path), After),
    responses((status = 200, content_type = "text/event-stream", body = Event), (status = "4XX", body = ErrorBody)))]
async fn session_events(
    State(state): State<AppState>,
    session: OwnedSession,
    Asked(after): Asked<After>,
    headers: HeaderMap,
) -> ApiResult<Events> {
    let place = after.place(&headers);
    let after = place
        .map_or(Ok(0), |place| place.parse())
        .map_err(|_| bad_place())?;
    Ok(events::of_session(state, session.id(), after))
}

/// The events of all sessions of a project as they happen.
#[utoipa::path(get, path = "/api/v1/projects/{project}/events", operation_id = "stream_project_events", tag = "events",
    params(("project" = String, Path), After),
    responses((status = 200, content_type = "text/event-stream", body = Event), (status = "4XX", body = ErrorBody)))]
async fn project_events(
    State(state): State<AppState>,
    Tenant(tenant): Tenant,
    At(project): At<ProjectId>,
    Asked(after): Asked<After>,
    headers: HeaderMap,
) -> ApiResult<Events> {
    state.studio.store().project(&tenant, project).await?;
    let cursor = match after.place(&headers) {
        Some(place) => Cursor::parse(&place).ok_or_else(bad_place)?,
        None => Cursor::default(),
    };
    Ok(events::of_project(state, tenant, project, cursor))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogQuery {
    /// The last event that is known.
    after: Option<u64>,
    /// At most 1000.
    limit: Option<usize>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Log {
    items: Vec<Event>,
    /// The last event that there is.
    last_seq: u64,
}

/// A session's events so far.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/log", operation_id = "get_session_log", tag = "events",
    params(("session" = String, Path), LogQuery),
    responses((status = 200, body = Log), (status = "4XX", body = ErrorBody)))]
async fn session_log(
    State(state): State<AppState>,
    session: OwnedSession,
    Asked(query): Asked<LogQuery>,
) -> ApiResult<Json<Log>> {
    let limit = query
        .limit
        .unwrap_or(limits::EVENTS_PAGE)
        .clamp(1, limits::EVENTS_PAGE);
    let items = state
        .studio
        .store()
        .events(session.id(), query.after.unwrap_or(0), limit)
        .await?;
    Ok(Json(Log {
        items,
        last_seq: session.head.seq,
    }))
}
