//! NDJSON on stdout.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use crate::error::Failure;

/// Most progress lines in a second.
const MOST_A_SECOND: u32 = 10;

/// Most bytes of a line that is also kept in a file.
const KEPT: usize = 1 << 16;

/// The file that holds the last line, where `KODA_PROGRESS` names one. It has its full length from the beginning, so that how a
/// render failed can be written even where the disk is full.
static LAST: LazyLock<Option<File>> = LazyLock::new(|| {
    let path = std::env::var_os("KODA_PROGRESS").filter(|path| !path.is_empty())?;
    let file = File::create(path).ok()?;
    file.write_all_at(&[b' '; KEPT], 0).ok()?;
    Some(file)
});

/// Writes one object as a line, with `type` first.
pub fn line<T: Serialize>(kind: &str, body: &T) {
    let body = serde_json::to_string(body).unwrap_or_else(|_| "{}".to_owned());
    let rest = body.strip_prefix('{').unwrap_or("}");
    let comma = if rest == "}" { "" } else { "," };
    let text = format!("{{\"type\":{}{comma}{rest}", Value::from(kind));
    // A reader that went away does not make the work worthless: the file is still written.
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    if let Some(last) = &*LAST
        && text.len() <= KEPT
    {
        let mut padded = text.into_bytes();
        padded.resize(KEPT, b' ');
        let _ = last.write_all_at(&padded, 0);
    }
}

/// Most characters of what went wrong: a page may say any amount.
const SAID: usize = 4000;

/// Writes the last line of a run that failed.
pub fn failure(failure: &Failure) {
    let short = |text: &String| text.chars().take(SAID).collect::<String>();
    line(
        "error",
        &Failure {
            message: short(&failure.message),
            hint: failure.hint.as_ref().map(short),
            ..failure.clone()
        },
    );
}

/// Stages of a run, as progress lines name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The browser and the page are coming up.
    Start,
    /// Frames are shot.
    Capture,
    /// The encoder is finishing.
    Encode,
    /// The output is compared with fresh pictures.
    Verify,
}

#[derive(Serialize)]
struct ProgressLine<'a> {
    stage: Stage,
    frame: u32,
    total: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    fps: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_left: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<&'a [usize]>,
}

/// Progress lines of a render, held to ten a second.
pub struct Progress {
    total: u32,
    /// Frames that were there before.
    before: u32,
    state: Mutex<State>,
}

struct State {
    last: Option<Instant>,
    stage: Option<Stage>,
    began: Instant,
    parts: Option<Vec<usize>>,
}

impl Progress {
    /// Progress towards this many frames, of which some are there already; and of which parts, where these are kept.
    pub fn new(total: usize, before: usize, parts: Option<Vec<usize>>) -> Self {
        let count = |frames| u32::try_from(frames).unwrap_or(u32::MAX);
        Self {
            total: count(total),
            before: count(before),
            state: Mutex::new(State {
                last: None,
                stage: None,
                began: Instant::now(),
                parts,
            }),
        }
    }

    /// Says that so many frames are drawn, besides those that were there before.
    pub fn drawn(&self, frames: usize) {
        let frames = u32::try_from(frames).unwrap_or(u32::MAX);
        self.at(Stage::Capture, self.before + frames);
    }

    /// Remembers which parts are whole, for the lines that follow.
    pub fn kept(&self, parts: Vec<usize>) {
        if let Ok(mut state) = self.state.lock()
            && state.parts.is_some()
        {
            state.parts = Some(parts);
        }
    }

    /// Says that `frame` frames of a stage are done. Lines that come too fast are left out, but never the first of a stage.
    pub fn at(&self, stage: Stage, frame: u32) {
        let now = Instant::now();
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        let changed = state.stage != Some(stage);
        if changed {
            state.stage = Some(stage);
            state.began = now;
        }
        let gap = Duration::from_secs(1) / MOST_A_SECOND;
        if state
            .last
            .is_some_and(|last| now.duration_since(last) < gap)
            && !changed
        {
            return;
        }
        // A change of stage is told even right after another line, by moving the next one back.
        state.last = Some(state.last.map_or(now, |last| now.max(last + gap)));
        let seconds = now.duration_since(state.began).as_secs_f64();
        let drawn = frame.saturating_sub(self.before);
        let measured = stage == Stage::Capture && drawn > 0 && seconds > 0.0;
        let fps = measured.then(|| f64::from(drawn) / seconds);
        let seconds_left =
            fps.map(|fps| round(f64::from(self.total.saturating_sub(frame)) / fps, 1));
        line(
            "progress",
            &ProgressLine {
                stage,
                frame,
                total: self.total,
                fps: fps.map(|fps| round(fps, 1)),
                seconds_left,
                parts: state.parts.as_deref(),
            },
        );
    }
}

/// Rounds to a number of decimals, for output.
pub fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}
