//! The film's sound: what could be heard at each frame, decoded by FFmpeg, mixed here to the sample, and put beside the picture.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;

use super::encoder::{complaint, ended, program};
use super::format::Format;
use super::verify::Expected;
use crate::error::{Code, Failure, Result};
use crate::page::Sound;
use crate::process::command;

/// Samples a second, of two channels each.
const RATE: f64 = 48_000.0;
/// From one frame to the next a file may run this many times as fast as the film; what leaps farther was sought.
const FASTEST: f64 = 4.5;
/// A file that stands at times, and runs slower than this part of the film's pace as a whole, is taken to stand still.
const SLOWEST: f64 = 0.15;
/// For so many frames it may seem to stand where the film shows frames of the composition more than once.
const STANDING: usize = 5;
/// A pace this close to the film's own is the film's own.
const SAME_PACE: f64 = 0.02;

/// What is decoded of a file.
#[derive(Debug, Clone, PartialEq)]
struct Voice {
    src: String,
    /// Which of its sounds.
    stream: usize,
    /// How many times as high as it is.
    tone: f64,
}

impl Voice {
    fn of(sound: &Sound) -> Self {
        Self {
            src: sound.src.clone(),
            stream: sound.stream,
            tone: sound.tone.clamp(LOWEST, HIGHEST),
        }
    }
}

/// What can be made of a tone at all.
const LOWEST: f64 = 0.01;
const HIGHEST: f64 = 100.0;

/// A stretch of the film in which an element runs without a leap.
#[derive(Debug, Clone, PartialEq)]
struct Run {
    voice: Voice,
    /// The first frame.
    first: usize,
    /// Which second of the file is heard as it begins.
    from: f64,
    /// Seconds of the file in a second of the film.
    pace: f64,
    /// How loud it is as each frame begins.
    volumes: Vec<f64>,
}

impl Run {
    /// What it has in common with others that are cut from the same samples.
    fn key(&self) -> (String, usize, u64, u64) {
        let Voice { src, stream, tone } = &self.voice;
        (src.clone(), *stream, tone.to_bits(), self.pace.to_bits())
    }
}

/// Puts the sound of a film into it.
///
/// # Errors
/// `encoder_failed` or `out_of_space`; `page_failed` where a sound cannot be decoded.
pub async fn put(
    track: &[Vec<Sound>],
    base: &str,
    path: &Path,
    expected: &Expected,
) -> Result<bool> {
    let runs = runs(track, expected.fps);
    if runs.is_empty() || matches!(expected.format, Format::Gif | Format::Png) {
        return Ok(false);
    }
    let samples = seconds_to_samples(track.len() as f64 / expected.fps);
    let mut mix = vec![0.0_f32; samples * 2];
    let mut decoded: HashMap<_, Option<Decoded>> = HashMap::new();
    for run in &runs {
        let key = run.key();
        if !decoded.contains_key(&key) {
            let wanted = runs.iter().filter(|other| other.key() == key);
            let range = wanted.fold((f64::MAX, 0.0_f64), |(from, to), run| {
                let end = run.from + run.volumes.len() as f64 / expected.fps * run.pace;
                (from.min(run.from), to.max(end))
            });
            decoded.insert(
                key.clone(),
                decode(&run.voice, base, run.pace, range).await?,
            );
        }
        if let Some(Some(source)) = decoded.get(&key) {
            add(&mut mix, run, source, expected.fps);
        }
    }
    if decoded.values().all(Option::is_none) {
        return Ok(false);
    }
    mux(&mix, path, expected).await?;
    Ok(true)
}

/// Samples of a file from a second on, at the film's pace.
struct Decoded {
    from: f64,
    samples: Vec<f32>,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a film lasts minutes, and no time of it is below zero"
)]
fn seconds_to_samples(seconds: f64) -> usize {
    (seconds.max(0.0) * RATE).round() as usize
}

/// A run that may go on.
struct Open {
    run: Run,
    /// Which second was heard last.
    last: f64,
    /// For how many frames that one has been heard.
    standing: usize,
    /// Whether it has stood at all.
    stood: bool,
    /// How fast it says that it runs.
    rate: f64,
}

impl Open {
    fn new(sound: &Sound, frame: usize) -> Self {
        Self {
            run: Run {
                voice: Voice::of(sound),
                first: frame,
                from: sound.at,
                pace: 1.0,
                volumes: vec![sound.volume],
            },
            last: sound.at,
            standing: 0,
            stood: false,
            rate: sound.rate,
        }
    }

    /// False where this sound does not go on from here.
    fn follows(&self, sound: &Sound, fps: f64) -> bool {
        let on = sound.at - self.last;
        on > -1e-6
            && on < FASTEST * self.rate.max(1.0) / fps
            && self.standing <= STANDING
            && self.run.voice == Voice::of(sound)
    }

    fn push(&mut self, sound: &Sound) {
        self.standing = if sound.at > self.last + 1e-6 {
            0
        } else {
            self.standing + 1
        };
        self.stood |= self.standing > 0;
        self.last = sound.at;
        self.run.volumes.push(sound.volume);
    }

