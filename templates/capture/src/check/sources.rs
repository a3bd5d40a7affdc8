//! The composition's own files.

use std::path::{Path, PathBuf};

/// Largest file that is read as source.
const LARGEST: u64 = 2 << 20;

/// A file below `src`.
#[derive(Debug, Clone)]
pub struct Source {
    /// Path below the workspace, with `/` between parts.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl Source {
    /// True where it is a script that can be parsed.
    pub fn is_script(&self) -> bool {
        has_ending(&self.path, &["ts", "tsx", "js", "jsx", "mts", "mjs"])
    }

    /// True where it is a style sheet.
    pub fn is_style(&self) -> bool {
        has_ending(&self.path, &["css"])
    }

    /// Line and column of a byte, both from 1, columns in characters as editors count them.
    pub fn position(&self, offset: usize) -> (u32, u32) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .map_or(0, |line| line.chars().count())
            + 1;
        (
            u32::try_from(line).unwrap_or(u32::MAX),
            u32::try_from(column).unwrap_or(u32::MAX),
        )
    }
}

fn has_ending(path: &str, endings: &[&str]) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, ending)| endings.contains(&ending))
}

/// Reads every text file of the composition: `src` without the template's `src/koda`.
pub fn read(app: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(app.join(&folder)) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = folder.join(entry.file_name());
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() {
                if path != Path::new("src/koda") && entry.file_name() != "node_modules" {
                    folders.push(path);
                }
                continue;
            }
            let Some(name) = path.to_str().map(|name| name.replace('\\', "/")) else {
                continue;
            };
            let small = entry
                .metadata()
                .is_ok_and(|metadata| metadata.len() <= LARGEST);
            if small && let Ok(text) = std::fs::read_to_string(app.join(&path)) {
                sources.push(Source { path: name, text });
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}
