//! Frames as pixels, by way of a ring of slots in a file that the page writes and this program reads (assets/stream.js).

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use futures_util::future::{Fuse, FusedFuture as _, FutureExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::{FRAME_WITHIN, Page, reloaded};
use crate::buffers::{Buffer, Buffers};
use crate::cdp::Event;
use crate::error::{Code, Failure, Result};
use crate::picture::{NotShown, PageError, Sound};

/// How many frames may wait in the ring.
const SLOTS: usize = 3;
/// How long nothing may be heard of before the compositor is asked for a frame: something may be waiting for one that no paint
/// was asked for, such as a font.
const QUIET: Duration = Duration::from_millis(40);
/// The binding through which the page speaks.
const BINDING: &str = "__kodaTell";

/// Pixels of one frame.
pub struct Pixels {
    /// The bytes, four a pixel, row by row.
    pub bytes: Buffer,
    /// Whether a pixel is blue, green, red and a byte that says nothing, instead of red, green, blue and alpha.
    pub bgr: bool,
    /// Whether the last row comes first.
    pub bottom_up: bool,
    /// Whether colours are multiplied by their alpha.
    pub multiplied: bool,
}

/// One frame as it comes.
pub struct Streamed {
    /// None where they are those of the frame before.
    pub pixels: Option<Pixels>,
    /// What can be heard at the frame.
    pub sounds: Vec<Sound>,
}

/// Why a run of frames ended.
#[derive(Debug)]
pub enum Ended {
    /// All frames are there.
    Done,
    /// From this frame on, only a page that is loaded anew can go on.
    Reload(usize),
    /// What is shown cannot be streamed, and why.
    Unfit(String),
}

/// A page whose frames come as pixels. Where it is not closed, the page must be loaded anew.
pub struct Stream<'page> {
    page: &'page Page,
    told: mpsc::UnboundedReceiver<Event>,
    ring: File,
    size: usize,
    bgr: bool,
    bottom_up: bool,
    multiplied: bool,
    buffers: Buffers,
}

/// What the page says.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    /// That a slot holds a frame.
    Frame {
        index: usize,
        slot: usize,
        sounds: Vec<Sound>,
    },
    /// That a frame is as the one before.
    Same { index: usize, sounds: Vec<Sound> },
    /// That a frame is about to be shown: where the page hangs, it is this one.
    Shows { shows: usize },
    /// That it wants the compositor to begin a frame.
    Paint {},
}

#[derive(Deserialize)]
struct Ran {
    done: usize,
    #[serde(default)]
    frame: u32,
    #[serde(default)]
    reload: bool,
    error: Option<PageError>,
    unfit: Option<String>,
}

impl Page {
    /// Why frames of what is shown cannot come as pixels, if so.
    ///
    /// # Errors
    /// `page_failed`.
    pub async fn obstacle(&self) -> Result<Option<String>> {
        if self.capture != crate::picture::Capture::BeginFrame {
            return Ok(Some("this browser draws when it likes".to_owned()));
        }
        let deadline = Instant::now() + FRAME_WITHIN;
        let said = self
            .script(
                deadline,
                "the page did not answer",
                "__kodaStream.obstacle()",
            )
            .await?;
        Ok(said.as_str().map(str::to_owned))
    }

