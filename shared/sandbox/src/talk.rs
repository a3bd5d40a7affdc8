//! What a supervisor's answers mean, however they came.

use crate::wire::Reply;
use koda_domain::sandbox::{ExecEvent, SandboxError};

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
