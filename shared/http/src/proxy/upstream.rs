//! One request to a sandbox, wherever it is.

use crate::{Code, error::ApiError};
use axum::extract::Request;
use hyper::{Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use koda_agent::{Studio, StudioError};
use koda_domain::{
    SessionId,
    sandbox::{SandboxError, Upstream},
};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};

/// How long a dev server may take to listen: a sandbox may only just have been made.
const LISTEN: Duration = Duration::from_secs(15);
/// How long it may take to begin its answer.
const FIRST_BYTE: Duration = Duration::from_secs(30);

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

fn unreachable() -> ApiError {
    ApiError::new(
        Code::SandboxUnreachable,
        "The preview's sandbox does not answer; it is being woken up.",
    )
}

async fn connect(upstream: &Upstream) -> std::io::Result<Box<dyn Stream>> {
    match upstream {
        Upstream::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
        Upstream::Tcp { host, port } => {
            Ok(Box::new(TcpStream::connect((host.as_str(), *port)).await?))
        }
        Upstream::Public { .. } => Err(std::io::ErrorKind::Unsupported.into()),
    }
}

/// Waits until the dev server listens, wherever the sandbox is by then.
async fn reach(studio: &Studio, session: SessionId) -> Result<Box<dyn Stream>, ApiError> {
    let began = Instant::now();
    loop {
        let stream = match studio.preview_upstream(session).await {
            Ok(upstream) => connect(&upstream).await.ok(),
            Err(StudioError::Sandbox(SandboxError::Gone)) => None,
            Err(error) => return Err(error.into()),
        };
        match stream {
            Some(stream) => return Ok(stream),
            None if began.elapsed() > LISTEN => return Err(unreachable()),
            None => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Sends a request to a session's sandbox and returns the head of its answer; the body streams.
pub(super) async fn send(
    studio: &Studio,
    session: SessionId,
    request: Request,
) -> Result<Response<Incoming>, ApiError> {
    let stream = reach(studio, session).await?;
    let (mut sender, connection) = http1::Builder::new()
        .max_headers(100)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| unreachable())?;
    // Ends with the answer, or with the browser that no longer wants it.
    tokio::spawn(connection.with_upgrades());
    let (mut parts, body) = request.into_parts();
    let path = parts
        .uri
        .path_and_query()
        .map_or("/", |p| p.as_str())
        .to_owned();
    parts.uri = path
        .parse()
        .map_err(|_| ApiError::new(Code::BadRequest, "The address cannot be read."))?;
    parts.version = axum::http::Version::HTTP_11;
    let answered = tokio::time::timeout(
        FIRST_BYTE,
        sender.send_request(Request::from_parts(parts, body)),
    )
    .await;
    match answered {
        Ok(Ok(response)) => Ok(response),
        _ => Err(unreachable()),
    }
}
