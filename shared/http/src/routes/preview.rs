//! Opening a preview.

use crate::{
    AppState,
    error::{ApiResult, ErrorBody},
    extract::{Body, OwnedSession},
};
use axum::{Json, extract::State};
use koda_domain::{VersionId, sandbox::Upstream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes that need a sandbox.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(open_preview))
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewRequest {
    /// The working files where left out.
    version_id: Option<VersionId>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Preview {
    /// A page on an origin of its own; whoever knows it may look.
    url: String,
    /// The part of the host that names it.
    handle: String,
    /// The version that is shown, where what is shown is one.
    version_id: Option<VersionId>,
}

/// Wake a session's sandbox and say where its preview is.
#[utoipa::path(post, path = "/api/v1/sessions/{session}/preview", tag = "preview", request_body = PreviewRequest,
    params(("session" = String, Path)), responses((status = 200, body = Preview), (status = "4XX", body = ErrorBody)))]
async fn open_preview(
    State(state): State<AppState>,
    session: OwnedSession,
    Body(request): Body<PreviewRequest>,
) -> ApiResult<Json<Preview>> {
    let shown = state
        .studio
        .open_preview(&session.tenant, session.id(), request.version_id)
        .await?;
    let mut handle = state.site.handle(session.id());
    let mut origin = state.site.preview_origin(&handle);
    if state.site.has_public_previews()
        && let Upstream::Public { origin: public, .. } =
            state.studio.preview_upstream(session.id()).await?
    {
        let host = public.split_once("://").map_or("", |(_, host)| host);
        handle = host.split('.').next().unwrap_or_default().to_owned();
        origin = public;
    }
    Ok(Json(Preview {
        url: format!("{origin}/"),
        handle,
        version_id: shown,
    }))
}
