//! Where frames go: into FFmpeg through a pipe, or into a zip. Never to disk one by one.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::format::LARGE;
use crate::error::{Code, Failure, Result};
use crate::process::{Group, command};

/// How many frames may wait for the encoder: enough to ride out a slow one, little enough to bound memory; and of large frames.
const WAITING: usize = 4;
const WAITING_LARGE: usize = 1;
/// Bytes that the pipe into the encoder holds: the most that Linux grants to everybody (pipe(7), `pipe-max-size`).
const PIPE: usize = 1 << 20;
/// How long an encoder that takes no more may take to end by itself.
const ENDS_WITHIN: Duration = Duration::from_millis(500);

/// How long joining, decoding or looking at a file may take: far longer than it does.
const LONGEST: Duration = Duration::from_secs(20 * 60);

/// A sink for the frames of one output.
pub enum Encoder {
    /// A video encoder.
    Ffmpeg(Box<Ffmpeg>),
    /// A zip of pictures.
    Zip(Box<Zip>),
}

/// A running FFmpeg.
pub struct Ffmpeg {
    group: Group,
    frames: Option<mpsc::Sender<Bytes>>,
    writer: JoinHandle<std::io::Result<()>>,
    said: JoinHandle<String>,
}

/// A zip being written.
pub struct Zip {
    writer: ZipWriter<File>,
    path: PathBuf,
    count: u32,
}

impl Encoder {
    /// Starts FFmpeg with these arguments, for frames of this many pixels.
    ///
    /// # Errors
    /// `encoder_failed`.
    pub fn ffmpeg(arguments: &[std::ffi::OsString], pixels: u64) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Failure::io(Code::EncoderFailed, "ffmpeg cannot be started", &error)
                .hint("install ffmpeg, or set KODA_FFMPEG to its path")
        };
        let mut command = command(program("KODA_FFMPEG", "ffmpeg"));
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let mut group = Group::spawn(command).map_err(failed)?;
        let (Some(stdin), Some(mut stderr)) =
            (group.child().stdin.take(), group.child().stderr.take())
        else {
            return Err(Failure::new(Code::EncoderFailed, "ffmpeg has no pipes"));
        };
        // Fewer turns to and fro for each frame. Where the system grants less, it works as well.
        let _ = rustix::pipe::fcntl_setpipe_size(&stdin, PIPE);
        let most = if pixels > LARGE {
            WAITING_LARGE
        } else {
            WAITING
        };
        let (frames, waiting) = mpsc::channel(most);
        let said = tokio::spawn(async move {
            let mut said = Vec::new();
            // What could be read of it is better than nothing.
            let _ = stderr.read_to_end(&mut said).await;
            String::from_utf8_lossy(&said).trim().to_owned()
        });
        Ok(Self::Ffmpeg(Box::new(Ffmpeg {
            group,
            frames: Some(frames),
            writer: tokio::spawn(feed(stdin, waiting)),
            said,
        })))
    }

    /// Starts a zip of pictures that are numbered from `first`.
    ///
    /// # Errors
    /// `encoder_failed` or `out_of_space`.
    pub fn zip(path: &Path, first: u32) -> Result<Self> {
        let file = File::create(path).map_err(|error| {
            Failure::io(Code::EncoderFailed, "the output cannot be written", &error)
        })?;
        Ok(Self::Zip(Box::new(Zip {
            writer: ZipWriter::new(file),
            path: path.to_owned(),
            count: first,
        })))
    }

    /// Hands over the next frame, and waits while too many are waiting already.
    ///
    /// # Errors
    /// `encoder_failed` or `out_of_space`, with what the encoder said.
    pub async fn frame(&mut self, picture: Bytes) -> Result<()> {
        match self {
            Self::Ffmpeg(ffmpeg) => {
                let taken = match &ffmpeg.frames {
                    Some(frames) => frames.send(picture).await.is_ok(),
                    None => false,
                };
                if taken {
                    Ok(())
                } else {
                    Err(ffmpeg.why().await)
                }
            }
            Self::Zip(zip) => zip.add(&picture),
        }
    }

    /// Waits until the output is whole.
    ///
    /// # Errors
    /// `encoder_failed` or `out_of_space`, with what the encoder said.
    pub async fn finish(self) -> Result<()> {
        match self {
            Self::Ffmpeg(mut ffmpeg) => {
                drop(ffmpeg.frames.take());
                let written = matches!((&mut ffmpeg.writer).await, Ok(Ok(())));
                let ended = ffmpeg.group.child().wait().await;
                if written && ended.is_ok_and(|status| status.success()) {
                    Ok(())
                } else {
                    Err(ffmpeg.why().await)
                }
            }
            Self::Zip(zip) => {
                let path = zip.path.clone();
                zip.writer
                    .finish()
                    .map(drop)
                    .map_err(|error| zip_failure(&path, error))
            }
        }
    }
}

