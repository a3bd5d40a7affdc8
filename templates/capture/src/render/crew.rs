//! Those who draw the frames: one browser or several, each with a page, and each with its share of the frames.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::{try_join, try_join_all};
use image::RgbaImage;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::handover::{Handover, Shape, opaque};
use super::reel::Reel;
use crate::browser::Browser;
use crate::buffers::{Buffer, Buffers};
use crate::error::{Code, Failure, Result};
use crate::manifest::Engine;
use crate::page::{
    Ended, Holds, NotShown, Options, Page, Picture, Pixels, Sound, Streamed, loads_anew,
};

/// How many frames of a member may wait for their turn.
const AHEAD: usize = 2;
/// How often a member's page may have to be loaded anew.
const RELOADS: usize = 5;

/// How frames are brought from the page to the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As pixels that the page reads from a canvas.
    Pixels,
    /// As pictures that the browser takes of the page.
    Pictures(Picture),
}

/// A browser with the composition's page.
pub struct Member {
    browser: Browser,
    page: Page,
    buffers: Buffers,
}

/// Why the frames are not there.
pub enum Missed {
    /// They cannot come as pixels, and why. They can come as pictures.
    Unfit(String),
    /// They cannot come at all.
    Failed(Failure),
}

impl From<Failure> for Missed {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// A frame, and what can be heard at it.
struct Frame {
    drawn: Drawn,
    sounds: Vec<Sound>,
}

/// A frame as the encoder takes it, or on its way to that.
enum Drawn {
    Ready(Vec<u8>),
    Coming(JoinHandle<std::result::Result<Bytes, Missed>>),
    /// As the one that came before from the same member.
    Same,
}

impl Member {
    /// Starts one of so many browsers, or takes over the one on standby, and brings up the composition in it.
    ///
    /// # Errors
    /// `browser_failed`, or `page_failed` with what went wrong.
    pub async fn new(many: usize, engine: Engine, options: Options) -> Result<Self> {
        let browser = Browser::one_of(many, engine).await?;
        let page = Page::open(&browser, options).await;
        let page = page.map_err(|failure| browser.explain(failure))?;
        let member = Self {
            browser,
            page,
            buffers: Buffers::default(),
        };
        member.load().await?;
        Ok(member)
    }

    fn unfit(&self, failure: Failure) -> Missed {
        if self.browser.cdp.is_gone() || self.page.is_lost() {
            return self.browser.explain(failure).into();
        }
        Missed::Unfit(failure.message)
    }

    /// Its page.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// Loads its page anew.
    ///
    /// # Errors
    /// `page_failed` with what went wrong.
    pub async fn load(&self) -> Result<()> {
        let loaded = self.page.load().await;
        loaded.map_err(|error| self.not_loaded(error))
    }

    fn not_loaded(&self, error: NotShown) -> Failure {
        let mut failure = Failure::from(error);
        if failure.code == Code::FrameFailed {
            failure.code = Code::PageFailed;
        }
        self.browser.explain(failure)
    }

    /// Opens another page in the place of its own: what that plays from one of these addresses comes from another.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub async fn substitute(&mut self, instead: &BTreeMap<String, String>) -> Result<()> {
        let page = Page::open(&self.browser, self.page.options().clone()).await;
        let page = page.map_err(|failure| self.browser.explain(failure))?;
        std::mem::replace(&mut self.page, page).close().await;
        let loaded = self.page.load_with(instead).await;
        loaded.map_err(|error| self.not_loaded(error))
    }

