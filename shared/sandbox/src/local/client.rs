//! Talking to the supervisor inside a sandbox.

use crate::wire::{Reply, Request};
use futures_util::{StreamExt, stream::BoxStream};
use koda_domain::sandbox::{ExecEvent, SandboxError};
use std::{path::Path, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// How long the supervisor may take to answer what it answers at once.
const ANSWER: Duration = Duration::from_secs(15);

/// What the supervisor says; the connection stays open in both directions while this lives.
struct ReplyLines {
    lines: Lines<BufReader<OwnedReadHalf>>,
    _writer: OwnedWriteHalf,
}

async fn send(socket: &Path, request: &Request) -> Result<ReplyLines, SandboxError> {
    let stream = UnixStream::connect(socket)
        .await
        .map_err(|_| SandboxError::Gone)?;
    let (reader, mut writer) = stream.into_split();
    let mut line =
        serde_json::to_vec(request).map_err(|e| SandboxError::Rejected(e.to_string()))?;
    line.push(b'\n');
    writer
        .write_all(&line)
        .await
        .map_err(|_| SandboxError::Gone)?;
    Ok(ReplyLines {
        lines: BufReader::new(reader).lines(),
        _writer: writer,
    })
}

async fn next(lines: &mut ReplyLines) -> Result<Reply, SandboxError> {
    let line = lines
        .lines
        .next_line()
        .await
        .map_err(|_| SandboxError::Gone)?
        .ok_or(SandboxError::Gone)?;
    serde_json::from_str(&line)
        .map_err(|e| SandboxError::Unavailable(format!("the supervisor spoke nonsense: {e}")))
}

/// Asks for one answer.
pub(super) async fn ask(socket: &Path, request: &Request) -> Result<Reply, SandboxError> {
    let answered = tokio::time::timeout(ANSWER, async {
        next(&mut send(socket, request).await?).await
    });
    answered
        .await
        .map_err(|_| SandboxError::TimedOut("its supervisor does not answer".into()))?
}

/// Asks for a stream of what a command says.
pub(super) async fn listen(
    socket: &Path,
    request: &Request,
    name: &str,
) -> Result<BoxStream<'static, Result<ExecEvent, SandboxError>>, SandboxError> {
    let mut lines = send(socket, request).await?;
    let name = name.to_owned();
    let first = next(&mut lines).await?;
    match first {
        Reply::Busy => return Err(SandboxError::Busy(name)),
        Reply::Failed { message } => return Err(SandboxError::Rejected(message)),
        _ => {}
    }
    let state = (Some(lines), Some(first));
    let events = futures_util::stream::unfold(state, |(lines, waiting)| async move {
        let mut lines = lines?;
        let reply = match waiting {
            Some(reply) => Ok(reply),
            None => next(&mut lines).await,
        };
        let event = reply.and_then(event);
        let over = !matches!(event, Ok(ExecEvent::Stdout(_) | ExecEvent::Stderr(_)));
        Some((event, ((!over).then_some(lines), None)))
    });
    Ok(events.boxed())
}

fn event(reply: Reply) -> Result<ExecEvent, SandboxError> {
    let bytes = |data: String| {
        let decoded = data_encoding::BASE64.decode(data.as_bytes());
        decoded
            .map(bytes::Bytes::from)
            .map_err(|e| SandboxError::Unavailable(e.to_string()))
    };
    match reply {
        Reply::Stdout { data } => bytes(data).map(ExecEvent::Stdout),
        Reply::Stderr { data } => bytes(data).map(ExecEvent::Stderr),
        Reply::Exited { status } => Ok(ExecEvent::Exited(status)),
        other => Err(SandboxError::Unavailable(format!(
            "the supervisor said {other:?}"
        ))),
    }
}
