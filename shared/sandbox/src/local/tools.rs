//! Programs that sandboxes use and that are not where the system keeps its own.

use super::bwrap::SYSTEM;
use std::path::{Path, PathBuf};

/// A program outside the system's folders.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tool {
    /// One file.
    Program {
        /// What it is called.
        name: &'static str,
        /// Where it is.
        file: PathBuf,
    },
    /// A browser needs what lies beside it.
    Browser {
        /// Where it is.
        file: PathBuf,
        /// What it needs.
        folder: PathBuf,
    },
}

/// What has to be made visible: node and FFmpeg from the server's PATH, and the browser that it is told to use.
/// Only these files, never the folders above them, which may well be somebody's home.
pub(super) fn outside_the_system() -> Vec<Tool> {
    let programs = [
        ("node", "KODA_NODE"),
        ("ffmpeg", "KODA_FFMPEG"),
        ("ffprobe", "KODA_FFPROBE"),
    ];
    let mut tools: Vec<Tool> = programs
        .into_iter()
        .filter_map(|(name, variable)| {
            let file = outside(&told(variable).or_else(|| which(name))?)?;
            Some(Tool::Program { name, file })
        })
        .collect();
    tools.extend(told("KODA_CHROMIUM").and_then(|file| {
        let file = outside(&file)?;
        let folder = file.parent()?.to_path_buf();
        let folder = if folder.ends_with("bin") {
            file.clone()
        } else {
            folder
        };
        Some(Tool::Browser { file, folder })
    }));
    tools
}

/// Finds a program on the PATH of this process.
pub(super) fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
}

fn told(variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).filter(|path| !path.is_empty())?;
    Some(PathBuf::from(path)).filter(|path| path.is_file())
}

fn outside(program: &Path) -> Option<PathBuf> {
    let file = program.canonicalize().ok()?;
    let of_system = SYSTEM.iter().any(|system| file.starts_with(system));
    (!of_system).then_some(file)
}
