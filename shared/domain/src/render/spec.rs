//! What can be asked of a render, and what comes of it.

use crate::{
    VersionId,
    format::{Fps, Resolution},
    settings::FieldError,
};
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
        // A pixel of a GIF is there or not: what fades in would be left out up to its middle and be opaque from there on.
        matches!(self, Self::Webm | Self::Png | Self::Mov)
    }

    /// Most frames a second that players show of it.
    #[must_use]
    pub const fn most_fps(self) -> u32 {
        match self {
            // Its delays are hundredths of a second, and players slow down what has one below two.
            Self::Gif => 50,
            // All rates that there are.
            Self::Mp4 | Self::Webm | Self::Png | Self::Mov => 60,
        }
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
    /// Frames per second of the output; at most 50 of a `gif`, which is what one of a faster version has by itself.
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
    /// Frames a second of what comes out of a composition with this rate.
    #[must_use]
    pub fn output_fps(&self, own: Fps) -> u32 {
        self.fps.unwrap_or(own).get().min(self.format.most_fps())
    }

    /// How many frames come out of a composition of so many at this rate: as `koda-capture` plans them, to the nearest, and at
    /// least one.
    #[must_use]
    pub fn output_frames(&self, total: u32, own: Fps) -> u32 {
        let span = self.range.map_or(total, |r| r.end.saturating_sub(r.start));
        let (fps, own) = (u64::from(self.output_fps(own)), u64::from(own.get()));
        let nearest = (2 * u64::from(span) * fps + own) / (2 * own);
        u32::try_from(nearest.max(1)).unwrap_or(u32::MAX)
    }

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
        let most = self.format.most_fps();
        if self.fps.is_some_and(|fps| fps.get() > most) {
            errors.push(FieldError {
                field: "fps".into(),
                message: format!(
                    "{} has at most {most} frames a second; ask for {most} or fewer, or leave fps out.",
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

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(fps: u32) -> Fps {
        Fps::try_from(fps).unwrap()
    }

    #[test]
    fn what_comes_out_has_the_frames_that_its_time_asks_for_to_the_nearest() {
        // The table of web/src/nodes/animation/studio/export-spec.test.ts.
        for (format, own, asked, span, fps, frames) in [
            (Format::Mp4, 30, None, 90, 30, 90),
            (Format::Mp4, 30, Some(60), 90, 60, 180),
            (Format::Mp4, 30, Some(24), 30, 24, 24),
            (Format::Webm, 60, Some(25), 5, 25, 2),
            (Format::Webm, 60, Some(25), 7, 25, 3),
            (Format::Mov, 24, Some(25), 59, 25, 61),
            (Format::Mov, 24, Some(60), 1, 60, 3),
            (Format::Png, 60, Some(30), 5, 30, 3),
            (Format::Png, 60, Some(24), 1, 24, 1),
            (Format::Gif, 60, None, 120, 50, 100),
            (Format::Gif, 60, Some(50), 7, 50, 6),
            (Format::Gif, 25, None, 50, 25, 50),
        ] {
            let whole = RenderSpec {
                format,
                fps: asked.map(rate),
                ..RenderSpec::default()
            };
            let part = RenderSpec {
                range: Some(FrameRange {
                    start: 10,
                    end: 10 + span,
                }),
                ..whole.clone()
            };
            for (spec, total) in [(whole, span), (part, 7200)] {
                let out = (
                    spec.output_fps(rate(own)),
                    spec.output_frames(total, rate(own)),
                );
                assert_eq!(out, (fps, frames), "{span} frames of {own} as {spec:?}");
                assert_eq!(spec.problems(total), []);
            }
        }
    }

    #[test]
    fn what_a_format_cannot_do_is_a_problem_of_its_field_that_says_what_to_do() {
        let problems = |format, fps, transparent| {
            let spec = RenderSpec {
                format,
                fps: Some(rate(fps)),
                transparent,
                ..RenderSpec::default()
            };
            let told = spec.problems(90).into_iter().map(|e| (e.field, e.message));
            told.collect::<Vec<_>>()
        };
        let [(one, told), (other, advice)] = &problems(Format::Gif, 60, true)[..] else {
            panic!("a transparent GIF of 60 frames a second has two problems");
        };
        assert_eq!([one, other], ["transparent", "fps"]);
        assert!(told.contains("choose webm, mov or png"), "{told}");
        assert!(advice.contains("ask for 50 or fewer"), "{advice}");
        assert_eq!(problems(Format::Gif, 50, false), []);
        assert_eq!(problems(Format::Mov, 60, true), []);
    }
}
