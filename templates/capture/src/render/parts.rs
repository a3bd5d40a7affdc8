//! A film in parts: stretches of some seconds that are encoded each by itself, kept as files when they are whole, and joined without
//! encoding anything again. What was drawn before a sandbox was lost need not be drawn again, and several sandboxes may draw a share
//! each: the file that comes out is the same, whoever drew what.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zip::{ZipArchive, ZipWriter};

use super::encoder::{complaint, ended, program};
use super::format::Format;
use super::verify::Expected;
use crate::error::{Code, Failure, Result};
use crate::page::Sound;
use crate::pixels;
use crate::process::command;

/// How long a part is. Whole seconds are whole milliseconds, which is how WebM counts.
const SECONDS: f64 = 8.0;

/// One share of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Which one, from 0.
    pub index: usize,
    /// How many there are.
    pub of: usize,
}

impl std::str::FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(index, of)| {
            let share = Self {
                index: index.parse().ok()?,
                of: of.parse().ok()?,
            };
            (share.index < share.of).then_some(share)
        });
        numbers.ok_or_else(|| {
            "a share is written as its number, from 0, and how many there are: 0/2".to_owned()
        })
    }
}

/// Where parts are kept, and what is to become of them.
pub struct Parts {
    folder: PathBuf,
    extension: &'static str,
    /// Frames of the output.
    ranges: Vec<Range<usize>>,
    /// Where the workspace is served.
    base: String,
    _own: Option<tempfile::TempDir>,
}

/// What is written down beside a part.
#[derive(Serialize, Deserialize)]
struct Account {
    /// Where the workspace was served: files are heard from there, and the next server has another address.
    base: String,
    /// How its frames came.
    capture: String,
    /// What can be heard at each.
    sounds: Vec<Vec<Sound>>,
}

/// What the parts' accounts come to.
pub struct Whole {
    /// How most care was taken: by pictures where any part was.
    pub capture: String,
    /// What can be heard at each frame.
    pub track: Vec<Vec<Sound>>,
}

fn unwritable(error: &std::io::Error) -> Failure {
    Failure::io(Code::EncoderFailed, "a part cannot be kept", error)
}

impl Parts {
    /// The parts of an output: kept in a folder, or beside the output until it is there.
    ///
    /// # Errors
    /// `bad_argument` where the folder holds parts of another render; `encoder_failed` or `out_of_space`.
    pub fn of(
        expected: &Expected,
        out: &Path,
        kept: Option<&Path>,
        what: &str,
        base: String,
    ) -> Result<Self> {
        let (folder, own) = match kept {
            Some(folder) => (folder.to_owned(), None),
            None => {
                let beside = out.parent().filter(|it| !it.as_os_str().is_empty());
                let own = tempfile::Builder::new()
                    .prefix(".koda-parts-")
                    .tempdir_in(beside.unwrap_or(Path::new(".")))
                    .map_err(|error| unwritable(&error))?;
                (own.path().to_owned(), Some(own))
            }
        };
        fs::create_dir_all(&folder).map_err(|error| unwritable(&error))?;
        let told = folder.join("render.json");
        match fs::read_to_string(&told) {
            Ok(before) if before != what => {
                let message = format!("{} holds parts of another render", folder.display());
                return Err(Failure::new(Code::BadArgument, message));
            }
            Ok(_) => {}
            Err(_) => fs::write(&told, what).map_err(|error| unwritable(&error))?,
        }
        Ok(Self {
            folder,
            extension: expected.format.extension(),
            ranges: ranges(expected, kept.is_some()),
            base,
            _own: own,
        })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.ranges.len()
    }

    /// Those that are whole.
    pub fn whole(&self) -> Vec<usize> {
        let there = |part: &usize| self.file(*part).is_file();
        (0..self.count()).filter(there).collect()
    }

    /// How many frames those hold.
    pub fn frames(&self, parts: &[usize]) -> usize {
        parts.iter().map(|part| self.ranges[*part].len()).sum()
    }

    /// Those of a share that are not there yet.
    pub fn missing(&self, share: Share) -> Vec<usize> {
        let (from, to) = (
            self.count() * share.index / share.of,
            self.count() * (share.index + 1) / share.of,
        );
        (from..to)
            .filter(|part| !self.file(*part).is_file())
            .collect()
    }

    /// Which frames of the output a part holds.
    pub fn range(&self, part: usize) -> Range<usize> {
        self.ranges[part].clone()
    }

