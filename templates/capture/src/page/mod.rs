//! The composition's page in capture mode: coming up, showing frames, taking pictures.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::browser::Browser;
use crate::cdp::{Cdp, Event};
use crate::error::{Code, Failure, Result};

pub use crate::picture::{Capture, NotShown, Options, PageError, Picture, Sound};

const CLOCK: &str = include_str!("../../assets/virtual_clock.js");
const MEDIA: &str = include_str!("../../assets/media.js");
const DRIVER: &str = include_str!("../../assets/driver.js");
const STREAM: &str = include_str!("../../assets/stream.js");
const WRITER: &str = include_str!("../../assets/writer.js");

/// How long the page may take to come up.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long the page's scripts may take to run before the page is loaded again.
const SCRIPTS_WITHIN: Duration = Duration::from_secs(19);
/// How long one frame may take to be shown, and again to be shot. Longer than the templates' own patience with slow resources,
/// so that their error, which says what was waited for, comes first.
const FRAME_WITHIN: Duration = Duration::from_secs(30);
/// Most frames are shown within this time without the compositor's help.
const UNAIDED: Duration = Duration::from_millis(4);
/// How often one thing is tried again after the page reloaded itself (Vite does so when it discovers a dependency).
const RELOADS: usize = 3;

mod shoot;
mod stream;
mod substitute;
mod talk;
mod watch;

pub use shoot::Holds;
pub use stream::{Ended, Pixels, Stream, Streamed};
pub use talk::loads_anew;
use watch::Watch;
pub use watch::abroad;

/// An open page.
pub struct Page {
    cdp: Cdp,
    session: String,
    target: String,
    capture: Capture,
    options: Options,
    events: Option<mpsc::UnboundedReceiver<Event>>,
    frames_begun: AtomicU32,
    /// Whether the page saw something change since this was last asked.
    moved: AtomicBool,
    /// Whether the compositor drew anything since this was last asked.
    damaged: AtomicBool,
    watch: Watch,
}

#[derive(Deserialize)]
struct Shown {
    #[serde(default)]
    frame: u32,
    #[serde(default)]
    reload: bool,
    error: Option<PageError>,
    #[serde(default)]
    sounds: Vec<Sound>,
    #[serde(default)]
    still: bool,
}

impl Page {
    /// Opens the page and leaves it blank: [`Page::load`] brings up the composition.
    ///
    /// # Errors
    /// `browser_failed`.
    pub async fn open(browser: &Browser, options: Options) -> Result<Self> {
        let cdp = browser.cdp.clone();
        let blank = json!({ "url": "about:blank" });
        let mut controlled = blank.clone();
        controlled["width"] = options.width.into();
        controlled["height"] = options.height.into();
        controlled["enableBeginFrameControl"] = true.into();
        let mut page = match attach(&cdp, controlled).await {
            Ok((target, session)) => {
                let page = Self {
                    watch: Watch::over(cdp.listen(&session)),
                    cdp: cdp.clone(),
                    session,
                    target,
                    capture: Capture::BeginFrame,
                    options,
                    events: None,
                    frames_begun: AtomicU32::new(0),
                    moved: AtomicBool::new(true),
                    damaged: AtomicBool::new(true),
                };
                match page.begin_frame(None).await {
                    Ok(_) => page,
                    Err(_) => {
                        page.close().await;
                        page.again_without_control(blank).await?
                    }
                }
            }
            Err(_) => {
                let (target, session) = attach(&cdp, blank).await?;
                Self {
                    watch: Watch::over(cdp.listen(&session)),
                    cdp,
                    session,
                    target,
                    capture: Capture::Screenshot,
                    options,
                    events: None,
                    frames_begun: AtomicU32::new(0),
                    moved: AtomicBool::new(true),
                    damaged: AtomicBool::new(true),
                }
            }
        };
        browser.close_blank(&page.target).await;
        page.prepare().await?;
        Ok(page)
    }

    async fn again_without_control(self, blank: Value) -> Result<Self> {
        let (target, session) = attach(&self.cdp, blank).await?;
        Ok(Self {
            watch: Watch::over(self.cdp.listen(&session)),
            session,
            target,
            capture: Capture::Screenshot,
            ..self
        })
    }

