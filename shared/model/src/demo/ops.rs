//! Changes that a person asks for, read from words.

use super::{
    choose,
    color::Rgb,
    design::{ColorRole, Datum},
    draft::{Draft, Tools},
    format::FormatWish,
    lexicon::contains_phrase,
    ops_data, ops_look, ops_text,
    text::{Text, patterns, words},
    tone::Tone,
};
use koda_domain::format::{Aspect, Fps, Resolution};

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    Title(String),
    /// None takes it away.
    Subtitle(Option<String>),
    Lines(Vec<String>),
    AddLine(String),
    SetLine(LineRef, String),
    RemoveLine(LineRef),
    Replace {
        from: String,
        to: String,
    },
    Case(Case),
    SetData(Vec<Datum>, Option<(String, String)>),
    /// New numbers for the labels that are there.
    SetValues(Vec<f64>),
    SetDatum(Datum),
    RemoveDatum(String),
    /// Every colour follows this one.
    Recolor(Vec<(ColorRole, Rgb, String)>),
    /// These roles and nothing else.
    Colors(Vec<(ColorRole, Rgb, String)>),
    SwapColor {
        from: Rgb,
        to: Rgb,
        words: String,
    },
    Tone(Tone, Option<ColorRole>),
    /// A palette by its name, or any other.
    Palette(Option<String>),
    Font {
        family: String,
        role: FontRole,
    },
    NoFont(String),
    Seconds(f64),
    AddSeconds(f64),
    /// Multiplies the length.
    Stretch(f64),
    Fps(Fps),
    Aspect(Aspect),
    Resolution(Resolution),
    Logo(String),
    RemoveLogo,
    /// Another recipe, by name.
    Recipe(String),
    /// A variant of the recipe, such as `line`.
    Style(String),
    /// What was asked for cannot be done, as a sentence.
    Cannot(String),
}

/// Which of the further lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LineRef {
    /// From 1.
    Number(usize),
    Last,
    /// Words of it.
    Words(String),
}

/// How letters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Upper,
    Lower,
    Title,
}

/// Which text a font is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FontRole {
    Title,
    Body,
    Both,
}

patterns! {
    QUESTION = r"^\s*(?:why|what|who|how|when|where|which|can\s+i|do\s+you|does|are\s+you|is\s+(?:it|this|there)|help|what's|explain)\b";
    CONSENT = r"^\W*(?:(?:yes|yep|yeah|sure|ok|okay|great|perfect|good|fine|nice|cool|approved?|go(?:\s+ahead)?|do\s+it|build(?:\s+it)?|start(?:\s+building)?|looks?\s+(?:good|great|fine|nice)|lgtm|proceed|continue|i\s+(?:like|love|approve)\s+it|love\s+it|thanks?(?:\s+you)?|please|that's|thats|it|the\s+plan|this|very|now)\W*)+$";
    UNDO = r"\b(?:undo|revert|go\s+back|take\s+(?:it|that)\s+back|roll\s*back|restore|previous\s+version|last\s+version|as\s+it\s+was)\b(?:\s+(?:to|the|that|last|change|my|version|v|number|previous|#))*\s*(\d+)?";
    FASTER = r"\b(?:(\d+(?:\.\d+)?|twice|double|three\s+times|half)\s*(x|%|percent|times)?\s*(?:as\s+fast|faster|quicker|(?:the\s+)?speed)|speed\s+(?:it\s+|this\s+|things\s+|everything\s+)?up|(?:much\s+|a\s+bit\s+|a\s+little\s+|slightly\s+|way\s+|more\s+)?(?:faster|quicker|snappier|more\s+energetic|hurry))\b(?:\s+(?:a\s+bit|a\s+little|slightly|a\s+lot))?";
    SLOWER = r"\b(?:(\d+(?:\.\d+)?|twice|three\s+times|half)\s*(x|%|percent|times)?\s*(?:as\s+slow|slower|as\s+long)|slow\s+(?:it\s+|this\s+|things\s+|everything\s+)?down|(?:much\s+|a\s+bit\s+|a\s+little\s+|slightly\s+|way\s+|more\s+)?(?:slower|more\s+slowly|slow\b))(?:\s+(?:a\s+bit|a\s+little|slightly|a\s+lot))?";
    LONGER = r"\b(?:(?:much|a\s+bit|a\s+little|slightly|way|twice\s+as)\s+)?(?:longer|lengthen|extend(?:\s+it)?|twice\s+as\s+long)\b";
    SHORTER = r"\b(?:(?:much|a\s+bit|a\s+little|slightly|way)\s+)?(?:shorter|shorten(?:\s+it)?|half\s+as\s+long|cut\s+it\s+down)\b";
    MORE_SECONDS = r"\b(\d+(?:\.\d+)?)\s*(?:s|secs?|seconds?)\s+(longer|shorter|more|less)\b|\b(add|cut|remove)\s+(\d+(?:\.\d+)?)\s*(?:s|secs?|seconds?)\b";
    SWITCH = r"\b(?:use|try|with|switch\s+to|change\s+(?:it\s+)?(?:in)?to|turn\s+(?:it|this)\s+into|make\s+(?:it|this)(?:\s+into)?|convert\s+(?:it\s+)?(?:in)?to|show\s+(?:it|this)\s+as|as)\s+(?:a\s+|an\s+|the\s+|some\s+)?([\p{L}\d][\p{L}\d\s-]*?)(?:\s+(?:recipe|template|style|animation|instead|version|please))*\s*(?:[.,;!:]|$|\s(?:with|of|showing|saying|and|in)\b)";
    AS_LINE = r"\b(?:line\s+(?:chart|graph|diagram)|(?:as|into|to)\s+(?:a\s+)?(?:line|curve)\b|(?:a|the)\s+(?:line|curve)\s+instead)";
    AS_BARS = r"\b(?:(?:bars?|columns?)\s+(?:chart|graph|diagram)|(?:as|into|to)\s+(?:bars|columns|a\s+bar)\b|(?:bars|columns)\s+instead)";
    TOO = r"\b(?:a\s+bit\s+|a\s+little\s+|way\s+|much\s+)?too\s+(fast|quick|hectic|slow|dark|light|bright|long|short|warm|cold|cool|dull|pale|muted|boring|colou?rful|saturated|vivid|loud)\b";
    REMOVE_LOGO = r"\b(?:remove|delete|drop|hide|without|no|lose)\s+(?:the\s+|my\s+|our\s+)?logo\b";
    USE_LOGO = r"\b(?:use|add|show|put|insert|with|set|change|swap|replace)\b.*\b(?:logo|picture|image|photo|attachment|attached|file)\b";
}

