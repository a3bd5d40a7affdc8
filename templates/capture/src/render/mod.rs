//! `render`: a composition to a file.

mod clips;
mod crew;
mod drawers;
mod encoder;
mod files;
mod format;
mod handover;
mod look;
mod parts;
mod plan;
mod reel;
mod remotions;
mod sound;
mod verify;

use std::future::poll_fn;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{join3, maybe_done, try_join_all};
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

pub use format::{Format, Quality};
pub use parts::Share;
pub use plan::Request;

use crate::error::{Code, Failure, Result};
use crate::manifest::Manifest;
use crate::output::{Progress, Stage, line, round};
use crate::page::Options;
use crate::remotion::{self, Renderer};
use crate::server::Server;
use clips::{Copier, Copies};
use crew::{Member, Missed, Way};
use drawers::Drawers;
use files::{Partial, digest, poster};
use handover::Handover;
use look::{Looked, Sample};
use parts::Parts;
use plan::{expect, plan};
use reel::Reel;
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
    capture: &'a str,
    /// Why it was not by pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'a str>,
    browsers: usize,
    /// Frames that were as the one before, and were not drawn again.
    unchanged: usize,
    /// Videos that were copied first, so that each of their frames stands by itself.
    copied_videos: usize,
    /// How long that took, with loading the page anew. Some of it passed while the composition was looked at.
    copying_seconds: f64,
    sound: bool,
    verified: bool,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    poster: Option<&'a Path>,
}

/// What there is of a film after a share of it.
#[derive(Serialize)]
struct Drawn {
    parts: Vec<usize>,
    frames: usize,
    seconds: f64,
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

    let partial = Partial::of(&request.out)?;
    let server = Server::of_its_own(&request.app).await?;
    let composition = parts::composition(&request.app)?;
    let what = format!(
        "{composition} {expected:?} {:?} {frames:?}",
        request.quality
    );
    let kept = request.parts.as_deref();
    let parts = Parts::of(&expected, &request.out, kept, &what, server.base())?;
    let share = request.share.unwrap_or(Share { index: 0, of: 1 });
    let missing = parts.missing(share);
    let before = parts.whole();
    let there = parts.frames(&before);
    let progress = Progress::new(
        there + parts.frames(&missing),
        there,
        kept.map(|_| before.clone()),
    );
    progress.at(Stage::Start, u32::try_from(there).unwrap_or(u32::MAX));
    playable(&server, &request.app).await?;
    let wanted: Vec<u32> = missing
        .iter()
        .flat_map(|part| frames[parts.range(*part)].iter().copied())
        .collect();

    let options = Options {
        base: server.base(),
        width: request.width,
        height: request.height,
        fps: manifest.fps,
        transparent: request.transparent,
        smooth: request.quality != Quality::Draft,
        observe: false,
    };
    let work = (&frames[..], wanted.len());
    let base = server.base();
    let Gathered {
        mut drawers,
        looked,
        copies,
        copier,
        copying,
    } = gather(request, &manifest, options, work, &expected, &base).await?;
    let browsers = drawers.count();
    let copied_videos = copies.addresses.len();
    let copying_seconds = if copied_videos == 0 {
        0.0
    } else {
        round(copying.as_secs_f64(), 2)
    };

    let mut job = Job {
        parts: &parts,
        share,
        frames: &frames,
        quality: request.quality,
        expected: &expected,
        progress: &progress,
        obstacle: looked.obstacle,
    };
    let unchanged = if missing.is_empty() {
        0
    } else {
        job.film(&mut drawers).await?
    };
    let obstacle = job.obstacle;
    drop(copier);
    // Browsers take a moment to be gone.
    let gone = spawn_blocking(move || drop(drawers));
    if request.share.is_some() {
        let whole = parts.whole();
        let drawn = Drawn {
            frames: parts.frames(&whole),
            parts: whole,
            seconds: round(began.elapsed().as_secs_f64(), 2),
        };
        finished(gone).await?;
        line("drawn", &drawn);
        return Ok(());
    }
    parts.join(&expected, partial.path()).await?;
    let whole = parts.accounts()?;
    let capture = whole.capture.as_str();
    let sound = sound::put(&whole.track, &server.base(), partial.path(), &expected).await?;
    progress.at(Stage::Verify, 0);
    let (bytes, sha256, poster) = verified(request, &partial, looked.samples, &expected).await?;
    finished(gone).await?;
    partial.become_whole(&request.out)?;
    if let Some(poster) = poster {
        poster.keep();
    }
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
            because: obstacle.as_deref().filter(|_| capture != PIXELS),
            browsers,
            unchanged,
            copied_videos,
            copying_seconds,
            sound,
            verified: true,
            seconds: round(began.elapsed().as_secs_f64(), 2),
            poster: request.poster.as_deref(),
        },
    );
    Ok(())
}

