//! Files of a workspace, as working files or as a version's.

use super::Items;
use crate::{
    AppState,
    error::{ApiError, ApiResult, ErrorBody},
    extract::{Asked, At, OwnedSession},
};
use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use koda_domain::{BlobId, VersionId, WorkPath};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A file, by the rest of the path.
pub(crate) const ANY_FILE: &str = "/api/v1/sessions/{session}/files/{*path}";

/// Routes of files.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_files))
        .routes(routes!(get_sheet))
        .route(ANY_FILE, get(read_file))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct VersionQuery {
    /// The working files where left out.
    #[param(value_type = Option<String>)]
    version: Option<VersionId>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FileInfo {
    path: WorkPath,
    size: u64,
    blob: BlobId,
}

/// Files of a workspace.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/files", tag = "files", params(("session" = String, Path), VersionQuery),
    responses((status = 200, body = Items<FileInfo>), (status = "4XX", body = ErrorBody)))]
async fn list_files(
    State(state): State<AppState>,
    session: OwnedSession,
    Asked(query): Asked<VersionQuery>,
) -> ApiResult<Json<Items<FileInfo>>> {
    let files = state
        .studio
        .files(&session.tenant, session.id(), query.version)
        .await?;
    let items = files.0.into_iter().map(|(path, entry)| FileInfo {
        path,
        size: entry.size,
        blob: entry.blob,
    });
    Ok(Json(Items {
        items: items.collect(),
    }))
}

/// A file's content.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/files/{path}", tag = "files",
    params(("session" = String, Path), ("path" = String, Path, description = "with its slashes"), VersionQuery),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn read_file(
    State(state): State<AppState>,
    session: OwnedSession,
    At(parts): At<HashMap<String, String>>,
    Asked(query): Asked<VersionQuery>,
) -> ApiResult<Response> {
    let path = WorkPath::parse(parts.get("path").map(String::as_str).unwrap_or_default())?;
    let files = state
        .studio
        .files(&session.tenant, session.id(), query.version)
        .await?;
    let entry = files.0.get(&path).ok_or_else(ApiError::not_found)?;
    let bytes = state.studio.read_blob(&session.tenant, &entry.blob).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::ETAG, format!("\"{}\"", entry.blob)),
        // Code and pictures of strangers are never shown as a page of ours.
        (header::CONTENT_DISPOSITION, "attachment".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

/// A check's contact sheet.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/sheets/{blob}", tag = "files",
    params(("session" = String, Path), ("blob" = String, Path)),
    responses((status = 200, content_type = "image/png", body = Vec<u8>), (status = "4XX", body = ErrorBody)))]
async fn get_sheet(
    State(state): State<AppState>,
    session: OwnedSession,
    At(parts): At<HashMap<String, String>>,
) -> ApiResult<Response> {
    let blob = parts
        .get("blob")
        .and_then(|b| b.parse::<BlobId>().ok())
        .ok_or_else(ApiError::not_found)?;
    let bytes = state.studio.read_blob(&session.tenant, &blob).await?;
    if infer::get(&bytes).is_none_or(|kind| kind.mime_type() != "image/png") {
        return Err(ApiError::not_found());
    }
    let headers = [
        (header::CONTENT_TYPE, "image/png"),
        (
            header::CACHE_CONTROL,
            "private, max-age=31536000, immutable",
        ),
    ];
    Ok((headers, bytes).into_response())
}
