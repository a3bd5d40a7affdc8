//! Taking pictures of the page.

use super::{FRAME_WITHIN, Page};
use crate::error::{Code, Failure, Result};
use crate::picture::{Capture, Picture};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// How soon a screenshot that gives no answer is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// The compositor's time at the first frame, in milliseconds.
const FIRST_FRAME_TICKS: f64 = 1000.0;

impl Page {
    /// Takes a picture of what is shown.
    ///
    /// # Errors
    /// `frame_failed` or `browser_failed`.
    pub async fn shoot(&self, picture: Picture) -> Result<Vec<u8>> {
        let mut options = json!({ "format": "png", "optimizeForSpeed": true });
        if let Picture::Jpeg(quality) = picture {
            options = json!({ "format": "jpeg", "quality": quality, "optimizeForSpeed": true });
        }
        let deadline = Instant::now() + FRAME_WITHIN;
        let data = match self.capture {
            Capture::Screenshot => {
                options["captureBeyondViewport"] = false.into();
                self.screenshot(deadline, options).await?["data"].take()
            }
            Capture::BeginFrame => self.begin_frame_picture(deadline, options).await?,
        };
        let data = data.as_str().unwrap_or_default();
        BASE64_STANDARD
            .decode(data)
            .ok()
            .filter(|bytes| !bytes.is_empty())
            .ok_or_else(|| Failure::new(Code::FrameFailed, "Chromium handed over no picture"))
    }

    /// Asks again where no answer comes: a browser that draws when it likes loses a request now and then while it is
    /// busy with its first frame, and draws nothing at all for a page that it takes for hidden.
    async fn screenshot(&self, deadline: Instant, options: Value) -> Result<Value> {
        loop {
            let shot = self.unless_lost(self.call("Page.captureScreenshot", options.clone()));
            let soon = (Instant::now() + ASK_AGAIN).min(deadline);
            match timeout_at(soon, shot).await {
                Ok(result) => return result,
                Err(_) if Instant::now() < deadline => {
                    let front = self.call("Page.bringToFront", json!({}));
                    // Whether it helps shows in the next picture.
                    let _ = timeout(ASK_AGAIN, front).await;
                }
                Err(_) => {
                    return Err(Failure::new(
                        Code::PageFailed,
                        "no picture was taken in time",
                    ));
                }
            }
        }
    }

    async fn begin_frame_picture(&self, deadline: Instant, options: Value) -> Result<Value> {
        // The compositor may skip a frame while it has not yet activated the last one.
        for _ in 0..10 {
            let shot = self.begin_frame(Some(options.clone()));
            let mut result = self
                .within(deadline, "no picture was taken in time", shot)
                .await?;
            if result["screenshotData"].is_string() {
                return Ok(result["screenshotData"].take());
            }
        }
        Err(Failure::new(Code::FrameFailed, "Chromium drew no picture"))
    }

    pub(super) async fn begin_frame(&self, screenshot: Option<Value>) -> Result<Value> {
        // What follows the compositor's time (animated pictures) stands still: frames are a microsecond apart. No frame may come
        // before the last, so this time cannot follow the composition's.
        let count = self.frames_begun.fetch_add(1, Ordering::Relaxed);
        let mut params = json!({ "frameTimeTicks": FIRST_FRAME_TICKS + f64::from(count) * 0.001, "interval": 16.0 });
        if let Some(screenshot) = screenshot {
            params["screenshot"] = screenshot;
        }
        self.call("HeadlessExperimental.beginFrame", params).await
    }
}