    /// None where nothing of it is heard: what stands still is not.
    fn finish(mut self, fps: f64) -> Option<Run> {
        if self.standing > STANDING {
            let frames = self.run.volumes.len();
            self.run.volumes.truncate(frames - self.standing);
        }
        // One frame alone does not tell whether it runs.
        let steps = self.run.volumes.len().checked_sub(2)? + 1;
        let pace = (self.last - self.run.from) * fps / steps as f64;
        let says_so = (self.rate - 1.0).abs() > f64::EPSILON;
        if says_so || (pace - 1.0).abs() >= SAME_PACE {
            self.run.pace = pace;
        }
        (pace > SLOWEST || (pace > 0.0 && !self.stood)).then_some(self.run)
    }
}

/// What runs without a leap, from what was heard at each frame.
fn runs(track: &[Vec<Sound>], fps: f64) -> Vec<Run> {
    let mut done = Vec::new();
    // Pages that draw their share each have elements of their own: what goes on is told by the file, and by which of the sounds
    // of that file it is.
    let mut open: HashMap<(&str, usize), Open> = HashMap::new();
    for (frame, sounds) in track.iter().enumerate() {
        let mut still = HashMap::new();
        for (index, sound) in sounds.iter().enumerate() {
            let same = sounds.iter().take(index);
            let nth = same.filter(|other| other.src == sound.src).count();
            let key = (sound.src.as_str(), nth);
            let run = match open.remove(&key) {
                Some(mut run) if run.follows(sound, fps) => {
                    run.push(sound);
                    run
                }
                other => {
                    done.extend(other.and_then(|run| run.finish(fps)));
                    Open::new(sound, frame)
                }
            };
            still.insert(key, run);
        }
        done.extend(open.into_values().filter_map(|run| run.finish(fps)));
        open = still;
    }
    done.extend(open.into_values().filter_map(|run| run.finish(fps)));
    done.sort_by(|one, other| {
        one.first
            .cmp(&other.first)
            .then(one.voice.src.cmp(&other.voice.src))
    });
    done
}

/// A playlist could name files of the machine: FFmpeg reads from these alone.
const PROTOCOLS: [&str; 2] = ["-protocol_whitelist", "http,tcp,data"];

/// None where the file has no sound.
async fn decode(
    Voice { src, stream, tone }: &Voice,
    base: &str,
    pace: f64,
    (from, to): (f64, f64),
) -> Result<Option<Decoded>> {
    if !src.starts_with(base) && !src.starts_with("data:") {
        let message = format!("the sound {src} is not served by the composition");
        return Err(Failure::new(Code::PageFailed, message).hint("put it into public/"));
    }
    let channels = channels(src, *stream).await?;
    if channels == 0 {
        return Ok(None);
    }
    let mut filters = Vec::new();
    if channels == 1 {
        // Browsers play one channel on both sides as loud as it is.
        filters.push("pan=stereo|c0=c0|c1=c0".to_owned());
    }
    filters.push("aresample=48000".to_owned());
    if (tone - 1.0).abs() > f64::EPSILON {
        // Played so much faster it is so much higher; then it is brought back to its length.
        filters.push(format!("asetrate={:.0}", RATE * tone));
        filters.push("aresample=48000".to_owned());
    }
    filters.extend(tempo(pace / tone));
    let mut decode = command(program("KODA_FFMPEG", "ffmpeg"));
    decode
        .args(["-v", "error", "-nostdin"])
        .args(PROTOCOLS)
        .args(["-ss", &format!("{from:.6}")])
        .args(["-t", &format!("{:.6}", to - from + 0.1), "-i", src])
        .args(["-map", &format!("0:a:{stream}")])
        .args(["-af", &filters.join(","), "-ac", "2"])
        .args(["-f", "f32le", "pipe:1"]);
    let output = ended(decode).await?;
    if !output.status.success() {
        return Err(undecodable(src, &String::from_utf8_lossy(&output.stderr)));
    }
    let (samples, _) = output.stdout.as_chunks::<4>();
    Ok(Some(Decoded {
        from,
        samples: samples
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect(),
    }))
}

/// Filters that make a sound so many times as fast, each of which does as much as FFmpeg's can.
fn tempo(mut pace: f64) -> Vec<String> {
    const SLOWEST: f64 = 0.5;
    const FASTEST: f64 = 100.0;
    let mut filters = Vec::new();
    while (pace - 1.0).abs() > 1e-9 {
        let step = pace.clamp(SLOWEST, FASTEST);
        filters.push(format!("atempo={step:.9}"));
        pace /= step;
    }
    filters
}

