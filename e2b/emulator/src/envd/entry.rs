//! What envd says of a file.

use super::{
    connect::{Code, RpcError},
    proto::EntryInfo,
    users::Users,
};
use std::{
    collections::BTreeMap,
    fs::Metadata,
    io,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::Path,
};

/// Where metadata is kept among a file's extended attributes.
const PREFIX: &str = "user.e2b.";

fn kind(meta: &Metadata) -> &'static str {
    if meta.is_file() {
        "FILE_TYPE_FILE"
    } else if meta.is_dir() {
        "FILE_TYPE_DIRECTORY"
    } else {
        ""
    }
}

/// Permissions as `ls` would write them, in Go's letters.
fn permissions(meta: &Metadata) -> String {
    let kind = meta.file_type();
    let mut text = String::new();
    if kind.is_dir() {
        text.push('d');
    } else if kind.is_symlink() {
        text.push('L');
    } else if kind.is_fifo() {
        text.push('p');
    } else if kind.is_socket() {
        text.push('S');
    } else if kind.is_char_device() {
        text.push_str("Dc");
    } else if kind.is_block_device() {
        text.push('D');
    }
    for (bit, letter) in [(0o4000, 'u'), (0o2000, 'g'), (0o1000, 't')] {
        if meta.mode() & bit != 0 {
            text.push(letter);
        }
    }
    if text.is_empty() {
        text.push('-');
    }
    for shift in [6, 3, 0] {
        for (bit, letter) in [(4, 'r'), (2, 'w'), (1, 'x')] {
            let set = (meta.mode() >> shift) & bit != 0;
            text.push(if set { letter } else { '-' });
        }
    }
    text
}

/// What was said about a file when it was uploaded.
pub fn metadata(path: &Path) -> BTreeMap<String, String> {
    let names = xattr::list(path).into_iter().flatten();
    names
        .filter_map(|name| {
            let key = name.to_str()?.strip_prefix(PREFIX)?.to_owned();
            let value = xattr::get(path, &name).ok()??;
            Some((key, String::from_utf8(value).ok()?))
        })
        .collect()
}

/// Says this about a file, and nothing that was said before. File systems without attributes keep nothing.
pub fn set_metadata(path: &Path, metadata: &BTreeMap<String, String>) {
    let old = xattr::list(path).into_iter().flatten();
    for name in old.filter(|n| n.to_str().is_some_and(|n| n.starts_with(PREFIX))) {
        let _ = xattr::remove(path, name);
    }
    for (key, value) in metadata {
        let _ = xattr::set(path, format!("{PREFIX}{key}"), value.as_bytes());
    }
}

/// A file, folder or link, as it is now.
pub fn entry(path: &Path) -> Result<EntryInfo, RpcError> {
    let meta = std::fs::symlink_metadata(path).map_err(|e| failed(path, &e))?;
    let mut entry = EntryInfo {
        name: path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned(),
        path: path.to_string_lossy().into_owned(),
        size: (meta.size() != 0).then(|| meta.size().to_string()),
        permissions: permissions(&meta),
        owner: Users::name_of("/etc/passwd", meta.uid()),
        group: Users::name_of("/etc/group", meta.gid()),
        modified_time: modified(&meta),
        metadata: metadata(path),
        ..EntryInfo::default()
    };
    if meta.is_symlink() {
        let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if let Ok(meta) = std::fs::metadata(&target) {
            entry.kind = kind(&meta).to_owned();
            entry.mode = meta.mode() & 0o777;
        }
        entry.symlink_target = Some(target.to_string_lossy().into_owned());
    } else {
        entry.kind = kind(&meta).to_owned();
        entry.mode = meta.mode() & 0o777;
    }
    Ok(entry)
}

fn modified(meta: &Metadata) -> Option<String> {
    let nanoseconds = i32::try_from(meta.mtime_nsec()).ok()?;
    let at = jiff::Timestamp::new(meta.mtime(), nanoseconds).ok()?;
    Some(at.to_string())
}

fn failed(path: &Path, error: &io::Error) -> RpcError {
    let path = path.display();
    if error.kind() == io::ErrorKind::NotFound {
        let message = format!("file not found: lstat {path}: no such file or directory");
        return RpcError::new(Code::NotFound, message);
    }
    RpcError::new(
        Code::Internal,
        format!("error getting file info: lstat {path}: {error}"),
    )
}
