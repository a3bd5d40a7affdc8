//! Takes frames one after the other, and makes parts of them.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::task::JoinHandle;

use super::encoder::Encoder;
use super::format::{self, Format, LARGE, Quality};
use super::handover::Handover;
use super::parts::Parts;
use super::verify::Expected;
use crate::error::{Code, Failure, Result};
use crate::output::{Progress, Stage};
use crate::page::Sound;

/// The parts that are being written.
pub struct Reel<'a> {
    parts: &'a Parts,
    /// Those that no frame has come for.
    coming: VecDeque<usize>,
    handover: Handover,
    /// How frames come, for the account.
    capture: &'static str,
    quality: Quality,
    expected: &'a Expected,
    progress: &'a Progress,
    open: Option<Open>,
    closing: Option<Closing>,
    done: usize,
}

/// A part that is being encoded.
struct Open {
    part: usize,
    encoder: Encoder,
    sounds: Vec<Vec<Sound>>,
}

/// A part whose frames are all there, and whose encoder is finishing.
struct Closing {
    part: usize,
    finish: JoinHandle<Result<()>>,
    sounds: Vec<Vec<Sound>>,
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.finish.abort();
    }
}

impl<'a> Reel<'a> {
    /// For the frames of these parts, in their order; `done` frames of the film are there already.
    pub fn new(
        parts: &'a Parts,
        coming: &[usize],
        (handover, capture): (Handover, &'static str),
        quality: Quality,
        expected: &'a Expected,
        progress: &'a Progress,
    ) -> Self {
        Self {
            parts,
            coming: coming.iter().copied().collect(),
            handover,
            capture,
            quality,
            expected,
            progress,
            open: None,
            closing: None,
            done: 0,
        }
    }

    /// Starts the first encoder, which takes as long as drawing some frames, before there is one.
    ///
    /// # Errors
    /// `encoder_failed` or `out_of_space`.
    pub fn begin(&mut self) -> Result<()> {
        if self.coming.is_empty() {
            return Ok(());
        }
        self.open().map(drop)
    }

    fn open(&mut self) -> Result<&mut Open> {
        if self.open.is_none() {
            let part = self.coming.pop_front().ok_or_else(|| {
                Failure::new(Code::EncoderFailed, "more frames came than there are")
            })?;
            self.open = Some(Open {
                part,
                encoder: self.encoder(part)?,
                sounds: Vec::new(),
            });
        }
        let lost = || Failure::new(Code::EncoderFailed, "there is no encoder");
        self.open.as_mut().ok_or_else(lost)
    }

    /// The next frame, and what can be heard at it.
    ///
    /// # Errors
    /// `encoder_failed` or `out_of_space`, with what the encoder said.
    pub async fn frame(&mut self, bytes: Bytes, sounds: Vec<Sound>) -> Result<()> {
        let open = self.open()?;
        open.encoder.frame(bytes).await?;
        open.sounds.push(sounds);
        let (part, count) = (open.part, open.sounds.len());
        self.done += 1;
        self.progress.drawn(self.done);
        if count < self.parts.range(part).len() {
            return Ok(());
        }
        if let Some(Open {
            part,
            encoder,
            sounds,
        }) = self.open.take()
        {
            self.close().await?;
            self.closing = Some(Closing {
                part,
                finish: tokio::spawn(encoder.finish()),
                sounds,
            });
            // The next part's encoder beside this one would be too much for the memory of a small sandbox.
            if u64::from(self.expected.width) * u64::from(self.expected.height) > LARGE {
                self.close().await?;
            }
        }
        Ok(())
    }

    /// Waits until all parts are whole.
    ///
    /// # Errors
    /// As [`Self::frame`].
    pub async fn finish(&mut self) -> Result<()> {
        if self.open.is_some() || !self.coming.is_empty() {
            return Err(Failure::new(Code::FrameFailed, "frames are missing"));
        }
        self.progress.at(Stage::Encode, self.expected.frames);
        self.close().await
    }

    async fn close(&mut self) -> Result<()> {
        let Some(mut closing) = self.closing.take() else {
            return Ok(());
        };
        let finished = (&mut closing.finish).await.map_err(|error| {
            Failure::new(
                Code::EncoderFailed,
                format!("the encoder was lost: {error}"),
            )
        });
        finished??;
        self.parts.keep(
            closing.part,
            self.capture,
            std::mem::take(&mut closing.sounds),
        )?;
        self.progress.kept(self.parts.whole());
        Ok(())
    }

    fn encoder(&self, part: usize) -> Result<Encoder> {
        let expected = self.expected;
        let out = self.parts.draft(part);
        let range = self.parts.range(part);
        if expected.format == Format::Png {
            return Encoder::zip(&out, u32::try_from(range.start).unwrap_or(u32::MAX));
        }
        let job = format::Job {
            handover: self.handover,
            fps: expected.fps,
            frames: u32::try_from(range.len()).unwrap_or(u32::MAX),
            width: expected.width,
            height: expected.height,
            transparent: expected.transparent,
            out: &out,
        };
        let pixels = u64::from(expected.width) * u64::from(expected.height);
        Encoder::ffmpeg(&expected.format.encoder(self.quality, &job), pixels)
    }
}
