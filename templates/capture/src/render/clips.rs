//! Copies of videos in which every frame stands by itself. A browser that is asked for one frame of a video decodes all frames since
//! the last key frame, for each frame of a film again; of a copy it decodes one.
//!
//! Whatever is drawn by whom, it must come out the same: what is copied depends on the film and the videos alone, and where making a
//! copy is cut off, by a full disk or from outside, that is a failure.

use std::collections::BTreeMap;
use std::path::Path;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::encoder::{complaint, ended, program};
use crate::error::{Code, Failure, Result};
use crate::process::{self, Group, command};

/// A copy is made where decoding takes this many times as long as the copy and what is decoded of it.
const WORTHWHILE: f64 = 2.0;
/// Encoding a frame of a copy takes as long as decoding this many.
const ENCODING: f64 = 3.0;
/// Frames times pixels of all copies together: up to 400 MB, and some ten seconds.
const LARGEST: f64 = 1.0e9;
/// How long a copy may take: far longer than it does.
const WITHIN: Duration = Duration::from_secs(600);
/// How far the time of a frame may be from what it was, in seconds: containers round.
const APART: f64 = 0.0006;
/// A copy is seen, encoded, and held against pictures of what it was made from: it must be very near to that.
const QUALITY: &str = "8";
/// A playlist could name files of the machine: FFmpeg reads films alone, and from the composition's server.
const INPUT: &str = "-protocol_whitelist http,tcp -format_whitelist mov";

/// What matters of a video.
struct Clip {
    width: u64,
    height: u64,
    /// How colours are coded, and the shape of a pixel.
    coding: [String; 5],
    seconds: f64,
    /// When each frame is shown.
    times: Vec<f64>,
    keys: usize,
}

/// A video that was copied.
pub struct Made {
    clip: Clip,
    copy: String,
    /// How long that took.
    took: Duration,
}

/// What is to be shown instead of videos.
#[derive(Default)]
pub struct Copies {
    /// From the address of a video to that of its copy.
    pub addresses: BTreeMap<String, String>,
    /// How long making them took, whatever was done beside it.
    pub took: Duration,
}

/// Makes copies for a film, and removes them when it is dropped.
pub struct Copier<'a> {
    app: &'a Path,
    base: &'a str,
    frames: usize,
    first: OnceLock<String>,
    folder: OnceLock<Folder>,
}

/// Where copies lie.
struct Folder(Option<TempDir>);

impl Folder {
    fn path(&self) -> &Path {
        self.0.as_ref().map_or(Path::new(""), TempDir::path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(process::remove);
    }
}

impl<'a> Copier<'a> {
    /// For a film of so many different frames; for none, it makes no copies.
    pub fn new(app: &'a Path, base: &'a str, frames: usize) -> Self {
        Self {
            app,
            base,
            frames,
            first: OnceLock::new(),
            folder: OnceLock::new(),
        }
    }

    /// Copies the first video that is seen, while others may still come to be seen: as if all frames showed it, because which do
    /// is not known yet.
    ///
    /// # Errors
    /// As [`Self::copies`].
    pub async fn ahead(&self, first: oneshot::Receiver<String>) -> Result<Option<Made>> {
        match first.await {
            Ok(address) => {
                let address = self.first.get_or_init(|| address);
                self.copy(address, 1.0, LARGEST, "first").await
            }
            Err(_) => Ok(None),
        }
    }

    /// Copies what is worth it of these videos, of which each is in a share of the frames. What cannot be copied, or would come
    /// out otherwise, is left as it is. Of the first that was seen, the copy is the one that is made ahead.
    ///
    /// # Errors
    /// `out_of_space`, or `encoder_failed` where it may work another time.
    pub async fn copies(
        &self,
        videos: &BTreeMap<String, f64>,
        ahead: Pin<Box<impl Future<Output = Result<Option<Made>>>>>,
    ) -> Result<Copies> {
        let mut copies = Copies::default();
        if self.frames == 0 {
            return Ok(copies);
        }
        let mut first = self.of_first(videos, ahead).await?;
        let mut room = LARGEST;
        for (index, (address, share)) in videos.iter().enumerate() {
            let made = match first.take_if(|(of, _)| of == address) {
                Some((_, made)) => made,
                None => self.copy(address, *share, room, &index.to_string()).await?,
            };
            let Some(Made { clip, copy, took }) = made else {
                continue;
            };
            copies.took += took;
            if clip.size() <= room {
                room -= clip.size();
                copies.addresses.insert(address.clone(), copy);
            }
        }
        Ok(copies)
    }