/// Whether words ask something rather than for something.
pub(crate) fn is_question(text: &Text) -> bool {
    QUESTION.is_match(&text.plain)
        && !text.plain.to_lowercase().contains("what about")
        && !text.plain.to_lowercase().contains("how about")
}

/// Whether words only agree.
pub(crate) fn is_consent(text: &Text) -> bool {
    CONSENT.is_match(&text.plain)
}

/// Whether words ask to go back: to a version by its number, or to the one before the newest.
pub(crate) fn undo(text: &Text) -> Option<Option<u32>> {
    let found = UNDO.captures(&text.plain)?;
    Some(found.get(1).and_then(|m| m.as_str().parse().ok()))
}

/// `Too fast` asks for slower.
fn turn_complaints(text: &mut Text) {
    let turned = TOO.replace_all(&text.plain, |found: &regex::Captures<'_>| {
        let wish = match found[1].to_lowercase().as_str() {
            "fast" | "quick" | "hectic" | "short and fast" => "slower",
            "slow" => "faster",
            "dark" => "lighter",
            "light" | "bright" => "darker",
            "long" => "shorter",
            "short" => "longer",
            "warm" => "cooler",
            "cold" | "cool" => "warmer",
            "dull" | "pale" | "muted" | "boring" => "more vivid",
            _ => "more muted",
        };
        wish.to_owned()
    });
    text.plain = turned.into_owned();
}

/// Every change that the words ask for, in the order in which they are best made.
pub(crate) fn read(said: &str, now: &Draft, tools: Tools<'_>) -> Vec<Op> {
    let mut text = Text::read(said);
    turn_complaints(&mut text);
    let mut ops = Vec::new();
    take_recipe(&mut text, now, tools, &mut ops);
    ops_data::take_data(&mut text, now, &mut ops);
    ops_text::take_texts(&mut text, now, &mut ops);
    take_style(&mut text, now, &mut ops);
    take_logo(&mut text, tools, &mut ops);
    take_time(&mut text, &mut ops);
    take_format(&mut text, &mut ops);
    ops_look::take_fonts(&mut text, now, tools, &mut ops);
    ops_look::take_colors(&mut text, &mut ops);
    ops_look::take_tone(&mut text, &mut ops);
    ops_text::take_rest(&mut text, now, &mut ops);
    ops
}

fn take_recipe(text: &mut Text, now: &Draft, tools: Tools<'_>, ops: &mut Vec<Op>) {
    let engine = tools.recipes.get(&now.recipe).map(|r| r.engine);
    for found in SWITCH.captures_iter(&text.plain) {
        let (Some(whole), Some(what)) = (found.get(0), found.get(1)) else {
            continue;
        };
        let said = words(what.as_str());
        let only_kind = said.len() <= 6
            && !said.iter().any(|w| {
                matches!(
                    w.as_str(),
                    "font" | "logo" | "title" | "text" | "line" | "words" | "seconds"
                )
            })
            || contains_phrase(&said, "logo reveal")
            || contains_phrase(&said, "3d")
            || contains_phrase(&said, "gradient title");
        let Some(recipe) =
            choose::named(what.as_str(), engine, tools.recipes).filter(|_| only_kind)
        else {
            continue;
        };
        if recipe.name == now.recipe && !whole.as_str().to_lowercase().contains("recipe") {
            continue;
        }
        ops.push(Op::Recipe(recipe.name.clone()));
        let range = whole.start()..what.end();
        text.take(range);
        return;
    }
}

