//! Films whose frames Remotion's own renderer draws. What is asked of it, and what becomes of its pictures, is as for all others.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::look::{Looked, Sample, not_blank};
use super::reel::Reel;
use super::verify::{Expected, samples};
use crate::error::{Code, Failure, Result};
use crate::picture::Picture;
use crate::pixels;
use crate::remotion::{Renderer, Shot};

/// Looks at a composition, as [`super::look::at`] does.
///
/// # Errors
/// Any that the renderer has; `verify_failed` where all frames are of one colour.
pub async fn look(
    renderers: &mut [Renderer],
    frames: &[u32],
    expected: &Expected,
    why: String,
) -> Result<Looked> {
    let indices = samples(expected.frames);
    let mut wanted: Vec<u32> = indices
        .iter()
        .filter_map(|index| frames.get(*index as usize).copied())
        .collect();
    wanted.dedup();
    let mut seen = BTreeMap::new();
    let mut shots = Shots::of(renderers, &wanted, Picture::Png).await?;
    while let Some(shot) = shots.next().await? {
        let picture = pixels::decode(&shot.picture).map_err(|failure| failure.at(shot.frame))?;
        if picture.dimensions() != (expected.width, expected.height) {
            let (width, height) = picture.dimensions();
            let message = format!(
                "Remotion's renderer draws {width}×{height} where {}×{} were asked for",
                expected.width, expected.height
            );
            return Err(Failure::new(Code::FrameFailed, message).at(shot.frame));
        }
        seen.insert(shot.frame, picture);
    }
    let of = |index: u32| {
        let frame = *frames.get(index as usize)?;
        let picture = seen.get(&frame)?.clone();
        Some(Sample {
            index,
            frame,
            picture,
        })
    };
    let samples: Vec<Sample> = indices.into_iter().filter_map(of).collect();
    not_blank(&samples)?;
    Ok(Looked {
        samples,
        videos: BTreeMap::new(),
        obstacle: Some(why),
    })
}

/// Has all frames drawn, each renderer every so-many-th of them, and hands them on in order.
///
/// # Errors
/// Any that a renderer or the encoder has.
pub async fn film(
    renderers: &mut [Renderer],
    frames: &[u32],
    picture: Picture,
    reel: &mut Reel<'_>,
) -> Result<()> {
    // A higher rate than the composition's shows frames more than once.
    let mut drawn = frames.to_vec();
    drawn.dedup();
    let mut rest = frames.iter().peekable();
    let mut shots = Shots::of(renderers, &drawn, picture).await?;
    while let Some(shot) = shots.next().await? {
        if rest.peek() != Some(&&shot.frame) {
            let message = "Remotion's renderer drew another frame than the next";
            return Err(Failure::new(Code::FrameFailed, message).at(shot.frame));
        }
        let bytes = Bytes::from(shot.picture);
        while rest.next_if_eq(&&shot.frame).is_some() {
            reel.frame(bytes.clone(), shot.sounds.clone()).await?;
        }
    }
    Ok(())
}

/// Pictures of several renderers, in the order of their frames.
struct Shots<'a> {
    renderers: &'a mut [Renderer],
    turn: usize,
}

impl<'a> Shots<'a> {
    async fn of(
        renderers: &'a mut [Renderer],
        frames: &[u32],
        picture: Picture,
    ) -> Result<Shots<'a>> {
        let many = renderers.len();
        for (first, renderer) in renderers.iter_mut().enumerate() {
            let share: Vec<u32> = frames.iter().skip(first).step_by(many).copied().collect();
            renderer.ask(&share, picture).await?;
        }
        Ok(Self { renderers, turn: 0 })
    }

    /// The next picture. Where one renderer has no more, all others had their last before it.
    async fn next(&mut self) -> Result<Option<Shot>> {
        let turn = self.turn % self.renderers.len();
        self.turn += 1;
        let Some(renderer) = self.renderers.get_mut(turn) else {
            return Ok(None);
        };
        let next = renderer.next().await?;
        if next.is_none() {
            // What the others say at their end is not of the next frames.
            for (index, renderer) in self.renderers.iter_mut().enumerate() {
                if index != turn {
                    while renderer.next().await?.is_some() {}
                }
            }
        }
        Ok(next)
    }
}