impl Ffmpeg {
    async fn why(&mut self) -> Failure {
        // One that closed its input is about to end, and how it ends says more than that it was killed here.
        let ended = timeout(ENDS_WITHIN, self.group.child().wait()).await;
        self.group.kill();
        let failure = complaint(&(&mut self.said).await.unwrap_or_default());
        match ended {
            Ok(Ok(status)) if status.signal() == Some(9) && failure.code == Code::EncoderFailed => {
                killed()
            }
            _ => failure,
        }
    }
}

/// Runs FFmpeg or FFprobe to its end.
///
/// # Errors
/// `encoder_failed` where it cannot be started, is killed, or does not end. That it failed is for its caller to see.
pub async fn ended(mut command: Command) -> Result<Output> {
    let output = timeout(LONGEST, command.output()).await.map_err(|_| {
        let minutes = LONGEST.as_secs() / 60;
        let message = format!("ffmpeg did not end within {minutes} minutes");
        Failure::new(Code::EncoderFailed, message)
    })?;
    let output = output.map_err(|error| {
        Failure::io(Code::EncoderFailed, "ffmpeg cannot be started", &error)
            .hint("install ffmpeg, or set KODA_FFMPEG and KODA_FFPROBE to where it is")
    })?;
    if output.status.signal().is_some() {
        return Err(killed());
    }
    Ok(output)
}

fn killed() -> Failure {
    Failure::new(Code::EncoderFailed, "ffmpeg was killed from outside")
        .hint("processes are killed where memory is short: render at a lower resolution")
}

/// What FFmpeg's last words come to.
pub fn complaint(said: &str) -> Failure {
    if said.contains("No space left on device") || said.contains("Disk quota exceeded") {
        return Failure::new(Code::OutOfSpace, "the disk is full")
            .hint("free some disk space, or render at a lower resolution");
    }
    let lines: Vec<&str> = said.lines().take(6).collect();
    let said = if lines.is_empty() {
        "it said nothing".to_owned()
    } else {
        lines.join(" | ")
    };
    Failure::new(Code::EncoderFailed, format!("ffmpeg failed: {said}"))
}

impl Zip {
    fn add(&mut self, picture: &[u8]) -> Result<()> {
        // PNG is compressed already.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(false);
        let name = format!("frame_{:05}.png", self.count);
        self.count += 1;
        self.writer
            .start_file(name, options)
            .map_err(|error| zip_failure(&self.path, error))?;
        self.writer.write_all(picture).map_err(|error| {
            Failure::io(Code::EncoderFailed, "the output cannot be written", &error)
        })
    }
}

fn zip_failure(path: &Path, error: zip::result::ZipError) -> Failure {
    match error {
        zip::result::ZipError::Io(error) => Failure::io(
            Code::EncoderFailed,
            format!("{} cannot be written", path.display()),
            &error,
        ),
        error => Failure::new(
            Code::EncoderFailed,
            format!("{} cannot be written: {error}", path.display()),
        ),
    }
}

async fn feed(mut stdin: ChildStdin, mut frames: mpsc::Receiver<Bytes>) -> std::io::Result<()> {
    while let Some(frame) = frames.recv().await {
        stdin.write_all(&frame).await?;
    }
    stdin.shutdown().await
}

/// A program by the variable that names it, else by its usual name.
pub fn program(variable: &str, name: &str) -> std::ffi::OsString {
    std::env::var_os(variable)
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| name.into())
}
