//! Projects: canvas documents with revisions.

use crate::{
    AppState, Code,
    error::{ApiError, ApiResult, ErrorBody},
    extract::{Asked, At, Body, Tenant},
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use koda_domain::{
    ProjectId, SettingsPatch,
    message::Usage,
    project::{Document, Project},
    rate::Costly,
    store::SessionHead,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of projects.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_projects, create_project))
        .routes(routes!(get_project, update_project, delete_project))
        .routes(routes!(duplicate_project))
        .routes(routes!(list_sessions, create_session))
}

/// A project without its document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProjectSummary {
    id: ProjectId,
    name: String,
    revision: u64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// 1 to 100.
    limit: Option<usize>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProjectPage {
    items: Vec<ProjectSummary>,
    next_cursor: Option<String>,
}

/// Projects, last written first.
#[utoipa::path(get, path = "/api/v1/projects", tag = "projects", params(PageQuery),
    responses((status = 200, body = ProjectPage), (status = "4XX", body = ErrorBody)))]
async fn list_projects(
    State(state): State<AppState>,
    Tenant(tenant): Tenant,
    Asked(query): Asked<PageQuery>,
) -> ApiResult<Json<ProjectPage>> {
    let limit = query.limit.unwrap_or(50).clamp(1, 100);
    let page = state
        .studio
        .store()
        .projects(&tenant, query.cursor.as_deref(), limit)
        .await?;
    let items = page.items.into_iter().map(|p| ProjectSummary {
        id: p.id,
        name: p.name,
        revision: p.revision,
        created_at: p.created_at,
        updated_at: p.updated_at,
    });
    Ok(Json(ProjectPage {
        items: items.collect(),
        next_cursor: page.next,
    }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProject {
    /// 1 to 120 characters.
    name: String,
}

fn named(name: &str) -> ApiResult<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 120 || name.chars().any(char::is_control) {
        return Err(ApiError::field("name", "A name has 1 to 120 characters."));
    }
    Ok(name.to_owned())
}

/// Make a project.
#[utoipa::path(post, path = "/api/v1/projects", tag = "projects", request_body = NewProject,
    responses((status = 201, body = Project), (status = "4XX", body = ErrorBody)))]
async fn create_project(
    State(state): State<AppState>,
    Tenant(tenant): Tenant,
    Body(new): Body<NewProject>,
) -> ApiResult<(StatusCode, Json<Project>)> {
    let now = state.studio.clock().now();
    let project = Project {
        id: ProjectId::new(state.studio.ids().ulid()),
        tenant,
        name: named(&new.name)?,
        revision: 1,
        created_at: now,
        updated_at: now,
        document: Document {
            schema: 1,
            ..Document::default()
        },
    };
    let studio = &state.studio;
    studio.admit(&project.tenant, Costly::Creation).await?;
    studio.store().create_project(&project).await?;
    Ok((StatusCode::CREATED, Json(project)))
}

/// A project with its document.
#[utoipa::path(get, path = "/api/v1/projects/{project}", tag = "projects", params(("project" = String, Path)),
    responses((status = 200, body = Project), (status = "4XX", body = ErrorBody)))]
