//! Finding and starting the Chromium program.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use command_fds::{CommandFdExt as _, FdMapping};
use tempfile::TempDir;

use crate::error::{Code, Failure, Result};
use crate::process::{Group, command, remove};

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

impl Graphics {
    /// What tells Chromium.
    pub fn flags(self) -> &'static [&'static str] {
        match self {
            Self::None => &["--disable-gpu"],
            Self::Mesa => &[
                "--use-gl=angle",
                "--use-angle=gl-egl",
                "--ignore-gpu-blocklist",
            ],
            Self::SwiftShader => &[
                "--use-gl=angle",
                "--use-angle=swiftshader",
                "--enable-unsafe-swiftshader",
                "--ignore-gpu-blocklist",
            ],
        }
    }
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
        // A composition has no network and opens no windows: what is asked for fails at once, wherever it is rendered.
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
        "--block-new-web-contents",
        // Frames of renders are drawn into a canvas: assets/stream.js.
        "--enable-blink-features=CanvasDrawElement",
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
    flags.extend(graphics.flags());
    flags
}

/// Our ends of a browser's pipes.
pub struct Ends {
    /// For requests.
    pub requests: OwnedFd,
    /// For answers and events.
    pub answers: OwnedFd,
    /// What it says on its standard error.
    pub stderr: OwnedFd,
}

impl Ends {
    /// Other descriptors of the same pipes.
    ///
    /// # Errors
    /// Where there are too many descriptors.
    pub fn try_clone(&self) -> std::io::Result<Self> {
        Ok(Self {
            requests: self.requests.try_clone()?,
            answers: self.answers.try_clone()?,
            stderr: self.stderr.try_clone()?,
        })
    }
}

/// The processes of a browser, with a profile of their own. Dropping them ends them and removes the profile.
pub struct Processes {
    // Order matters: the processes end before their profile is removed.
    group: Group,
    profile: Option<TempDir>,
}

/// Starts a browser that draws WebGL in this way, Mesa with so many threads where that is said. It may still fail to come up.
///
/// # Errors
/// `browser_failed` where it is not there or cannot be started.
pub fn launch(graphics: Graphics, threads: Option<usize>) -> Result<(Processes, Ends)> {
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

    let (child_reads, requests) = std::io::pipe().map_err(failed)?;
    let (answers, child_writes) = std::io::pipe().map_err(failed)?;
    let (stderr, child_says) = std::io::pipe().map_err(failed)?;
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
        // https://docs.mesa3d.org/envvars.html#llvmpipe-environment-variables
        .envs(threads.map(|threads| ("LP_NUM_THREADS", threads.to_string())))
        .stdout(Stdio::null())
        .stderr(child_says)
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
    let processes = Processes {
        group: Group::spawn(command).map_err(failed)?,
        profile: Some(profile),
    };
    let ends = Ends {
        requests: requests.into(),
        answers: answers.into(),
        stderr: stderr.into(),
    };
    Ok((processes, ends))
}

impl Processes {
    /// The folder of the profile.
    pub fn profile(&self) -> &Path {
        self.profile.as_ref().map_or(Path::new(""), TempDir::path)
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.group.kill();
        if let Some(profile) = self.profile.take() {
            remove(profile);
        }
    }
}
