//! Uploaded files.

use crate::{AssetId, BlobId, ProjectId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an asset is, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AssetKind {
    /// PNG, JPEG, WebP, GIF, SVG.
    Image,
    /// MP4, WebM, MOV.
    Video,
    /// MP3, WAV, OGG, M4A.
    Audio,
    /// TTF, OTF, WOFF, WOFF2.
    Font,
}

/// What a person means an asset to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssetRole {
    /// The mark of a brand: shown whole, in its own colours.
    Logo,
    /// What the animation is about.
    Product,
    /// Behind everything.
    Background,
    /// Like this: its look is taken up, and it is never shown itself. A workspace does not have it.
    Reference,
}

/// Whether an asset can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssetStatus {
    /// Its bytes have not come, or were not committed.
    Pending,
    /// Its bytes were checked.
    Ready,
}

/// An uploaded file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Asset {
    /// Its name.
    pub id: AssetId,
    /// Where it belongs.
    pub project_id: ProjectId,
    /// The name that the person's file had; shown, never used as a path.
    pub filename: String,
    /// Declared, then sniffed from the content when it was committed.
    pub media_type: String,
    /// Sniffed; none while pending.
    pub kind: Option<AssetKind>,
    /// Bytes.
    pub size: u64,
    /// Content, once committed.
    pub blob: Option<BlobId>,
    /// Pixels across, for pictures and videos.
    pub width: Option<u32>,
    /// Pixels down, for pictures and videos.
    pub height: Option<u32>,
    /// How long it takes, for videos.
    #[serde(default)]
    pub seconds: Option<f64>,
    /// What it is for, where a person said so.
    #[serde(default)]
    pub role: Option<AssetRole>,
    /// Where a workspace has it: `public/assets/<name>`.
    pub path: String,
    /// Whether it can be used.
    pub status: AssetStatus,
    /// When it was announced.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}
