//! A first look at the composition: pictures of a few frames, taken before anything is filmed and in no order. The film is held
//! against them in the end; and where frames can come as pixels, those of the same frames are held against them at once.

use std::collections::BTreeMap;

use image::RgbaImage;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use super::crew::{Member, Missed, sample};
use super::verify::{Expected, samples, shuffled};
use crate::error::{Code, Failure, Result};
use crate::page::Picture;
use crate::pixels;

/// How little the pixels of a frame may differ from its picture as a whole, in decibels: above what other rounding leaves.
const WHOLE: f64 = 36.0;
/// How much a block of 16×16 pixels may differ on average, of 255: edges may lie another fraction of a pixel off, but nothing may
/// be missing.
const BLOCK: f64 = 20.0;

/// A frame that was looked at.
pub struct Sample {
    /// Which frame of the output.
    pub index: u32,
    /// Which frame of the composition.
    pub frame: u32,
    /// What it looks like.
    pub picture: RgbaImage,
}

/// What was seen.
pub struct Looked {
    /// The frames, in order.
    pub samples: Vec<Sample>,
    /// Addresses of the videos that were in the page, and in which share of the samples.
    pub videos: BTreeMap<String, f64>,
    /// Why frames have to come as pictures, where they cannot come as pixels.
    pub obstacle: Option<String>,
}

/// Looks at a composition, and tells of the first video that it sees. Its page stands at any frame afterwards.
///
/// # Errors
/// Any that showing a frame has; `verify_failed` where all frames are of one colour.
pub async fn at(
    member: &Member,
    frames: &[u32],
    expected: &Expected,
    tell: oneshot::Sender<String>,
) -> Result<Looked> {
    let mut tell = Some(tell);
    let page = member.page();
    let mut seen = Vec::new();
    let mut videos = BTreeMap::<String, f64>::new();
    for index in shuffled(samples(expected.frames)) {
        let Some(&frame) = frames.get(index as usize) else {
            continue;
        };
        page.show(frame).await?;
        let shot = page.shoot(Picture::Png).await;
        let shot = shot.map_err(|failure| failure.at(frame))?;
        // Beside the next frame.
        let picture = spawn_blocking(move || pixels::decode(&shot));
        for video in page.videos().await? {
            if let Some(tell) = tell.take() {
                // Nobody may want to know.
                let _ = tell.send(video.clone());
            }
            *videos.entry(video).or_default() += 1.0;
        }
        seen.push((index, frame, picture));
    }
    let mut found = Vec::new();
    for (index, frame, picture) in seen {
        let decoded = picture
            .await
            .map_err(|error| Failure::new(Code::FrameFailed, error.to_string()).at(frame))?;
        found.push(Sample {
            index,
            frame,
            picture: decoded?,
        });
    }
    not_blank(&found)?;
    for share in videos.values_mut() {
        *share /= found.len() as f64;
    }
    let obstacle = if expected.format.handover(expected.transparent).is_some() {
        obstacle(member, &found, expected).await?
    } else {
        None
    };
    if obstacle.is_some() {
        member.load().await?;
    }
    found.sort_by_key(|sample| sample.index);
    Ok(Looked {
        samples: found,
        videos,
        obstacle,
    })
}

/// A film in which nothing is to be seen is no film.
///
/// # Errors
/// `verify_failed` where all frames are of one colour.
pub fn not_blank(samples: &[Sample]) -> Result<()> {
    let blank = |sample: &Sample| pixels::facts(&sample.picture).blank;
    if samples.iter().all(blank) {
        let message = "all sampled frames are of one colour";
        return Err(Failure::new(Code::VerifyFailed, message));
    }
    Ok(())
}

/// What keeps frames from coming as pixels.
async fn obstacle(member: &Member, seen: &[Sample], expected: &Expected) -> Result<Option<String>> {
    if let Some(why) = member.page().obstacle().await? {
        return Ok(Some(why));
    }
    let again: Vec<u32> = seen.iter().rev().map(|sample| sample.frame).collect();
    match sample(member, &again, expected.shape()).await {
        Ok(drawn) => {
            let pairs = seen.iter().rev().zip(&drawn);
            let mut found = pairs.filter_map(|(sample, drawn)| difference(sample, drawn));
            Ok(found.next())
        }
        Err(Missed::Unfit(why)) => Ok(Some(why)),
        Err(Missed::Failed(failure)) => Err(failure),
    }
}

/// What is different, if it is too much.
fn difference(sample: &Sample, drawn: &RgbaImage) -> Option<String> {
    let (whole, block) = pixels::distance(&sample.picture, drawn);
    (whole < WHOLE || block > BLOCK).then(|| {
        format!(
            "frame {} is drawn otherwise into a canvas ({whole:.1} dB, {block:.0} of 255 in a block)",
            sample.frame
        )
    })
}
