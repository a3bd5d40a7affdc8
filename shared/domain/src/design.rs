//! `src/design.ts`: words, colours, fonts and numbers of a composition, as strict JSON between two fixed pieces of
//! TypeScript (`templates/README.md`, section 1).

use crate::settings::{Colors, FieldError, Fonts, is_hex_color};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Where the file is.
pub const DESIGN_PATH: &str = "src/design.ts";
const OPEN: &str = "export const design = ";
const CLOSE: &str = " satisfies Design;";
const WHOLE: &str = "import type { Design } from \"./koda/design\";\n\nexport const design = {} satisfies Design;\n";

/// What the file holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Design {
    /// The words that matter most.
    pub title: String,
    /// Words below them; may be empty.
    #[serde(default)]
    pub subtitle: String,
    /// By role.
    pub colors: Palette,
    /// By role.
    pub fonts: FontPair,
    /// Further words, in the order in which they are shown.
    #[serde(default)]
    pub lines: Vec<String>,
    /// Numbers to draw, in order.
    #[serde(default)]
    pub data: Vec<Datum>,
    /// A path below `public/`.
    #[serde(default)]
    pub logo: Option<String>,
    /// What a composition has of its own, such as `speed`, `prefix` and `style`; kept as it is.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Four colours by role, `#rrggbb`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Palette {
    /// Behind everything.
    pub background: String,
    /// The main colour.
    pub primary: String,
    /// The second colour.
    pub accent: String,
    /// Of words.
    pub text: String,
}

/// Two font families by role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FontPair {
    /// Of titles.
    pub title: String,
    /// Of everything else.
    pub body: String,
}

/// One number of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Datum {
    /// Its name.
    pub label: String,
    /// How much.
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

/// Why a design could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DesignError {
    /// It is not written between the two pieces of TypeScript.
    #[error("it has no `export const design = … satisfies Design;`")]
    NoDesign,
    /// What is between them cannot be read.
    #[error("its design is not strict JSON ({0})")]
    NotJson(String),
}

impl Design {
    /// Reads the file's text.
    ///
    /// # Errors
    /// Where it is not written as it must be.
    pub fn read(source: &str) -> Result<Self, DesignError> {
        let (start, end) = span(source).ok_or(DesignError::NoDesign)?;
        let json = source.get(start..end).unwrap_or_default();
        serde_json::from_str(json).map_err(|e| DesignError::NotJson(e.to_string()))
    }

    /// The file's text with this design in it; what stands around it stays.
    #[must_use]
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

    /// The design with these changes.
    ///
    /// # Errors
    /// Every field that breaks a rule.
    pub fn patched(&self, patch: &DesignPatch) -> Result<Self, Vec<FieldError>> {
        let mut next = self.clone();
        let p = patch.clone();
        let mut errors = patch.problems(self);
        if let Some(title) = p.title {
            next.title = title;
        }
        if let Some(subtitle) = p.subtitle {
            next.subtitle = subtitle;
        }
        if let Some(lines) = p.lines {
            next.lines = lines;
        }
        if let Some(data) = p.data {
            next.data = data;
        }
        for (key, text) in [("prefix", p.prefix), ("suffix", p.suffix)] {
            if let Some(text) = text {
                next.more.insert(key.into(), text.into());
            }
        }
        if let Some(speed) = p.speed {
            next.more.insert("speed".into(), speed.into());
        }
        let colors = &mut next.colors;
        let places = [
            (&mut colors.background, p.colors.background),
            (&mut colors.primary, p.colors.primary),
            (&mut colors.accent, p.colors.accent),
            (&mut colors.text, p.colors.text),
            (&mut next.fonts.title, p.fonts.title),
            (&mut next.fonts.body, p.fonts.body),
        ];
        for (place, value) in places {
            if let Some(value) = value {
                *place = value;
            }
        }
        if next.title.trim().is_empty() && next.subtitle.is_empty() && next.lines.is_empty() {
            errors.push(field("title", "Leave some words to show."));
        }
        if errors.is_empty() {
            Ok(next)
        } else {
            Err(errors)
        }
    }

    /// What differs from `before`, in a line for people; none where nothing does.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> Option<String> {
        let mut said = Vec::new();
        if self.title != before.title {
            said.push(format!("title “{}”", short(&self.title)));
        }
        if self.subtitle != before.subtitle {
            said.push(format!("subtitle “{}”", short(&self.subtitle)));
        }
        if self.lines != before.lines {
            said.push("lines of text".into());
        }
        let (new, old) = (&self.colors, &before.colors);
        for (name, new, old) in [
            ("background", &new.background, &old.background),
            ("main colour", &new.primary, &old.primary),
            ("accent", &new.accent, &old.accent),
            ("text colour", &new.text, &old.text),
            ("font of titles", &self.fonts.title, &before.fonts.title),
            ("font of text", &self.fonts.body, &before.fonts.body),
        ] {
            if new != old {
                said.push(format!("{name} {new}"));
            }
        }
        let more = |key: &str| self.more.get(key) != before.more.get(key);
        if self.data != before.data || more("prefix") || more("suffix") {
            said.push("numbers".into());
        }
        if more("speed") {
            said.push("pace".into());
        }
        let line = said.join(", ");
        let mut letters = line.chars();
        let first = letters.next()?;
        Some(first.to_uppercase().chain(letters).collect())
    }
}

fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}

fn field(field: impl Into<String>, message: &str) -> FieldError {
    FieldError {
        field: field.into(),
        message: message.into(),
    }
}

/// Changes of a design by hand; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DesignPatch {
    /// See [`Design::title`].
    pub title: Option<String>,
    /// See [`Design::subtitle`].
    pub subtitle: Option<String>,
    /// Replaces the list, which keeps its length: a composition gives each line its place.
    pub lines: Option<Vec<String>>,
    /// Replaces the list.
    pub data: Option<Vec<Datum>>,
    /// Written before each number, where the composition shows numbers.
    pub prefix: Option<String>,
    /// Written after each number, where the composition shows numbers.
    pub suffix: Option<String>,
    /// Pace of movement that is not tied to the length, 0.1 to 10, where the composition has one.
    pub speed: Option<f64>,
    /// The roles that change.
    pub colors: Colors,
    /// The roles that change.
    pub fonts: Fonts,
}

/// The longest words of one place, in characters.
const LONGEST: usize = 500;
/// The most numbers of a chart.
const MOST_DATA: usize = 60;

impl DesignPatch {
    /// Every field that breaks a rule, by itself or where it would be put.
    fn problems(&self, design: &Design) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let lines = self.lines.iter().flatten();
        let texts = [("title", &self.title), ("subtitle", &self.subtitle)]
            .into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), text.as_ref()?)))
            .chain(
                lines
                    .enumerate()
                    .map(|(n, line)| (format!("lines.{n}"), line)),
            );
        for (name, text) in texts {
            if text.chars().count() > LONGEST || text.chars().any(is_unprintable) {
                errors.push(field(name, "Use at most 500 printable characters."));
            }
        }
        if self
            .lines
            .as_ref()
            .is_some_and(|lines| lines.len() != design.lines.len())
        {
            let message = format!("This animation shows {} lines.", design.lines.len());
            errors.push(field("lines", &message));
        }
        for (name, text) in [("prefix", &self.prefix), ("suffix", &self.suffix)] {
            let Some(text) = text else { continue };
            if design.data.is_empty() {
                errors.push(field(name, "This animation shows no numbers."));
            } else if text.chars().count() > 12 || text.chars().any(char::is_control) {
                errors.push(field(name, "Use at most 12 printable characters."));
            }
        }
        if let Some(data) = &self.data {
            errors.extend(data_problem(data, design).map(|message| field("data", message)));
        }
        if let Some(speed) = self.speed {
            if !design.more.get("speed").is_some_and(Value::is_number) {
                errors.push(field("speed", "This animation has no pace of its own."));
            } else if !(0.1..=10.0).contains(&speed) {
                errors.push(field("speed", "The pace must be 0.1 to 10."));
            }
        }
        for (name, color) in self.colors.all() {
            if color.is_some_and(|c| !is_hex_color(c)) {
                errors.push(field(
                    format!("colors.{name}"),
                    "A colour is written #rrggbb.",
                ));
            }
        }
        errors
    }
}

fn data_problem(data: &[Datum], design: &Design) -> Option<&'static str> {
    let wrong = |d: &Datum| {
        !d.value.is_finite()
            || d.value.abs() > 1e15
            || d.label.chars().count() > 80
            || d.label.chars().any(char::is_control)
    };
    if design.data.is_empty() {
        Some("This animation shows no numbers.")
    } else if data.is_empty() || data.len() > MOST_DATA {
        Some("Give 1 to 60 numbers.")
    } else if data.iter().any(wrong) {
        Some("Give finite numbers, each with a label of at most 80 printable characters.")
    } else {
        None
    }
}

fn is_unprintable(c: char) -> bool {
    c.is_control() && c != '\n'
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

    #[test]
    fn a_patch_changes_what_it_names_and_says_so_in_a_line() {
        let before = Design::read(SOURCE).unwrap();
        let patch: DesignPatch = serde_json::from_str(
            r##"{"title":"Good\nbye","colors":{"accent":"#ff0000"},"fonts":{"body":"Lora"},"speed":2}"##,
        )
        .unwrap();
        let after = before.patched(&patch).unwrap();
        assert_eq!(after.colors.primary, before.colors.primary);
        assert_eq!(
            after.changes_since(&before).as_deref(),
            Some("Title “Good bye”, accent #ff0000, font of text Lora, pace")
        );
        assert_eq!(before.changes_since(&before), None);
    }

    #[test]
    fn a_patch_that_does_not_fit_names_every_field_of_it() {
        let patch: DesignPatch = serde_json::from_str(
            r#"{"title":"a\u0000","lines":["one"],"data":[{"label":"a","value":1}],"suffix":"%","speed":99,
                "colors":{"text":"red"}}"#,
        )
        .unwrap();
        let errors = Design::read(SOURCE).unwrap().patched(&patch).unwrap_err();
        let fields: Vec<_> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(
            fields,
            ["title", "lines", "suffix", "data", "speed", "colors.text"]
        );
        assert!(serde_json::from_str::<DesignPatch>(r#"{"titel":"x"}"#).is_err());
    }

    #[test]
    fn an_animation_never_loses_all_of_its_words() {
        let patch = DesignPatch {
            title: Some(" ".into()),
            ..DesignPatch::default()
        };
        assert!(Design::read(SOURCE).unwrap().patched(&patch).is_err());
    }
}
