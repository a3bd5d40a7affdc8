//! What a supervisor is asked and what its answers mean, however they travel.

use crate::wire::{Reply, Request};
use koda_domain::sandbox::{ExecEvent, ProcessName, ProcessStatus, SandboxError};
use std::time::Duration;

/// What cannot have come from a supervisor.
pub(crate) fn nonsense(what: &impl std::fmt::Display) -> SandboxError {
    SandboxError::Unavailable(format!("the supervisor spoke nonsense: {what}"))
}

/// Whether a command was started, or why not.
pub(crate) fn started(reply: Reply, name: &str) -> Result<(), SandboxError> {
    match reply {
        Reply::Done => Ok(()),
        Reply::Busy => Err(SandboxError::Busy(name.to_owned())),
        Reply::Failed { message } => Err(SandboxError::Rejected(message)),
        other => Err(nonsense(&format!("{other:?}"))),
    }
}

/// What a command says.
pub(crate) fn event(reply: Reply) -> Result<ExecEvent, SandboxError> {
    let bytes = |data: String| {
        let decoded = data_encoding::BASE64.decode(data.as_bytes());
        decoded.map(bytes::Bytes::from).map_err(|e| nonsense(&e))
    };
    match reply {
        Reply::Stdout { data } => bytes(data).map(ExecEvent::Stdout),
        Reply::Stderr { data } => bytes(data).map(ExecEvent::Stderr),
        Reply::Exited { status } => Ok(ExecEvent::Exited(status)),
        other => Err(nonsense(&format!("{other:?}"))),
    }
}

/// Milliseconds, as the wire has them.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Asks where a process stands.
pub(crate) fn status_of(name: &ProcessName) -> Request {
    Request::Status {
        name: name.as_str().to_owned(),
    }
}

/// Where a process stands.
pub(crate) fn status(reply: Reply) -> ProcessStatus {
    match reply {
        Reply::Running => ProcessStatus::Running,
        Reply::Exited { status } => ProcessStatus::Exited(status),
        _ => ProcessStatus::Unknown,
    }
}

/// Asks to end a process.
pub(crate) fn kill(name: &ProcessName, grace: Duration) -> Request {
    Request::Kill {
        name: name.as_str().to_owned(),
        grace_ms: milliseconds(grace),
    }
}
