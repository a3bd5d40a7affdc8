//! Talking to the supervisor inside a sandbox.

use super::folder::{self, Meta};
use crate::{
    talk::{event, nonsense, started},
    wire::{Reply, Request},
};
use futures_util::{SinkExt, StreamExt, stream::BoxStream};
use koda_domain::sandbox::{ExecEvent, SandboxError};
use std::{io, path::Path, time::Duration};
use tokio::net::UnixStream;
use tokio_util::codec::{Framed, LinesCodec, LinesCodecError};

/// How long the supervisor may take to answer what it answers at once.
const ANSWER: Duration = Duration::from_secs(15);
/// The same for one that another process may be making at this moment.
const UNFINISHED: Duration = Duration::from_secs(1);
/// The longest line of a supervisor: a piece of output, in base64.
const LINE: usize = 256 << 10;

type Lines = Framed<UnixStream, LinesCodec>;

fn broken(error: io::Error) -> SandboxError {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, NotFound, UnexpectedEof,
    };
    match error.kind() {
        // Nobody listens, or nobody any more. Anything else, such as too many open files, says nothing about it.
        NotFound | ConnectionRefused | ConnectionReset | ConnectionAborted | BrokenPipe
        | UnexpectedEof => SandboxError::Gone,
        _ => SandboxError::Unavailable(error.to_string()),
    }
}

fn unread(error: LinesCodecError) -> SandboxError {
    match error {
        LinesCodecError::Io(error) => broken(error),
        LinesCodecError::MaxLineLengthExceeded => nonsense(&error),
    }
}

async fn send(socket: &Path, request: &Request) -> Result<Lines, SandboxError> {
    let stream = UnixStream::connect(socket).await.map_err(broken)?;
    let mut lines = Framed::new(stream, LinesCodec::new_with_max_length(LINE));
    let line = serde_json::to_string(request).map_err(|e| SandboxError::Rejected(e.to_string()))?;
    lines.send(line).await.map_err(unread)?;
    Ok(lines)
}

async fn next(lines: &mut Lines) -> Result<Reply, SandboxError> {
    let line = lines.next().await.ok_or(SandboxError::Gone)?;
    serde_json::from_str(&line.map_err(unread)?).map_err(|e| nonsense(&e))
}

async fn in_time<T>(
    time: Duration,
    answer: impl Future<Output = Result<T, SandboxError>>,
) -> Result<T, SandboxError> {
    let answered = tokio::time::timeout(time, answer).await;
    answered.map_err(|_| SandboxError::TimedOut("its supervisor does not answer".into()))?
}

/// Asks for one answer.
pub(super) async fn ask(socket: &Path, request: &Request) -> Result<Reply, SandboxError> {
    let own = match request {
        Request::Kill { grace_ms, .. } => Duration::from_millis(*grace_ms),
        _ => Duration::ZERO,
    };
    in_time(ANSWER.saturating_add(own), async {
        next(&mut send(socket, request).await?).await
    })
    .await
}

/// Asks whether a sandbox lives. One that was never written down as started gets less time, and is gone where it is
/// silent: the server that was making it is dead.
pub(super) async fn ping(meta: &Meta) -> Result<(), SandboxError> {
    let socket = folder::control(meta);
    let asked = ask(&socket, &Request::Ping);
    if meta.init.is_some() {
        return asked.await.map(|_| ());
    }
    match in_time(UNFINISHED, asked).await {
        Ok(_) => Ok(()),
        Err(_) => Err(SandboxError::Gone),
    }
}

/// Asks for a stream of what a command says. Returns as soon as it is started.
pub(super) async fn listen(
    socket: &Path,
    request: &Request,
    name: &str,
) -> Result<BoxStream<'static, Result<ExecEvent, SandboxError>>, SandboxError> {
    let (lines, first) = in_time(ANSWER, async {
        let mut lines = send(socket, request).await?;
        let first = next(&mut lines).await?;
        Ok((lines, first))
    })
    .await?;
    started(first, name)?;
    let events = futures_util::stream::unfold(Some(lines), |lines| async move {
        let mut lines = lines?;
        let event = next(&mut lines).await.and_then(event);
        let over = !matches!(event, Ok(ExecEvent::Stdout(_) | ExecEvent::Stderr(_)));
        Some((event, (!over).then_some(lines)))
    });
    Ok(events.boxed())
}
