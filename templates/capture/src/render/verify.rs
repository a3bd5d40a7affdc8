//! Looking at what was written: the container's own account, and frames decoded from it against fresh pictures.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::try_join_all;
use image::RgbaImage;
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::encoder::{ended, program};
use super::format::{Format, Quality};
use super::handover::Shape;
use super::look::Sample;
use crate::error::{Code, Failure, Result};
use crate::pixels;
use crate::process::command;

/// What an output must be.
#[derive(Debug, Clone)]
pub struct Expected {
    /// What it is written as.
    pub format: Format,
    /// Width of a frame.
    pub width: u32,
    /// Height of a frame.
    pub height: u32,
    /// Frames a second.
    pub fps: f64,
    /// How many frames.
    pub frames: u32,
    /// Whether it has alpha.
    pub transparent: bool,
}

impl Expected {
    /// What a frame of it is.
    pub fn shape(&self) -> Shape {
        Shape {
            width: self.width,
            height: self.height,
            transparent: self.transparent,
        }
    }
}

fn wrong(message: String) -> Failure {
    Failure::new(Code::VerifyFailed, message)
}

/// Holds the container's account of itself against what was asked for.
///
/// # Errors
/// `verify_failed` with the first difference.
pub async fn container(path: &Path, expected: &Expected) -> Result<()> {
    if expected.format == Format::Png {
        return archive(path, expected);
    }
    let mut probe = command(program("KODA_FFPROBE", "ffprobe"));
    probe
        .args([
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-count_packets",
            "-show_streams",
            "-show_format",
            "-of",
            "json",
        ])
        .arg(path);
    let output = ended(probe).await?;
    let account: Value = serde_json::from_slice(&output.stdout).map_err(|_| {
        wrong(format!(
            "ffprobe cannot read the output: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ))
    })?;
    let stream = &account["streams"][0];
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    let size = (stream["width"].as_u64(), stream["height"].as_u64());
    if size != (Some(expected.width.into()), Some(expected.height.into())) {
        return Err(wrong(format!(
            "the output is {size:?}, not {}×{}",
            expected.width, expected.height
        )));
    }
    let tags = stream["tags"].as_object();
    let alpha = tags
        .into_iter()
        .flatten()
        .any(|(name, value)| name.eq_ignore_ascii_case("alpha_mode") && value == "1");
    if expected.transparent && expected.format == Format::Webm && !alpha {
        return Err(wrong("the output does not tell of its alpha".to_owned()));
    }
    let frames = number(&stream["nb_read_packets"]);
    if frames != Some(f64::from(expected.frames)) {
        return Err(wrong(format!(
            "the output has {} frames, not {}",
            frames.unwrap_or(0.0),
            expected.frames
        )));
    }
    // GIF keeps delays in hundredths of a second, so only its duration is exact.
    let rate = stream["r_frame_rate"]
        .as_str()
        .and_then(fraction)
        .unwrap_or(0.0);
    if expected.format != Format::Gif && (rate - expected.fps).abs() > expected.fps * 0.002 {
        return Err(wrong(format!(
            "the output has {rate} frames a second, not {}",
            expected.fps
        )));
    }
    let seconds = f64::from(expected.frames) / expected.fps;
    // Sound is made in blocks, and may last a little longer.
    let duration = number(&stream["duration"])
        .or_else(|| number(&account["format"]["duration"]))
        .unwrap_or(0.0);
    // Two hundredths: what rounding to GIF's clock can add up to.
    let slack = 0.5 / expected.fps
        + if expected.format == Format::Gif {
            0.02
        } else {
            0.001
        };
    if (duration - seconds).abs() > slack {
        return Err(wrong(format!(
            "the output lasts {duration} s, not {seconds:.3} s"
        )));
    }
    Ok(())
}

fn fraction(text: &str) -> Option<f64> {
    let (above, below) = text.split_once('/')?;
    Some(above.parse::<f64>().ok()? / below.parse::<f64>().ok()?)
}

fn archive(path: &Path, expected: &Expected) -> Result<()> {
    let unreadable =
        |error: &dyn std::fmt::Display| wrong(format!("the output cannot be read: {error}"));
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let archive = zip::ZipArchive::new(file).map_err(|error| unreadable(&error))?;
    if archive.len() != expected.frames as usize {
        return Err(wrong(format!(
            "the output has {} frames, not {}",
            archive.len(),
            expected.frames
        )));
    }
    Ok(())
}

/// A film this short is decoded once for all frames that are wanted of it: there is a key frame at its beginning, and every one of
/// them would be reached from there. In seconds.
const AT_ONCE: f64 = 8.0;

/// Decodes frames of the output, counted from 0, in order.
///
/// # Errors
/// `verify_failed` where there is no such frame.
pub async fn frames(path: &Path, indices: &[u32], expected: &Expected) -> Result<Vec<RgbaImage>> {
    if expected.format == Format::Png {
        let pictures = indices.iter().map(|index| archived(path, *index, expected));
        return pictures.collect();
    }
    // Frames of a GIF build on each other and have uneven times, so they are counted.
    let short = f64::from(expected.frames) / expected.fps <= AT_ONCE;
    if short || expected.format == Format::Gif {
        return decoded(path, indices, None, expected).await;
    }
    let each = indices.iter().map(|index| async move {
        // Half a frame early, so that rounding cannot step over it.
        let seconds = (f64::from(*index) - 0.5).max(0.0) / expected.fps;
        decoded(path, &[*index], Some(seconds), expected).await
    });
    Ok(try_join_all(each).await?.into_iter().flatten().collect())
}

/// The frames of these numbers; or the one at a second of the film.
async fn decoded(
    path: &Path,
    indices: &[u32],
    at: Option<f64>,
    expected: &Expected,
) -> Result<Vec<RgbaImage>> {
    let mut decode = command(program("KODA_FFMPEG", "ffmpeg"));
    decode
        .args(["-hide_banner", "-loglevel", "error", "-nostdin"])
        .args(expected.format.decoder(expected.transparent));
    if let Some(seconds) = at {
        decode.args(["-ss", &format!("{seconds:.6}")]);
    }
    decode.arg("-i").arg(path).args(["-map", "0:v:0"]);
    if at.is_none() {
        let wanted: Vec<String> = indices.iter().map(|n| format!("eq(n\\,{n})")).collect();
        decode.args(["-vf", &format!("select={}", wanted.join("+"))]);
    }
    decode
        .args(["-vsync", "0", "-frames:v", &indices.len().to_string()])
        .args(["-f", "rawvideo", "-pix_fmt", "rgba", "pipe:1"]);
    let output = ended(decode).await?;
    let size = expected.width as usize * expected.height as usize * 4;
    let raw = output.stdout.chunks_exact(size).map(<[u8]>::to_vec);
    let pictures: Vec<RgbaImage> = raw
        .filter_map(|raw| RgbaImage::from_raw(expected.width, expected.height, raw))
        .collect();
    if output.status.success() && pictures.len() == indices.len() {
        return Ok(pictures);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(wrong(format!(
        "frames {indices:?} of the output cannot be decoded: {said}"
    )))
}

fn archived(path: &Path, index: u32, expected: &Expected) -> Result<RgbaImage> {
    let unreadable = |error: &dyn std::fmt::Display| {
        wrong(format!(
            "frame {index} of the output cannot be read: {error}"
        ))
    };
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| unreadable(&error))?;
    let mut entry = archive
        .by_name(&format!("frame_{index:05}.png"))
        .map_err(|error| unreadable(&error))?;
    let mut bytes = Vec::new();
    entry
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&error))?;
    let picture = pixels::decode(&bytes).map_err(|error| unreadable(&error))?;
    if picture.dimensions() == (expected.width, expected.height) {
        Ok(picture)
    } else {
        Err(wrong(format!(
            "frame {index} of the output is {:?}, not {}×{}",
            picture.dimensions(),
            expected.width,
            expected.height
        )))
    }
}

