//! Gate `frames`: every frame can be shown, shows something, moves, and is the same when it is shown again.

use std::time::{Duration, Instant};

use image::RgbaImage;
use serde_json::Value;

use super::diagnostic::{Diagnostic, FrameFacts, Gate};
use super::load::{complaints, thrown};
use super::locate::Locator;
use super::scene;
use crate::error::{Code, Result};
use crate::manifest::{Engine, Manifest};
use crate::page::{NotShown, Page, Picture};
use crate::pixels;

/// How long frames that are not shot may take together: exceptions at any frame are looked for as long as it is cheap. In 3D each
/// is drawn in full, without a graphics processor.
fn sweep_budget(engine: Engine) -> Duration {
    match engine {
        Engine::Remotion => Duration::from_secs(6),
        Engine::Theatre => Duration::from_secs(2),
    }
}
/// More blank samples than this share are an error; a fade at either end is not.
const BLANK_SHARE: f64 = 0.6;
/// Most pictures on the contact sheet.
const ON_SHEET: usize = 6;

/// Most pixels of a picture that may have no like in another of the same frame.
const STRANGERS: usize = 6;

/// How closely a film is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Frames to shoot.
    shots: u32,
    /// How long frames that are not shot may take together, at most.
    sweep: Duration,
    /// Whether some are shot a second time.
    twice: bool,
}

impl Effort {
    /// So many pictures, and every frame shown.
    pub fn full(shots: u32) -> Self {
        Self {
            shots,
            sweep: Duration::MAX,
            twice: true,
        }
    }

    /// A few pictures, and a few frames between them where they cost little.
    pub fn quick(engine: Engine) -> Self {
        let (shots, sweep) = match engine {
            Engine::Remotion => (5, Duration::from_millis(150)),
            Engine::Theatre => (3, Duration::ZERO),
        };
        Self {
            shots,
            sweep,
            twice: false,
        }
    }
}

struct Sample {
    frame: u32,
    picture: RgbaImage,
}

/// What was shot.
#[derive(Default)]
pub struct Shot {
    /// What is wrong.
    pub found: Vec<Diagnostic>,
    /// Numbers of each sample.
    pub facts: Vec<FrameFacts>,
    /// What layout looked like at each sample.
    pub measures: Vec<(u32, Value)>,
    /// Pictures for the contact sheet.
    pub sheet: Vec<RgbaImage>,
    /// Whether a frame went without an effect that the page cannot draw.
    pub simplified: bool,
}

/// Shows all frames, as far as time allows, and shoots some.
///
/// # Errors
/// `browser_failed` or `frame_failed` where the composition is not to blame.
pub async fn run(
    page: &mut Page,
    manifest: &Manifest,
    effort: Effort,
    base: &str,
    locator: &mut Locator<'_>,
) -> Result<Shot> {
    let samples = samples(manifest.duration_in_frames, effort.shots);
    let mut shot = Shot::default();
    let pictured = pictured(&samples);
    let mut next = 0;
    let mut left = sweep_budget(manifest.engine).min(effort.sweep);
    let twice = if effort.twice {
        twice(&samples)
    } else {
        Vec::new()
    };
    let mut kept = Vec::new();
    for (gaps, &frame) in (1..=samples.len()).rev().zip(&samples) {
        let began = Instant::now();
        let swept = if frame > next && !effort.sweep.is_zero() {
            let share = left / u32::try_from(gaps).unwrap_or(u32::MAX);
            page.sweep(next, frame, share).await
        } else {
            Ok(())
        };
        left = left.saturating_sub(began.elapsed());
        if let Some(diagnostic) = failed(swept, locator).await? {
            shot.found.push(diagnostic);
            return Ok(shot);
        }
        if let Some(diagnostic) = failed(page.show(frame).await.map(drop), locator).await? {
            shot.found.push(diagnostic);
            return Ok(shot);
        }
        next = frame + 1;
        let picture = shoot(page, frame).await?;
        shot.facts.push(FrameFacts {
            frame,
            facts: pixels::facts(&picture),
        });
        shot.measures.push((frame, page.measure().await?));
        if twice.contains(&frame) {
            kept.push(Sample {
                frame,
                picture: picture.clone(),
            });
        }
        if pictured.contains(&frame) {
            shot.sheet.push(picture);
        }
    }
    shot.simplified = page.simplified().await?;
    shot.found.extend(looks(&shot.facts, manifest));
    if shot.found.is_empty() {
        shot.found
            .extend(again(page, &twice, &kept, locator).await?);
    }
    let events = page.events();
    shot.found
        .extend(complaints(Gate::Frames, &events, base, locator).await);
    // Last, and only of a page that is well: what goes wrong here is no fault of the composition's.
    if effort.twice
        && shot.found.is_empty()
        && let Ok(Some(cost)) = page.cost().await
    {
        shot.found.extend(scene::heavy(&cost));
    }
    Ok(shot)
}

async fn shoot(page: &Page, frame: u32) -> Result<RgbaImage> {
    pixels::decode(
        &page
            .shoot(Picture::Png)
            .await
            .map_err(|failure| failure.at(frame))?,
    )
}