/// How many channels one of a file's sounds has.
async fn channels(src: &str, stream: usize) -> Result<u32> {
    let mut probe = command(program("KODA_FFPROBE", "ffprobe"));
    probe
        .args(["-v", "error"])
        .args(PROTOCOLS)
        .args(["-select_streams", &format!("a:{stream}")])
        .args(["-show_entries", "stream=channels"])
        .args(["-of", "csv=p=0", src]);
    let output = ended(probe).await?;
    if !output.status.success() {
        return Err(undecodable(src, &String::from_utf8_lossy(&output.stderr)));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Ok(said.trim().parse().unwrap_or(0))
}

fn undecodable(src: &str, said: &str) -> Failure {
    let said = said.lines().next().unwrap_or("FFmpeg said nothing");
    Failure::new(
        Code::PageFailed,
        format!("the sound of {src} cannot be decoded: {said}"),
    )
}

/// Adds a run to the mix, its volume moving evenly from one frame's to the next's.
#[expect(clippy::cast_possible_truncation, reason = "samples are single floats")]
fn add(mix: &mut [f32], run: &Run, source: &Decoded, fps: f64) {
    let begins = |frame: usize| seconds_to_samples(frame as f64 / fps);
    let start = begins(run.first);
    let skipped = seconds_to_samples((run.from - source.from) / run.pace);
    for (index, &volume) in run.volumes.iter().enumerate() {
        let next = run.volumes.get(index + 1).copied().unwrap_or(volume);
        let (from, to) = (begins(run.first + index), begins(run.first + index + 1));
        for sample in from..to {
            let share = (sample - from) as f64 / (to - from) as f64;
            let loud = (volume + (next - volume) * share) as f32;
            let at = (sample - start + skipped) * 2;
            let (Some(out), Some(source)) = (
                mix.get_mut(sample * 2..sample * 2 + 2),
                source.samples.get(at..at + 2),
            ) else {
                return;
            };
            out[0] += source[0] * loud;
            out[1] += source[1] * loud;
        }
    }
}

async fn mux(mix: &[f32], path: &Path, expected: &Expected) -> Result<()> {
    let io = |error: std::io::Error| {
        Failure::io(Code::EncoderFailed, "the sound cannot be written", &error)
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut raw = tempfile::NamedTempFile::new_in(folder).map_err(io)?;
    let bytes: Vec<u8> = mix
        .iter()
        .flat_map(|sample| sample.clamp(-1.0, 1.0).to_le_bytes())
        .collect();
    raw.write_all(&bytes).map_err(io)?;
    let with = tempfile::NamedTempFile::new_in(folder).map_err(io)?;
    let mut mux = command(program("KODA_FFMPEG", "ffmpeg"));
    mux.args(["-v", "error", "-y", "-nostdin", "-i"]).arg(path);
    mux.args(["-f", "f32le", "-ar", "48000", "-ac", "2", "-i"])
        .arg(raw.path());
    mux.args([
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-c:v",
        "copy",
        "-map_metadata",
        "-1",
    ]);
    mux.args(match expected.format {
        Format::Webm => ["-c:a", "libopus", "-b:a", "160k"].as_slice(),
        Format::Mov => ["-c:a", "pcm_s16le"].as_slice(),
        _ => ["-c:a", "aac", "-b:a", "192k"].as_slice(),
    });
    mux.args(expected.format.container(expected.transparent));
    mux.arg(with.path());
    let output = ended(mux).await?;
    if !output.status.success() {
        return Err(complaint(&String::from_utf8_lossy(&output.stderr)));
    }
    with.persist(path).map_err(|error| io(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(at: f64, volume: f64) -> Vec<Sound> {
        vec![Sound {
            src: "a".to_owned(),
            at,
            volume,
            rate: 1.0,
            tone: 1.0,
            stream: 0,
        }]
    }

    #[test]
    fn what_runs_on_is_one_run_and_what_leaps_or_pauses_is_another() {
        let mut track = vec![Vec::new(); 2];
        track.extend((0..4).map(|frame| heard(1.0 + f64::from(frame) / 30.0, 0.5)));
        track.push(Vec::new());
        track.extend((0..3).map(|frame| heard(9.0 + f64::from(frame) / 15.0, 1.0)));
        // A video that stands still makes no sound.
        track.extend((0..5).map(|_| heard(20.0, 1.0)));
        let found = runs(&track, 30.0);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(
            (found[0].first, found[0].from, found[0].pace),
            (2, 1.0, 1.0)
        );
        assert_eq!(found[0].volumes, vec![0.5; 4]);
        assert_eq!((found[1].first, found[1].from), (7, 9.0));
        assert!((found[1].pace - 2.0).abs() < 1e-6);
    }

    #[test]
    fn a_run_is_added_at_its_sample_and_its_volume_moves_evenly() {
        let run = Run {
            voice: Voice::of(&heard(2.0, 0.0)[0]),
            first: 1,
            from: 2.0,
            pace: 1.0,
            volumes: vec![0.0, 1.0],
        };
        let source = Decoded {
            from: 1.0,
            samples: vec![0.5; 96_000 * 3],
        };
        let mut mix = vec![0.0; 96_000];
        add(&mut mix, &run, &source, 10.0);
        assert!(mix[..9_600].iter().all(|sample| *sample == 0.0));
        assert!((mix[9_600 + 4_800] - 0.25).abs() < 1e-3);
        assert!((mix[19_200] - 0.5).abs() < 1e-6);
        assert!(mix[28_800..].iter().all(|sample| *sample == 0.0));
    }
}
