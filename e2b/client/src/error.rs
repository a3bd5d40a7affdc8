//! What can go wrong, told apart by what one would do about it.

use std::time::Duration;

/// What was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// A sandbox, at the control plane.
    Sandbox,
    /// A file or folder inside one.
    File,
    /// A process inside one.
    Process,
    /// A template.
    Template,
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The call makes no sense; trying again does not help.
    #[error("E2B does not take this: {0}")]
    InvalidArgument(String),
    /// The key, a token or a user is not right.
    #[error("E2B does not let this in: {0}")]
    Authentication(String),
    /// There is no such thing.
    #[error("{message}")]
    NotFound {
        /// What is missing.
        what: Missing,
        /// What E2B said.
        message: String,
    },
    /// There is one already.
    #[error("{0}")]
    AlreadyExists(String),
    /// The sandbox is in a state that does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// The sandbox is paused; [`crate::Client::connect`] resumes it.
    #[error("the sandbox {0} is paused")]
    Paused(String),
    /// The sandbox has ended, by its timeout or by being killed.
    #[error("the sandbox {0} is gone")]
    SandboxGone(String),
    /// The sandbox runs, but nobody listens on this port.
    #[error("nobody listens on port {0} of the sandbox")]
    PortClosed(u16),
    /// Over a limit of calls or of sandboxes.
    #[error("E2B limits the rate of calls: {message}")]
    RateLimited {
        /// What E2B asks to wait.
        retry_after: Option<Duration>,
        /// What E2B said.
        message: String,
    },
    /// E2B has no room for a sandbox now; nothing was made.
    #[error("E2B has no capacity now: {0}")]
    Capacity(String),
    /// The sandbox's disk is full.
    #[error("the sandbox has no space left: {0}")]
    NoSpace(String),
    /// A deadline of the call is over.
    #[error("it took too long: {0}")]
    TimedOut(String),
    /// E2B cannot be reached at all; nothing was sent.
    #[error("E2B cannot be reached: {0}")]
    Unreachable(String),
    /// The connection broke; the sandbox lives. What was asked for may have been done.
    #[error("the connection broke: {0}")]
    ConnectionLost(String),
    /// No answer to a creation came, and no sandbox of it was found: there may be one all the same, which ends by its
    /// timeout.
    #[error("it is not known whether a sandbox was created (create id {create_id}): {message}")]
    CreateUnknown {
        /// In the metadata of the sandbox, if it exists.
        create_id: String,
        /// What went wrong.
        message: String,
    },
    /// What came is not the protocol.
    #[error("E2B answered in a way that is not understood: {0}")]
    Protocol(String),
    /// Something else that E2B said.
    #[error("E2B answered {status}: {message}")]
    Api {
        /// HTTP status.
        status: u16,
        /// What E2B said.
        message: String,
    },
}

impl Error {
    /// Whether the same call can succeed later, and did nothing before it failed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. } | Self::Capacity(_) | Self::Unreachable(_)
        )
    }

    /// Whether the sandbox has to be replaced.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(
            self,
            Self::SandboxGone(_)
                | Self::NotFound {
                    what: Missing::Sandbox,
                    ..
                }
        )
    }
}
