//! What is to be rendered, and which frame of the composition each frame of the output shows.

use std::path::PathBuf;

use super::format::{Format, Quality};
use super::parts::Share;
use super::verify::Expected;
use crate::error::{Code, Failure, Result};
use crate::manifest::Manifest;

/// What to render.
#[derive(Debug, Clone)]
pub struct Request {
    /// The workspace.
    pub app: PathBuf,
    /// The file to write.
    pub out: PathBuf,
    /// Width of a frame.
    pub width: u32,
    /// Height of a frame.
    pub height: u32,
    /// Frames a second, where other than the composition's.
    pub fps: Option<f64>,
    /// First frame of the composition.
    pub from: Option<u32>,
    /// The frame after the last.
    pub to: Option<u32>,
    /// What it is written as; by default what the file's name says.
    pub format: Option<Format>,
    /// How much care is taken.
    pub quality: Quality,
    /// Whether alpha is kept.
    pub transparent: bool,
    /// Where to write a picture of a frame that shows much.
    pub poster: Option<PathBuf>,
    /// How many browsers may draw at once.
    pub browsers: usize,
    /// Where parts are kept when they are whole, and found.
    pub parts: Option<PathBuf>,
    /// Draw only this share of the parts, and join nothing.
    pub share: Option<Share>,
}

/// What the output will be.
///
/// # Errors
/// `bad_argument` where it cannot be.
pub fn expect(request: &Request, manifest: &Manifest) -> Result<Expected> {
    let bad = |message: String| Failure::new(Code::BadArgument, message);
    let format = request
        .format
        .or_else(|| Format::of(&request.out))
        .ok_or_else(|| {
            bad("the output's name does not tell its format".to_owned())
                .hint("give --format mp4, webm, gif, png or mov")
        })?;
    let (width, height) = (request.width, request.height);
    if width % 2 != 0 || height % 2 != 0 {
        return Err(bad(format!("the size {width}×{height} is odd"))
            .hint("video is made of 2×2 pixel blocks: make both numbers even"));
    }
    if !(2..=8192).contains(&width) || !(2..=8192).contains(&height) {
        return Err(bad(format!(
            "the size {width}×{height} is not between 2 and 8192 pixels a side"
        )));
    }
    let skew = (f64::from(width) * f64::from(manifest.height) / f64::from(manifest.width)
        - f64::from(height))
    .abs();
    if skew > 2.0 {
        let message = format!(
            "{width}×{height} has another shape than the composition, {}×{}",
            manifest.width, manifest.height
        );
        return Err(bad(message).hint("render at a multiple of the composition's size"));
    }
    if request.transparent && !format.has_alpha() {
        return Err(bad("mp4 holds no transparency".to_owned())
            .hint("use webm, mov, gif or png for a transparent output"));
    }
    let fps = request.fps.unwrap_or(manifest.fps);
    if !(fps > 0.0 && fps <= format.most_fps()) {
        return Err(bad(format!(
            "{fps} frames a second is not possible here: at most {}",
            format.most_fps()
        )));
    }
    let (from, to) = range(request, manifest);
    if from >= to || to > manifest.duration_in_frames {
        return Err(bad(format!(
            "frames {from} to {to} are not within 0 to {}",
            manifest.duration_in_frames
        )));
    }
    let frames = plan(request, manifest, fps).len();
    Ok(Expected {
        format,
        width,
        height,
        fps,
        frames: u32::try_from(frames).unwrap_or(u32::MAX),
        transparent: request.transparent,
    })
}

fn range(request: &Request, manifest: &Manifest) -> (u32, u32) {
    (
        request.from.unwrap_or(0),
        request.to.unwrap_or(manifest.duration_in_frames),
    )
}

/// The composition's frame for every frame of the output: the one at the same time.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "both ends are clamped to the range before"
)]
pub fn plan(request: &Request, manifest: &Manifest, fps: f64) -> Vec<u32> {
    let (from, to) = range(request, manifest);
    let wanted = (f64::from(to.saturating_sub(from)) * fps / manifest.fps)
        .round()
        .max(1.0);
    (0..wanted as u32)
        .map(|index| {
            let at = f64::from(from) + (f64::from(index) * manifest.fps / fps).round();
            (at as u32).min(to.saturating_sub(1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Engine;

    fn manifest() -> Manifest {
        Manifest {
            contract: 1,
            engine: Engine::Remotion,
            title: String::new(),
            width: 1920,
            height: 1080,
            fps: 30.0,
            duration_in_frames: 90,
        }
    }

    fn request() -> Request {
        Request {
            app: PathBuf::new(),
            out: PathBuf::from("a.mp4"),
            width: 1280,
            height: 720,
            fps: None,
            from: None,
            to: None,
            format: None,
            quality: Quality::Standard,
            transparent: false,
            poster: None,
            browsers: 1,
            parts: None,
            share: None,
        }
    }

    #[test]
    fn every_frame_is_rendered_once_at_the_compositions_own_rate() {
        assert_eq!(
            plan(&request(), &manifest(), 30.0),
            (0..90).collect::<Vec<_>>()
        );
    }

    #[test]
    fn another_rate_shows_the_frame_of_the_same_time_and_lasts_as_long() {
        let doubled = plan(&request(), &manifest(), 60.0);
        assert_eq!(doubled.len(), 180);
        assert!(doubled.iter().all(|&frame| frame < 90));
        let film = plan(&request(), &manifest(), 24.0);
        assert_eq!(film.len(), 72);
        assert_eq!(&film[..5], &[0, 1, 3, 4, 5]);
    }

    #[test]
    fn impossible_requests_are_refused_with_a_reason() {
        let refused = |request: Request, sign: &str| {
            let failure = expect(&request, &manifest()).unwrap_err();
            assert_eq!(failure.code, Code::BadArgument);
            assert!(failure.message.contains(sign), "{}", failure.message);
        };
        refused(
            Request {
                width: 1279,
                ..request()
            },
            "odd",
        );
        refused(
            Request {
                width: 720,
                height: 1280,
                ..request()
            },
            "shape",
        );
        refused(
            Request {
                transparent: true,
                ..request()
            },
            "transparency",
        );
        refused(
            Request {
                from: Some(50),
                to: Some(50),
                ..request()
            },
            "within",
        );
        refused(
            Request {
                to: Some(91),
                ..request()
            },
            "within",
        );
        refused(
            Request {
                format: Some(Format::Gif),
                fps: Some(60.0),
                ..request()
            },
            "at most 50",
        );
        refused(
            Request {
                out: PathBuf::from("film"),
                ..request()
            },
            "format",
        );
    }
}
