//! `render`: a composition to a file.

mod crew;
mod encoder;
mod format;
mod handover;
mod look;
mod plan;
mod sound;
mod verify;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use futures_util::future::{join, join_all};
use image::RgbaImage;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

pub use format::{Format, Quality};
pub use plan::Request;

use crate::error::{Code, Failure, Result};
use crate::machine;
use crate::manifest::Manifest;
use crate::output::{Progress, Stage, line, round};
use crate::page::{Options, Sound};
use crate::pixels;
use crate::server::Server;
use crew::{Member, Missed, Way};
use encoder::Encoder;
use handover::Handover;
use look::Sample;
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
    /// Why it was not by pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'a str>,
    browsers: usize,
    sound: bool,
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
    let server = Server::of_its_own(&request.app).await?;
    let options = Options {
        base: server.base(),
        width: request.width,
        height: request.height,
        fps: manifest.fps,
        transparent: request.transparent,
        observe: false,
    };
    let pixels = u64::from(request.width) * u64::from(request.height);
    let more = machine::browsers(frames.len(), pixels, request.browsers) - 1;
    // The others come up while the first is looked at. Those that do not are done without.
    let others = join_all((0..more).map(|_| Member::new(manifest.engine, options.clone())));
    let first = async {
        let member = Member::new(manifest.engine, options.clone()).await?;
        let looked = look::at(&member, manifest.engine, &frames, &expected).await?;
        Ok::<_, Failure>((member, looked))
    };
    let (first, others) = join(first, others).await;
    let (first, looked) = first?;
    let mut members = vec![first];
    members.extend(others.into_iter().flatten());

    let filmed = film(
        &members,
        &frames,
        looked.obstacle,
        request.quality,
        &expected,
        &partial.path,
        &progress,
    );
    let Filmed {
        way,
        obstacle,
        track,
    } = filmed.await?;
    let browsers = members.len();
    let capture = match way {
        Way::Pixels => "pixels",
        Way::Pictures(_) => members[0].page().capture().name(),
    };
    drop(members);
    let sound = sound::put(&track, &server.base(), &partial.path, &expected).await?;
    verify::container(&partial.path, &expected).await?;
    progress.at(Stage::Verify, 0);
    verify::like(&partial.path, &looked.samples, request.quality, &expected).await?;

    let (bytes, sha256) = digest(&partial.path)?;
    if let Some(poster) = &request.poster {
        write_poster(poster, &looked.samples)?;
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
            capture,
            because: obstacle.as_deref(),
            browsers,
            sound,
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

/// A film without its sound.
struct Filmed {
    way: Way,
    /// What was in the way of pixels.
    obstacle: Option<String>,
    /// What can be heard at each frame.
    track: Vec<Vec<Sound>>,
}

/// Films as pixels where nothing is in the way, else by pictures.
async fn film(
    members: &[Member],
    frames: &[u32],
    mut obstacle: Option<String>,
    quality: Quality,
    expected: &Expected,
    out: &Path,
    progress: &Progress,
) -> Result<Filmed> {
    let take = async |way, handover| -> std::result::Result<Vec<Vec<Sound>>, Missed> {
        let mut encoder = encoder(handover, quality, expected, out)?;
        let shape = expected.shape();
        let filmed = crew::film(
            members,
            frames,
            way,
            handover,
            shape,
            &mut encoder,
            progress,
        );
        let track = filmed.await?;
        progress.at(Stage::Encode, expected.frames);
        encoder.finish().await?;
        Ok(track)
    };
    let pixels = expected.format.handover(expected.transparent);
    if let (Some(handover), None) = (pixels, &obstacle) {
        let way = Way::Pixels;
        match take(way, handover).await {
            Ok(track) => {
                return Ok(Filmed {
                    way,
                    obstacle,
                    track,
                });
            }
            Err(Missed::Failed(failure)) => return Err(failure),
            Err(Missed::Unfit(why)) => obstacle = Some(why),
        }
        for member in members {
            member.load().await?;
        }
    }
    let picture = expected.format.picture(quality, expected.transparent);
    let way = Way::Pictures(picture);
    match take(way, Handover::Picture(picture)).await {
        Ok(track) => Ok(Filmed {
            way,
            obstacle,
            track,
        }),
        Err(Missed::Failed(failure)) => Err(failure),
        Err(Missed::Unfit(why)) => Err(Failure::new(Code::FrameFailed, why)),
    }
}

fn encoder(
    handover: Handover,
    quality: Quality,
    expected: &Expected,
    out: &Path,
) -> Result<Encoder> {
    if expected.format == Format::Png {
        return Encoder::zip(out);
    }
    let job = format::Job {
        handover,
        fps: expected.fps,
        frames: expected.frames,
        width: expected.width,
        height: expected.height,
        transparent: expected.transparent,
        out,
    };
    let pixels = u64::from(expected.width) * u64::from(expected.height);
    Encoder::ffmpeg(&expected.format.encoder(quality, &job), pixels)
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
fn write_poster(path: &Path, samples: &[Sample]) -> Result<()> {
    let fill = |picture: &RgbaImage| pixels::facts(picture).luma_stddev;
    let pictures = || samples.iter().map(|sample| &sample.picture);
    let middle = pictures().nth(samples.len() / 2);
    let fullest = pictures().max_by(|a, b| fill(a).total_cmp(&fill(b)));
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
