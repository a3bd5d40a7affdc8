//! `src/design.ts`: words, colours, fonts and numbers as strict JSON, which controls change without a model (`templates/README.md`,
//! section 1). What is not there, or is not used, could not be changed by hand.

use serde_json::Value;

use super::diagnostic::{Diagnostic, Gate, Place};
use super::sources::Source;

const PATH: &str = "src/design.ts";
const OPEN: &str = "export const design = ";
const CLOSE: &str = " satisfies Design;";
const COLORS: &[&str] = &["background", "primary", "accent", "text"];

/// What is wrong with the design, the first of it. `used` is whether any file of the composition imports it.
pub fn run(sources: &[Source], used: bool) -> Option<Diagnostic> {
    let source = sources.iter().find(|source| source.path == PATH)?;
    written(source).or_else(|| {
        (!used).then(|| {
            Diagnostic::error(
                Gate::Lint,
                "design_unused",
                "no file imports src/design.ts: its words and colours are shown nowhere",
            )
            .at(Place::file(PATH))
            .hint(
                "import { design } from \"./design\", put every word, colour and font that is shown into it, and read them from there",
            )
        })
    })
}

fn written(source: &Source) -> Option<Diagnostic> {
    let wrong = |offset: usize, message: String| {
        let (line, column) = source.position(offset);
        let hint = "export const design = { … } satisfies Design; with quoted keys, double quotes, no comments and no trailing commas";
        Diagnostic::error(Gate::Lint, "design_not_json", message)
            .at(Place::new(PATH, line, column))
            .hint(hint)
    };
    let span = source
        .text
        .find(OPEN)
        .map(|at| at + OPEN.len())
        .and_then(|start| Some((start, source.text.rfind(CLOSE).filter(|end| *end >= start)?)));
    let Some((start, end)) = span else {
        let message = format!("it does not say `{OPEN}…{CLOSE}`");
        return Some(wrong(0, message));
    };
    let json = source.text.get(start..end).unwrap_or_default();
    let design: Value = match serde_json::from_str(json) {
        Ok(design) => design,
        Err(error) => {
            let line_start = json
                .split_inclusive('\n')
                .take(error.line().saturating_sub(1))
                .map(str::len)
                .sum::<usize>();
            let offset = start + line_start + error.column().saturating_sub(1);
            return Some(wrong(
                offset.min(end),
                format!("the design is not strict JSON: {error}"),
            ));
        }
    };
    let color = COLORS
        .iter()
        .find(|role| !design["colors"][**role].as_str().is_some_and(is_hex_color))?;
    let at = json.find(&format!("\"{color}\"")).unwrap_or_default();
    let (line, column) = source.position(start + at);
    Some(
        Diagnostic::error(
            Gate::Lint,
            "design_color",
            format!("colors.{color} of the design is not written #rrggbb"),
        )
        .at(Place::new(PATH, line, column))
        .hint("write each of background, primary, accent and text as #rrggbb"),
    )
}

fn is_hex_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
