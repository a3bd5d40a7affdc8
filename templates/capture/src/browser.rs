//! Finding and starting Chromium.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use command_fds::{CommandFdExt as _, FdMapping};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use crate::cdp::Cdp;
use crate::error::{Code, Failure, Result};
use crate::manifest::Engine;
use crate::process::{Group, command};

/// Where the real binaries are on the systems that the images are made from. Wrappers add flags of their own that cost speed
/// (`--enable-gpu-rasterization` on Debian), so they come last.
const PLACES: &[&str] = &[
    "/usr/lib/chromium/chromium-headless-shell",
    "/usr/lib/chromium-browser/headless_shell",
    "/usr/lib64/chromium-browser/headless_shell",
    "/opt/chromium/chrome-headless-shell",
    "/opt/chrome-headless-shell/chrome-headless-shell",
    "/usr/local/bin/chrome-headless-shell",
    "/usr/bin/chrome-headless-shell",
    "/usr/bin/chromium-headless-shell",
    "/usr/lib/chromium/chromium",
    "/usr/lib/chromium/chrome",
    "/opt/google/chrome/chrome",
    "/usr/bin/chromium",
    "/usr/bin/google-chrome",
];

/// How long Chromium may take to answer its first message.
const START_WITHIN: Duration = Duration::from_secs(20);

/// How WebGL is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Graphics {
    /// Not at all: 2D compositions are drawn fastest without a GPU process.
    None,
    /// By Mesa's llvmpipe through EGL, the fastest software renderer.
    Mesa,
    /// By SwiftShader, which comes with Chromium.
    SwiftShader,
}

/// A running browser of our own, with a profile of its own. Dropping it ends it and removes the profile.
pub struct Browser {
    /// The connection to it.
    pub cdp: Cdp,
    /// Which program it is, as it says itself.
    pub product: String,
    stderr: Arc<Mutex<Vec<u8>>>,
    // Order matters: the processes end before their profile is removed.
    group: Group,
    profile: Option<TempDir>,
}

/// The Chromium binary to use.
///
/// # Errors
/// `browser_failed` where there is none.
pub fn find() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("KODA_CHROMIUM").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(Failure::new(
                Code::BrowserFailed,
                format!("KODA_CHROMIUM names {}, which is no file", path.display()),
            ))
        };
    }
    PLACES
        .iter()
        .map(PathBuf::from)
        .find(|path| path.is_file())
        .ok_or_else(|| {
            Failure::new(Code::BrowserFailed, "no Chromium was found")
                .hint("install chromium-headless-shell, or set KODA_CHROMIUM to a Chromium binary")
        })
}

fn flags(graphics: Graphics, shell: bool) -> Vec<&'static str> {
    let mut flags = vec![
        "--remote-debugging-pipe",
        "--no-sandbox",
        "--no-zygote",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-background-timer-throttling",
        "--disable-backgrounding-occluded-windows",
        "--disable-breakpad",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-domain-reliability",
        "--disable-extensions",
        "--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider,PaintHolding,CalculateNativeWinOcclusion",
        "--disable-hang-monitor",
        "--disable-ipc-flooding-protection",
        "--disable-lcd-text",
        "--disable-popup-blocking",
        "--disable-prompt-on-repost",
        "--disable-renderer-backgrounding",
        "--disable-search-engine-choice-screen",
        "--disable-sync",
        "--font-render-hinting=none",
        "--force-color-profile=srgb",
        "--force-device-scale-factor=1",
        "--hide-scrollbars",
        "--metrics-recording-only",
        "--mute-audio",
        "--no-pings",
        "--no-proxy-server",
        "--password-store=basic",
        "--autoplay-policy=no-user-gesture-required",
        // Frames are drawn when they are asked for, and whole: nothing is left for a later frame to fill in.
        "--disable-checker-imaging",
        "--disable-image-animation-resync",
        "--disable-new-content-rendering-timeout",
        // Edges that are redrawn in part come out a little different from edges drawn at once.
        "--disable-partial-raster",
        "--disable-threaded-animation",
        "--disable-threaded-scrolling",
        "--run-all-compositor-stages-before-draw",
    ];
    if !shell {
        flags.push("--headless=new");
    }
    match graphics {
        Graphics::None => flags.push("--disable-gpu"),
        Graphics::Mesa => flags.extend([
            "--use-gl=angle",
            "--use-angle=gl-egl",
            "--ignore-gpu-blocklist",
        ]),
        Graphics::SwiftShader => {
            flags.extend([
                "--use-gl=angle",
                "--use-angle=swiftshader",
                "--enable-unsafe-swiftshader",
                "--ignore-gpu-blocklist",
            ]);
        }
    }
    flags
}

