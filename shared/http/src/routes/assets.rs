//! Assets: announced, uploaded by a signed URL, checked by their content.

use super::Items;
use crate::{
    AppState, Code,
    error::{ApiError, ApiResult, ErrorBody},
    extract::{At, Body, Tenant},
    media::{extension_of, sniff, unsupported},
};
use axum::{Json, extract::State, http::StatusCode, response::Redirect};
use koda_domain::{
    AssetId, BlobId, ProjectId,
    asset::{Asset, AssetRole, AssetStatus},
    limits::ASSET_BYTES,
    objects::{DownloadTerms, ObjectError, ObjectKey, UploadTerms, read_all},
    rate::Costly,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// How long an upload may take to begin.
const UPLOAD: Duration = Duration::from_secs(3600);

/// Routes of assets.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_assets, announce_asset))
        .routes(routes!(commit_asset))
        .routes(routes!(get_asset, update_asset, delete_asset))
        .routes(routes!(get_asset_content))
}

/// Assets of a project, oldest first.
#[utoipa::path(get, path = "/api/v1/projects/{project}/assets", tag = "assets", params(("project" = String, Path)),
    responses((status = 200, body = Items<Asset>), (status = "4XX", body = ErrorBody)))]
async fn list_assets(
    State(state): State<AppState>,
    Tenant(tenant): Tenant,
    At(project): At<ProjectId>,
) -> ApiResult<Json<Items<Asset>>> {
    Ok(Json(Items {
        items: state.studio.store().assets(&tenant, project).await?,
    }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAsset {
    /// Shown, never used as a path.
    filename: String,
    media_type: String,
    /// Bytes.
    size: u64,
    /// Of the content, hex, where it is known.
    sha256: Option<BlobId>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Announced {
    asset: Asset,
    upload: Upload,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Upload {
    method: &'static str,
    url: String,
    headers: BTreeMap<String, String>,
}

/// Announce an upload; the answer says where to put it.
#[utoipa::path(post, path = "/api/v1/projects/{project}/assets", tag = "assets", request_body = NewAsset,
    params(("project" = String, Path)), responses((status = 201, body = Announced), (status = "4XX", body = ErrorBody)))]
async fn announce_asset(
    State(state): State<AppState>,
    Tenant(tenant): Tenant,
    At(project): At<ProjectId>,
    Body(new): Body<NewAsset>,
) -> ApiResult<(StatusCode, Json<Announced>)> {
    let extension = extension_of(&new.media_type).ok_or_else(unsupported)?;
    if new.size == 0 || new.size > ASSET_BYTES {
        return Err(ApiError::field("size", "A file has 1 byte to 100 MB."));
    }
    if new.filename.is_empty() || new.filename.chars().count() > 255 {
        return Err(ApiError::field(
            "filename",
            "A file's name has 1 to 255 characters.",
        ));
    }
    let id = AssetId::new(state.studio.ids().ulid());
    let filename: String = new.filename.chars().filter(|c| !c.is_control()).collect();
    let asset = Asset {
        id,
        project_id: project,
        path: safe_path(&filename, id, extension),
        filename,
        media_type: new.media_type.clone(),
        kind: None,
        size: new.size,
        blob: None,
        width: None,
        height: None,
        seconds: None,
        role: None,
        status: AssetStatus::Pending,
        created_at: state.studio.clock().now(),
    };
    let studio = &state.studio;
    studio.store().project(&tenant, project).await?;
    studio.admit(&tenant, Costly::Upload).await?;
    studio.store().put_asset(&tenant, &asset).await?;
    let terms = UploadTerms {
        size: new.size,
        media_type: new.media_type,
        sha256: new.sha256,
        expires_in: UPLOAD,
    };
    let signed = state
        .studio
        .objects()
        .presign_put(&ObjectKey::upload(&tenant, id), &terms)
        .await?;
    let upload = Upload {
        method: "PUT",
        url: signed.url,
        headers: signed.headers.into_iter().collect(),
    };
    Ok((StatusCode::CREATED, Json(Announced { asset, upload })))
}

/// A name of ours that says what the file was called: letters, digits and hyphens.
fn safe_path(filename: &str, id: AssetId, extension: &str) -> String {
    let stem = filename.rsplit_once('.').map_or(filename, |(stem, _)| stem);
    let slug: String = stem
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let words: Vec<_> = slug.split('-').filter(|w| !w.is_empty()).collect();
    let slug: String = words.join("-").chars().take(40).collect();
    let tail = id.to_string();
    let tail = &tail[tail.len() - 6..];
    if slug.is_empty() {
        format!("public/assets/file-{tail}.{extension}")
    } else {
        format!("public/assets/{slug}-{tail}.{extension}")
    }
}

/// Check what was uploaded by its content, and make it usable.
#[utoipa::path(post, path = "/api/v1/assets/{asset}/commit", tag = "assets", params(("asset" = String, Path)),
    responses((status = 200, body = Asset), (status = "4XX", body = ErrorBody)))]
async fn commit_asset(
    State(state): State<AppState>,
    Tenant(tenant): Tenant,
    At(id): At<AssetId>,
) -> ApiResult<Json<Asset>> {
    let mut asset = state.studio.store().asset(&tenant, id).await?;
    if asset.status == AssetStatus::Ready {
        return Ok(Json(asset));
    }
    let (store, objects) = (state.studio.store(), state.studio.objects());
    let upload = ObjectKey::upload(&tenant, id);
    let bytes = match read_all(objects, &upload, ASSET_BYTES).await {
        Err(ObjectError::NotFound) => {
            return Err(ApiError::new(
                Code::Conflict,
                "Nothing was uploaded yet; put the file first.",
            ));
        }
        other => other?,
    };
    let extension = asset.path.rsplit('.').next().unwrap_or_default().to_owned();
    let sniffed = match sniff(bytes, &extension) {
        Ok(sniffed) => sniffed,
        Err(error) => {
            objects.delete(&upload).await?;
            store.delete_asset(&tenant, id).await?;
            return Err(error);
        }
    };
    let blob = BlobId::of(&sniffed.bytes);
    asset.size = sniffed.bytes.len() as u64;
    objects
        .put(
            &ObjectKey::blob(&tenant, &blob),
            sniffed.media_type,
            sniffed.bytes,
        )
        .await?;
    sniffed.media_type.clone_into(&mut asset.media_type);
    asset.kind = Some(sniffed.kind);
    asset.width = sniffed.size.map(|size| size.0);
    asset.height = sniffed.size.map(|size| size.1);
    asset.seconds = sniffed.seconds;
    asset.blob = Some(blob);
    asset.status = AssetStatus::Ready;
    store.put_asset(&tenant, &asset).await?;
    objects.delete(&upload).await?;
    Ok(Json(asset))
}

/// An asset.
#[utoipa::path(get, path = "/api/v1/assets/{asset}", tag = "assets", params(("asset" = String, Path)),
    responses((status = 200, body = Asset), (status = "4XX", body = ErrorBody)))]
