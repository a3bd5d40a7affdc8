//! The workspace's files, for a provider that cannot reach them itself: written whole, and without following links out.

use crate::files;
use data_encoding::BASE64;
use koda_domain::{
    WorkPath,
    sandbox::{FileWrite, SandboxError},
};
use serde::Deserialize;
use std::{
    ffi::OsString,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

/// A file that is given whole.
#[derive(Deserialize)]
struct Given {
    path: WorkPath,
    /// In base64.
    data: String,
}

/// `files write|place|read|check|list|remove ROOT …`. What goes wrong is one line of JSON on the standard error, and 4.
pub fn files(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<String> = args.filter_map(|a| a.into_string().ok()).collect();
    match act(&args.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let (kind, text) = match &error {
                SandboxError::NotFound(path) => ("not_found", path),
                SandboxError::NotAFile(path) => ("not_a_file", path),
                SandboxError::OverLimit(why) => ("over_limit", why),
                _ => ("failed", &error.to_string()),
            };
            eprintln!("{}", serde_json::json!({"error": kind, "text": text}));
            ExitCode::from(4)
        }
    }
}

fn wrong(error: &dyn std::fmt::Display) -> SandboxError {
    SandboxError::Rejected(error.to_string())
}

fn path(text: &str) -> Result<WorkPath, SandboxError> {
    WorkPath::parse(text).map_err(|e| wrong(&e))
}

fn act(args: &[&str]) -> Result<(), SandboxError> {
    match args {
        ["write", root, given] => {
            let given: Vec<Given> = serde_json::from_str(given).map_err(|e| wrong(&e))?;
            let decoded = given.into_iter().map(|g| {
                let bytes = BASE64.decode(g.data.as_bytes()).map_err(|e| wrong(&e))?;
                Ok(FileWrite {
                    path: g.path,
                    bytes: bytes.into(),
                })
            });
            let writes: Result<Vec<_>, SandboxError> = decoded.collect();
            files::write(Path::new(root), &writes?)
        }
        ["place", root, from] => {
            let placed = place(Path::new(root), Path::new(from));
            let _ = std::fs::remove_dir_all(from);
            placed
        }
        ["read", root, name, max] => {
            let max = max.parse().map_err(|e| wrong(&e))?;
            let bytes = files::read(Path::new(root), &path(name)?, max)?;
            io::stdout().write_all(&bytes).map_err(|e| wrong(&e))
        }
        ["check", root, name] => files::open(Path::new(root), &path(name)?).map(drop),
        ["list", root] => say(&files::list(Path::new(root), None)?),
        ["list", root, folder] => say(&files::list(Path::new(root), Some(&path(folder)?))?),
        ["remove", root, names] => {
            let names: Vec<WorkPath> = serde_json::from_str(names).map_err(|e| wrong(&e))?;
            files::remove(Path::new(root), &names)
        }
        _ => Err(SandboxError::Rejected("unknown request".into())),
    }
}

fn say(value: &impl serde::Serialize) -> Result<(), SandboxError> {
    let text = serde_json::to_vec(value).map_err(|e| wrong(&e))?;
    io::stdout().write_all(&text).map_err(|e| wrong(&e))
}

/// Puts uploaded files where they belong, one after another, so that they need not all be held.
fn place(root: &Path, from: &Path) -> Result<(), SandboxError> {
    for listed in files::list(from, None)? {
        if listed.is_dir {
            continue;
        }
        let name = path(&listed.path)?;
        let write = FileWrite {
            bytes: files::read(from, &name, listed.size)?,
            path: name,
        };
        files::write(root, &[write])?;
    }
    Ok(())
}
