//! A browser for the work at hand: started for it, or taken over from the one on standby.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::cdp::Cdp;
use crate::error::{Code, Failure, Result};
use crate::machine;
use crate::manifest::Engine;

mod launch;
pub mod standby;

pub use launch::{Ends, Graphics, Processes, find, launch};

/// How long Chromium may take to answer its first message.
const START_WITHIN: Duration = Duration::from_secs(20);

/// A running browser that nobody else uses. Dropping it ends it.
pub struct Browser {
    /// The connection to it.
    pub cdp: Cdp,
    /// Which program it is, as it says itself.
    pub product: String,
    stderr: Arc<Mutex<Vec<u8>>>,
    stderr_reader: AbortHandle,
    /// The folder of its profile.
    pub profile: PathBuf,
    /// The same pipes again, for handing them over.
    ends: Ends,
    holder: Holder,
    /// Whether the blank tab that it came up with is still there.
    blank: AtomicBool,
}

/// What keeps a browser running.
enum Holder {
    /// Its processes are ours.
    Own(#[expect(dead_code, reason = "held for what dropping it does")] Processes),
    /// Whoever lent it ends it when this connection closes.
    Lent(#[expect(dead_code, reason = "held for what dropping it does")] UnixStream),
}

impl Browser {
    /// Starts a browser that draws WebGL in this way.
    ///
    /// # Errors
    /// `browser_failed`, with what it said.
    pub async fn start(graphics: Graphics) -> Result<Self> {
        Self::start_with(graphics, None).await
    }

    async fn start_with(graphics: Graphics, threads: Option<usize>) -> Result<Self> {
        let (processes, ends) = launch(graphics, threads)?;
        let profile = processes.profile().to_owned();
        Self::over(ends, Holder::Own(processes), profile, START_WITHIN).await
    }

    /// Talks with a browser that may still be coming up.
    async fn over(ends: Ends, holder: Holder, profile: PathBuf, within: Duration) -> Result<Self> {
        let broken = |error: std::io::Error| {
            Failure::io(Code::BrowserFailed, "a pipe of Chromium's", &error)
        };
        let again = ends.try_clone().map_err(broken)?;
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let mut said = pipe::Receiver::from_owned_fd(ends.stderr).map_err(broken)?;
        let kept = Arc::clone(&stderr);
        let stderr_reader = tokio::spawn(async move {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = said.read(&mut chunk).await {
                if let Ok(mut kept) = kept.lock() {
                    kept.extend_from_slice(&chunk[..count]);
                    let excess = kept.len().saturating_sub(16384);
                    kept.drain(..excess);
                }
            }
        })
        .abort_handle();
        let mut browser = Self {
            cdp: Cdp::over(ends.requests, ends.answers)?,
            product: String::new(),
            stderr,
            stderr_reader,
            profile,
            ends: again,
            holder,
            blank: AtomicBool::new(true),
        };
        let version = browser.cdp.call(None, "Browser.getVersion", json!({}));
        match timeout(within, version).await {
            Ok(Ok(version)) => {
                browser.product = version["product"].as_str().unwrap_or_default().to_owned();
                Ok(browser)
            }
            Ok(Err(error)) => Err(browser.explain(error)),
            Err(_) => {
                let error = Failure::new(Code::BrowserFailed, "Chromium did not answer in time");
                Err(browser.explain(error))
            }
        }
    }

    /// A browser that suits an engine: the one on standby where there is one, else a new one.
    ///
    /// # Errors
    /// `browser_failed`.
    pub async fn for_engine(engine: Engine) -> Result<Self> {
        match standby::take(engine).await {
            Some(browser) => Ok(browser),
            None => Self::new_for(engine).await,
        }
    }

    /// The same for one of so many that draw at once. In 3D each then has its part of the processors: llvmpipe takes a thread for
    /// every one of them otherwise, and these are in each other's way.
    ///
    /// # Errors
    /// `browser_failed`.
    pub async fn one_of(many: usize, engine: Engine) -> Result<Self> {
        if engine == Engine::Remotion || many < 2 {
            return Self::for_engine(engine).await;
        }
        Self::fastest(Some((machine::processors() / many).max(1))).await
    }

    /// Starts the browser that suits an engine: for WebGL, the fastest software renderer that works here.
    ///
    /// # Errors
    /// `browser_failed`.
    pub async fn new_for(engine: Engine) -> Result<Self> {
        if engine == Engine::Remotion {
            return Self::start(Graphics::None).await;
        }
        Self::fastest(None).await
    }

    async fn fastest(threads: Option<usize>) -> Result<Self> {
        let browser = Self::start_with(Graphics::Mesa, threads).await?;
        if browser.has_mesa().await? {
            return Ok(browser);
        }
        drop(browser);
        Self::start(Graphics::SwiftShader).await
    }

    /// The fastest way of drawing WebGL that works here.
    ///
    /// # Errors
    /// `browser_failed`.
    pub async fn fastest_graphics() -> Result<Graphics> {
        let browser = Self::start(Graphics::Mesa).await?;
        Ok(if browser.has_mesa().await? {
            Graphics::Mesa
        } else {
            Graphics::SwiftShader
        })
    }

    async fn has_mesa(&self) -> Result<bool> {
        let renderer = self.renderer().await?;
        Ok(renderer.is_some_and(|it| it.to_lowercase().contains("llvmpipe")))
    }

    /// What draws WebGL here, or nothing.
    ///
    /// # Errors
    /// `browser_failed`.
    pub async fn renderer(&self) -> Result<Option<String>> {
        let target = self
            .cdp
            .call(None, "Target.createTarget", json!({ "url": "about:blank" }))
            .await?;
        let id = target["targetId"].clone();
        let attached = self
            .cdp
            .call(
                None,
                "Target.attachToTarget",
                json!({ "targetId": id, "flatten": true }),
            )
            .await?;
        let session = attached["sessionId"].as_str();
        let script = include_str!("../../assets/renderer.js");
        let result = self
            .cdp
            .call(
                session,
                "Runtime.evaluate",
                json!({ "expression": script, "returnByValue": true }),
            )
            .await?;
        self.cdp
            .call(None, "Target.closeTarget", json!({ "targetId": id }))
            .await?;
        Ok(result["result"]["value"].as_str().map(str::to_owned))
    }

    /// Closes the tab that it came up with, once there is another, without which it might end: it begins a frame sixty times a
    /// second, which is seen in what a frame of ours takes.
    pub async fn close_blank(&self, but: &str) {
        if !self.blank.swap(false, Ordering::Relaxed) {
            return;
        }
        // Where it stays, nothing is lost but that time.
        let Ok(found) = self.cdp.call(None, "Target.getTargets", json!({})).await else {
            return;
        };
        for target in found["targetInfos"].as_array().into_iter().flatten() {
            if target["type"] == "page" && target["targetId"] != but {
                let id = json!({ "targetId": target["targetId"] });
                let _ = self.cdp.call(None, "Target.closeTarget", id).await;
            }
        }
    }

    /// A failure with the last words of the browser, where it died.
    pub fn explain(&self, mut failure: Failure) -> Failure {
        if failure.code != Code::BrowserFailed {
            return failure;
        }
        let said = self
            .stderr
            .lock()
            .map(|said| String::from_utf8_lossy(&said).into_owned())
            .unwrap_or_default();
        // V8's last words, and Chromium's own.
        if ["javascript OOM", "out of memory", "Out of memory"]
            .iter()
            .any(|sign| said.contains(sign))
        {
            failure.message = format!("{}: memory ran out", failure.message);
        }
        if self.cdp.is_gone() {
            let tail: Vec<&str> = said
                .lines()
                .rev()
                .filter(|line| !line.trim().is_empty())
                .take(3)
                .collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            if !tail.is_empty() {
                failure.message = format!("{}; it said: {}", failure.message, tail.join(" | "));
            }
        }
        failure
    }
}
