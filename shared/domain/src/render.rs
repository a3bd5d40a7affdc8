//! Renders: jobs that make a video, and what they made.

use crate::{
    RenderId, SandboxId, VersionId,
    format::{Fps, Resolution, Size},
    settings::FieldError,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};
use utoipa::ToSchema;

/// What file comes out.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    Display,
    EnumString,
    Default,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Format {
    /// H.264.
    #[default]
    Mp4,
    /// VP9, with alpha where asked.
    Webm,
    /// Animated GIF.
    Gif,
    /// A zip of numbered PNG files.
    Png,
    /// ProRes 4444, with alpha where asked.
    Mov,
}

impl Format {
    /// Of the file that comes out, without the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Webm => "webm",
            Self::Gif => "gif",
            Self::Png => "zip",
            Self::Mov => "mov",
        }
    }

    /// Media type of the file that comes out.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Mp4 => "video/mp4",
            Self::Webm => "video/webm",
            Self::Gif => "image/gif",
            Self::Png => "application/zip",
            Self::Mov => "video/quicktime",
        }
    }

    /// Whether it can have a transparent background.
    #[must_use]
    pub const fn has_alpha(self) -> bool {
        matches!(self, Self::Webm | Self::Png | Self::Mov)
    }
}

/// Speed against fidelity.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    Display,
    EnumString,
    Default,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Quality {
    /// Soon.
    Draft,
    /// For most uses.
    #[default]
    Standard,
    /// For masters.
    High,
}

/// What to render. Everything left out comes from the version's settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RenderSpec {
    /// Which version; the newest if left out.
    pub version_id: Option<VersionId>,
    /// Pixels of the short side.
    pub resolution: Option<Resolution>,
    /// Frames per second of the output.
    pub fps: Option<Fps>,
    /// What file comes out.
    pub format: Format,
    /// Speed against fidelity.
    pub quality: Quality,
    /// Part of the animation.
    pub range: Option<FrameRange>,
    /// Leave the background out; only `webm`, `png` and `mov` can.
    pub transparent: bool,
}

/// Frames from `start` up to but not including `end`, counted in the composition's own rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameRange {
    /// First frame.
    pub start: u32,
    /// One past the last frame.
    pub end: u32,
}

impl RenderSpec {
    /// Every field that breaks a rule, for a version of this many frames.
    #[must_use]
    pub fn problems(&self, frames: u32) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.transparent && !self.format.has_alpha() {
            errors.push(FieldError {
                field: "transparent".into(),
                message: format!(
                    "{} has no transparency; choose webm, mov or png.",
                    self.format
                ),
            });
        }
        if self
            .range
            .is_some_and(|r| r.start >= r.end || r.end > frames)
        {
            errors.push(FieldError {
                field: "range".into(),
                message: format!("The range must lie within the {frames} frames and not be empty."),
            });
        }
        errors
    }
}

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
    /// A closed word, as `koda-capture` gives it, or `sandbox_lost`.
    pub code: String,
    /// What happened, as a sentence.
    pub message: String,
    /// The frame at which it happened.
    pub frame: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

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