    /// The file of a part.
    fn file(&self, part: usize) -> PathBuf {
        self.folder.join(format!("{part:05}.{}", self.extension))
    }

    /// Where a part is written until it is whole.
    pub fn draft(&self, part: usize) -> PathBuf {
        self.folder.join(format!(".{part:05}.{}", self.extension))
    }

    fn account(&self, part: usize) -> PathBuf {
        self.folder.join(format!("{part:05}.json"))
    }

    /// A part is whole: from now on it counts.
    ///
    /// # Errors
    /// `encoder_failed` or `out_of_space`.
    pub fn keep(&self, part: usize, capture: &str, sounds: Vec<Vec<Sound>>) -> Result<()> {
        let account = Account {
            base: self.base.clone(),
            capture: capture.to_owned(),
            sounds,
        };
        let account = serde_json::to_vec(&account).unwrap_or_default();
        // The account first: where the film is, it is there too.
        fs::write(self.account(part), account)
            .and_then(|()| fs::rename(self.draft(part), self.file(part)))
            .map_err(|error| unwritable(&error))
    }

    /// These are not to be kept after all.
    pub fn discard(&self, parts: &[usize]) {
        for part in parts {
            // One that is not there is as good as gone.
            let _ = fs::remove_file(self.file(*part));
            let _ = fs::remove_file(self.account(*part));
        }
    }

    /// What all accounts together say.
    ///
    /// # Errors
    /// `encoder_failed` where one cannot be read.
    pub fn accounts(&self) -> Result<Whole> {
        let mut whole = Whole {
            capture: String::new(),
            track: Vec::new(),
        };
        for part in 0..self.count() {
            let bytes = fs::read(self.account(part)).map_err(|error| unwritable(&error))?;
            let account: Account = serde_json::from_slice(&bytes).map_err(|error| {
                Failure::new(
                    Code::EncoderFailed,
                    format!("part {part} is damaged: {error}"),
                )
            })?;
            if whole.capture.is_empty() || account.capture != "pixels" {
                whole.capture = account.capture;
            }
            let sounds = account.sounds.into_iter().map(|heard| {
                let moved =
                    heard
                        .into_iter()
                        .map(|sound| match sound.src.strip_prefix(&account.base) {
                            Some(path) => Sound {
                                src: format!("{}{path}", self.base),
                                ..sound
                            },
                            None => sound,
                        });
                moved.collect()
            });
            whole.track.extend(sounds);
        }
        Ok(whole)
    }

    /// Joins all parts to one file.
    ///
    /// # Errors
    /// `encoder_failed` or `out_of_space`.
    pub async fn join(&self, expected: &Expected, out: &Path) -> Result<()> {
        if let [only] = self.whole()[..] {
            let moved = if self._own.is_some() {
                fs::rename(self.file(only), out)
            } else {
                fs::copy(self.file(only), out).map(drop)
            };
            return moved.map_err(|error| unwritable(&error));
        }
        if expected.format == Format::Png {
            return self.join_archives(out);
        }
        self.join_films(expected, out).await
    }

    fn join_archives(&self, out: &Path) -> Result<()> {
        let file = fs::File::create(out).map_err(|error| unwritable(&error))?;
        let mut whole = ZipWriter::new(file);
        let damaged = |error: zip::result::ZipError| match error {
            zip::result::ZipError::Io(error) => unwritable(&error),
            error => Failure::new(
                Code::EncoderFailed,
                format!("a part cannot be joined: {error}"),
            ),
        };
        for part in 0..self.count() {
            let file = fs::File::open(self.file(part)).map_err(|error| unwritable(&error))?;
            let archive = ZipArchive::new(file).map_err(damaged)?;
            whole.merge_archive(archive).map_err(damaged)?;
        }
        whole.finish().map(drop).map_err(damaged)
    }

