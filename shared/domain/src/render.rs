//! Renders: jobs that make a video, and what they made.

mod spec;

pub use spec::{Format, FrameRange, Quality, RenderSpec};

use crate::{RenderId, SandboxId, VersionId, format::Size};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::Display;
use utoipa::ToSchema;

/// A render job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Render {
    /// Its name.
    pub id: RenderId,
    /// What is rendered.
    pub version_id: VersionId,
    /// As asked.
    pub spec: RenderSpec,
    /// Of the output.
    pub size: Size,
    /// Of the output.
    pub fps: u32,
    /// Of the output.
    pub frames: u32,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Where it stands.
    pub status: RenderStatus,
    /// How often it was begun.
    pub attempts: u32,
    /// What is done so far.
    pub progress: Option<RenderProgress>,
    /// Sandboxes that draw a share of it, besides the session's own.
    #[serde(default)]
    pub helpers: Vec<SandboxId>,
    /// What came out.
    pub output: Option<RenderOutput>,
    /// Why it failed.
    pub failure: Option<RenderFailure>,
    /// Whether somebody asked to cancel.
    pub cancel_requested: bool,
}

/// Seconds of a part of a film: `koda-capture` encodes each by itself, so that it can be kept, or drawn elsewhere.
const PART_SECONDS: u32 = 8;

impl Render {
    /// How many parts `koda-capture` makes of it that are kept while it runs: those of ProRes and PNG are as large as the film,
    /// and a GIF has only one.
    #[must_use]
    pub fn parts(&self) -> u32 {
        match self.spec.format {
            Format::Mp4 | Format::Webm => self.frames.div_ceil((self.fps * PART_SECONDS).max(1)),
            Format::Gif | Format::Png | Format::Mov => 1,
        }
    }
}

/// Where a render stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RenderStatus {
    /// Waits for its turn.
    Queued,
    /// Works.
    Running,
    /// Has an output.
    Ready,
    /// Has a failure.
    Failed,
    /// Was cancelled.
    Cancelled,
}

impl RenderStatus {
    /// Whether nothing will change any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Ready | Self::Failed | Self::Cancelled)
    }
}

/// How far a render is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RenderProgress {
    /// `start`, `capture`, `encode`, `verify` or `upload`.
    pub stage: String,
    /// Frames done.
    pub frame: u32,
    /// Frames in all.
    pub total: u32,
    /// Frames a second, lately; 0 where no frames are drawn.
    #[serde(default)]
    pub fps: f64,
    /// Expected seconds to the end.
    pub seconds_left: Option<f64>,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RenderOutput {
    /// Key in the object store.
    pub object: String,
    /// Suggested name of the file.
    pub filename: String,
    /// Media type.
    pub media_type: String,
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// Measured in the file.
    pub size: Size,
    /// Measured in the file.
    pub fps: f64,
    /// Measured in the file.
    pub frames: u32,
    /// Measured in the file.
    pub duration_seconds: f64,
    /// How frames were taken: `pixels`, `begin-frame` or `screenshot` of the page, or `remotion` where Remotion's own renderer drew them.
    pub capture: String,
    /// Why it was not `pixels`, as a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// How many sandboxes drew it; 0 where nobody counted.
    #[serde(default)]
    pub sandboxes: u32,
    /// How long the render took.
    pub seconds: f64,
    /// Key of the poster picture in the object store.
    pub poster: Option<String>,
}

/// Why a render failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RenderFailure {
    /// A word of a closed list.
    ///
    /// As the renderer gives it:
    /// - `bad_argument`, `bad_manifest`: the workspace cannot be rendered as asked.
    /// - `browser_failed`: the browser did not start or died.
    /// - `page_failed`: the composition did not load.
    /// - `frame_failed`: one frame could not be drawn.
    /// - `encoder_failed`: FFmpeg refused its input or died.
    /// - `verify_failed`: the file is not what was asked for.
    ///
    /// Over a limit:
    /// - `out_of_space`: the sandbox's disk is full.
    /// - `out_of_memory`: the sandbox's memory does not suffice.
    /// - `out_of_processes`: the sandbox may have no more processes and threads.
    /// - `out_of_time`: it took longer than a render may.
    ///
    /// Otherwise:
    /// - `renderer_ended`: the renderer ended without saying why.
    /// - `renderer_failed`: it gave a reason that is not in this list.
    /// - `sandbox_refused`: no sandbox could be had; the message says what to do.
    /// - `sandbox_lost`: sandboxes were lost, each time that it was begun.
    /// - `store_unavailable`, `storage_unavailable`: what came of it could not be saved.
    pub code: String,
    /// What happened, as a sentence.
    pub message: String,
    /// The frame at which it happened.
    pub frame: Option<u32>,
}

impl RenderFailure {
    /// All codes.
    pub const CODES: [&str; 17] = [
        "bad_argument",
        "bad_manifest",
        "browser_failed",
        "page_failed",
        "frame_failed",
        "encoder_failed",
        "verify_failed",
        "out_of_space",
        "out_of_memory",
        "out_of_processes",
        "out_of_time",
        "renderer_ended",
        "renderer_failed",
        "sandbox_refused",
        "sandbox_lost",
        "store_unavailable",
        "storage_unavailable",
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_a_failure_is_documented_and_no_other() {
        let schema = <RenderFailure as utoipa::PartialSchema>::schema();
        let schema = serde_json::to_value(schema).unwrap();
        let told = schema["properties"]["code"]["description"]
            .as_str()
            .unwrap();
        let told: Vec<&str> = told.split('`').skip(1).step_by(2).collect();
        assert_eq!(told, RenderFailure::CODES);
    }

    #[test]
    fn every_line_of_progress_is_understood_with_and_without_a_rate() {
        for line in [
            r#"{"stage":"capture","frame":60,"total":120,"fps":9.5,"seconds_left":6.3}"#,
            r#"{"stage":"encode","frame":120,"total":120}"#,
            r#"{"type":"progress","stage":"verify","frame":2,"total":120}"#,
        ] {
            let progress: RenderProgress = serde_json::from_str(line).unwrap();
            assert_eq!(progress.total, 120, "{line}");
        }
    }
}