    /// The first video and the copy that was made ahead, as far as it is worth it for the frames that show it. One that is not is
    /// made no further.
    async fn of_first(
        &self,
        videos: &BTreeMap<String, f64>,
        ahead: Pin<Box<impl Future<Output = Result<Option<Made>>>>>,
    ) -> Result<Option<(String, Option<Made>)>> {
        let shown = self.first.get().and_then(|it| videos.get_key_value(it));
        if let Some((address, share)) = shown
            && (*share >= 1.0 || self.worth(address, *share).await?.is_some())
        {
            return Ok(Some((address.clone(), ahead.await?)));
        }
        drop(ahead);
        if let Some(folder) = self.folder.get() {
            // It may not have come that far.
            let _ = std::fs::remove_file(folder.path().join("first.mp4"));
        }
        Ok(shown.map(|(address, _)| (address.clone(), None)))
    }

    async fn copy(&self, address: &str, share: f64, room: f64, name: &str) -> Result<Option<Made>> {
        let began = Instant::now();
        let clip = match self.worth(address, share).await? {
            Some(clip) if clip.size() <= room => clip,
            _ => return Ok(None),
        };
        let folder = self.folder()?;
        let within = folder.file_name().unwrap_or_default().display();
        let copy = format!("{}{within}/{name}.mp4", self.base);
        let path = folder.join(format!("{name}.mp4"));
        if transcode(address, &path).await? && clip.is_as(Clip::probe(&copy).await?.as_ref()) {
            let took = began.elapsed();
            return Ok(Some(Made { clip, copy, took }));
        }
        // What is not used takes no room; it may not have been made at all.
        let _ = std::fs::remove_file(&path);
        Ok(None)
    }

    async fn worth(&self, address: &str, share: f64) -> Result<Option<Clip>> {
        let ours = self.frames > 0 && address.starts_with(self.base);
        if !ours || Clip::most(address).await?.is_none_or(|most| most > LARGEST) {
            return Ok(None);
        }
        let shown = self.frames as f64 * share;
        let clip = Clip::probe(address).await?;
        Ok(clip.filter(|clip| clip.is_worth_copying(shown)))
    }

    /// Within the workspace, so that its server serves it.
    fn folder(&self) -> Result<&Path> {
        if let Some(folder) = self.folder.get() {
            return Ok(folder.path());
        }
        let folder = tempfile::Builder::new()
            .prefix(".koda-clips-")
            .tempdir_in(self.app)
            .map_err(|error| {
                Failure::io(Code::EncoderFailed, "a video cannot be copied", &error)
            })?;
        Ok(self.folder.get_or_init(|| Folder(Some(folder))).path())
    }
}

impl Clip {
    /// What its header says how many frames times pixels it has: reading where all its frames are takes as long as it is large.
    async fn most(address: &str) -> Result<Option<f64>> {
        let said = ask(address, "stream=width,height,nb_frames").await?;
        Ok(said.as_ref().and_then(|said| {
            let [video] = said["streams"].as_array()?.as_slice() else {
                return None;
            };
            let (width, height) = (video["width"].as_u64()?, video["height"].as_u64()?);
            Some(number(&video["nb_frames"])? * width as f64 * height as f64)
        }))
    }

    /// None where it is none that can be copied.
    async fn probe(address: &str) -> Result<Option<Self>> {
        let what = "packet=pts_time,flags:stream:stream_side_data:format";
        Ok(ask(address, what).await?.as_ref().and_then(Self::read))
    }

    fn read(said: &Value) -> Option<Self> {
        let [video] = said["streams"].as_array()?.as_slice() else {
            return None;
        };
        // Of others, not all would come through: alpha, more bits, full range; and what a browser takes untagged colours for depends
        // on the codec.
        let turned = video["side_data_list"].is_array();
        if video["codec_name"] != "h264" || video["pix_fmt"] != "yuv420p" || turned {
            return None;
        }
        let (width, height) = (video["width"].as_u64()?, video["height"].as_u64()?);
        let coding = [
            "color_range",
            "color_space",
            "color_transfer",
            "color_primaries",
            "sample_aspect_ratio",
        ]
        .map(|name| video[name].as_str().unwrap_or_default().replace("1:1", ""));
        let packets = said["packets"].as_array()?;
        let times: Option<Vec<f64>> = packets.iter().map(|it| number(&it["pts_time"])).collect();
        let mut times = times?;
        times.sort_by(f64::total_cmp);
        let is_key = |it: &&Value| {
            it["flags"]
                .as_str()
                .is_some_and(|flags| flags.starts_with('K'))
        };
        Some(Self {
            width,
            height,
            coding,
            seconds: number(&said["format"]["duration"])?,
            keys: packets.iter().filter(is_key).count(),
            times,
        })
    }

    fn size(&self) -> f64 {
        self.width as f64 * self.height as f64 * self.times.len() as f64
    }

