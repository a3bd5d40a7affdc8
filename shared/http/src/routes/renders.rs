//! Renders: jobs that make videos, and their files.

use super::Items;
use crate::{
    AppState, Code,
    error::{ApiError, ApiResult, ErrorBody},
    extract::{Asked, At, Body, OwnedSession},
};
use axum::{Json, extract::State, http::StatusCode, response::Redirect};
use koda_domain::{
    RenderId,
    objects::{DownloadTerms, ObjectKey},
    render::{Render, RenderSpec},
};
use serde::Deserialize;
use std::time::Duration;
use utoipa_axum::{router::OpenApiRouter, routes};

/// How long a link to a file works.
const LINK: Duration = Duration::from_secs(3600);

/// Routes of renders.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_renders, create_render))
        .routes(routes!(get_render, delete_render))
        .routes(routes!(cancel_render))
        .routes(routes!(get_render_file))
        .routes(routes!(get_render_poster))
}

#[derive(Debug, Deserialize)]
struct Ids {
    render: RenderId,
}

/// Renders, oldest first.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/renders", tag = "renders", params(("session" = String, Path)),
    responses((status = 200, body = Items<Render>), (status = "4XX", body = ErrorBody)))]
async fn list_renders(session: OwnedSession) -> Json<Items<Render>> {
    Json(Items {
        items: session.head.state.renders,
    })
}

/// Render a version.
#[utoipa::path(post, path = "/api/v1/sessions/{session}/renders", tag = "renders", request_body = RenderSpec,
    params(("session" = String, Path)), responses((status = 202, body = Render), (status = "4XX", body = ErrorBody)))]
async fn create_render(
    State(state): State<AppState>,
    session: OwnedSession,
    Body(spec): Body<RenderSpec>,
) -> ApiResult<(StatusCode, Json<Render>)> {
    let render = state
        .studio
        .queue_render(&session.tenant, session.id(), spec)
        .await?;
    Ok((StatusCode::ACCEPTED, Json(render)))
}

fn find(session: &OwnedSession, id: RenderId) -> ApiResult<&Render> {
    session
        .head
        .state
        .render(id)
        .ok_or_else(ApiError::not_found)
}

/// A render.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/renders/{render}", tag = "renders",
    params(("session" = String, Path), ("render" = String, Path)),
    responses((status = 200, body = Render), (status = "4XX", body = ErrorBody)))]
async fn get_render(session: OwnedSession, At(ids): At<Ids>) -> ApiResult<Json<Render>> {
    Ok(Json(find(&session, ids.render)?.clone()))
}

/// Remove a render that is over, with its files.
#[utoipa::path(delete, path = "/api/v1/sessions/{session}/renders/{render}", tag = "renders",
    params(("session" = String, Path), ("render" = String, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)))]
async fn delete_render(
    State(state): State<AppState>,
    session: OwnedSession,
    At(ids): At<Ids>,
) -> ApiResult<StatusCode> {
    state
        .studio
        .delete_render(&session.tenant, session.id(), ids.render)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End a render that waits or runs.
#[utoipa::path(post, path = "/api/v1/sessions/{session}/renders/{render}/cancel", tag = "renders",
    params(("session" = String, Path), ("render" = String, Path)),
    responses((status = 202, body = Render), (status = "4XX", body = ErrorBody)))]
async fn cancel_render(
    State(state): State<AppState>,
    session: OwnedSession,
    At(ids): At<Ids>,
) -> ApiResult<(StatusCode, Json<Render>)> {
    let render = state
        .studio
        .cancel_render(&session.tenant, session.id(), ids.render)
        .await?;
    Ok((StatusCode::ACCEPTED, Json(render)))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DownloadQuery {
    /// `1` saves the file instead of playing it.
    download: Option<u8>,
}

fn not_ready() -> ApiError {
    ApiError::new(
        Code::Conflict,
        "This export has no file; wait until it is ready.",
    )
}

/// The video: a redirect to a link that supports ranges.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/renders/{render}/file", tag = "renders",
    params(("session" = String, Path), ("render" = String, Path), DownloadQuery),
    responses((status = 307, description = "to the file"), (status = "4XX", body = ErrorBody)))]
async fn get_render_file(
    State(state): State<AppState>,
    session: OwnedSession,
    At(ids): At<Ids>,
    Asked(query): Asked<DownloadQuery>,
) -> ApiResult<Redirect> {
    let output = find(&session, ids.render)?
        .output
        .as_ref()
        .ok_or_else(not_ready)?;
    let key = ObjectKey::parse(&output.object).ok_or_else(ApiError::not_found)?;
    let attachment = (query.download == Some(1)).then(|| output.filename.clone());
    let link = state
        .studio
        .objects()
        .presign_get(
            &key,
            &DownloadTerms {
                expires_in: LINK,
                attachment,
            },
        )
        .await?;
    Ok(Redirect::temporary(&link.url))
}

/// A picture of the video: a redirect.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/renders/{render}/poster", tag = "renders",
    params(("session" = String, Path), ("render" = String, Path)),
    responses((status = 307, description = "to the picture"), (status = "4XX", body = ErrorBody)))]
async fn get_render_poster(
    State(state): State<AppState>,
    session: OwnedSession,
    At(ids): At<Ids>,
) -> ApiResult<Redirect> {
    let output = find(&session, ids.render)?
        .output
        .as_ref()
        .ok_or_else(not_ready)?;
    let poster = output
        .poster
        .as_deref()
        .and_then(ObjectKey::parse)
        .ok_or_else(ApiError::not_found)?;
    let link = state
        .studio
        .objects()
        .presign_get(
            &poster,
            &DownloadTerms {
                expires_in: LINK,
                attachment: None,
            },
        )
        .await?;
    Ok(Redirect::temporary(&link.url))
}