/// Which frames of an output to look at: both ends and three between.
pub fn samples(frames: u32) -> Vec<u32> {
    let last = frames.saturating_sub(1);
    let mut samples: Vec<u32> = [0, last / 4, last / 2, last - last / 4, last].to_vec();
    samples.dedup();
    samples
}

/// Decodes the frames that were looked at from the output, and holds them against what was seen.
///
/// # Errors
/// `verify_failed` with the first that does not look alike.
pub async fn like(
    path: &Path,
    samples: &Arc<[Sample]>,
    quality: Quality,
    expected: &Expected,
) -> Result<()> {
    let (psnr, ssim, tint) = expected.format.tolerance(quality);
    let indices: Vec<u32> = samples.iter().map(|sample| sample.index).collect();
    let decoded = frames(path, &indices, expected).await?;
    let compared = decoded.into_iter().enumerate().map(|(number, written)| {
        let samples = samples.clone();
        spawn_blocking(move || pixels::compare(&samples[number].picture, &written))
    });
    let compared = try_join_all(compared).await;
    let compared = compared.map_err(|error| wrong(error.to_string()))?;
    for (sample, alike) in samples.iter().zip(compared) {
        if (alike.psnr < psnr && alike.ssim < ssim) || alike.tint > tint {
            let message = format!(
                "frame {} of the output does not look like frame {} of the composition: {:.1} dB, similarity {:.3}, tint {:.1}",
                sample.index, sample.frame, alike.psnr, alike.ssim, alike.tint
            );
            return Err(wrong(message)
                .at(sample.frame)
                .hint("a frame must depend on its number alone: run the check, which finds frames that differ when shot twice"));
        }
    }
    Ok(())
}

/// An order in which no frame follows its neighbour, so that what a frame looks like cannot come from the one before.
pub fn shuffled(mut samples: Vec<u32>) -> Vec<u32> {
    let mut state = 0x9e37_79b9_u32 ^ samples.last().copied().unwrap_or(0);
    for end in (1..samples.len()).rev() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        samples.swap(end, state as usize % (end + 1));
    }
    samples
}
