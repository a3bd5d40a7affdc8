//! Asking the supervisor inside, and what E2B's errors mean to Koda.

use crate::{
    talk::nonsense,
    wire::{Reply, Request},
};
use bytes::BytesMut;
use e2b_client::{Command, Error, Missing, Output, ProcessEvent, Sandbox as Handle};
use futures_util::{Stream, StreamExt, stream::BoxStream};
use koda_domain::sandbox::SandboxError;

/// Where the template puts the supervisor, and where it listens: `e2b/templates`.
pub(super) const SANDBOXD: &str = "/opt/koda/koda-sandboxd";
pub(super) const SOCKET: &str = "/run/koda/control";
/// What `koda-sandboxd ask` ends with where no supervisor listens.
const NOBODY: i32 = 3;
/// The longest line of a supervisor.
const LINE: usize = 256 << 10;

/// What an error of E2B means.
pub(super) fn failed(error: &Error) -> SandboxError {
    match error {
        Error::SandboxGone(_)
        | Error::NotFound {
            what: Missing::Sandbox,
            ..
        } => SandboxError::Gone,
        Error::NotFound { message, .. } => SandboxError::NotFound(message.clone()),
        Error::NoSpace(_) => SandboxError::OverLimit("the disk is full".into()),
        Error::TimedOut(why) => SandboxError::TimedOut(why.clone()),
        Error::Authentication(why) => SandboxError::Rejected(format!(
            "E2B does not let us in; check E2B_API_KEY and its team (https://e2b.dev/dashboard?tab=keys). It says: {why}"
        )),
        Error::InvalidArgument(why) => SandboxError::Rejected(format!("E2B refused: {why}")),
        other => SandboxError::Unavailable(other.to_string()),
    }
}

pub(super) fn no_template(template: &str) -> SandboxError {
    SandboxError::Rejected(format!(
        "The E2B account has no template {template}; run `make e2b-templates` with the account's key."
    ))
}

pub(super) fn no_supervisor(template: &str) -> SandboxError {
    SandboxError::Rejected(format!(
        "The E2B template {template} is not one of this version of Koda; run `make e2b-templates`."
    ))
}

/// Why no sandbox could be made.
pub(super) fn not_made(error: &Error, template: &str) -> SandboxError {
    match error {
        Error::NotFound { .. } => no_template(template),
        Error::RateLimited { message, .. } => {
            SandboxError::OverLimit(format!("E2B allows no more sandboxes now: {message}"))
        }
        other => failed(other),
    }
}

fn command(request: &Request) -> Result<Command, Error> {
    let text = serde_json::to_string(request).map_err(|e| Error::InvalidArgument(e.to_string()))?;
    let mut command = Command::new(SANDBOXD).args(["ask", SOCKET, &text]);
    // Only root may ask: what runs inside must not speak to its own supervisor.
    command.user = Some("root".into());
    command.cwd = Some("/".into());
    Ok(command)
}

/// Asks for one answer.
pub(super) async fn ask(handle: &Handle, request: &Request) -> Result<Output, Error> {
    handle.processes().run(command(request)?).await
}

/// The answer in what was said.
pub(super) fn reply(output: &Output) -> Result<Reply, SandboxError> {
    if output.stdout.is_empty() {
        return Err(silent(output.code, &output.stderr));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| nonsense(&e))
}

fn silent(code: i32, stderr: &[u8]) -> SandboxError {
    match code {
        // Without a supervisor a sandbox is no use: it is replaced.
        NOBODY | 127 => SandboxError::Gone,
        _ => nonsense(&String::from_utf8_lossy(stderr)),
    }
}

/// Asks for a stream of answers.
pub(super) async fn listen(
    handle: &Handle,
    request: &Request,
) -> Result<BoxStream<'static, Result<Reply, SandboxError>>, Error> {
    let process = handle.processes().start(command(request)?).await?;
    Ok(replies(process).boxed())
}

fn replies(
    mut events: impl Stream<Item = Result<ProcessEvent, Error>> + Unpin + Send + 'static,
) -> impl Stream<Item = Result<Reply, SandboxError>> + Send {
    async_stream::try_stream! {
        let (mut held, mut said) = (BytesMut::new(), false);
        let mut stderr = Vec::new();
        while let Some(event) = events.next().await {
            match event.map_err(|e| failed(&e))? {
                ProcessEvent::Stdout(bytes) => {
                    held.extend_from_slice(&bytes);
                    while let Some(end) = held.iter().position(|b| *b == b'\n') {
                        let line = held.split_to(end + 1);
                        said = true;
                        yield serde_json::from_slice(&line).map_err(|e| nonsense(&e))?;
                    }
                    if held.len() > LINE {
                        Err(nonsense(&"a line without end"))?;
                    }
                }
                ProcessEvent::Stderr(bytes) => stderr.extend_from_slice(&bytes[..bytes.len().min(1000)]),
                ProcessEvent::Pty(_) => {}
                ProcessEvent::Exited(exited) if said && exited.code == 0 => return,
                ProcessEvent::Exited(exited) if said => {
                    Err(SandboxError::Unavailable(format!("the supervisor was left: {}", exited.status)))?;
                }
                ProcessEvent::Exited(exited) => Err(silent(exited.code, &stderr))?,
            }
        }
    }
}
