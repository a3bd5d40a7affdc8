//! Versions: list, look, compare, restore, take away.

use super::Items;
use crate::{
    AppState, Code,
    error::{ApiError, ApiResult, ErrorBody},
    extract::{Asked, At, OwnedSession},
};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use koda_agent::Studio;
use koda_domain::{
    Engine, TenantId, VersionId, WorkPath,
    state::VersionSummary,
    version::{Files, Manifest, Version},
};
use serde::{Deserialize, Serialize};
use std::io::Write;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of versions.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_versions))
        .routes(routes!(get_version))
        .routes(routes!(diff_versions))
        .routes(routes!(restore_version))
        .routes(routes!(zip_version))
}

/// Ids in the paths of versions.
#[derive(Debug, Deserialize)]
struct Ids {
    version: VersionId,
}

/// Versions, oldest first.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/versions", tag = "versions", params(("session" = String, Path)),
    responses((status = 200, body = Items<VersionSummary>), (status = "4XX", body = ErrorBody)))]
async fn list_versions(session: OwnedSession) -> Json<Items<VersionSummary>> {
    Json(Items {
        items: session.head.state.versions,
    })
}

/// A version with its files.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/versions/{version}", tag = "versions",
    params(("session" = String, Path), ("version" = String, Path)),
    responses((status = 200, body = Version), (status = "4XX", body = ErrorBody)))]
async fn get_version(
    State(state): State<AppState>,
    session: OwnedSession,
    At(ids): At<Ids>,
) -> ApiResult<Json<Version>> {
    Ok(Json(
        state
            .studio
            .version(&session.tenant, session.id(), ids.version)
            .await?,
    ))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Against {
    /// The version before where left out.
    #[param(value_type = Option<String>)]
    against: Option<VersionId>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Diff {
    files: Vec<FileDiff>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FileDiff {
    path: WorkPath,
    status: FileStatus,
    /// Unified; empty where a file is not text.
    diff: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FileStatus {
    Added,
    Changed,
    Removed,
}

/// What changed between two versions.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/versions/{version}/diff", tag = "versions",
    params(("session" = String, Path), ("version" = String, Path), Against),
    responses((status = 200, body = Diff), (status = "4XX", body = ErrorBody)))]
async fn diff_versions(
    State(state): State<AppState>,
    session: OwnedSession,
    At(ids): At<Ids>,
    Asked(query): Asked<Against>,
) -> ApiResult<Json<Diff>> {
    let (studio, tenant) = (&state.studio, &session.tenant);
    let new = studio.version(tenant, session.id(), ids.version).await?;
    let before = session
        .head
        .state
        .versions
        .iter()
        .rfind(|v| v.number < new.number)
        .map(|v| v.id);
    let old = match query.against.or(before) {
        Some(id) => studio.version(tenant, session.id(), id).await?.files,
        None => Files::default(),
    };
    let (changed, removed) = new.files.changes_since(&old);
    let mut files = Vec::new();
    for path in changed.into_iter().chain(removed) {
        let (was, is) = (
            text(studio, tenant, &old, &path).await?,
            text(studio, tenant, &new.files, &path).await?,
        );
        let status = match (old.0.contains_key(&path), new.files.0.contains_key(&path)) {
            (false, _) => FileStatus::Added,
            (true, true) => FileStatus::Changed,
            (true, false) => FileStatus::Removed,
        };
        let diff = similar::TextDiff::from_lines(&was, &is)
            .unified_diff()
            .context_radius(3)
            .to_string();
        files.push(FileDiff { path, status, diff });
    }
    Ok(Json(Diff { files }))
}

/// A file's text; empty where there is none.
async fn text(
    studio: &Studio,
    tenant: &TenantId,
    files: &Files,
    path: &WorkPath,
) -> ApiResult<String> {
    let Some(entry) = files.0.get(path).filter(|entry| entry.size <= 512 * 1024) else {
        return Ok(String::new());
    };
    let bytes = studio.read_blob(tenant, &entry.blob).await?;
    Ok(String::from_utf8(bytes.to_vec()).unwrap_or_default())
}

/// Make a new version with an older one's files and settings.
#[utoipa::path(post, path = "/api/v1/sessions/{session}/versions/{version}/restore", tag = "versions",
    params(("session" = String, Path), ("version" = String, Path)),
    responses((status = 201, body = Version), (status = "4XX", body = ErrorBody)))]
async fn restore_version(
    State(state): State<AppState>,
    session: OwnedSession,
    At(ids): At<Ids>,
) -> ApiResult<(StatusCode, Json<Version>)> {
    let version = state
        .studio
        .restore(&session.tenant, session.id(), ids.version)
        .await?;
    Ok((StatusCode::CREATED, Json(version)))
}

const REMOTION_NOTE: &str = "This project uses Remotion, which is free for individuals and small companies.\n\
    Larger companies need a licence: https://www.remotion.dev/license\n";

/// A version as a project of its own.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/versions/{version}/zip", tag = "versions",
    params(("session" = String, Path), ("version" = String, Path)),
    responses((status = 200, content_type = "application/zip", body = Vec<u8>), (status = "4XX", body = ErrorBody)))]
async fn zip_version(
    State(state): State<AppState>,
    session: OwnedSession,
    At(ids): At<Ids>,
) -> ApiResult<Response> {
    let version = state
        .studio
        .version(&session.tenant, session.id(), ids.version)
        .await?;
    let mut entries: Vec<(String, Vec<u8>)> = Studio::scaffold(version.engine)
        .into_iter()
        .map(|(path, bytes)| (path, bytes.into_owned()))
        .collect();
    // The animation's own files take the place of the template's.
    entries.retain(|(path, _)| {
        WorkPath::parse(path).map_or(true, |p| !version.files.0.contains_key(&p))
            && path != "koda.json"
    });
    let manifest = Manifest::new(version.engine, &version.title, &version.settings).to_json();
    entries.push(("koda.json".into(), manifest.into_bytes()));
    for (path, entry) in &version.files.0 {
        let bytes = state.studio.read_blob(&session.tenant, &entry.blob).await?;
        entries.push((path.to_string(), bytes.to_vec()));
    }
    entries.push(("README.md".into(), readme(&version).into_bytes()));
    let zipped = tokio::task::spawn_blocking(move || zip(&entries)).await;
    let bytes = zipped.ok().and_then(Result::ok);
    let bytes =
        bytes.ok_or_else(|| ApiError::new(Code::Internal, "The archive could not be made."))?;
    let name = format!("attachment; filename=\"animation-v{}.zip\"", version.number);
    Ok((
        [
            (header::CONTENT_TYPE, "application/zip".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ],
        bytes,
    )
        .into_response())
}

fn readme(version: &Version) -> String {
    let note = if version.engine == Engine::Remotion {
        REMOTION_NOTE
    } else {
        ""
    };
    format!(
        "# {}\n\nMade with Koda.\n\n```sh\nnpm install\nnpm run dev\n```\n\n{note}",
        version.title
    )
}

fn zip(entries: &[(String, Vec<u8>)]) -> zip::result::ZipResult<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, bytes) in entries {
        writer.start_file(path.as_str(), zip::write::SimpleFileOptions::default())?;
        writer.write_all(bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}
