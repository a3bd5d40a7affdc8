//! `render`: a composition to a file.

mod encoder;
mod format;
mod plan;
mod verify;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use image::RgbaImage;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

pub use format::{Format, Quality};
pub use plan::Request;

use crate::browser::Browser;
use crate::error::{Code, Failure, Result};
use crate::manifest::Manifest;
use crate::output::{Progress, Stage, line, round};
use crate::page::{Options, Page, Picture};
use crate::pixels;
use crate::server::Server;
use encoder::Encoder;
use plan::{expect, plan};
use verify::Expected;

pub use encoder::program;

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
    let browser = Browser::for_engine(manifest.engine).await?;
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
