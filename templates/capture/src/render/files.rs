//! The files that a render leaves: the film under its name once it is whole, and a poster.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::RgbaImage;
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::look::Sample;
use crate::error::{Code, Failure, Result};
use crate::pixels;

/// A file that is removed unless it is kept.
pub struct Partial {
    path: PathBuf,
    kept: bool,
}

impl Partial {
    /// Of a film that is to be there under this name.
    ///
    /// # Errors
    /// `bad_argument` where there can be no such file.
    pub fn of(out: &Path) -> Result<Self> {
        Ok(Self {
            path: partial_path(out)?,
            kept: false,
        })
    }

    /// Writes a file.
    ///
    /// # Errors
    /// `encoder_failed` or `out_of_space`.
    pub fn with(path: &Path, bytes: &[u8]) -> Result<Self> {
        let partial = Self {
            path: path.to_owned(),
            kept: false,
        };
        std::fs::write(path, bytes).map_err(|error| {
            Failure::io(Code::EncoderFailed, "the poster cannot be written", &error)
        })?;
        Ok(partial)
    }

    /// Where it is until then.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// It stays.
    pub fn keep(mut self) {
        self.kept = true;
    }

    /// It stays, under its name.
    ///
    /// # Errors
    /// `encoder_failed` or `out_of_space`.
    pub fn become_whole(self, out: &Path) -> Result<()> {
        std::fs::rename(&self.path, out).map_err(|error| {
            let what = "the output cannot be put in its place";
            Failure::io(Code::EncoderFailed, what, &error)
        })?;
        self.keep();
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.kept {
            // It may not have been created yet.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn partial_path(out: &Path) -> Result<PathBuf> {
    let bad = |message: String| Failure::new(Code::BadArgument, message);
    let name = out
        .file_name()
        .ok_or_else(|| bad(format!("{} is no file name", out.display())))?;
    let folder = out
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::io(Code::BadArgument, folder.display(), &error))?;
    let mut hidden = std::ffi::OsString::from(format!(".{}-", std::process::id()));
    hidden.push(name);
    hidden.push(".part");
    Ok(folder.join(hidden))
}

/// How long a file is, and its SHA-256.
///
/// # Errors
/// `verify_failed` where it cannot be read.
pub async fn digest(path: &Path) -> Result<(u64, String)> {
    let failed = |error: std::io::Error| {
        Failure::io(Code::VerifyFailed, "the output cannot be read", &error)
    };
    let mut file = File::open(path).await.map_err(failed)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut chunk).await.map_err(failed)?;
        if count == 0 {
            return Ok((bytes, pixels::hex(&hash.finalize())));
        }
        bytes += count as u64;
        hash.update(&chunk[..count]);
    }
}

/// The middle picture, unless another shows much more, as the file's name says.
///
/// # Errors
/// `encoder_failed`.
pub fn poster(path: &Path, samples: &[Sample]) -> Result<Vec<u8>> {
    let fill = |picture: &RgbaImage| pixels::facts(picture).luma_stddev;
    let pictures = || samples.iter().map(|sample| &sample.picture);
    let middle = pictures().nth(samples.len() / 2);
    let fullest = pictures().max_by(|a, b| fill(a).total_cmp(&fill(b)));
    let chosen = match (middle, fullest) {
        (Some(middle), Some(fullest)) if fill(middle) * 2.0 < fill(fullest) => fullest,
        (Some(middle), _) => middle,
        _ => {
            return Err(Failure::new(
                Code::VerifyFailed,
                "there is no picture for a poster",
            ));
        }
    };
    let jpeg = path
        .extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| matches!(ending, "jpg" | "jpeg"));
    let mut bytes = Cursor::new(Vec::new());
    let encoded = if jpeg {
        let opaque = image::DynamicImage::from(chosen.clone()).into_rgb8();
        opaque.write_to(&mut bytes, image::ImageFormat::Jpeg)
    } else {
        chosen.write_to(&mut bytes, image::ImageFormat::Png)
    };
    encoded.map_err(|error| {
        Failure::new(
            Code::EncoderFailed,
            format!("the poster cannot be made: {error}"),
        )
    })?;
    Ok(bytes.into_inner())
}