    async fn prepare(&mut self) -> Result<()> {
        let options = self.options.clone();
        if options.observe {
            self.events = Some(self.cdp.listen(&self.session));
            for domain in ["Runtime", "Network", "Log"] {
                self.call(&format!("{domain}.enable"), json!({})).await?;
            }
        } else {
            self.call("Log.enable", json!({})).await?;
        }
        self.call("Page.enable", json!({})).await?;
        let clock = CLOCK.replacen(
            "/*KODA_CONFIG*/ { fps: 30 }",
            &json!({ "fps": options.fps }).to_string(),
            1,
        );
        let stream = STREAM.replace("\"writer.js\"", &json!(WRITER).to_string());
        let source = format!("{clock}\n{MEDIA}\n{DRIVER}\n{stream}");
        self.call(
            "Page.addScriptToEvaluateOnNewDocument",
            json!({ "source": source, "runImmediately": false }),
        )
        .await?;
        let metrics = json!({ "width": options.width, "height": options.height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", metrics)
            .await?;
        if options.transparent {
            let clear = json!({ "color": { "r": 0, "g": 0, "b": 0, "a": 0 } });
            self.call("Emulation.setDefaultBackgroundColorOverride", clear)
                .await?;
        }
        Ok(())
    }

    /// What it was opened with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// How this page's pictures are taken.
    pub fn capture(&self) -> Capture {
        self.capture
    }

    /// What the page's browser reported since the last call, where the page is observed.
    pub fn events(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        if let Some(receiver) = &mut self.events {
            while let Ok(event) = receiver.try_recv() {
                events.push(event);
            }
        }
        events
    }

    /// Loads the page anew and waits until its composition stands at frame 0.
    ///
    /// # Errors
    /// [`NotShown::Composition`] with what the composition threw, else `page_failed`.
    pub async fn load(&self) -> Result<(), NotShown> {
        let deadline = Instant::now() + READY_WITHIN;
        let url = self.url();
        for _ in 0..RELOADS {
            let navigate = self.call("Page.navigate", json!({ "url": url }));
            let navigated = self
                .within(deadline, "the page did not answer", navigate)
                .await?;
            if let Some(error) = navigated["errorText"].as_str() {
                return Err(NotShown::Other(Failure::new(
                    Code::PageFailed,
                    format!("the page cannot be loaded: {error}"),
                )));
            }
            if self.ready(deadline).await? {
                return Ok(());
            }
        }
        Err(NotShown::Other(Failure::new(
            Code::PageFailed,
            "the page did not set window.koda",
        )))
    }

    fn url(&self) -> String {
        let Options {
            base,
            width,
            height,
            transparent,
            smooth,
            ..
        } = &self.options;
        let alpha = if *transparent { "&transparent=1" } else { "" };
        let edges = if *smooth { "" } else { "&smooth=0" };
        format!("{base}?mode=capture&width={width}&height={height}{alpha}{edges}")
    }

    /// False where the page's scripts did not run: a server that has just bundled its dependencies anew answers some of them
    /// for a page that was loaded before, and never says so.
    async fn ready(&self, deadline: Instant) -> Result<bool, NotShown> {
        let expression = format!("__kodaDriver.ready({})", SCRIPTS_WITHIN.as_millis());
        let value = self
            .script(
                deadline,
                "the composition did not become ready",
                &expression,
            )
            .await?;
        if value["absent"] == true {
            return Ok(false);
        }
        if let Some(error) = error_of(&value) {
            return Err(NotShown::Composition(0, error));
        }
        if value["contract"] != 1 {
            let message = format!(
                "the page speaks contract {}, this program speaks 1",
                value["contract"]
            );
            return Err(NotShown::Other(Failure::new(Code::PageFailed, message)));
        }
        Ok(true)
    }

    /// Shows a frame, and says what can be heard at it. What a picture then holds depends on the frame alone, not on the frames
    /// shown before.
    ///
    /// # Errors
    /// [`NotShown::Composition`] with what the composition threw, else `frame_failed` or `browser_failed`.
    pub async fn show(&self, frame: u32) -> Result<Vec<Sound>, NotShown> {
        for _ in 0..RELOADS {
            let shown = self
                .drive(&format!("__kodaDriver.goto({frame})"), frame, FRAME_WITHIN)
                .await?;
            if let Some(error) = shown.error {
                return Err(NotShown::Composition(shown.frame, error));
            }
            if !shown.still {
                self.moved.store(true, Ordering::Relaxed);
            }
            if !shown.reload {
                return Ok(shown.sounds);
            }
            self.load().await?;
        }
        Err(NotShown::Other(loads_anew(Code::FrameFailed).at(frame)))
    }

    /// Shows frames one after the other without taking pictures, until one fails or the time is over: each where time allows,
    /// else evenly spread ones.
    ///
    /// # Errors
    /// As [`Page::show`].
    pub async fn sweep(&self, from: u32, to: u32, budget: Duration) -> Result<(), NotShown> {
        let call = format!("__kodaDriver.sweep({from}, {to}, {})", budget.as_millis());
        let shown = self.drive(&call, from, budget + FRAME_WITHIN).await?;
        match shown.error {
            Some(error) => Err(NotShown::Composition(shown.frame, error)),
            None => Ok(()),
        }
    }

    async fn drive(&self, call: &str, frame: u32, within: Duration) -> Result<Shown, NotShown> {
        let deadline = Instant::now() + within;
        let waiting = format!("frame {frame} was not shown within {} s", within.as_secs());
        let value = self
            .script(deadline, &waiting, call)
            .await
            .map_err(|failure| {
                // Whatever goes wrong here goes wrong at a frame.
                let code = if failure.code == Code::PageFailed {
                    Code::FrameFailed
                } else {
                    failure.code
                };
                NotShown::Other(Failure { code, ..failure }.at(frame))
            })?;
        serde_json::from_value(value).map_err(|error| {
            NotShown::Other(
                Failure::new(
                    Code::FrameFailed,
                    format!("the page answered oddly: {error}"),
                )
                .at(frame),
            )
        })
    }

    /// What layout looks like at the frame now shown.
    ///
    /// # Errors
    /// `page_failed`.
    pub async fn measure(&self) -> Result<Value> {
        self.script(
            Instant::now() + FRAME_WITHIN,
            "the layout was not measured in time",
            "__kodaDriver.measure()",
        )
        .await
    }

    /// What drawing the frame now shown costs, in 3D.
    ///
    /// # Errors
    /// `page_failed`.
    pub async fn cost(&self) -> Result<Option<Value>> {
        let within = Instant::now() + FRAME_WITHIN;
        let cost = self
            .script(
                within,
                "the scene was not drawn in time",
                "__kodaDriver.cost()",
            )
            .await?;
        Ok(Some(cost).filter(|cost| !cost.is_null()))
    }

    /// Addresses of pictures in the page that could not be loaded.
    ///
    /// # Errors
    /// `page_failed`.
    pub async fn missing_images(&self) -> Result<Vec<String>> {
        let value = self
            .script(
                Instant::now() + FRAME_WITHIN,
                "the page did not answer",
                "__kodaDriver.images()",
            )
            .await?;
        Ok(texts(&value))
    }

    /// Addresses of the videos that are in the page at the frame now shown.
    ///
    /// # Errors
    /// `page_failed`.
    pub async fn videos(&self) -> Result<Vec<String>> {
        let within = Instant::now() + FRAME_WITHIN;
        let waiting = "the page did not answer";
        let value = self.script(within, waiting, "__kodaMedia.videos()").await?;
        Ok(texts(&value))
    }

    /// Whether the page has shown something without an effect that it cannot draw.
    ///
    /// # Errors
    /// `page_failed`.
    pub async fn simplified(&self) -> Result<bool> {
        let within = Instant::now() + FRAME_WITHIN;
        // It stays in the session's storage where the page is loaded anew.
        let look = "'simplified' in document.documentElement.dataset || sessionStorage.getItem('koda-simplified') !== null";
        let value = self.script(within, "the page did not answer", look).await?;
        Ok(value == true)
    }

    /// Closes the page. Its browser stays.
    pub async fn close(&self) {
        // A browser that is gone has closed it already.
        let _ = self
            .cdp
            .call(
                None,
                "Target.closeTarget",
                json!({ "targetId": self.target }),
            )
            .await;
    }
}

fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten();
    texts
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

fn error_of(value: &Value) -> Option<PageError> {
    value
        .get("error")
        .filter(|error| error.is_object())
        .and_then(|error| serde_json::from_value(error.clone()).ok())
}

/// True where a call failed because the document it ran in was replaced.
fn reloaded(message: &str) -> bool {
    [
        "context was destroyed",
        "navigated or closed",
        "Cannot find context",
        "Promise was collected",
    ]
    .iter()
    .any(|sign| message.contains(sign))
}

async fn attach(cdp: &Cdp, target: Value) -> Result<(String, String)> {
    let created = cdp.call(None, "Target.createTarget", target).await?;
    let attached = cdp
        .call(
            None,
            "Target.attachToTarget",
            json!({ "targetId": created["targetId"], "flatten": true }),
        )
        .await?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok((text(&created["targetId"]), text(&attached["sessionId"])))
}
