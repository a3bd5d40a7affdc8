//! `render`: a composition to a file.

mod encoder;
mod format;
mod verify;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use image::RgbaImage;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

pub use format::{Format, Quality};

use crate::browser::Browser;
use crate::error::{Code, Failure, Result};
use crate::manifest::Manifest;
use crate::output::{Progress, Stage, line, round};
use crate::page::{Options, Page, Picture};
use crate::pixels;
use crate::server::Server;
use encoder::Encoder;
use verify::Expected;

pub use encoder::program;

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
}

#[derive(Serialize)]
struct Rendered<'a> {
    path: &'a Path,
    bytes: u64,
    sha256: String,
    width: u32,
    height: u32,
    fps: f64,
    frames: u32,
    duration_seconds: f64,
    capture: &'static str,
    verified: bool,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    poster: Option<&'a Path>,
}

/// A file that is removed unless it is kept.
struct Partial {
    path: PathBuf,
    kept: bool,
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.kept {
            // It may not have been created yet.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Renders, verifies, and says so on stdout.
///
/// # Errors
/// Any code of the list; nothing is left behind then.
pub async fn run(request: &Request) -> Result<()> {
    let began = Instant::now();
    let manifest = Manifest::read(&request.app)?;
    let expected = expect(request, &manifest)?;
    let frames = plan(request, &manifest, expected.fps);
    let progress = Progress::new(expected.frames);
    progress.at(Stage::Start, 0);

    let mut partial = Partial {
        path: partial_path(&request.out)?,
        kept: false,
    };
    let server = Server::find_or_start(&request.app).await?;
    let mut browser = Browser::for_engine(manifest.engine).await?;
    let options = Options {
        base: server.base(),
        width: request.width,
        height: request.height,
        fps: manifest.fps,
        transparent: request.transparent,
        observe: false,
    };
    let work = async {
        let page = Page::open(&browser, options).await?;
        page.load().await.map_err(|error| Failure {
            code: Code::PageFailed,
            ..Failure::from(error)
        })?;
        capture(
            &page,
            &frames,
            request.quality,
            &expected,
            &partial.path,
            &progress,
        )
        .await?;
        verify::container(&partial.path, &expected).await?;
        let fresh = compare(
            &page,
            &frames,
            request.quality,
            &expected,
            &partial.path,
            &progress,
        )
        .await?;
        Ok((page.capture(), fresh))
    };
    let (capture, fresh) = match work.await {
        Ok(done) => done,
        Err(failure) => return Err(browser.explain(failure)),
    };
    drop(browser);

    let (bytes, sha256) = digest(&partial.path)?;
    if let Some(poster) = &request.poster {
        write_poster(poster, &fresh)?;
    }
    std::fs::rename(&partial.path, &request.out).map_err(|error| {
        Failure::io(
            Code::EncoderFailed,
            "the output cannot be put in its place",
            &error,
        )
    })?;
    partial.kept = true;
    line(
        "rendered",
        &Rendered {
            path: &request.out,
            bytes,
            sha256,
            width: expected.width,
            height: expected.height,
            fps: expected.fps,
            frames: expected.frames,
            duration_seconds: round(f64::from(expected.frames) / expected.fps, 6),
            capture: capture.name(),
            verified: true,
            seconds: round(began.elapsed().as_secs_f64(), 2),
            poster: request.poster.as_deref(),
        },
    );
    Ok(())
}

fn expect(request: &Request, manifest: &Manifest) -> Result<Expected> {
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
fn plan(request: &Request, manifest: &Manifest, fps: f64) -> Vec<u32> {
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

fn partial_path(out: &Path) -> Result<PathBuf> {
    let bad = |message: String| Failure::new(Code::BadArgument, message);
    let name = out
        .file_name()
        .ok_or_else(|| bad(format!("{} is no file name", out.display())))?;
    let folder = out
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::io(Code::BadArgument, folder.display(), &error))?;
    let mut hidden = std::ffi::OsString::from(format!(".{}-", std::process::id()));
    hidden.push(name);
    hidden.push(".part");
    Ok(folder.join(hidden))
}

async fn capture(
    page: &Page,
    frames: &[u32],
    quality: Quality,
    expected: &Expected,
    out: &Path,
    progress: &Progress,
) -> Result<()> {
    let picture = expected.format.picture(quality, expected.transparent);
    let mut encoder = if expected.format == Format::Png {
        Encoder::zip(out)?
    } else {
        let Expected {
            width,
            height,
            fps,
            frames,
            transparent,
            ..
        } = *expected;
        let job = format::Job {
            picture,
            fps,
            frames,
            width,
            height,
            transparent,
            out,
        };
        Encoder::ffmpeg(&expected.format.encoder(quality, &job))?
    };
    let mut last: Option<(u32, Vec<u8>)> = None;
    for (count, &frame) in (1_u32..).zip(frames) {
        let bytes = match last.take() {
            // A higher rate than the composition's shows frames more than once.
            Some((shown, bytes)) if shown == frame => bytes,
            _ => {
                page.show(frame).await?;
                page.shoot(picture)
                    .await
                    .map_err(|failure| failure.at(frame))?
            }
        };
        encoder.frame(bytes.clone()).await?;
        last = Some((frame, bytes));
        progress.at(Stage::Capture, count);
    }
    progress.at(Stage::Encode, expected.frames);
    encoder.finish().await
}

/// Decodes a few frames of the output and holds them against fresh pictures, taken in another order. Returns the pictures.
async fn compare(
    page: &Page,
    frames: &[u32],
    quality: Quality,
    expected: &Expected,
    path: &Path,
    progress: &Progress,
) -> Result<Vec<RgbaImage>> {
    let (psnr, ssim, tint) = expected.format.tolerance(quality);
    let samples = verify::samples(expected.frames);
    let mut fresh = Vec::new();
    for (count, index) in (0_u32..).zip(verify::shuffled(samples)) {
        progress.at(Stage::Verify, count);
        let Some(&frame) = frames.get(index as usize) else {
            continue;
        };
        page.show(frame).await?;
        let shot = pixels::decode(
            &page
                .shoot(Picture::Png)
                .await
                .map_err(|failure| failure.at(frame))?,
        )?;
        let written = verify::frame(path, index, expected).await?;
        let alike = pixels::compare(&shot, &written);
        if (alike.psnr < psnr && alike.ssim < ssim) || alike.tint > tint {
            let message = format!(
                "frame {index} of the output does not look like frame {frame} of the composition: {:.1} dB, similarity {:.3}, tint {:.1}",
                alike.psnr, alike.ssim, alike.tint
            );
            return Err(Failure::new(Code::VerifyFailed, message)
                .at(frame)
                .hint("a frame must depend on its number alone: run the check, which finds frames that differ when shot twice"));
        }
        fresh.push((index, shot));
    }
    if fresh.iter().all(|(_, shot)| pixels::facts(shot).blank) {
        return Err(Failure::new(
            Code::VerifyFailed,
            "all sampled frames of the output are of one colour",
        ));
    }
    fresh.sort_by_key(|(index, _)| *index);
    Ok(fresh.into_iter().map(|(_, shot)| shot).collect())
}

fn digest(path: &Path) -> Result<(u64, String)> {
    let failed = |error: std::io::Error| {
        Failure::io(Code::VerifyFailed, "the output cannot be read", &error)
    };
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut chunk).map_err(failed)?;
        if count == 0 {
            return Ok((bytes, pixels::hex(&hash.finalize())));
        }
        bytes += count as u64;
        hash.update(&chunk[..count]);
    }
}

/// The middle picture, unless another shows much more.
fn write_poster(path: &Path, pictures: &[RgbaImage]) -> Result<()> {
    let fill = |picture: &RgbaImage| pixels::facts(picture).luma_stddev;
    let middle = pictures.get(pictures.len() / 2);
    let fullest = pictures.iter().max_by(|a, b| fill(a).total_cmp(&fill(b)));
    let chosen = match (middle, fullest) {
        (Some(middle), Some(fullest)) if fill(middle) * 2.0 < fill(fullest) => fullest,
        (Some(middle), _) => middle,
        _ => {
            return Err(Failure::new(
                Code::VerifyFailed,
                "there is no picture for a poster",
            ));
        }
    };
    let jpeg = path
        .extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| matches!(ending, "jpg" | "jpeg"));
    let written = if jpeg {
        image::DynamicImage::from(chosen.clone())
            .into_rgb8()
            .save_with_format(path, image::ImageFormat::Jpeg)
    } else {
        chosen.save_with_format(path, image::ImageFormat::Png)
    };
    written.map_err(|error| {
        Failure::new(
            Code::EncoderFailed,
            format!("the poster cannot be written: {error}"),
        )
    })
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
