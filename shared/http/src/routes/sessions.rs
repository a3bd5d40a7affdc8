//! Sessions: messages, decisions, settings, stopping.

use crate::{
    AppState,
    error::{ApiResult, ErrorBody},
    extract::{Body, OwnedSession},
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use koda_agent::{Decision, NewMessage, Studio};
use koda_domain::{
    AssetId, MessageId, ProjectId, SessionId, SessionState, SettingsPatch,
    design::{Design, DesignPatch},
    plan::Plan,
    store::SessionHead,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of one session.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get_session, delete_session))
        .routes(routes!(update_settings))
        .routes(routes!(get_design, edit_design))
        .routes(routes!(post_message))
        .routes(routes!(decide_plan))
        .routes(routes!(stop))
}

/// A session as its events add up.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    id: SessionId,
    project_id: ProjectId,
    /// Number of the last event.
    seq: u64,
    state: SessionState,
}

impl From<SessionHead> for Session {
    fn from(head: SessionHead) -> Self {
        Self {
            id: head.id,
            project_id: head.project_id,
            seq: head.seq,
            state: head.state,
        }
    }
}

/// A session.
#[utoipa::path(get, path = "/api/v1/sessions/{session}", tag = "sessions", params(("session" = String, Path)),
    responses((status = 200, body = Session), (status = "4XX", body = ErrorBody)))]
async fn get_session(session: OwnedSession) -> Json<Session> {
    Json(session.head.into())
}

/// Remove a session with its log, renders and sandbox.
#[utoipa::path(delete, path = "/api/v1/sessions/{session}", tag = "sessions", params(("session" = String, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)))]
async fn delete_session(
    State(state): State<AppState>,
    session: OwnedSession,
) -> ApiResult<StatusCode> {
    state
        .studio
        .delete_session(&session.tenant, session.id())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change design settings.
#[utoipa::path(patch, path = "/api/v1/sessions/{session}/settings", tag = "sessions", request_body = SettingsPatch,
    params(("session" = String, Path)), responses((status = 200, body = Session), (status = "4XX", body = ErrorBody)))]
async fn update_settings(
    State(state): State<AppState>,
    session: OwnedSession,
    Body(patch): Body<SettingsPatch>,
) -> ApiResult<Json<Session>> {
    let head = state
        .studio
        .patch_settings(&session.tenant, session.id(), &patch)
        .await?;
    Ok(Json(head.into()))
}

/// What can be changed by hand.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EditableDesign {
    /// As it is now.
    design: Design,
    /// Font families that can be chosen.
    fonts: Vec<&'static str>,
}

/// Words, colours, fonts and numbers of what was built.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/design", tag = "sessions", params(("session" = String, Path)),
    responses((status = 200, body = EditableDesign), (status = "4XX", body = ErrorBody)))]
async fn get_design(
    State(state): State<AppState>,
    session: OwnedSession,
) -> ApiResult<Json<EditableDesign>> {
    let design = state.studio.design(&session.tenant, session.id()).await?;
    let fonts = Studio::fonts(session.head.state.engine());
    Ok(Json(EditableDesign { design, fonts }))
}

/// Change words, colours, fonts and numbers by hand: a version without a model, looked at afterwards.
#[utoipa::path(patch, path = "/api/v1/sessions/{session}/design", tag = "sessions", request_body = DesignPatch,
    params(("session" = String, Path)), responses((status = 202, body = Session), (status = "4XX", body = ErrorBody)))]
async fn edit_design(
    State(state): State<AppState>,
    session: OwnedSession,
    Body(patch): Body<DesignPatch>,
) -> ApiResult<(StatusCode, Json<Session>)> {
    let head = state
        .studio
        .edit_design(&session.tenant, session.id(), &patch)
        .await?;
    Ok((StatusCode::ACCEPTED, Json(head.into())))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageBody {
    text: String,
    #[serde(default)]
    attachments: Vec<AssetId>,
    /// Words of connected text nodes.
    #[serde(default)]
    context: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessagePosted {
    message_id: MessageId,
    /// Whether it waits for a turn that runs.
    queued: bool,
}

/// Say something to the agent.
#[utoipa::path(post, path = "/api/v1/sessions/{session}/messages", tag = "sessions", request_body = MessageBody,
    params(("session" = String, Path)), responses((status = 202, body = MessagePosted), (status = "4XX", body = ErrorBody)))]
async fn post_message(
    State(state): State<AppState>,
    session: OwnedSession,
    headers: HeaderMap,
    Body(body): Body<MessageBody>,
) -> ApiResult<(StatusCode, Json<MessagePosted>)> {
    let key = headers
        .get("idempotency-key")
        .and_then(|v| v.to_str().ok())
        .map(str::to_owned);
    let message = NewMessage {
        text: body.text,
        attachments: body.attachments,
        context: body.context,
        key,
    };
    let posted = state
        .studio
        .post_message(&session.tenant, session.id(), message)
        .await?;
    let body = MessagePosted {
        message_id: posted.message_id,
        queued: posted.queued,
    };
    Ok((StatusCode::ACCEPTED, Json(body)))
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Approve,
    Reject,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanDecision {
    decision: Verdict,
    /// Hash of the open proposal.
    hash: String,
    /// The plan as edited; as proposed where left out.
    plan: Option<Plan>,
    /// Why it is rejected.
    reason: Option<String>,
}

/// Approve or reject the open plan.
#[utoipa::path(post, path = "/api/v1/sessions/{session}/plan", tag = "sessions", request_body = PlanDecision,
    params(("session" = String, Path)), responses((status = 202, body = Session), (status = "4XX", body = ErrorBody)))]
async fn decide_plan(
    State(state): State<AppState>,
    session: OwnedSession,
    Body(body): Body<PlanDecision>,
) -> ApiResult<(StatusCode, Json<Session>)> {
    let decision = match body.decision {
        Verdict::Approve => Decision::Approve {
            hash: body.hash,
            plan: body.plan.map(Box::new),
        },
        Verdict::Reject => Decision::Reject {
            hash: body.hash,
            reason: body.reason,
        },
    };
    let head = state
        .studio
        .decide_plan(&session.tenant, session.id(), decision)
        .await?;
    Ok((StatusCode::ACCEPTED, Json(head.into())))
}

/// End the running turn.
#[utoipa::path(post, path = "/api/v1/sessions/{session}/stop", operation_id = "stop_turn", tag = "sessions",
    params(("session" = String, Path)), responses((status = 202, body = Session), (status = "4XX", body = ErrorBody)))]
async fn stop(
    State(state): State<AppState>,
    session: OwnedSession,
) -> ApiResult<(StatusCode, Json<Session>)> {
    let head = state.studio.stop(&session.tenant, session.id()).await?;
    Ok((StatusCode::ACCEPTED, Json(head.into())))
}
