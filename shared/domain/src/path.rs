//! Paths inside a workspace. One type, so that no other code decides what is safe.

use serde::{Deserialize, Deserializer, Serialize};
use std::{fmt, str::FromStr};

/// The longest path, in bytes.
pub const MAX_PATH: usize = 200;
/// The deepest path, in components.
pub const MAX_DEPTH: usize = 12;

/// A relative path below `/app`: components of letters, digits and `. _ - @ + ( ) [ ]` or space, none of them
/// `.` or `..`, no leading or trailing space or dot-only names, at most [`MAX_PATH`] bytes and [`MAX_DEPTH`] components.
///
/// There is nothing to normalise: a text is either this, or refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, max_length = 200)]
pub struct WorkPath(String);

/// Why a path was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// Nothing was given.
    #[error("the path is empty")]
    Empty,
    /// Over [`MAX_PATH`] bytes or [`MAX_DEPTH`] components.
    #[error("the path is longer than 200 bytes or deeper than 12 folders")]
    TooLong,
    /// Begins with `/`, or has an empty, `.` or `..` component.
    #[error("the path must be relative and must not contain '..', '.' or empty parts")]
    NotRelative,
    /// Has a character outside the allowed set.
    #[error("the path may hold only ASCII letters, digits, spaces and . _ - @ + ( ) [ ]")]
    BadCharacter,
    /// Not a place where an agent or a user may write.
    #[error("only src/ (without src/koda/) and public/ can be written")]
    ReadOnly,
}

impl WorkPath {
    /// Parses a path; see the type for the rules.
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        if text.is_empty() {
            return Err(BadPath::Empty);
        }
        if text.len() > MAX_PATH || text.split('/').count() > MAX_DEPTH {
            return Err(BadPath::TooLong);
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-@+()[] /".contains(c);
        if !text.chars().all(allowed) {
            return Err(BadPath::BadCharacter);
        }
        for part in text.split('/') {
            if part.is_empty() || part.chars().all(|c| c == '.') || part.trim() != part {
                return Err(BadPath::NotRelative);
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The same, and a place that an animation's own files may take: below `src/` (but not `src/koda/`) or `public/`.
    ///
    /// # Errors
    /// As [`WorkPath::parse`], or [`BadPath::ReadOnly`].
    pub fn parse_writable(text: &str) -> Result<Self, BadPath> {
        let path = Self::parse(text)?;
        if path.is_writable() {
            Ok(path)
        } else {
            Err(BadPath::ReadOnly)
        }
    }

    /// Whether an animation's own files may be here. Compared without case, as some disks do.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        let lower = self.0.to_ascii_lowercase();
        (lower.starts_with("src/") && !lower.starts_with("src/koda/") && lower != "src/koda")
            || lower.starts_with("public/")
    }

    /// The path with `/` between components, without a leading one.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last component's part after its last dot, in lower case.
    #[must_use]
    pub fn extension(&self) -> Option<String> {
        let name = self.0.rsplit('/').next()?;
        name.rsplit_once('.')
            .map(|(_, extension)| extension.to_ascii_lowercase())
    }
}

impl fmt::Display for WorkPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for WorkPath {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, BadPath> {
        Self::parse(text)
    }
}

impl<'de> Deserialize<'de> for WorkPath {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn t21_paths_that_try_to_leave_the_workspace_are_refused() {
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "src/../../x",
            "/etc/passwd",
            "src//a",
            "src/",
            "/",
            "a\\b",
            "a\0b",
            "a\r\nb",
            "%2e%2e/x",
            "src/\u{202e}x",
            "src/．．/x",
            "src/… ",
            " src/a",
            "src/a ",
            "src/...",
            "~/x\u{7f}",
        ] {
            assert!(WorkPath::parse(bad).is_err(), "{bad:?} was accepted");
        }
        assert_eq!(WorkPath::parse(&"a".repeat(4097)), Err(BadPath::TooLong));
        assert_eq!(WorkPath::parse(&["a"; 13].join("/")), Err(BadPath::TooLong));
    }

    #[test]
    fn only_the_animations_own_folders_are_writable() {
        for good in [
            "src/Composition.tsx",
            "src/scenes/One.tsx",
            "public/assets/my logo (1).png",
        ] {
            assert!(WorkPath::parse_writable(good).is_ok(), "{good}");
        }
        for bad in [
            "koda.json",
            "src/koda/main.tsx",
            "SRC/Koda/x.ts",
            "package.json",
            "node_modules/a/b.js",
            ".koda/x",
            "src",
        ] {
            assert_eq!(
                WorkPath::parse_writable(bad),
                Err(BadPath::ReadOnly),
                "{bad}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_accepted_path_escapes_its_root(text in ".{0,60}") {
            if let Ok(path) = WorkPath::parse(&text) {
                let joined = std::path::Path::new("/app").join(path.as_str());
                prop_assert!(joined.components().all(|c| !matches!(c, std::path::Component::ParentDir)));
                prop_assert!(joined.starts_with("/app/"));
            }
        }
    }
}