    /// Takes the stage over. The ring is looked for in the browser's profile.
    ///
    /// # Errors
    /// Why it cannot be done: nothing is lost then, screenshots can still be taken after the page is loaded anew.
    pub async fn stream(&self, profile: &Path, buffers: Buffers) -> Result<Stream<'_>> {
        let options = &self.options;
        let size = options.width as usize * options.height as usize * 4;
        let token = format!("koda-{:x}", fresh());
        let told = self.cdp.listen(&self.session);
        let wanted = json!({
            "width": options.width, "height": options.height, "slots": SLOTS,
            "transparent": options.transparent, "token": token,
        });
        let mut opened = self.open_ring(&wanted).await?;
        if opened["reload"] == true {
            self.load().await?;
            opened = self.open_ring(&wanted).await?;
        }
        let unfit = |why: &str| Failure::new(Code::PageFailed, why.to_owned());
        if let Some(why) = opened["unfit"].as_str() {
            return Err(unfit(why));
        }
        let length = (SLOTS * size + token.len()) as u64;
        let ring = find(profile, length, token.as_bytes())
            .ok_or_else(|| unfit("the ring is not in the profile"))?;
        Ok(Stream {
            page: self,
            told,
            ring,
            size,
            bgr: opened["bgr"] == true,
            bottom_up: opened["bottomUp"] == true,
            multiplied: opened["multiplied"] == true,
            buffers,
        })
    }

    async fn open_ring(&self, wanted: &Value) -> Result<Value> {
        // A document has the bindings that were added while it was there.
        self.call("Runtime.addBinding", json!({ "name": BINDING }))
            .await?;
        let deadline = Instant::now() + FRAME_WITHIN;
        let open = format!("__kodaStream.open({wanted})");
        self.script(deadline, "the ring was not made in time", &open)
            .await
    }
}

impl Stream<'_> {
    /// Shows these frames one after the other and hands over the pixels of each, in order. Whoever receives sets the pace.
    ///
    /// # Errors
    /// [`NotShown::Composition`] with what the composition threw, else `frame_failed` or `browser_failed`.
    pub async fn run(
        &mut self,
        frames: &[u32],
        sink: &mpsc::Sender<Streamed>,
    ) -> Result<Ended, NotShown> {
        let run = self.page.call(
            "Runtime.evaluate",
            json!({
                "expression": format!("__kodaStream.run({})", json!(frames)),
                "awaitPromise": true, "returnByValue": true,
            }),
        );
        tokio::pin!(run);
        let mut ran = None;
        let mut delivered = 0;
        let mut showing = 0;
        let mut deadline = Instant::now() + FRAME_WITHIN;
        let mut quiet = Instant::now() + QUIET;
        // A frame of the compositor that was begun must end before the next begins, and never does where the page hangs.
        let mut wanted = false;
        let begun = Fuse::terminated();
        tokio::pin!(begun);
        loop {
            if wanted && begun.is_terminated() {
                wanted = false;
                begun.set(self.page.begin_frame(None).fuse());
            }
            if let Some(done) = ran.as_ref().map(|ran: &Ran| ran.done)
                && delivered >= done
            {
                break;
            }
            tokio::select! {
                biased;
                lost = self.page.lost() => {
                    // What it said before may not have been heard yet.
                    while let Ok(event) = self.told.try_recv() {
                        if let Some(Told::Shows { shows }) = told(&event) {
                            showing = shows;
                        }
                    }
                    let frame = frames.get(showing).copied().unwrap_or_default();
                    return Err(lost.at(frame).into());
                }
                begun = &mut begun => {
                    begun?;
                }
                event = self.told.recv() => match event.as_ref().map(told) {
                    Some(Some(Told::Paint {})) => wanted = true,
                    Some(Some(Told::Shows { shows })) => showing = shows,
                    Some(Some(Told::Same { index, sounds })) => {
                        delivered = index + 1;
                        if sink.send(Streamed { pixels: None, sounds }).await.is_err() {
                            return Ok(Ended::Done);
                        }
                        deadline = Instant::now() + FRAME_WITHIN;
                    }
                    Some(Some(Told::Frame { index, slot, sounds })) => {
                        delivered = index + 1;
                        let pixels = Some(self.read(slot)?);
                        if sink.send(Streamed { pixels, sounds }).await.is_err() {
                            // Whoever received has a reason of their own to stop.
                            return Ok(Ended::Done);
                        }
                        let free = json!({ "expression": format!("__kodaStream.free({slot})") });
                        self.page.cdp.tell(Some(&self.page.session), "Runtime.evaluate", free)?;
                        deadline = Instant::now() + FRAME_WITHIN;
                    }
                    Some(None) => continue,
                    None => {
                        let gone = Failure::new(Code::BrowserFailed, "Chromium went away");
                        return Err(gone.into());
                    }
                },
                result = &mut run, if ran.is_none() => match result {
                    Ok(answer) => ran = Some(Ran::from(answer)?),
                    Err(failure) if reloaded(&failure.message) => return Ok(Ended::Reload(delivered)),
                    Err(failure) => return Err(failure.into()),
                },
                () = sleep_until(quiet.min(deadline)) => {
                    if Instant::now() >= deadline {
                        let frame = frames.get(showing).copied().unwrap_or_default();
                        let late = format!("frame {frame} was not drawn within {} s", FRAME_WITHIN.as_secs());
                        return Err(Failure::new(Code::FrameFailed, late).at(frame).into());
                    }
                    wanted = true;
                }
            }
            quiet = Instant::now() + QUIET;
        }
        if !begun.is_terminated() {
            let late = "the last frame was not drawn in time";
            self.page.within(deadline, late, begun).await?;
        }
        ran.map_or(Ok(Ended::Done), Ran::ended)
    }

    /// Puts the stage back, so that pictures can be taken of it.
    ///
    /// # Errors
    /// `browser_failed` or `page_failed`.
    pub async fn close(self) -> Result<()> {
        let deadline = Instant::now() + FRAME_WITHIN;
        self.page
            .script(
                deadline,
                "the stage was not put back",
                "__kodaStream.close()",
            )
            .await
            .map(drop)
    }

    fn read(&self, slot: usize) -> Result<Pixels> {
        let mut bytes = self.buffers.take(self.size);
        self.ring
            .read_exact_at(&mut bytes, (slot.min(SLOTS - 1) * self.size) as u64)
            .map_err(|error| Failure::io(Code::FrameFailed, "the ring cannot be read", &error))?;
        Ok(Pixels {
            bytes,
            bgr: self.bgr,
            bottom_up: self.bottom_up,
            multiplied: self.multiplied,
        })
    }
}