impl Browser {
    /// Starts a browser that draws WebGL in this way.
    ///
    /// # Errors
    /// `browser_failed`, with what it said.
    pub async fn start(graphics: Graphics) -> Result<Self> {
        let binary = find()?;
        let name = binary
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let shell = name.contains("headless");
        let failed = |error: std::io::Error| {
            Failure::io(
                Code::BrowserFailed,
                format!("{} cannot be started", binary.display()),
                &error,
            )
        };
        let profile = tempfile::Builder::new()
            .prefix("koda-chromium-")
            .tempdir()
            .map_err(failed)?;

        let (child_reads, we_write) = std::io::pipe().map_err(failed)?;
        let (we_read, child_writes) = std::io::pipe().map_err(failed)?;
        let mut command = command(&binary);
        command
            .args(flags(graphics, shell))
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .env("HOME", profile.path())
            .env("XDG_CONFIG_HOME", profile.path())
            .env("XDG_CACHE_HOME", profile.path())
            .env("TZ", "UTC")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .stdout(Stdio::null())
            .fd_mappings(vec![
                FdMapping {
                    parent_fd: child_reads.into(),
                    child_fd: 3,
                },
                FdMapping {
                    parent_fd: child_writes.into(),
                    child_fd: 4,
                },
            ])
            .map_err(|error| Failure::new(Code::BrowserFailed, error.to_string()))?;
        let mut group = Group::spawn(command).map_err(failed)?;
        let stderr = Arc::new(Mutex::new(Vec::new()));
        if let Some(mut pipe) = group.child().stderr.take() {
            let stderr = Arc::clone(&stderr);
            tokio::spawn(async move {
                let mut chunk = [0; 4096];
                while let Ok(count @ 1..) = pipe.read(&mut chunk).await {
                    if let Ok(mut kept) = stderr.lock() {
                        kept.extend_from_slice(&chunk[..count]);
                        let excess = kept.len().saturating_sub(16384);
                        kept.drain(..excess);
                    }
                }
            });
        }
        let cdp = Cdp::over(we_write.into(), we_read.into())?;
        let mut browser = Self {
            cdp,
            product: String::new(),
            stderr,
            group,
            profile: Some(profile),
        };
        match timeout(
            START_WITHIN,
            browser.cdp.call(None, "Browser.getVersion", json!({})),
        )
        .await
        {
            Ok(Ok(version)) => {
                browser.product = version["product"].as_str().unwrap_or_default().to_owned()
            }
            Ok(Err(error)) => return Err(browser.explain(error)),
            Err(_) => {
                let error = Failure::new(Code::BrowserFailed, "Chromium did not answer in time");
                return Err(browser.explain(error));
            }
        }
        Ok(browser)
    }

    /// Starts the browser that suits an engine: for WebGL, the fastest software renderer that works here.
    ///
    /// # Errors
    /// `browser_failed`.
    pub async fn for_engine(engine: Engine) -> Result<Self> {
        if engine == Engine::Remotion {
            return Self::start(Graphics::None).await;
        }
        let browser = Self::start(Graphics::Mesa).await?;
        match browser.renderer().await? {
            Some(renderer) if renderer.to_lowercase().contains("llvmpipe") => Ok(browser),
            _ => {
                drop(browser);
                Self::start(Graphics::SwiftShader).await
            }
        }
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
        let script = include_str!("../assets/renderer.js");
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

    /// A failure with the last words of the browser, where it died.
    pub fn explain(&mut self, mut failure: Failure) -> Failure {
        if failure.code == Code::BrowserFailed
            && matches!(self.group.child().try_wait(), Ok(Some(_)))
        {
            let said = self
                .stderr
                .lock()
                .map(|said| String::from_utf8_lossy(&said).into_owned())
                .unwrap_or_default();
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

impl Drop for Browser {
    fn drop(&mut self) {
        self.group.kill();
        // The last of the killed processes may still be writing when the folder is first removed.
        if let Some(profile) = self.profile.take() {
            let path = profile.keep();
            for _ in 0..50 {
                if std::fs::remove_dir_all(&path).is_ok() || !path.exists() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}
