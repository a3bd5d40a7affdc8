//! What the page is opened for: sizes, kinds of pictures, and why there may be none.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Failure};

/// How to open the page.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the workspace is served, without a query: `http://127.0.0.1:5173/`.
    pub base: String,
    /// Width of the pictures in pixels.
    pub width: u32,
    /// Height of the pictures in pixels.
    pub height: u32,
    /// Frames a second of the composition, the grid on which animation frames run.
    pub fps: f64,
    /// Whether pictures keep their alpha.
    pub transparent: bool,
    /// Whether edges in 3D are smoothed, which takes a third to a half of the time.
    pub smooth: bool,
    /// Whether console, network and exceptions are listened to.
    pub observe: bool,
}

/// What a picture is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// Lossless, with alpha.
    Png,
    /// Of this quality, 0 to 100.
    Jpeg(u8),
}

/// How pictures are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// The compositor draws when it is told to, and hands over what it drew. Only the headless shell can.
    BeginFrame,
    /// A screenshot of what the compositor drew last.
    Screenshot,
}

impl Capture {
    /// Its name in a render's result.
    pub fn name(self) -> &'static str {
        match self {
            Self::BeginFrame => "begin-frame",
            Self::Screenshot => "screenshot",
        }
    }
}

/// An error of the page's own scripts.
#[derive(Debug, Clone, Deserialize)]
pub struct PageError {
    /// What it says.
    pub message: String,
    /// Where it came from, as the browser writes it.
    #[serde(default)]
    pub stack: String,
}

/// What can be heard at a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sound {
    /// Address of the file.
    pub src: String,
    /// Which second of the file is heard as the frame begins.
    pub at: f64,
    /// How loud: as the file is at 1.
    pub volume: f64,
    /// How many seconds of the file pass in one of the composition.
    #[serde(default = "one")]
    pub rate: f64,
    /// How many times as high as in the file.
    #[serde(default = "one")]
    pub tone: f64,
    /// Which of the file's sounds, from 0.
    #[serde(default)]
    pub stream: usize,
}

const fn one() -> f64 {
    1.0
}

/// Why a frame was not shown.
#[derive(Debug, Clone)]
pub enum NotShown {
    /// The composition failed at this frame.
    Composition(u32, PageError),
    /// Something around it failed.
    Other(Failure),
}

impl From<NotShown> for Failure {
    fn from(not_shown: NotShown) -> Self {
        match not_shown {
            NotShown::Composition(frame, error) => {
                Failure::new(Code::FrameFailed, error.message).at(frame)
            }
            NotShown::Other(failure) => failure,
        }
    }
}

impl From<Failure> for NotShown {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}