async fn get_asset(
    State(state): State<AppState>,
    Tenant(tenant): Tenant,
    At(id): At<AssetId>,
) -> ApiResult<Json<Asset>> {
    Ok(Json(state.studio.store().asset(&tenant, id).await?))
}

fn unfinished() -> ApiError {
    ApiError::new(Code::Conflict, "The upload of this asset is not finished.")
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssetPatch {
    /// What it is for; `null` leaves that to the agent.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    role: Option<AssetRole>,
}

/// Say what an asset is for.
#[utoipa::path(patch, path = "/api/v1/assets/{asset}", tag = "assets", request_body = AssetPatch,
    params(("asset" = String, Path)), responses((status = 200, body = Asset), (status = "4XX", body = ErrorBody)))]
async fn update_asset(
    State(state): State<AppState>,
    Tenant(tenant): Tenant,
    At(id): At<AssetId>,
    Body(patch): Body<AssetPatch>,
) -> ApiResult<Json<Asset>> {
    let store = state.studio.store();
    let mut asset = store.asset(&tenant, id).await?;
    // One that is being committed is written by that.
    if asset.status != AssetStatus::Ready {
        return Err(unfinished());
    }
    asset.role = patch.role;
    store.put_asset(&tenant, &asset).await?;
    Ok(Json(asset))
}

/// An asset's content: a redirect.
#[utoipa::path(get, path = "/api/v1/assets/{asset}/content", tag = "assets", params(("asset" = String, Path)),
    responses((status = 307, description = "to the content"), (status = "4XX", body = ErrorBody)))]
async fn get_asset_content(
    State(state): State<AppState>,
    Tenant(tenant): Tenant,
    At(id): At<AssetId>,
) -> ApiResult<Redirect> {
    let asset = state.studio.store().asset(&tenant, id).await?;
    let blob = asset.blob.ok_or_else(unfinished)?;
    let terms = DownloadTerms {
        expires_in: UPLOAD,
        attachment: None,
    };
    let link = state
        .studio
        .objects()
        .presign_get(&ObjectKey::blob(&tenant, &blob), &terms)
        .await?;
    Ok(Redirect::temporary(&link.url))
}

/// Remove an asset. Versions that use it keep it.
#[utoipa::path(delete, path = "/api/v1/assets/{asset}", tag = "assets", params(("asset" = String, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)))]
async fn delete_asset(
    State(state): State<AppState>,
    Tenant(tenant): Tenant,
    At(id): At<AssetId>,
) -> ApiResult<StatusCode> {
    state.studio.store().asset(&tenant, id).await?;
    state
        .studio
        .objects()
        .delete(&ObjectKey::upload(&tenant, id))
        .await?;
    state.studio.store().delete_asset(&tenant, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
