//! A browser that is kept running before anybody needs it, for machines whose memory is saved and given out again: Chromium is up
//! in the saved memory already, and work that needs it does not wait for its start.
//!
//! `koda-capture standby` listens at a Unix socket. Whoever connects is sent the descriptors of the browser's pipes, so that they
//! talk with it directly, and has it for themselves until they close the connection. It is ended then, with its profile, and the
//! next one comes up: no work sees what another left.

use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::Interest;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{sleep, timeout};

use super::{Browser, Ends, Holder};
use crate::error::{Code, Failure, Result};
use crate::manifest::Engine;
use crate::output::line;

/// Where the socket is, if there is one.
const SOCKET: &str = "KODA_STANDBY";
/// How long one who could start a browser of their own waits for the one on standby.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long the one on standby may take to answer: it is up.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);
/// How long until a browser that did not come up is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// Descriptors of one browser: requests, answers, stderr.
const DESCRIPTORS: usize = 3;

/// What is sent with the descriptors.
#[derive(Serialize, Deserialize)]
struct Offer {
    engine: Engine,
    profile: PathBuf,
}

/// Where the browser on standby is reached here.
pub fn socket() -> Option<PathBuf> {
    std::env::var_os(SOCKET)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

/// The browser on standby, unless there is none, it is taken, or it does not suit the engine.
pub async fn take(engine: Engine) -> Option<Browser> {
    let connection = UnixStream::connect(socket()?).await.ok()?;
    let (offer, ends) = timeout(PATIENCE, receive(&connection)).await.ok()?.ok()?;
    if offer.engine != engine {
        return None;
    }
    let holder = Holder::Lent(connection);
    Browser::over(ends, holder, offer.profile, ANSWERS_WITHIN)
        .await
        .ok()
}

/// Keeps a browser ready at the socket, until it is cancelled.
///
/// # Errors
/// `bad_argument` where the socket cannot be.
pub async fn run(engine: Engine, path: &Path) -> Result<()> {
    let mut next = ready(engine).await;
    // A socket left by one that was killed.
    let _ = std::fs::remove_file(path);
    let unheard = |error: std::io::Error| {
        Failure::io(
            Code::BadArgument,
            format!("the socket {}", path.display()),
            &error,
        )
    };
    let listener = UnixListener::bind(path).map_err(unheard)?;
    line("standby", &json!({ "socket": path }));
    loop {
        let connection = tokio::select! {
            () = next.cdp.gone() => None,
            connection = listener.accept() => Some(connection.map_err(unheard)?.0),
        };
        match connection {
            // Whoever lost patience has started one of their own.
            Some(connection) if !is_open(&connection) => continue,
            Some(connection) => next.lend(engine, connection).await,
            None => drop(next),
        }
        next = ready(engine).await;
    }
}

async fn ready(engine: Engine) -> Browser {
    loop {
        match Browser::new_for(engine).await {
            Ok(browser) => return browser,
            Err(failure) => line("standby", &json!({ "error": failure })),
        }
        sleep(TRY_AGAIN).await;
    }
}

impl Browser {
    /// Hands this browser to whoever connected, and ends it when they are done.
    async fn lend(self, engine: Engine, connection: UnixStream) {
        self.stderr_reader.abort();
        self.cdp.leave().await;
        if send(&connection, engine, &self.profile, &self.ends)
            .await
            .is_err()
        {
            return;
        }
        // They keep descriptors of their own; ours would hide from them that the browser went away.
        drop(self.ends);
        while connection.readable().await.is_ok() && is_open(&connection) {}
        drop(self.holder);
    }
}

/// Whether the other side is still there. It never says anything.
fn is_open(connection: &UnixStream) -> bool {
    matches!(connection.try_read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
}

async fn send(
    connection: &UnixStream,
    engine: Engine,
    profile: &Path,
    ends: &Ends,
) -> std::io::Result<()> {
    let profile = profile.to_owned();
    let offer = serde_json::to_vec(&Offer { engine, profile })?;
    let descriptors: [BorrowedFd<'_>; DESCRIPTORS] = [
        ends.requests.as_fd(),
        ends.answers.as_fd(),
        ends.stderr.as_fd(),
    ];
    let once = || {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut rights = SendAncillaryBuffer::new(&mut space);
        rights.push(SendAncillaryMessage::ScmRights(&descriptors));
        let said = [IoSlice::new(&offer)];
        Ok(sendmsg(
            connection,
            &said,
            &mut rights,
            SendFlags::NOSIGNAL,
        )?)
    };
    connection
        .async_io(Interest::WRITABLE, once)
        .await
        .map(drop)
}

/// The offer comes in one piece: it is far smaller than a socket's buffer.
async fn receive(connection: &UnixStream) -> std::io::Result<(Offer, Ends)> {
    let once = || {
        let mut bytes = [0; 4096];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut rights = RecvAncillaryBuffer::new(&mut space);
        let mut said = [IoSliceMut::new(&mut bytes)];
        let received = recvmsg(connection, &mut said, &mut rights, RecvFlags::CMSG_CLOEXEC)?;
        let descriptors: Vec<OwnedFd> = rights
            .drain()
            .filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
                _ => None,
            })
            .flatten()
            .collect();
        let offer = serde_json::from_slice(&bytes[..received.bytes])?;
        Ok((offer, descriptors))
    };
    let (offer, descriptors) = connection.async_io(Interest::READABLE, once).await?;
    let [requests, answers, stderr]: [OwnedFd; DESCRIPTORS] = descriptors
        .try_into()
        .map_err(|_| std::io::Error::from(ErrorKind::InvalidData))?;
    let ends = Ends {
        requests,
        answers,
        stderr,
    };
    Ok((offer, ends))
}
