//! The workspace's page server: the one that runs, or one of our own for the time of a run.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::check::sources;
use crate::error::{Code, Failure, Result};
use crate::process::{Group, command};

/// Where the template's server listens unless `KODA_PORT` says otherwise.
const PORT: u16 = 5173;
/// How long a server of our own may take to listen.
const LISTEN_WITHIN: Duration = Duration::from_secs(30);
/// How long one file may take; a first request waits for Vite to bundle dependencies.
const ANSWER_WITHIN: Duration = Duration::from_secs(45);
/// How often it is asked whether it still copies videos.
const MEDIA_POLL: Duration = Duration::from_millis(100);

/// How long a server that somebody else has just started may take to listen.
const STARTS_WITHIN: Duration = Duration::from_secs(15);

/// A server of the workspace. Where it is ours, dropping it ends it.
pub struct Server {
    port: u16,
    // In this order: the server ends before its cache goes.
    _own: Option<Group>,
    _cache: Option<Cache>,
}

/// A cache for a server of our own: two servers that begin with one take its files from each other.
struct Cache(PathBuf);

impl Drop for Cache {
    fn drop(&mut self) {
        // What is left goes with the workspace.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Build {
    /// React with its checks and warnings.
    Development,
    /// React without them: a frame takes a tenth less.
    Production,
}

/// What the server says of copies.
#[derive(Deserialize, Default)]
struct Media {
    /// Files below `public/` of which it is not known yet whether they play, or whose copies are being made.
    pending: Vec<String>,
}

/// An answer of the server.
pub struct Answer {
    /// Its status code.
    pub status: u16,
    /// Its body.
    pub body: String,
}

impl Server {
    /// Finds the running server, or starts `node dev.mjs` on a free port.
    ///
    /// # Errors
    /// `page_failed` with what it said, `bad_argument` where `KODA_PORT` is no port.
    pub async fn find_or_start(app: &Path) -> Result<Self> {
        let port = match std::env::var("KODA_PORT") {
            Ok(text) if !text.is_empty() => text.parse().map_err(|_| {
                Failure::new(Code::BadArgument, format!("KODA_PORT is no port: {text}"))
            })?,
            _ => PORT,
        };
        let deadline = Instant::now() + STARTS_WITHIN;
        loop {
            if listens(port).await {
                return Ok(Self {
                    port,
                    _own: None,
                    _cache: None,
                });
            }
            // The preview's server is sooner there than another beside it.
            if !is_starting(app) || Instant::now() > deadline {
                return Self::start(app, Build::Development).await;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Starts one that shows no edits and serves React without its checks; what somebody else has to serve is served by them.
    ///
    /// # Errors
    /// As [`Self::find_or_start`].
    pub async fn of_its_own(app: &Path) -> Result<Self> {
        if app.join("dev.mjs").is_file() {
            Self::start(app, Build::Production).await
        } else {
            Self::find_or_start(app).await
        }
    }

    async fn start(app: &Path, build: Build) -> Result<Self> {
        let failed = |message: String| Failure::new(Code::PageFailed, message);
        if !app.join("dev.mjs").is_file() {
            return Err(failed(
                "nothing serves the workspace, and it has no dev.mjs to start".to_owned(),
            ));
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .map_err(|error| failed(format!("no free port: {error}")))?
            .port();
        let mut command = command("node");
        command
            .arg("dev.mjs")
            .current_dir(app)
            .env("KODA_PORT", port.to_string())
            .env_remove("KODA_SOCKET");
        if build == Build::Production {
            command.env("NODE_ENV", "production");
        }
        let cache = std::env::var_os("KODA_VITE_CACHE").map(|shared| {
            let own = format!("capture-{}", std::process::id());
            Cache(PathBuf::from(shared).with_file_name(own))
        });
        if let Some(Cache(own)) = &cache {
            command.env("KODA_VITE_CACHE", own);
        }
        command.stdout(std::process::Stdio::null());
        let mut group = Group::spawn(command)
            .map_err(|error| failed(format!("node cannot be started: {error}")))?;
        let mut stderr = group.child().stderr.take();
        let deadline = Instant::now() + LISTEN_WITHIN;
        while !listens(port).await {
            let ended = matches!(group.child().try_wait(), Ok(Some(_)));
            if ended || Instant::now() > deadline {
                let mut said = String::new();
                if let Some(stderr) = &mut stderr {
                    // Its last words; a server that is still running has no end of them.
                    let _ =
                        timeout(Duration::from_millis(200), stderr.read_to_string(&mut said)).await;
                }
                let what = if ended {
                    "dev.mjs ended at once"
                } else {
                    "dev.mjs did not listen in time"
                };
                return Err(failed(format!("{what}: {}", said.trim())));
            }
            sleep(Duration::from_millis(20)).await;
        }
        // A pipe that nobody reads would stop the server once it is full.
        if let Some(mut stderr) = stderr {
            tokio::spawn(async move {
                let mut chunk = [0; 4096];
                while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
                    eprint!("{}", String::from_utf8_lossy(&chunk[..count]));
                }
            });
        }
        Ok(Self {
            port,
            _own: Some(group),
            _cache: cache,
        })
    }

    /// Waits until the server has made copies of the videos and sounds that browsers cannot play and that the composition names: a
    /// page gives up on them sooner. A server that knows nothing of it has none to make. Answers the one that is still made after
    /// this time.
    ///
    /// # Errors
    /// `page_failed` where the server does not answer.
    pub async fn media_ready(&self, app: &Path, within: Duration) -> Result<Option<String>> {
        let deadline = Instant::now() + within;
        let mut sources = None;
        loop {
            let answer = self.get("/__koda/media").await?;
            let said: Media = serde_json::from_str(&answer.body).unwrap_or_default();
            if answer.status != 200 || said.pending.is_empty() {
                return Ok(None);
            }
            let sources = sources.get_or_insert_with(|| sources::read(app));
            let named = |path: &String| {
                let name = path.rsplit('/').next().unwrap_or(path);
                let lists = |text: &str| text.contains(name) || text.contains("getStaticFiles");
                sources.iter().any(|source| lists(&source.text))
            };
            let waits = said.pending.into_iter().find(named);
            if waits.is_none() || Instant::now() > deadline {
                return Ok(waits);
            }
            sleep(MEDIA_POLL).await;
        }
    }

    /// The address of the page.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Gets a file as a browser's script would.
    ///
    /// # Errors
    /// `page_failed` where the server does not answer.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(
                Code::PageFailed,
                format!("the server did not answer {path}: {error}"),
            )
        };
        let request = http::Request::get(path)
            .header(http::header::HOST, format!("127.0.0.1:{}", self.port))
            .header(http::header::ACCEPT, "*/*")
            .header("sec-fetch-dest", "script")
            .body(Empty::<Bytes>::new())
            .map_err(|error| failed(&error))?;
        let exchange = async {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
                .await
                .map_err(|error| failed(&error))?;
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream))
                    .await
                    .map_err(|error| failed(&error))?;
            let connection = tokio::spawn(connection);
            let answer = sender
                .send_request(request)
                .await
                .map_err(|error| failed(&error))?;
            let status = answer.status().as_u16();
            let body = answer
                .into_body()
                .collect()
                .await
                .map_err(|error| failed(&error))?
                .to_bytes();
            connection.abort();
            Ok(Answer {
                status,
                body: String::from_utf8_lossy(&body).into_owned(),
            })
        };
        timeout(ANSWER_WITHIN, exchange)
            .await
            .unwrap_or_else(|_| Err(failed(&"too slow")))
    }
}

/// Whether a server of this workspace was started, as Linux tells of processes that this one may see.
fn is_starting(app: &Path) -> bool {
    let Ok(app) = app.canonicalize() else {
        return false;
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.map(|process| process.path()).any(|process| {
        let runs = std::fs::read(process.join("cmdline")).is_ok_and(|line| {
            line.split(|byte| *byte == 0)
                .skip(1)
                .any(|it| it == b"dev.mjs")
        });
        runs && std::fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == app)
    })
}

async fn listens(port: u16) -> bool {
    matches!(
        timeout(
            Duration::from_secs(2),
            TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        )
        .await,
        Ok(Ok(_))
    )
}