/// Holds the file against what it is to be and what was seen, and answers how many bytes it has, their SHA-256, and its poster.
async fn verified(
    request: &Request,
    partial: &Partial,
    samples: Vec<Sample>,
    expected: &Expected,
) -> Result<(u64, String, Option<Partial>)> {
    let samples: Arc<[Sample]> = samples.into();
    let poster = request.poster.clone().map(|path| {
        let samples = samples.clone();
        spawn_blocking(move || poster(&path, &samples))
    });
    let (container, like, digest) = join3(
        verify::container(partial.path(), expected),
        verify::like(partial.path(), &samples, request.quality, expected),
        digest(partial.path()),
    )
    .await;
    container?;
    like?;
    let (bytes, sha256) = digest?;
    let poster = match (&request.poster, poster) {
        (Some(path), Some(made)) => Some(Partial::with(path, &finished(made).await??)?),
        _ => None,
    };
    Ok((bytes, sha256, poster))
}

/// What was done on a thread of its own.
async fn finished<T>(work: JoinHandle<T>) -> Result<T> {
    let lost = |error: JoinError| Failure::new(Code::EncoderFailed, error.to_string());
    work.await.map_err(lost)
}

/// Nobody wants a film without its effects, and which frames have them is not known from the frames that are looked at.
fn effect_left_out() -> Failure {
    let message = "an effect that html-in-canvas draws is not seen in the sources";
    let hint = "import what draws it by its name: import { HtmlInCanvas } from \"remotion\"";
    Failure::new(Code::FrameFailed, message).hint(hint)
}

/// Waits for copies of videos that browsers cannot play.
async fn playable(server: &Server, app: &Path) -> Result<()> {
    let Some(path) = server.media_ready(app, MEDIA_WITHIN).await? else {
        return Ok(());
    };
    let message =
        format!("browsers cannot play public/{path}, and a copy that they can is not made yet");
    let hint = "upload it as H.264 (MP4), or a shorter part of it";
    Err(Failure::new(Code::PageFailed, message).hint(hint))
}

/// What is needed to film.
struct Gathered<'a> {
    drawers: Drawers,
    looked: Looked,
    copies: Copies,
    /// Holds the copies.
    copier: Copier<'a>,
    /// How long making the copies and showing them instead took.
    copying: Duration,
}

/// Brings up who draws the frames, looks at the composition, and copies videos of which every frame would be decoded from far, to
/// have the copies shown. Which these are depends on all of the film, so that it is the same whoever draws how much of it.
async fn gather<'a>(
    request: &'a Request,
    manifest: &Manifest,
    options: Options,
    work: (&[u32], usize),
    expected: &Expected,
    base: &'a str,
) -> Result<Gathered<'a>> {
    let (frames, missing) = work;
    // A higher rate than the composition's shows frames more than once, and draws them once.
    let mut drawn = frames.to_vec();
    drawn.dedup();
    // Pictures of a sequence are those that stills are, to the bit.
    let copied = if missing == 0 || expected.format == Format::Png {
        0
    } else {
        drawn.len()
    };
    let copier = Copier::new(&request.app, base, copied);
    let (tell, first) = oneshot::channel();
    let mut ahead = Box::pin(maybe_done(copier.ahead(first)));
    let (mut drawers, looked) = {
        let mut gathering = pin!(drawers::gather(
            request, manifest, options, work, expected, tell
        ));
        let gathered = poll_fn(|context| {
            let _ = ahead.as_mut().poll(context);
            gathering.as_mut().poll(context)
        });
        gathered.await?
    };
    let ahead = Box::pin(async move {
        ahead.as_mut().await;
        ahead.as_mut().take_output().unwrap_or(Ok(None))
    });
    let copies = copier.copies(&looked.videos, ahead).await?;
    let loading = Instant::now();
    if !copies.addresses.is_empty() {
        let members = drawers.members_mut().iter_mut();
        try_join_all(members.map(|member| member.substitute(&copies.addresses))).await?;
    }
    let copying = copies.took + loading.elapsed();
    Ok(Gathered {
        drawers,
        looked,
        copies,
        copier,
        copying,
    })
}

