//! `src/design.ts`: words, colours, fonts and numbers of a composition, as strict JSON between two fixed pieces of
//! TypeScript (`templates/README.md`, section 1).

use super::color::Rgb;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where the file is.
pub(crate) const DESIGN_PATH: &str = "src/design.ts";
const OPEN: &str = "export const design = ";
const CLOSE: &str = " satisfies Design;";
const WHOLE: &str = "import type { Design } from \"./koda/design\";\n\nexport const design = {} satisfies Design;\n";

/// What the file holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Design {
    pub title: String,
    #[serde(default)]
    pub subtitle: String,
    pub colors: Palette,
    pub fonts: FontPair,
    #[serde(default)]
    pub lines: Vec<String>,
    #[serde(default)]
    pub data: Vec<Datum>,
    /// A path below `public/`.
    #[serde(default)]
    pub logo: Option<String>,
    /// What a recipe has of its own; kept as it is.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Four colours by role, `#rrggbb`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Palette {
    pub background: String,
    pub primary: String,
    pub accent: String,
    pub text: String,
}

/// Two font families by role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FontPair {
    pub title: String,
    pub body: String,
}

/// One number of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Datum {
    pub label: String,
    #[serde(serialize_with = "plain")]
    pub value: f64,
}

/// Writes 40 as `40`, not `40.0`.
fn plain<S: serde::Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    if value.fract() == 0.0 && value.abs() < 9e15 {
        to.serialize_i64(*value as i64)
    } else {
        to.serialize_f64(*value)
    }
}

/// A role of colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ColorRole {
    Background,
    Primary,
    Accent,
    Text,
}

impl ColorRole {
    pub const ALL: [Self; 4] = [Self::Background, Self::Primary, Self::Accent, Self::Text];

    /// The role's name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Background => "background",
            Self::Primary => "main colour",
            Self::Accent => "accent",
            Self::Text => "text colour",
        }
    }
}

impl Palette {
    pub fn get(&self, role: ColorRole) -> Rgb {
        let (hex, fallback) = match role {
            ColorRole::Background => (&self.background, Rgb::BLACK),
            ColorRole::Primary => (&self.primary, Rgb::WHITE),
            ColorRole::Accent => (&self.accent, Rgb::WHITE),
            ColorRole::Text => (&self.text, Rgb::WHITE),
        };
        Rgb::parse(hex).unwrap_or(fallback)
    }

    pub fn set(&mut self, role: ColorRole, color: Rgb) {
        let place = match role {
            ColorRole::Background => &mut self.background,
            ColorRole::Primary => &mut self.primary,
            ColorRole::Accent => &mut self.accent,
            ColorRole::Text => &mut self.text,
        };
        *place = color.hex();
    }
}

/// Why a design could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DesignError {
    #[error("it has no `export const design = … satisfies Design;`")]
    NoDesign,
    #[error("its design is not strict JSON ({0})")]
    NotJson(String),
}

impl Design {
    /// Reads the file's text.
    pub fn read(source: &str) -> Result<Self, DesignError> {
        let (start, end) = span(source).ok_or(DesignError::NoDesign)?;
        let json = source.get(start..end).unwrap_or_default();
        serde_json::from_str(json).map_err(|e| DesignError::NotJson(e.to_string()))
    }

    /// The file's text with this design in it; what stands around it stays.
    pub fn write_into(&self, source: &str) -> String {
        let source = if span(source).is_some() {
            source
        } else {
            WHOLE
        };
        let (start, end) = span(source).unwrap_or_default();
        let json = serde_json::to_string_pretty(self).unwrap_or_default();
        format!(
            "{}{json}{}",
            source.get(..start).unwrap_or_default(),
            source.get(end..).unwrap_or_default()
        )
    }
}

fn span(source: &str) -> Option<(usize, usize)> {
    let start = source.find(OPEN)? + OPEN.len();
    let end = source.rfind(CLOSE)?;
    (start <= end).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r##"// mine
import type { Design } from "./koda/design";

export const design = {
  "title": "Hello",
  "colors": { "background": "#0b1020", "primary": "#7c5cff", "accent": "#22d3ee", "text": "#f8fafc" },
  "fonts": { "title": "Space Grotesk", "body": "Inter" },
  "speed": 3
} satisfies Design;

export const extra = 1;
"##;

    #[test]
    fn a_design_comes_back_as_it_went_and_what_stands_around_it_stays() {
        let mut design = Design::read(SOURCE).unwrap();
        design.title = "Say \"hi\" </script> \\ ü".into();
        design.data = vec![Datum {
            label: "Q1".into(),
            value: 10.5,
        }];
        let written = design.write_into(SOURCE);
        assert!(written.starts_with("// mine\n") && written.ends_with("export const extra = 1;\n"));
        assert_eq!(Design::read(&written).unwrap(), design);
        assert_eq!(design.more["speed"], 3);
    }

    #[test]
    fn typescript_that_is_not_strict_json_is_refused_with_its_place() {
        let loose = SOURCE.replace("\"title\": \"Hello\"", "title: 'Hello'");
        assert!(
            matches!(Design::read(&loose), Err(DesignError::NotJson(at)) if at.contains("line"))
        );
        assert_eq!(Design::read("export default 1"), Err(DesignError::NoDesign));
    }
}
