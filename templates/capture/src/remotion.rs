//! Remotion's own renderer, for compositions that need what only it has: a Node program (`src/koda/server/film.mjs` of the workspace)
//! that hands over pictures, which become a film as all others do.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use serde::Deserialize;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::browser::{self, Graphics};
use crate::check::remotions_renderer;
use crate::error::{Code, Failure, Result};
use crate::manifest::{Engine, Manifest};
use crate::picture::{Options, Picture, Sound};
use crate::process::{Group, command, remove};

/// What it is called in a render's result.
pub const NAME: &str = "remotion";
/// The program, below the workspace.
const PROGRAM: &str = "src/koda/server/film.mjs";
/// Names the browser that this program is to run in its place: [`run_browser`].
const BROWSER: &str = "KODA_REMOTION_BROWSER";
/// The number of the process that the browser is to end with.
const PARENT: &str = "KODA_REMOTION_PARENT";
/// The flags of that browser for WebGL, with blanks between them.
const FLAGS: &str = "KODA_REMOTION_FLAGS";
/// How long Remotion waits for a page, and for a frame: its own default, and more where a frame is larger than 1080p, because shaders
/// run on processors here.
const WITHIN: Duration = Duration::from_secs(30);
const PIXELS: u32 = 1920 * 1080;
/// For so many times that long nothing may come: Remotion tries again by itself what it lost.
const SILENCE: u32 = 3;
/// Longest line that is read.
const LONGEST: u64 = 16 << 20;

/// Why a composition needs it, as a sentence; nothing where it does not, or where the workspace cannot ask for it.
pub fn needed(app: &Path, engine: Engine) -> Option<String> {
    if is_there(app, engine) {
        remotions_renderer(app)
    } else {
        None
    }
}

/// Whether a workspace can ask for it.
pub fn is_there(app: &Path, engine: Engine) -> bool {
    engine == Engine::Remotion && app.join(PROGRAM).is_file()
}

/// A picture of a frame, and what can be heard at it.
pub struct Shot {
    /// The frame.
    pub frame: u32,
    /// PNG or JPEG.
    pub picture: Vec<u8>,
    /// What can be heard.
    pub sounds: Vec<Sound>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Shot {
        frame: u32,
        bytes: usize,
        sounds: Vec<Sound>,
    },
    Failed {
        error: Said,
    },
    Done {
        #[serde(rename = "done")]
        _done: bool,
    },
}

#[derive(Deserialize)]
struct Said {
    message: String,
    frame: Option<u32>,
}

/// The renderer with its browser. Dropping it ends both.
pub struct Renderer {
    group: Group,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    said: JoinHandle<String>,
    within: Duration,
    /// The browser's profile is in it.
    home: Option<TempDir>,
}

impl Drop for Renderer {
    fn drop(&mut self) {
        self.group.kill();
        if let Some(home) = self.home.take() {
            remove(home);
        }
    }
}

