//! One request to a sandbox, wherever it is.

mod public;

use crate::{Code, error::ApiError};
use axum::{
    body::Body,
    extract::Request,
    http::{Response, request::Parts},
};
use hyper::client::conn::http1;
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
/// The wait between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

fn unreachable() -> ApiError {
    ApiError::new(
        Code::SandboxUnreachable,
        "The preview's sandbox does not answer; it is being woken up.",
    )
}

/// What became of an attempt.
enum Attempt {
    Answered(Box<Response<Body>>),
    /// Nobody listens there yet.
    NotYet,
    /// The sandbox is not where it was.
    Moved,
}

/// Sends a request to a session's sandbox and returns the head of its answer; the body streams. Waits until the dev
/// server listens, wherever the sandbox is by then. Previews only show: the request has no body.
pub(super) async fn send(
    studio: &Studio,
    session: SessionId,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    let (parts, _) = request.into_parts();
    let began = Instant::now();
    loop {
        let attempt = match studio.preview_upstream(session).await {
            Ok(Upstream::Public { origin, headers }) => {
                tokio::time::timeout(FIRST_BYTE, public::send(&origin, &headers, &parts))
                    .await
                    .map_err(|_| unreachable())??
            }
            Ok(upstream) => match connect(&upstream).await {
                Ok(stream) => Attempt::Answered(Box::new(ask(stream, &parts).await?)),
                Err(_) => Attempt::NotYet,
            },
            Err(StudioError::Sandbox(SandboxError::Gone)) => Attempt::NotYet,
            Err(error) => return Err(error.into()),
        };
        match attempt {
            Attempt::Answered(response) => return Ok(*response),
            _ if began.elapsed() > LISTEN => return Err(unreachable()),
            Attempt::Moved => studio.forget_upstream(session),
            Attempt::NotYet => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
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

fn path(parts: &Parts) -> &str {
    parts.uri.path_and_query().map_or("/", |p| p.as_str())
}

/// The same request once more, for another address.
fn again(parts: &Parts, uri: &str) -> Result<Request, ApiError> {
    let unread = |_| ApiError::new(Code::BadRequest, "The address cannot be read.");
    let mut request = Request::new(Body::empty());
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = uri.parse().map_err(unread)?;
    *request.headers_mut() = parts.headers.clone();
    Ok(request)
}

/// Over a connection of its own to this machine.
async fn ask(stream: Box<dyn Stream>, parts: &Parts) -> Result<Response<Body>, ApiError> {
    let (mut sender, connection) = http1::Builder::new()
        .max_headers(100)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| unreachable())?;
    // Ends with the answer, or with the browser that no longer wants it.
    tokio::spawn(connection.with_upgrades());
    let request = again(parts, path(parts))?;
    match tokio::time::timeout(FIRST_BYTE, sender.send_request(request)).await {
        Ok(Ok(response)) => Ok(response.map(Body::new)),
        _ => Err(unreachable()),
    }
}