async fn failed(
    shown: Result<(), NotShown>,
    locator: &mut Locator<'_>,
) -> Result<Option<Diagnostic>> {
    match shown {
        Ok(()) => Ok(None),
        Err(NotShown::Composition(frame, error)) => Ok(Some(
            thrown(Gate::Frames, &error, locator).await.frame(frame),
        )),
        Err(NotShown::Other(failure)) if failure.code == Code::FrameFailed => {
            let hint = "a frame must come to an end: look for endless loops and for promises or handles that never settle";
            let diagnostic =
                Diagnostic::error(Gate::Frames, "frame_stuck", failure.message).hint(hint);
            Ok(Some(match failure.frame {
                Some(frame) => diagnostic.frame(frame),
                None => diagnostic,
            }))
        }
        Err(NotShown::Other(failure)) => Err(failure),
    }
}

/// Evenly spread frames, both ends among them.
fn samples(frames: u32, count: u32) -> Vec<u32> {
    let last = u64::from(frames.saturating_sub(1));
    let steps = u64::from(count.max(2) - 1);
    let mut samples: Vec<u32> = (0..=steps)
        .map(|step| u32::try_from(step * last / steps).unwrap_or(u32::MAX))
        .collect();
    samples.dedup();
    samples
}

fn pictured(samples: &[u32]) -> Vec<u32> {
    if samples.len() <= ON_SHEET {
        return samples.to_vec();
    }
    (0..ON_SHEET)
        .map(|index| samples[index * (samples.len() - 1) / (ON_SHEET - 1)])
        .collect()
}

/// Blank pictures, and a film in which nothing moves.
fn looks(facts: &[FrameFacts], manifest: &Manifest) -> Vec<Diagnostic> {
    let blank: Vec<u32> = facts
        .iter()
        .filter(|shot| shot.facts.blank)
        .map(|shot| shot.frame)
        .collect();
    let share = blank.len() as f64 / facts.len().max(1) as f64;
    if let Some(&first) = blank.first().filter(|_| share > BLANK_SHARE) {
        let list: Vec<String> = blank.iter().map(ToString::to_string).collect();
        let what = if blank.len() == facts.len() {
            "every frame that was shot is"
        } else {
            "most frames are"
        };
        let message = format!("{what} of a single colour: frames {}", list.join(", "));
        let hint = "something covers the picture, nothing is drawn, or it is drawn outside the frame or in the colour of its ground";
        return vec![
            Diagnostic::error(Gate::Frames, "blank_frames", message)
                .frame(first)
                .hint(hint),
        ];
    }
    let moves = facts
        .windows(2)
        .any(|pair| pair[0].facts.sha256 != pair[1].facts.sha256);
    // A single frame cannot move, and half a second may well hold still.
    let long = f64::from(manifest.duration_in_frames) > manifest.fps * 0.5;
    if facts.len() > 2 && long && !moves {
        let hint = "derive positions, sizes or colours from the current frame";
        return vec![
            Diagnostic::error(
                Gate::Frames,
                "frozen",
                "nothing moves: all frames that were shot are the same",
            )
            .hint(hint),
        ];
    }
    Vec::new()
}

/// Frames to shoot twice, in an order that is not theirs.
fn twice(samples: &[u32]) -> Vec<u32> {
    let last = samples.len().saturating_sub(1);
    let mut frames: Vec<u32> = [last / 2, last, last / 4]
        .iter()
        .filter_map(|&index| samples.get(index).copied())
        .collect();
    frames.dedup();
    frames
}

/// Shows some frames a second time, and then the first of them on a fresh page.
async fn again(
    page: &Page,
    order: &[u32],
    kept: &[Sample],
    locator: &mut Locator<'_>,
) -> Result<Vec<Diagnostic>> {
    let reloaded = order.first().map(|&frame| (frame, true));
    for (frame, reload) in order.iter().map(|&frame| (frame, false)).chain(reloaded) {
        let Some(before) = kept.iter().find(|sample| sample.frame == frame) else {
            continue;
        };
        if reload && let Some(diagnostic) = failed(page.load().await, locator).await? {
            return Ok(vec![diagnostic]);
        }
        if let Some(diagnostic) = failed(page.show(frame).await.map(drop), locator).await? {
            return Ok(vec![diagnostic]);
        }
        if differs(&shoot(page, frame).await?, before) {
            let message = format!("frame {frame} looks different when it is shown a second time");
            let hint = "a frame must depend on its number alone: no randomness without a fixed seed, no clock, no counter kept \
                        outside the component, no state that grows from frame to frame";
            return Ok(vec![
                Diagnostic::error(Gate::Frames, "nondeterministic_frame", message)
                    .frame(frame)
                    .hint(hint),
            ]);
        }
    }
    Ok(Vec::new())
}

/// True where a viewer could see a difference. Chromium now and then places an edge on another fraction of a pixel after one
/// frame than after another, for which no composition is to blame.
fn differs(picture: &RgbaImage, before: &Sample) -> bool {
    *picture != before.picture && pixels::strangers(picture, &before.picture) > STRANGERS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_spread_over_the_whole_film_and_never_repeat() {
        assert_eq!(samples(90, 9), [0, 11, 22, 33, 44, 55, 66, 77, 89]);
        assert_eq!(samples(3, 9), [0, 1, 2]);
        assert_eq!(samples(1, 9), [0]);
        assert_eq!(pictured(&samples(90, 9)), [0, 11, 33, 44, 66, 89]);
    }
}