async fn get_project(
    State(state): State<AppState>,
    Tenant(tenant): Tenant,
    At(id): At<ProjectId>,
) -> ApiResult<Response> {
    let project = state.studio.store().project(&tenant, id).await?;
    Ok((
        [(header::ETAG, format!("\"{}\"", project.revision))],
        Json(project),
    )
        .into_response())
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProjectWrite {
    name: String,
    document: Document,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Revised {
    revision: u64,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

fn if_match(headers: &HeaderMap) -> ApiResult<u64> {
    let value = headers.get(header::IF_MATCH).and_then(|v| v.to_str().ok());
    value
        .and_then(|v| v.strip_prefix('"')?.strip_suffix('"')?.parse().ok())
        .ok_or_else(|| {
            ApiError::new(
                Code::BadRequest,
                "Say which revision you changed: If-Match: \"<revision>\".",
            )
        })
}

/// Replace a project's name and document.
#[utoipa::path(put, path = "/api/v1/projects/{project}", tag = "projects", request_body = ProjectWrite,
    params(("project" = String, Path), ("If-Match" = String, Header, description = "the revision that was changed, in quotes")),
    responses((status = 200, body = Revised), (status = "4XX", body = ErrorBody)))]
async fn update_project(
    State(state): State<AppState>,
    Tenant(tenant): Tenant,
    At(id): At<ProjectId>,
    headers: HeaderMap,
    Body(write): Body<ProjectWrite>,
) -> ApiResult<Json<Revised>> {
    let expected = if_match(&headers)?;
    if let Some(problem) = write.document.problem() {
        return Err(ApiError::field("document", &problem));
    }
    let mut project = state.studio.store().project(&tenant, id).await?;
    project.name = named(&write.name)?;
    project.document = write.document;
    project.updated_at = state.studio.clock().now();
    let revision = state
        .studio
        .store()
        .update_project(&project, expected)
        .await?;
    Ok(Json(Revised {
        revision,
        updated_at: project.updated_at,
    }))
}

/// Remove a project with all its sessions.
#[utoipa::path(delete, path = "/api/v1/projects/{project}", tag = "projects", params(("project" = String, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)))]
async fn delete_project(
    State(state): State<AppState>,
    Tenant(tenant): Tenant,
    At(id): At<ProjectId>,
) -> ApiResult<StatusCode> {
    state.studio.delete_project(&tenant, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Copy a project, with fresh sessions that begin where the old ones are.
#[utoipa::path(post, path = "/api/v1/projects/{project}/duplicate", tag = "projects", params(("project" = String, Path)),
    responses((status = 201, body = Project), (status = "4XX", body = ErrorBody)))]
async fn duplicate_project(
    State(state): State<AppState>,
    Tenant(tenant): Tenant,
    At(id): At<ProjectId>,
) -> ApiResult<(StatusCode, Json<Project>)> {
    let copy = state.studio.duplicate_project(&tenant, id).await?;
    Ok((StatusCode::CREATED, Json(copy)))
}

/// Sessions of a project.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionList {
    /// Oldest first.
    items: Vec<super::sessions::Session>,
    /// What their models have used, all in all.
    usage: Usage,
}

/// Sessions of a project, oldest first, and what they have cost.
#[utoipa::path(get, path = "/api/v1/projects/{project}/sessions", tag = "sessions", params(("project" = String, Path)),
    responses((status = 200, body = SessionList), (status = "4XX", body = ErrorBody)))]
async fn list_sessions(
    State(state): State<AppState>,
    Tenant(tenant): Tenant,
    At(id): At<ProjectId>,
) -> ApiResult<Json<SessionList>> {
    let heads: Vec<SessionHead> = state.studio.store().sessions(&tenant, id).await?;
    let mut usage = Usage::default();
    for head in &heads {
        usage += head.state.usage;
    }
    Ok(Json(SessionList {
        items: heads.into_iter().map(Into::into).collect(),
        usage,
    }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSession {
    /// The node that shows it: letters, digits, `_` and `-`, at most 64.
    node_id: String,
    #[serde(default)]
    settings: SettingsPatch,
}

/// Begin a session on a node.
#[utoipa::path(post, path = "/api/v1/projects/{project}/sessions", tag = "sessions", request_body = NewSession,
    params(("project" = String, Path)),
    responses((status = 201, body = super::sessions::Session), (status = "4XX", body = ErrorBody)))]
async fn create_session(
    State(state): State<AppState>,
    Tenant(tenant): Tenant,
    At(id): At<ProjectId>,
    Body(new): Body<NewSession>,
) -> ApiResult<(StatusCode, Json<super::sessions::Session>)> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if new.node_id.is_empty() || new.node_id.len() > 64 || !new.node_id.bytes().all(plain) {
        return Err(ApiError::field(
            "node_id",
            "A node's id has 1 to 64 letters, digits, hyphens and underscores.",
        ));
    }
    let head = state
        .studio
        .create_session(&tenant, id, &new.node_id, &new.settings)
        .await?;
    Ok((StatusCode::CREATED, Json(head.into())))
}