    /// <https://ffmpeg.org/ffmpeg-formats.html#concat-1>
    async fn join_films(&self, expected: &Expected, out: &Path) -> Result<()> {
        use std::fmt::Write as _;
        let mut list = String::from("ffconcat version 1.0\n");
        for (part, range) in self.ranges.iter().enumerate() {
            let seconds = range.len() as f64 / expected.fps;
            let name = self.file(part);
            let name = name.file_name().unwrap_or_default().to_string_lossy();
            // Writing into a string does not fail.
            let _ = writeln!(list, "file {name}\nduration {seconds:.6}");
        }
        let told = self.folder.join("list.ffconcat");
        fs::write(&told, list).map_err(|error| unwritable(&error))?;
        let mut ffmpeg = command(program("KODA_FFMPEG", "ffmpeg"));
        ffmpeg
            .args("-hide_banner -loglevel error -y -f concat -i".split(' '))
            .arg(&told)
            .args("-map 0 -c copy -map_metadata -1".split(' '))
            .args(expected.format.container(expected.transparent))
            .arg(out);
        let output = ended(ffmpeg).await?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(complaint(&said))
    }
}

/// What tells one composition from another: the bytes of its code, and the names and lengths of its assets.
///
/// # Errors
/// `bad_argument` where the workspace cannot be read.
pub fn composition(app: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    for (name, whole) in [("koda.json", true), ("src", true), ("public", false)] {
        let at = app.join(name);
        if at.exists() {
            add(&at, app, whole, &mut hash)
                .map_err(|error| Failure::io(Code::BadArgument, at.display(), &error))?;
        }
    }
    Ok(pixels::hex(&hash.finalize()))
}

fn add(at: &Path, app: &Path, whole: bool, hash: &mut Sha256) -> std::io::Result<()> {
    if at.is_dir() {
        let entries = fs::read_dir(at)?.map(|entry| entry.map(|entry| entry.path()));
        let mut entries = entries.collect::<std::io::Result<Vec<PathBuf>>>()?;
        entries.sort();
        return entries.iter().try_for_each(|it| add(it, app, whole, hash));
    }
    let name = at.strip_prefix(app).unwrap_or(at);
    hash.update(name.to_string_lossy().as_bytes());
    hash.update(at.metadata()?.len().to_le_bytes());
    if whole {
        hash.update(fs::read(at)?);
    }
    Ok(())
}

/// Which frames belong together. The colours of a GIF are chosen for all of it, so that it has one part. So has what is large and
/// comes out the same either way, ProRes and PNG, unless parts of it are to be kept: joining takes the room of the file again.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few seconds at some hundred frames a second at most"
)]
fn ranges(expected: &Expected, kept: bool) -> Vec<Range<usize>> {
    let frames = expected.frames as usize;
    let length = match expected.format {
        Format::Gif => frames,
        Format::Mov | Format::Png if !kept => frames,
        _ => ((expected.fps * SECONDS).round() as usize).max(1),
    };
    (0..frames.max(1))
        .step_by(length.max(1))
        .map(|from| from..(from + length).min(frames))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(format: Format, frames: u32) -> Expected {
        Expected {
            format,
            width: 2,
            height: 2,
            fps: 30.0,
            frames,
            transparent: false,
        }
    }

    #[test]
    fn shares_together_are_every_part_once() {
        let folder = tempfile::tempdir().unwrap();
        let parts = Parts::of(
            &expected(Format::Mp4, 1801),
            Path::new("film.mp4"),
            Some(folder.path()),
            "a",
            String::new(),
        )
        .unwrap();
        assert_eq!(parts.count(), 8);
        assert_eq!(parts.range(7), 1680..1801);
        for of in 1..=10 {
            let drawn: Vec<usize> = (0..of)
                .flat_map(|index| parts.missing(Share { index, of }))
                .collect();
            assert_eq!(drawn, (0..8).collect::<Vec<_>>(), "{of} shares");
        }
    }

    #[test]
    fn the_colours_of_a_gif_are_chosen_once() {
        assert_eq!(ranges(&expected(Format::Gif, 900), true).len(), 1);
    }

    #[test]
    fn parts_of_another_render_are_not_taken_for_ones_own() {
        let folder = tempfile::tempdir().unwrap();
        let of = |what: &str| {
            Parts::of(
                &expected(Format::Mp4, 90),
                Path::new("film.mp4"),
                Some(folder.path()),
                what,
                String::new(),
            )
        };
        of("720p").unwrap();
        of("720p").unwrap();
        assert_eq!(of("1080p").err().unwrap().code, Code::BadArgument);
    }

    #[test]
    fn a_share_is_a_number_below_how_many_there_are() {
        assert_eq!("1/3".parse(), Ok(Share { index: 1, of: 3 }));
        for wrong in ["3/3", "1", "-1/2", "a/b", "0/0"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
    }
}
