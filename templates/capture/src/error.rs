//! What can go wrong, as the last line of a run says it.

use serde::Serialize;

/// Why a run failed. The list is closed: whoever reads the output can match on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The command line asks for something that cannot be.
    BadArgument,
    /// `koda.json` is missing or does not hold what the contract asks for.
    BadManifest,
    /// Chromium is missing, did not start or died.
    BrowserFailed,
    /// The page did not load, or its composition did not come up.
    PageFailed,
    /// One frame could not be shown or shot.
    FrameFailed,
    /// FFmpeg is missing, refused its input or died.
    EncoderFailed,
    /// The output is not what was asked for.
    VerifyFailed,
    /// A signal ended the run.
    Cancelled,
    /// The disk is full.
    OutOfSpace,
}

/// A failed run.
#[derive(Debug, Clone, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Which kind.
    pub code: Code,
    /// What happened, for a person or a model to read.
    pub message: String,
    /// The frame of the composition that was being shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<u32>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Result of everything in this crate.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure of this kind.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            frame: None,
            hint: None,
        }
    }

    /// The same, with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, at a frame: what goes wrong with the page there goes wrong with the frame.
    pub fn at(mut self, frame: u32) -> Self {
        if self.code == Code::PageFailed {
            self.code = Code::FrameFailed;
        }
        self.frame = Some(frame);
        self
    }

    /// A failed read or write, which is its own kind where the disk is full.
    pub fn io(code: Code, what: impl std::fmt::Display, error: &std::io::Error) -> Self {
        let full = matches!(
            error.kind(),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
        );
        let failure = Self::new(
            if full { Code::OutOfSpace } else { code },
            format!("{what}: {error}"),
        );
        if full {
            failure.hint("free some disk space, or render at a lower resolution")
        } else {
            failure
        }
    }
}
