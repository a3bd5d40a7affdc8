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

/// Where the compositor says again and again that something changed which the page did not see, such as a canvas that is drawn, it
/// is not asked for one picture, for three, seven, and so on up to this power of two.
const MOST_MISSED: u32 = 5;

/// What is known of a page that stands still.
#[derive(Debug, Default)]
pub struct Holds {
    /// Whether damage since the last picture is that of a change.
    settled: bool,
    /// How often in a row the compositor found damage where the page had seen no change.
    missed: u32,
    /// For how many pictures it is not asked.
    pause: u32,
}

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

    /// The picture of what is shown, or None where it would be the last one again: nothing was seen to change in the page since,
    /// and the compositor finds nothing to draw anew.
    ///
    /// # Errors
    /// As [`Page::shoot`].
    pub async fn shoot_if_changed(
        &self,
        picture: Picture,
        holds: &mut Holds,
    ) -> Result<Option<Vec<u8>>> {
        let moved = self.moved.swap(false, Ordering::Relaxed);
        if moved || holds.pause > 0 || self.capture == Capture::Screenshot {
            holds.pause = holds.pause.saturating_sub(1);
            holds.settled = false;
            return self.shoot(picture).await.map(Some);
        }
        if holds.settled {
            self.another_frame().await?;
            if !self.damaged.load(Ordering::Relaxed) {
                holds.missed = 0;
                return Ok(None);
            }
            holds.pause = (1 << holds.missed) - 1;
            holds.missed = (holds.missed + 1).min(MOST_MISSED);
            holds.settled = false;
            let soon = Instant::now() + FRAME_WITHIN;
            self.script(soon, "the page did not answer", "__kodaDriver.refresh()")
                .await?;
            return self.shoot(picture).await.map(Some);
        }
        let taken = self.shoot(picture).await?;
        // That a picture was taken counts as damage of the frame after.
        self.another_frame().await?;
        self.damaged.store(false, Ordering::Relaxed);
        holds.settled = true;
        Ok(Some(taken))
    }

    async fn another_frame(&self) -> Result<()> {
        let deadline = Instant::now() + FRAME_WITHIN;
        let frame = self.begin_frame(None);
        self.within(deadline, "no frame was drawn in time", frame)
            .await
            .map(drop)
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
        let begun = self.call("HeadlessExperimental.beginFrame", params).await?;
        if begun["hasDamage"] != false {
            self.damaged.store(true, Ordering::Relaxed);
        }
        Ok(begun)
    }
}
