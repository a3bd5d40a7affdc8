//! Files of a workspace, whoever looks at it. The code inside may plant links, pipes and devices: nothing is followed out of the
//! root, and nothing but plain files is opened.

use bytes::Bytes;
use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions, OpenOptionsExt},
};
use koda_domain::{
    WorkPath,
    sandbox::{FileWrite, Listed, SandboxError},
};
use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// `O_NONBLOCK`: opening a pipe must not wait for its other end.
const NONBLOCK: i32 = nix::libc::O_NONBLOCK;
/// The template's packages, which are not listed.
const PACKAGES: &str = "node_modules";
/// More files and folders than any animation has.
const MOST_LISTED: usize = 50_000;

fn open_root(root: &Path) -> Result<Dir, SandboxError> {
    Dir::open_ambient_dir(root, ambient_authority()).map_err(|_| SandboxError::Gone)
}

fn failed(path: &str, error: &io::Error) -> SandboxError {
    match error.kind() {
        io::ErrorKind::NotFound => SandboxError::NotFound(path.to_owned()),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            SandboxError::OverLimit("the disk is full".into())
        }
        // A link that leads out, a folder, a pipe without reader, a loop: whatever it is, not a file of ours.
        _ => SandboxError::NotAFile(path.to_owned()),
    }
}

pub(crate) fn write(root: &Path, files: &[FileWrite]) -> Result<(), SandboxError> {
    let dir = open_root(root)?;
    for file in files {
        let path = file.path.as_str();
        write_one(&dir, path, &file.bytes).map_err(|error| failed(path, &error))?;
    }
    Ok(())
}

fn write_one(dir: &Dir, path: &str, bytes: &[u8]) -> io::Result<()> {
    let path = Path::new(path);
    let folder = match path.parent().filter(|p| !p.as_os_str().is_empty()) {
        Some(parent) => {
            dir.create_dir_all(parent)?;
            dir.open_dir(parent)?
        }
        None => dir.try_clone()?,
    };
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    if folder
        .symlink_metadata(name)
        .is_ok_and(|meta| meta.is_dir())
    {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    // Beside the file and then over it: whoever looks sees the old or the new content, never a part.
    let temporary = PathBuf::from(format!(".koda-{}.tmp", ulid::Ulid::generate()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let written = folder
        .open_with(&temporary, &options)
        .and_then(|mut file| file.write_all(bytes));
    let named = written.and_then(|()| folder.rename(&temporary, &folder, name));
    if named.is_err() {
        let _ = folder.remove_file(&temporary);
    }
    named
}

/// Opens a plain file for reading, without following a link at its end and without waiting.
pub(crate) fn open(root: &Path, path: &WorkPath) -> Result<(std::fs::File, u64), SandboxError> {
    let dir = open_root(root)?;
    let text = path.as_str();
    let mut options = OpenOptions::new();
    options
        .read(true)
        .follow(FollowSymlinks::No)
        .custom_flags(NONBLOCK);
    let file = dir
        .open_with(text, &options)
        .map_err(|error| failed(text, &error))?;
    let meta = file.metadata().map_err(|error| failed(text, &error))?;
    if !meta.is_file() {
        return Err(SandboxError::NotAFile(text.to_owned()));
    }
    Ok((file.into_std(), meta.len()))
}

pub(crate) fn read(root: &Path, path: &WorkPath, max: u64) -> Result<Bytes, SandboxError> {
    let (file, size) = open(root, path)?;
    let over = || SandboxError::OverLimit(format!("{path} is larger than {max} bytes"));
    if size > max {
        return Err(over());
    }
    let mut bytes = Vec::new();
    // It may grow while it is read.
    file.take(max + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(path.as_str(), &error))?;
    if bytes.len() as u64 > max {
        Err(over())
    } else {
        Ok(bytes.into())
    }
}

pub(crate) fn list(root: &Path, folder: Option<&WorkPath>) -> Result<Vec<Listed>, SandboxError> {
    let dir = open_root(root)?;
    let mut found = Vec::new();
    let mut waiting = vec![folder.map(|f| f.as_str().to_owned()).unwrap_or_default()];
    while let Some(folder) = waiting.pop() {
        let at = if folder.is_empty() { "." } else { &folder };
        let entries = match dir.open_dir_nofollow(at).and_then(|d| d.entries()) {
            Ok(entries) => entries,
            // Only what was asked for has to be there; the rest may go, or be shut, while it is looked at.
            Err(error) if found.is_empty() => return Err(failed(at, &error)),
            Err(_) => continue,
        };
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if folder.is_empty() && name == PACKAGES {
                continue;
            }
            if found.len() >= MOST_LISTED {
                return Err(SandboxError::OverLimit(format!(
                    "there are more than {MOST_LISTED} files"
                )));
            }
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            // Of the entry itself, not of what a link leads to.
            let Ok(meta) = dir.symlink_metadata(&path) else {
                continue;
            };
            if meta.is_dir() {
                waiting.push(path.clone());
                found.push(Listed {
                    path,
                    is_dir: true,
                    size: 0,
                });
            } else if meta.is_file() {
                found.push(Listed {
                    path,
                    is_dir: false,
                    size: meta.len(),
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

pub(crate) fn remove(root: &Path, paths: &[WorkPath]) -> Result<(), SandboxError> {
    let dir = open_root(root)?;
    for path in paths {
        let text = path.as_str();
        let removed = match dir.symlink_metadata(text) {
            Ok(meta) if meta.is_dir() => dir.remove_dir_all(text),
            Ok(_) => dir.remove_file(text),
            Err(error) => Err(error),
        };
        match removed {
            Ok(()) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) => {}
            Err(error) => return Err(failed(text, &error)),
        }
    }
    Ok(())
}
