//! Copies of videos in which every frame stands by itself. A browser that is asked for one frame of a video decodes all frames since
//! the last key frame, for each frame of a film again; of a copy it decodes one.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::timeout;

use super::encoder::program;
use crate::process::command;

/// How far a film must be from a copy's cost to be worth it. Encoding a frame takes as long as decoding about three.
const WORTHWHILE: f64 = 2.0;
const ENCODING: f64 = 3.0;
/// Frames times pixels that a copy may have: some hundred megabytes.
const LARGEST: f64 = 1.0e9;
/// How long all of them may take.
const WITHIN: Duration = Duration::from_secs(120);
/// How far the time of a frame may be from what it was, in seconds: containers round.
const APART: f64 = 0.0006;
/// A copy is seen, encoded, and held against pictures of what it was made from: it must be very near to that.
const QUALITY: &str = "8";

/// Where copies lie, and what each is a copy of.
#[derive(Default)]
pub struct Clips {
    /// From the address of a video to that of its copy.
    pub addresses: BTreeMap<String, String>,
    _folder: Option<TempDir>,
}

/// What matters of a video.
#[derive(Debug, PartialEq)]
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

impl Clips {
    /// Copies what is worth it for so many frames of a film. What cannot be copied, or would come out otherwise, is left as it is.
    pub async fn of(videos: &[String], frames: usize, app: &Path, base: &str) -> Self {
        let mut clips = Self::default();
        if videos.is_empty() {
            return clips;
        }
        let folder = tempfile::Builder::new()
            .prefix("koda-clips-")
            .tempdir_in(app);
        let Ok(folder) = folder else {
            return clips;
        };
        let all = clips.copy(videos, frames, folder.path(), base);
        // What is there by then counts.
        let _ = timeout(WITHIN, all).await;
        clips._folder = Some(folder);
        clips
    }

    async fn copy(&mut self, videos: &[String], frames: usize, folder: &Path, base: &str) {
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else {
            return;
        };
        let mut room = LARGEST;
        for (index, address) in videos.iter().enumerate() {
            if !address.starts_with(base) {
                continue;
            }
            let Some(clip) = Clip::probe(address).await else {
                continue;
            };
            let size = clip.width as f64 * clip.height as f64 * clip.times.len() as f64;
            if !clip.is_worth_copying(frames) || size > room {
                continue;
            }
            let file = format!("{index}.mp4");
            let path = folder.join(&file);
            if transcode(address, &path).await && clip.is_as(Clip::probe(&path).await.as_ref()) {
                room -= size;
                self.addresses
                    .insert(address.clone(), format!("{base}{name}/{file}"));
            } else {
                // What is not used takes no room; it goes with the folder otherwise.
                let _ = std::fs::remove_file(&path);
            }
        }
    }
}

impl Clip {
    /// None where it is none that can be copied.
    async fn probe(file: impl AsRef<std::ffi::OsStr>) -> Option<Self> {
        let mut probe = command(program("KODA_FFPROBE", "ffprobe"));
        probe
            .args(
                "-v error -protocol_whitelist http,tcp,file -show_streams -show_format".split(' '),
            )
            .args(
                "-select_streams v -show_packets -show_entries packet=pts_time,flags -of json"
                    .split(' '),
            )
            .arg(file);
        let said: Value = serde_json::from_slice(&probe.output().await.ok()?.stdout).ok()?;
        let [video] = said["streams"].as_array()?.as_slice() else {
            return None;
        };
        // Of others, not all would come through: alpha, more bits, full range.
        let alpha = video["tags"]["alpha_mode"] == "1" || video["tags"]["ALPHA_MODE"] == "1";
        let turned = video["side_data_list"].is_array();
        if video["pix_fmt"] != "yuv420p" || alpha || turned {
            return None;
        }
        let coding = [
            "color_range",
            "color_space",
            "color_transfer",
            "color_primaries",
            "sample_aspect_ratio",
        ]
        .map(|name| video[name].as_str().unwrap_or_default().replace("1:1", ""));
        let packets = said["packets"].as_array()?;
        let number = |value: &Value| value.as_str()?.parse::<f64>().ok();
        let times: Option<Vec<f64>> = packets.iter().map(|it| number(&it["pts_time"])).collect();
        let mut times = times?;
        times.sort_by(f64::total_cmp);
        let key = |it: &&Value| {
            it["flags"]
                .as_str()
                .is_some_and(|flags| flags.starts_with('K'))
        };
        Some(Self {
            width: video["width"].as_u64()?,
            height: video["height"].as_u64()?,
            coding,
            seconds: number(&said["format"]["duration"])?,
            keys: packets.iter().filter(key).count(),
            times,
        })
    }

    /// Whether what so many frames of a film would decode of it is much more than what a copy takes.
    fn is_worth_copying(&self, frames: usize) -> bool {
        let apart = self.times.len() as f64 / self.keys.max(1) as f64;
        let copying = self.times.len() as f64 * (1.0 + ENCODING);
        frames as f64 * apart / 2.0 > copying * WORTHWHILE
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

/// Sound comes along as it is, because a video lasts as long as the longer of both.
async fn transcode(address: &str, path: &Path) -> bool {
    let mut ffmpeg = command(program("KODA_FFMPEG", "ffmpeg"));
    ffmpeg
        .args(
            "-hide_banner -loglevel error -y -nostdin -protocol_whitelist http,tcp -copyts -i"
                .split(' '),
        )
        .arg(address)
        .args(
            "-map 0:v:0 -map 0:a? -sn -dn -c:a copy -fps_mode passthrough -enc_time_base -1"
                .split(' '),
        )
        .args("-c:v libx264 -preset ultrafast -g 1 -threads 4 -pix_fmt yuv420p -crf".split(' '))
        .arg(QUALITY)
        .args(["-f", "mp4"])
        .arg(path);
    matches!(ffmpeg.output().await, Ok(output) if output.status.success())
}
