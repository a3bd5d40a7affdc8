//! Immutable snapshots of a workspace.

use crate::{BlobId, Settings, TurnId, VersionId, WorkPath, format::Engine, timing::Playback};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A file's content in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileEntry {
    /// Its content.
    pub blob: BlobId,
    /// Bytes.
    pub size: u64,
}

/// Every file of a workspace that is not the template's: a manifest by content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = std::collections::HashMap<String, FileEntry>)]
pub struct Files(pub BTreeMap<WorkPath, FileEntry>);

impl Files {
    /// Names this exact set of files.
    #[must_use]
    pub fn digest(&self) -> BlobId {
        let lines: String = self
            .0
            .iter()
            .map(|(p, f)| format!("{p}\0{}\n", f.blob))
            .collect();
        BlobId::of(lines.as_bytes())
    }

    /// Paths that are new or changed since `before`, and paths that are gone.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> (Vec<WorkPath>, Vec<WorkPath>) {
        let changed = self
            .0
            .iter()
            .filter(|(p, f)| before.0.get(*p) != Some(f))
            .map(|(p, _)| p.clone());
        let gone = before
            .0
            .keys()
            .filter(|p| !self.0.contains_key(*p))
            .cloned();
        (changed.collect(), gone.collect())
    }
}

/// An immutable snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    /// Its name.
    pub id: VersionId,
    /// 1, 2, 3, … within the session.
    pub number: u32,
    /// One line on what changed.
    pub summary: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The turn that made it; none where a person restored or edited.
    pub turn_id: Option<TurnId>,
    /// The version that this one restores.
    pub restored_from: Option<VersionId>,
    /// Title of the animation.
    pub title: String,
    /// What draws it.
    pub engine: Engine,
    /// Settings at that time; the manifest is made from them.
    pub settings: Settings,
    /// The files.
    pub files: Files,
    /// Paths added or changed since the version before.
    pub changed: Vec<WorkPath>,
    /// Paths removed since the version before.
    pub removed: Vec<WorkPath>,
}

/// `koda.json`: what the runtime tells the page (see `templates/README.md`, section 1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Version of the contract; 1.
    pub contract: u32,
    /// What draws it.
    pub engine: Engine,
    /// Title of the animation.
    pub title: String,
    /// Layout pixels across.
    pub width: u32,
    /// Layout pixels down.
    pub height: u32,
    /// Frames per second.
    pub fps: u32,
    /// Length of the film, in frames.
    pub duration_in_frames: u32,
    /// How the composition is played, where that is not as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playback: Option<Playback>,
}

impl Manifest {
    /// The manifest of an animation with these settings.
    #[must_use]
    pub fn new(engine: Engine, title: &str, settings: &Settings) -> Self {
        let size = settings.aspect.layout();
        Self {
            contract: 1,
            engine,
            title: title.to_owned(),
            width: size.width,
            height: size.height,
            fps: settings.fps.get(),
            duration_in_frames: settings.duration_in_frames(),
            playback: settings
                .timing
                .playback(settings.duration_seconds, settings.fps.get()),
        }
    }

    /// The text of `koda.json`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}