    fn is_worth_copying(&self, shown: f64) -> bool {
        let apart = self.times.len() as f64 / self.keys.max(1) as f64;
        let copying = self.times.len() as f64 * (1.0 + ENCODING);
        shown * apart / 2.0 > (copying + shown) * WORTHWHILE
    }

    /// Whether another shows the same frames at the same times.
    fn is_as(&self, other: Option<&Self>) -> bool {
        let near = |(one, other): (&f64, &f64)| (one - other).abs() < APART;
        other.is_some_and(|other| {
            (self.width, self.height, &self.coding) == (other.width, other.height, &other.coding)
                && self.times.len() == other.times.len()
                && self.times.iter().zip(&other.times).all(near)
                && near((&self.seconds, &other.seconds))
        })
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_str()?.parse().ok()
}

/// What FFprobe says of the picture of a file; nothing where it cannot read that.
async fn ask(address: &str, what: &str) -> Result<Option<Value>> {
    let mut probe = command(program("KODA_FFPROBE", "ffprobe"));
    probe
        .args("-v error -of json -select_streams v -show_entries".split(' '))
        .arg(what)
        .args(INPUT.split(' '))
        .arg(address);
    let output = ended(probe).await?;
    if !output.status.success() {
        return Ok(None);
    }
    serde_json::from_slice(&output.stdout).map_err(|error| again(&error))
}

/// It may work another time.
fn again(why: &dyn std::fmt::Display) -> Failure {
    let message = format!("a video was not copied: {why}");
    Failure::new(Code::EncoderFailed, message)
}

/// Makes a copy; answers false where FFmpeg does not take the video. Sound comes along as it is, because a video lasts as long as the
/// longer of both.
async fn transcode(address: &str, path: &Path) -> Result<bool> {
    // Behind whoever draws: how long that takes must not depend on what is done ahead.
    let mut ffmpeg = command("nice");
    ffmpeg
        .args(["-n", "19"])
        .arg(program("KODA_FFMPEG", "ffmpeg"))
        .args("-hide_banner -loglevel error -y -nostdin -copyts".split(' '))
        .args(INPUT.split(' '))
        .arg("-i")
        .arg(address)
        .args(
            "-map 0:v:0 -map 0:a? -sn -dn -c:a copy -fps_mode passthrough -enc_time_base -1"
                .split(' '),
        )
        .args("-c:v libx264 -preset ultrafast -g 1 -threads 4 -pix_fmt yuv420p -crf".split(' '))
        .arg(QUALITY)
        .args(["-f", "mp4"])
        .arg(path);
    let mut group = Group::spawn(ffmpeg).map_err(|error| again(&error))?;
    let mut said = Vec::new();
    let stderr = group.child().stderr.take();
    let ended = timeout(WITHIN, async {
        if let Some(mut stderr) = stderr {
            // What could be read of it is better than nothing.
            let _ = stderr.read_to_end(&mut said).await;
        }
        group.child().wait().await
    });
    let status = ended
        .await
        .map_err(|_| again(&"it took too long"))?
        .map_err(|error| again(&error))?;
    let failure = complaint(&String::from_utf8_lossy(&said));
    match (status.success(), status.code()) {
        (true, _) => Ok(true),
        (false, _) if failure.code == Code::OutOfSpace => Err(failure),
        (false, Some(_)) => Ok(false),
        (false, None) => Err(again(&"ffmpeg was killed from outside")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(frames: u32, keys: usize) -> Clip {
        Clip {
            width: 2,
            height: 2,
            coding: Default::default(),
            seconds: f64::from(frames) / 30.0,
            times: (0..frames).map(|frame| f64::from(frame) / 30.0).collect(),
            keys,
        }
    }

    #[test]
    fn a_copy_pays_where_much_is_shown_of_what_has_few_key_frames() {
        assert!(clip(300, 2).is_worth_copying(90.0));
        assert!(clip(120, 4).is_worth_copying(90.0));
        assert!(
            !clip(120, 120).is_worth_copying(9000.0),
            "nothing but key frames"
        );
        assert!(
            !clip(18_000, 72).is_worth_copying(150.0),
            "ten minutes for five seconds"
        );
        assert!(!clip(300, 2).is_worth_copying(9.0), "shown for a moment");
    }

    #[test]
    fn a_copy_with_other_times_is_none() {
        assert!(clip(30, 1).is_as(Some(&clip(30, 30))));
        assert!(!clip(30, 1).is_as(Some(&clip(29, 29))));
        let mut late = clip(30, 30);
        late.times[7] += 0.002;
        assert!(!clip(30, 1).is_as(Some(&late)));
        assert!(!clip(30, 1).is_as(None));
    }
}