    /// Shows these frames and sends their pictures.
    async fn shoot(
        &self,
        frames: &[u32],
        picture: Picture,
        sink: mpsc::Sender<Frame>,
    ) -> std::result::Result<(), Missed> {
        let mut holds = Holds::default();
        for &frame in frames {
            let shown = self.page.show(frame).await;
            let sounds = shown.map_err(|error| self.browser.explain(error.into()))?;
            let shot = self.page.shoot_if_changed(picture, &mut holds).await;
            let shot = shot.map_err(|failure| self.browser.explain(failure.at(frame)))?;
            let drawn = shot.map_or(Drawn::Same, Drawn::Ready);
            if sink.send(Frame { drawn, sounds }).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Shows these frames and sends their pixels as the encoder takes them.
    async fn stream(
        &self,
        frames: &[u32],
        handover: Handover,
        shape: Shape,
        sink: mpsc::Sender<Frame>,
    ) -> std::result::Result<(), Missed> {
        let (sender, mut pixels) = mpsc::channel::<Streamed>(1);
        let convert = async move {
            while let Some(Streamed { pixels, sounds }) = pixels.recv().await {
                let drawn = pixels.map_or(Drawn::Same, |pixels| {
                    let buffers = self.buffers.clone();
                    let convert = move || converted(pixels, handover, shape, &buffers);
                    Drawn::Coming(spawn_blocking(move || convert().map(Bytes::from_owner)))
                });
                if sink.send(Frame { drawn, sounds }).await.is_err() {
                    break;
                }
            }
            Ok(())
        };
        try_join(self.pixels(frames, sender), convert)
            .await
            .map(drop)
    }

    /// Shows these frames and sends their pixels.
    pub async fn pixels(
        &self,
        frames: &[u32],
        sink: mpsc::Sender<Streamed>,
    ) -> std::result::Result<(), Missed> {
        let mut rest = frames;
        for _ in 0..RELOADS {
            let mut stream = self
                .page
                .stream(&self.browser.profile, self.buffers.clone())
                .await
                .map_err(|failure| self.unfit(failure))?;
            let ended = stream.run(rest, &sink).await;
            let ended = ended.map_err(|error| self.browser.explain(error.into()))?;
            match ended {
                Ended::Done => {
                    stream.close().await?;
                    return Ok(());
                }
                Ended::Unfit(why) => return Err(Missed::Unfit(why)),
                Ended::Reload(done) => {
                    rest = rest.get(done..).unwrap_or_default();
                    drop(stream);
                    self.load().await?;
                }
            }
        }
        let failure = loads_anew(Code::FrameFailed);
        Err(match rest.first() {
            Some(&frame) => failure.at(frame),
            None => failure,
        }
        .into())
    }
}

fn converted(
    pixels: Pixels,
    handover: Handover,
    shape: Shape,
    buffers: &Buffers,
) -> std::result::Result<Buffer, Missed> {
    if pixels.bottom_up && !shape.transparent && !opaque(&pixels.bytes) {
        return Err(Missed::Unfit(
            "the canvas lets through what lies behind".to_owned(),
        ));
    }
    Ok(handover.of(pixels, shape, buffers)?)
}

/// Pixels of a few frames, for comparing them with pictures.
///
/// # Errors
/// As [`film`].
pub async fn sample(
    member: &Member,
    frames: &[u32],
    shape: Shape,
) -> std::result::Result<Vec<RgbaImage>, Missed> {
    let (sender, mut pixels) = mpsc::channel(1);
    let collect = async move {
        let mut pictures = Vec::<RgbaImage>::new();
        while let Some(Streamed { pixels, .. }) = pixels.recv().await {
            let Some(pixels) = pixels else {
                pictures.extend(pictures.last().cloned());
                continue;
            };
            let rgba = converted(pixels, Handover::Rgba, shape, &member.buffers)?;
            let picture = RgbaImage::from_raw(shape.width, shape.height, rgba.into_vec());
            pictures.extend(picture);
        }
        Ok(pictures)
    };
    let (_, pictures) = try_join(member.pixels(frames, sender), collect).await?;
    Ok(pictures)
}

/// Has all frames drawn, each member every so-many-th of them, and hands them on in order. Answers how many of them were as the
/// one before from the same member, and were not drawn again.
///
/// # Errors
/// [`Missed::Unfit`] only where they were to come as pixels.
pub async fn film(
    members: &[Member],
    frames: &[u32],
    way: Way,
    handover: Handover,
    shape: Shape,
    reel: &mut Reel<'_>,
) -> std::result::Result<usize, Missed> {
    // A higher rate than the composition's shows frames more than once.
    let mut drawn = frames.to_vec();
    drawn.dedup();
    let shares: Vec<Vec<u32>> = (0..members.len())
        .map(|first| {
            let share = drawn.iter().skip(first).step_by(members.len());
            share.copied().collect()
        })
        .collect();
    let (senders, mut sources): (Vec<_>, Vec<_>) =
        members.iter().map(|_| mpsc::channel(AHEAD)).unzip();
    let work = members.iter().zip(&shares).zip(senders);
    let draw = try_join_all(work.map(|((member, share), sink)| async move {
        match way {
            Way::Pixels => member.stream(share, handover, shape, sink).await,
            Way::Pictures(picture) => member.shoot(share, picture, sink).await,
        }
    }));
    let write = async {
        let mut count = 0;
        let mut unchanged = 0;
        let mut last = vec![Bytes::new(); members.len()];
        let turns = drawn.iter().zip((0..sources.len()).cycle());
        for (&frame, turn) in turns {
            let Some(next) = sources[turn].recv().await else {
                // The member says itself why there is no more.
                return Ok(unchanged);
            };
            match next.drawn {
                Drawn::Ready(bytes) => last[turn] = bytes.into(),
                Drawn::Coming(bytes) => {
                    last[turn] = bytes.await.map_err(|error| {
                        Failure::new(Code::FrameFailed, error.to_string()).at(frame)
                    })??;
                }
                Drawn::Same => unchanged += 1,
            }
            let bytes = &last[turn];
            while frames.get(count) == Some(&frame) && frames.get(count + 1) == Some(&frame) {
                reel.frame(bytes.clone(), next.sounds.clone()).await?;
                count += 1;
            }
            reel.frame(bytes.clone(), next.sounds).await?;
            count += 1;
        }
        Ok(unchanged)
    };
    try_join(draw, write).await.map(|(_, unchanged)| unchanged)
}