fn take_style(text: &mut Text, now: &Draft, ops: &mut Vec<Op>) {
    if !now.design.more.contains_key("style") {
        return;
    }
    for (what, style) in [(&*AS_LINE, "line"), (&*AS_BARS, "bars")] {
        if let Some(range) = what.find(&text.plain).map(|m| m.range()) {
            ops.push(Op::Style(style.into()));
            text.take(range);
            return;
        }
    }
}

fn take_logo(text: &mut Text, tools: Tools<'_>, ops: &mut Vec<Op>) {
    if let Some(found) = REMOVE_LOGO.find(&text.plain).map(|m| m.range()) {
        text.take(found);
        ops.push(Op::RemoveLogo);
        return;
    }
    let new = tools.facts.likely_logo(|a| a.new);
    let asked = USE_LOGO.find(&text.plain).map(|m| m.range());
    let picture = new.or_else(|| {
        asked
            .as_ref()
            .and_then(|_| tools.facts.likely_logo(|_| true))
    });
    match (picture, asked) {
        (Some(asset), asked) => {
            ops.push(Op::Logo(asset.public_path().to_owned()));
            if let Some(range) = asked {
                text.take(range);
            }
        }
        (None, Some(_)) => ops.push(Op::Cannot(
            "there is no picture to use; attach one to your message".into(),
        )),
        (None, None) => {}
    }
}

fn take_time(text: &mut Text, ops: &mut Vec<Op>) {
    if let Some(found) = MORE_SECONDS.captures(&text.plain) {
        let number = |n: usize| found.get(n).and_then(|m| m.as_str().parse::<f64>().ok());
        let word = |n: usize| found.get(n).map(|m| m.as_str().to_lowercase());
        let seconds = number(1).or_else(|| number(4)).unwrap_or_default();
        let less = matches!(
            word(2).or_else(|| word(3)).as_deref(),
            Some("shorter" | "less" | "cut" | "remove")
        );
        let range = found.get(0).map(|m| m.range()).unwrap_or_default();
        ops.push(Op::AddSeconds(if less { -seconds } else { seconds }));
        text.take(range);
        return;
    }
    // Speed is length: every recipe times itself as a share of the whole.
    let much = |said: &str| -> f64 {
        let said = said.to_lowercase();
        if said.contains("bit") || said.contains("little") || said.contains("slightly") {
            1.25
        } else if said.contains("much")
            || said.contains("lot")
            || said.contains("way")
            || said.contains("twice")
        {
            2.0
        } else {
            1.5
        }
    };
    if let Some(found) = FASTER.captures(&text.plain) {
        let range = found.get(0).map(|m| m.range()).unwrap_or_default();
        let said = found.get(0).map_or("", |m| m.as_str()).to_owned();
        let half = said.to_lowercase().starts_with("half");
        let factor =
            factor(&found).map_or_else(|| 1.0 / much(&said), |f| if half { f } else { 1.0 / f });
        ops.push(Op::Stretch(factor));
        text.take(range);
    } else if let Some(found) = SLOWER.captures(&text.plain) {
        let range = found.get(0).map(|m| m.range()).unwrap_or_default();
        let said = found.get(0).map_or("", |m| m.as_str()).to_owned();
        let half = said.to_lowercase().starts_with("half") && said.to_lowercase().contains("long");
        let factor = factor(&found).map_or_else(|| much(&said), |f| if half { 1.0 / f } else { f });
        ops.push(Op::Stretch(factor));
        text.take(range);
    } else if let Some(found) = LONGER
        .find(&text.plain)
        .map(|m| (m.range(), m.as_str().to_owned()))
    {
        ops.push(Op::Stretch(much(&found.1)));
        text.take(found.0);
    } else if let Some(found) = SHORTER
        .find(&text.plain)
        .map(|m| (m.range(), m.as_str().to_owned()))
    {
        let factor = if found.1.to_lowercase().starts_with("half") {
            2.0
        } else {
            much(&found.1)
        };
        ops.push(Op::Stretch(1.0 / factor));
        text.take(found.0);
    }
}

fn factor(found: &regex::Captures<'_>) -> Option<f64> {
    let number = found.get(1)?.as_str().to_lowercase();
    let percent = found
        .get(2)
        .is_some_and(|unit| unit.as_str().starts_with(['%', 'p']));
    let times = match number.as_str() {
        "twice" | "double" | "half" => 2.0,
        n if n.starts_with("three") => 3.0,
        n => n.parse().ok()?,
    };
    let times: f64 = if percent { 1.0 + times / 100.0 } else { times };
    (times > 0.0).then_some(times)
}

fn take_format(text: &mut Text, ops: &mut Vec<Op>) {
    let mut wish = FormatWish::take(text);
    wish.take_four_k(text);
    ops.extend(wish.seconds.map(Op::Seconds));
    ops.extend(wish.aspect.map(Op::Aspect));
    ops.extend(wish.fps.map(Op::Fps));
    ops.extend(wish.resolution.map(Op::Resolution));
}