/// How long copies of videos that browsers cannot play may take: two minutes of a phone's, with few processors.
const MEDIA_WITHIN: Duration = Duration::from_secs(20 * 60);

/// How a film of pixels is called.
const PIXELS: &str = "pixels";

/// What is to be filmed.
struct Job<'a> {
    parts: &'a Parts,
    share: Share,
    frames: &'a [u32],
    quality: Quality,
    expected: &'a Expected,
    progress: &'a Progress,
    /// What is in the way of pixels.
    obstacle: Option<String>,
}

impl Job<'_> {
    /// Films what is missing: as pixels where nothing is in the way, else by pictures. Answers how many frames were as the one
    /// before.
    async fn film(&mut self, drawers: &mut Drawers) -> Result<usize> {
        let (missing, _) = self.missing();
        let unchanged = self.by(drawers).await?;
        if drawers::simplified(drawers.members()).await? {
            // Nor is it to be found whole by the next attempt.
            self.parts.discard(&missing);
            return Err(effect_left_out());
        }
        Ok(unchanged)
    }

    async fn by(&mut self, drawers: &mut Drawers) -> Result<usize> {
        let members = match drawers {
            Drawers::Members(members) => &members[..],
            Drawers::Remotion(renderers) => {
                self.by_remotion(renderers).await?;
                return Ok(0);
            }
        };
        let expected = self.expected;
        let pixels = expected.format.handover(expected.transparent);
        if let (Some(handover), None) = (pixels, &self.obstacle) {
            match self.take(members, Way::Pixels, handover).await {
                Ok(unchanged) => return Ok(unchanged),
                Err(Missed::Failed(failure)) => return Err(failure),
                Err(Missed::Unfit(why)) => self.obstacle = Some(why),
            }
            for member in members {
                member.load().await?;
            }
        }
        let picture = expected.format.picture(self.quality, expected.transparent);
        let way = Way::Pictures(picture);
        match self.take(members, way, Handover::Picture(picture)).await {
            Ok(unchanged) => Ok(unchanged),
            Err(Missed::Failed(failure)) => Err(failure),
            Err(Missed::Unfit(why)) => Err(Failure::new(Code::FrameFailed, why)),
        }
    }

    async fn by_remotion(&self, renderers: &mut [Renderer]) -> Result<()> {
        let expected = self.expected;
        let picture = expected.format.picture(self.quality, expected.transparent);
        let (missing, frames) = self.missing();
        let come = (Handover::Picture(picture), remotion::NAME);
        let mut reel = self.reel(&missing, come);
        reel.begin()?;
        remotions::film(renderers, &frames, picture, &mut reel).await?;
        reel.finish().await
    }

    /// The parts that are missing, and their frames. What an attempt before this one has made whole stays.
    fn missing(&self) -> (Vec<usize>, Vec<u32>) {
        let missing = self.parts.missing(self.share);
        let frames = missing
            .iter()
            .flat_map(|part| self.frames[self.parts.range(*part)].iter().copied());
        let frames = frames.collect();
        (missing, frames)
    }

    fn reel(&self, missing: &[usize], come: (Handover, &'static str)) -> Reel<'_> {
        Reel::new(
            self.parts,
            missing,
            come,
            self.quality,
            self.expected,
            self.progress,
        )
    }

    async fn take(
        &self,
        members: &[Member],
        way: Way,
        handover: Handover,
    ) -> std::result::Result<usize, Missed> {
        let (missing, frames) = self.missing();
        let capture = match way {
            Way::Pixels => PIXELS,
            Way::Pictures(_) => members
                .first()
                .map_or("", |member| member.page().capture().name()),
        };
        let mut reel = self.reel(&missing, (handover, capture));
        reel.begin()?;
        let shape = self.expected.shape();
        let unchanged = crew::film(members, &frames, way, handover, shape, &mut reel).await?;
        reel.finish().await?;
        Ok(unchanged)
    }
}