impl Ran {
    /// What the page's answer comes to.
    fn from(mut answer: Value) -> Result<Self> {
        let details = &answer["exceptionDetails"];
        if details.is_object() {
            let said = details["exception"]["description"].as_str();
            let said = said.or(details["text"].as_str()).unwrap_or("exception");
            let said = said.lines().next().unwrap_or(said);
            return Err(Failure::new(Code::FrameFailed, said));
        }
        serde_json::from_value(answer["result"]["value"].take()).map_err(|error| {
            Failure::new(
                Code::FrameFailed,
                format!("the page answered oddly: {error}"),
            )
        })
    }

    fn ended(self) -> Result<Ended, NotShown> {
        match self {
            Self {
                error: Some(error),
                frame,
                ..
            } => Err(NotShown::Composition(frame, error)),
            Self {
                unfit: Some(why), ..
            } => Ok(Ended::Unfit(why)),
            Self {
                reload: true, done, ..
            } => Ok(Ended::Reload(done)),
            Self { .. } => Ok(Ended::Done),
        }
    }
}

fn told(event: &Event) -> Option<Told> {
    if event.method != "Runtime.bindingCalled" || event.params["name"] != BINDING {
        return None;
    }
    serde_json::from_str(event.params["payload"].as_str()?).ok()
}

/// The file of this length below a folder that ends with this token.
fn find(folder: &Path, length: u64, token: &[u8]) -> Option<File> {
    for entry in std::fs::read_dir(folder).ok()?.flatten() {
        let Ok(about) = entry.metadata() else {
            continue;
        };
        if about.is_dir() {
            if let Some(found) = find(&entry.path(), length, token) {
                return Some(found);
            }
        } else if about.len() == length {
            let file = File::open(entry.path()).ok()?;
            let mut end = vec![0; token.len()];
            let at = length - token.len() as u64;
            if file.read_exact_at(&mut end, at).is_ok() && end == token {
                return Some(file);
            }
        }
    }
    None
}

/// A number that no ring had before.
fn fresh() -> u128 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos())
}
