//! What a composition could use, and what would come out otherwise than it was meant: features of Remotion that viewers' browsers do not
//! have, and that its own renderer alone draws, or that make no part of the picture; and sizes of the window, which is that of the
//! preview or of the output.

use super::diagnostic::{Diagnostic, Gate};

/// Names of `remotion` and `@remotion/transitions` that draw by html-in-canvas, which browsers have behind a flag.
const DRAWN_BY_BROWSER: &[&str] = &[
    "HtmlInCanvas",
    "isHtmlInCanvasSupported",
    "makeHtmlInCanvasPresentation",
    "blurSlide",
    "crossZoom",
    "dreamyZoom",
    "filmBurn",
    "linearBlur",
];
/// The same, by the module of `@remotion/transitions` that they are alone in.
const PRESENTATIONS: &[&str] = &[
    "blur-slide",
    "book-flip",
    "cross-zoom",
    "crosswarp",
    "dissolve",
    "dreamy-zoom",
    "film-burn",
    "linear-blur",
    "ripple",
    "swap",
    "zoom-blur",
    "zoom-in-out",
];
/// What is imported that only Remotion's own renderer draws. `name` is what is imported of the module, where that is known.
pub fn drawn_by_renderer<'a>(module: &'a str, name: Option<&'a str>) -> Option<&'a str> {
    let drawn = match (module, name) {
        ("remotion" | "@remotion/transitions", Some(name)) => DRAWN_BY_BROWSER.contains(&name),
        (_, None) => module
            .strip_prefix("@remotion/transitions/")
            .is_some_and(|presentation| PRESENTATIONS.contains(&presentation)),
        _ => false,
    };
    drawn.then(|| name.unwrap_or(module))
}

/// Textures of `three` and `@react-three/drei` that play a video by the wall clock.
const PLAYING: &[&str] = &[
    "VideoTexture",
    "VideoFrameTexture",
    "videoTexture",
    "useVideoTexture",
];

/// Why something should not be imported, and what to do instead. `name` is what is imported of the module, where that is known.
pub fn import(module: &str, name: Option<&str>) -> Option<(String, &'static str)> {
    match (module, name) {
        ("remotion", Some("Artifact")) => {
            let message = "<Artifact> writes a file beside the film, and there is only the film";
            Some((message.to_owned(), "leave it out"))
        }
        (module, Some(name)) if is_scenery(module) => video(name),
        _ => None,
    }
}

/// Whether a module has textures of videos.
pub fn is_scenery(module: &str) -> bool {
    matches!(module, "three" | "@react-three/drei")
}

/// Why a video should not be shown by what is called so, and what to do instead.
pub fn video(name: &str) -> Option<(String, &'static str)> {
    PLAYING.contains(&name).then(|| {
        let message = format!("{name} plays by the wall clock: what it shows is not tied to a frame");
        let hint = "use useVideo(src, { at, until, from, rate, volume }) of ./koda/video, a texture that stands at the frame's second";
        (message, hint)
    })
}

/// What is to be said where a frame goes without an effect that only Remotion's own renderer draws, and nothing in the sources shows
/// that the film needs it.
pub fn hidden() -> Diagnostic {
    let message = "an effect that html-in-canvas draws is not seen in the sources, and may be left out of the film";
    let hint = "import what draws it by its name, such as import { HtmlInCanvas } from \"remotion\", and write effects where they are used";
    Diagnostic::error(Gate::Frames, "hidden_effect", message).hint(hint)
}

/// Units of a length that are parts of the window.
const UNITS: &[&str] = &[
    "vw", "vh", "vmin", "vmax", "svw", "svh", "lvw", "lvh", "dvw", "dvh",
];

const WINDOW_HINT: &str = "use width and height of useVideoConfig(), or per cent of what it lies in: the window is as large as the preview or the exported video";

/// What is to be said of a size of the window.
pub fn window_size(what: &str) -> Diagnostic {
    let message = format!("{what} is a size of the window, not of the composition");
    Diagnostic::error(Gate::Lint, "window_size", message).hint(WINDOW_HINT)
}

/// Properties of the window that say how large it is.
pub fn measures_window(object: &str, property: &str) -> bool {
    let window = [
        "innerWidth",
        "innerHeight",
        "outerWidth",
        "outerHeight",
        "visualViewport",
        "screen",
    ];
    match object {
        "window" | "globalThis" | "self" => window.contains(&property),
        "document.documentElement" | "document.body" => {
            matches!(
                property,
                "clientWidth" | "clientHeight" | "offsetWidth" | "offsetHeight"
            )
        }
        _ => false,
    }
}

/// The first length of a style's value that is a part of the window, such as `100vw`. Of text that only mentions one, nothing.
pub fn window_length(value: &str) -> Option<&str> {
    let value = value.trim();
    let functions = [
        "calc(",
        "min(",
        "max(",
        "clamp(",
        "translate",
        "scale(",
        "inset(",
    ];
    let is_value = value.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
        || functions.iter().any(|function| value.starts_with(function));
    if is_value { length(value) } else { None }
}

/// The first such length in a style sheet's values, or the first query of the window's size.
pub fn in_style_sheet(text: &str) -> Option<&str> {
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after);
            continue;
        }
        if rest.starts_with("@media") {
            let (query, after) = rest.split_once('{').unwrap_or((rest, ""));
            let sizes = [
                "width",
                "height",
                "aspect-ratio",
                "orientation",
                "resolution",
            ];
            if sizes.iter().any(|size| query.contains(size)) {
                return Some(query.trim_end());
            }
            rest = after;
            continue;
        }
        if let Some(value) = rest.strip_prefix(':')
            && let Some(end) = value.find([';', '{', '}'])
            && !value[end..].starts_with('{')
            && let Some(found) = length(&value[..end])
        {
            return Some(found);
        }
        let mut characters = rest.chars();
        characters.next();
        rest = characters.as_str();
    }
    None
}

/// The first such length.
fn length(text: &str) -> Option<&str> {
    let part =
        |character: char| character.is_ascii_alphanumeric() || character == '.' || character == '_';
    text.split(|character| !part(character)).find(|word| {
        let number = word.trim_end_matches(|character: char| character.is_ascii_alphabetic());
        let digits = |digit: char| digit.is_ascii_digit() || digit == '.';
        !number.is_empty() && number.chars().all(digits) && UNITS.contains(&&word[number.len()..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_window_are_found_in_values_and_not_in_words() {
        for (value, found) in [
            ("100vw", Some("100vw")),
            ("calc(50% - 2.5vh)", Some("2.5vh")),
            ("-.5vmin 0", Some(".5vmin")),
            ("translate(10vw, 0)", Some("10vw")),
            ("12px", None),
            ("3v", None),
            ("runs at 100vw", None),
            ("#10vw", None),
        ] {
            assert_eq!(window_length(value), found, "{value}");
        }
    }

    #[test]
    fn parts_of_the_window_are_found_in_style_sheets_and_not_in_comments_and_names() {
        for (text, found) in [
            ("/* never 100vw: */ p { width: 50%; }", None),
            (".h-100vh:hover { width: 50%; }", None),
            ("p { margin: 0 2vw; }", Some("2vw")),
            ("p { height: calc(100vh - 2px) }", Some("100vh")),
            (
                "@media (min-width: 600px) { p { top: 0 } }",
                Some("@media (min-width: 600px)"),
            ),
            ("@media print { p { top: 0 } }", None),
        ] {
            assert_eq!(in_style_sheet(text), found, "{text}");
        }
    }
}