impl Renderer {
    /// Starts it for a composition that is served. Its effects are drawn with `graphics`: by Mesa 3.4 times as fast as by SwiftShader.
    ///
    /// # Errors
    /// `browser_failed` where it cannot be started.
    pub fn start(
        app: &Path,
        manifest: &Manifest,
        options: &Options,
        graphics: Graphics,
    ) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Failure::io(
                Code::BrowserFailed,
                "Remotion's renderer cannot be started",
                &error,
            )
        };
        let home = tempfile::Builder::new()
            .prefix("koda-remotion-")
            .tempdir()
            .map_err(failed)?;
        let own = std::env::current_exe().map_err(failed)?;
        let within = WITHIN * (options.width * options.height / PIXELS).max(1);
        let job = json!({
            "base": options.base,
            "width": manifest.width,
            "height": manifest.height,
            "fps": manifest.fps,
            "durationInFrames": manifest.duration_in_frames,
            "scale": f64::from(options.width) / f64::from(manifest.width),
            "transparent": options.transparent,
            "within": within.as_millis(),
            "browser": own,
        });
        let mut command = command("node");
        command
            .arg(PROGRAM)
            .arg(job.to_string())
            .current_dir(app)
            .env("NODE_ENV", "production")
            .env(BROWSER, browser::find()?)
            .env(FLAGS, graphics.flags().join(" "))
            .env("TMPDIR", home.path())
            .env("HOME", home.path())
            .env("XDG_CONFIG_HOME", home.path())
            .env("XDG_CACHE_HOME", home.path())
            .env("TZ", "UTC")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .stdin(Stdio::piped());
        let mut group = Group::spawn(command).map_err(failed)?;
        let child = group.child();
        let (Some(input), Some(output), Some(mut stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(failed(std::io::ErrorKind::BrokenPipe.into()));
        };
        let said = tokio::spawn(async move {
            let mut said = Vec::new();
            let mut chunk = [0; 4096];
            // To its end, so that nothing stops at a full pipe; the end of it says most.
            while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
                said.extend_from_slice(&chunk[..count]);
                let more = said.len().saturating_sub(4096);
                said.drain(..more);
            }
            String::from_utf8_lossy(&said).trim().to_owned()
        });
        Ok(Self {
            group,
            input,
            output: BufReader::new(output),
            said,
            within,
            home: Some(home),
        })
    }

    /// Asks for these frames, which come in this order.
    ///
    /// # Errors
    /// `browser_failed` where it has ended.
    pub async fn ask(&mut self, frames: &[u32], picture: Picture) -> Result<()> {
        let mut asked = json!({ "frames": frames, "image": "png" });
        if let Picture::Jpeg(quality) = picture {
            asked["image"] = "jpeg".into();
            asked["quality"] = quality.into();
        }
        let line = format!("{asked}\n");
        if self.input.write_all(line.as_bytes()).await.is_err() {
            return Err(self.ended().await);
        }
        Ok(())
    }

    /// The next of what was asked for; nothing where that was the last.
    ///
    /// # Errors
    /// `frame_failed` or `page_failed` with what Remotion said; `browser_failed` where it ended.
    pub async fn next(&mut self) -> Result<Option<Shot>> {
        let silence = self.within * SILENCE;
        let Ok(read) = timeout(silence, self.read()).await else {
            let message = format!(
                "Remotion's renderer gave no frame within {} seconds",
                silence.as_secs()
            );
            return Err(Failure::new(Code::PageFailed, message));
        };
        match read {
            Ok(Some((Line::Shot { frame, sounds, .. }, picture))) => Ok(Some(Shot {
                frame,
                picture,
                sounds,
            })),
            Ok(Some((Line::Done { .. }, _))) => Ok(None),
            Ok(Some((Line::Failed { error }, _))) => Err(failure(&error)),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Err(Failure::new(
                Code::BrowserFailed,
                format!("Remotion's renderer cannot be understood: {error}"),
            )),
            Ok(None) | Err(_) => Err(self.ended().await),
        }
    }

    async fn read(&mut self) -> std::io::Result<Option<(Line, Vec<u8>)>> {
        let mut text = Vec::new();
        let mut limited = (&mut self.output).take(LONGEST);
        if limited.read_until(b'\n', &mut text).await? == 0 {
            return Ok(None);
        }
        let line: Line = serde_json::from_slice(&text)
            .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))?;
        let mut picture = Vec::new();
        if let Line::Shot { bytes, .. } = &line {
            picture.resize(*bytes, 0);
            self.output.read_exact(&mut picture).await?;
        }
        Ok(Some((line, picture)))
    }

    /// Why there is no more of it.
    async fn ended(&mut self) -> Failure {
        self.group.kill();
        let said = (&mut self.said).await.unwrap_or_default();
        // Where Node reports an error, that line says what happened; what follows says where.
        let error = said.lines().rev().find(|line| line.contains("Error:"));
        let why = error.or(said.lines().last()).unwrap_or("it said nothing");
        Failure::new(
            Code::BrowserFailed,
            format!("Remotion's renderer ended: {}", why.trim()),
        )
    }
}

/// What Remotion says of what went wrong, without where in its own code that was.
fn failure(said: &Said) -> Failure {
    let lines = said.message.lines().map(str::trim);
    let told: Vec<&str> = lines
        .take_while(|line| !line.starts_with("at "))
        .filter(|line| !line.is_empty())
        .take(6)
        .collect();
    let failure = Failure::new(Code::PageFailed, told.join(" "));
    match said.frame {
        Some(frame) => failure.at(frame),
        None => failure,
    }
}

/// Where this program was started by Remotion's renderer as its browser: becomes that browser, which then ends with whoever started
/// it, and reaches nothing beyond this machine. Answers only where it could not.
pub fn run_browser() -> Option<std::io::Error> {
    let browser = std::env::var_os(BROWSER)?;
    // Remotion gives its browser a process group of its own, so that it is not ended with ours.
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return Some(error.into());
    }
    // It may have ended before that was asked for.
    let parent = getppid().map_or(0, |parent| parent.as_raw_nonzero().get());
    if std::env::var(PARENT).ok().as_deref() != Some(parent.to_string().as_str()) {
        return Some(std::io::ErrorKind::BrokenPipe.into());
    }
    // Remotion knows the headless shell alone; Chromium as a whole has another name for it.
    let shell = browser.to_string_lossy().contains("headless");
    let arguments = std::env::args_os().skip(1).map(|argument| {
        if !shell && argument == "--headless=old" {
            "--headless=new".into()
        } else {
            argument
        }
    });
    let arguments: Vec<OsString> = arguments.collect();
    let flags = std::env::var(FLAGS).unwrap_or_default();
    Some(
        std::process::Command::new(browser)
            .args(arguments)
            .args(flags.split_whitespace())
            .arg("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost")
            .env_remove(BROWSER)
            .exec(),
    )
}
