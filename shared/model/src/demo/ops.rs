//! Changes that a person asks for, read from words.

use super::{
    choose,
    color::Rgb,
    colors::{self, Mention},
    design::{ColorRole, Datum},
    draft::{Draft, Tools},
    fonts::Fonts,
    format::FormatWish,
    lexicon::contains_phrase,
    ops_text,
    palette::{self, Tone},
    text::{Text, patterns, words},
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
    FONT_ROLE = r"\b(subtitle|body|small\s+text|labels?|caption)\b";
    TITLE_ROLE = r"\b(title|headline|heading)\b";
    FONT_ASKED = r"\b(?:fonts?|typefaces?|lettering)\b";
    FONT_NAME = r"\b(?:use|with|in|to|font|typeface)\s+(?:the\s+)?(?:font\s+|typeface\s+)?((?-i:[A-Z])[\p{L}]+(?:\s+(?-i:[A-Z])[\p{L}]+){0,2})(?:\s+(?:font|typeface))?|\bfont(?:\s+family)?\s*(?:to|:|=|is)?\s+((?-i:[A-Z])[\p{L}]+(?:\s+(?-i:[A-Z])[\p{L}]+){0,2})";
    SWITCH = r"\b(?:use|try|with|switch\s+to|change\s+(?:it\s+)?(?:in)?to|turn\s+(?:it|this)\s+into|make\s+(?:it|this)(?:\s+into)?|convert\s+(?:it\s+)?(?:in)?to|show\s+(?:it|this)\s+as|as)\s+(?:a\s+|an\s+|the\s+|some\s+)?([\p{L}\d][\p{L}\d\s-]*?)(?:\s+(?:recipe|template|style|animation|instead|version|please))*\s*(?:[.,;!]|$)";
    AS_LINE = r"\b(?:line\s+(?:chart|graph|diagram)|(?:as|into|to)\s+(?:a\s+)?(?:line|curve)\b|(?:a|the)\s+(?:line|curve)\s+instead)";
    AS_BARS = r"\b(?:(?:bars?|columns?)\s+(?:chart|graph|diagram)|(?:as|into|to)\s+(?:bars|columns|a\s+bar)\b|(?:bars|columns)\s+instead)";
    REMOVE_LOGO = r"\b(?:remove|delete|drop|hide|without|no|lose)\s+(?:the\s+|my\s+|our\s+)?logo\b";
    USE_LOGO = r"\b(?:use|add|show|put|insert|with|set|change|swap|replace)\b.*\b(?:logo|picture|image|photo|attachment|attached|file)\b";
    OTHER_COLORS = r"\b(?:(?:different|other|new|another|random|surprise)\s+(?:set\s+of\s+)?(?:colou?rs?|palette|look|colou?r\s+scheme)|change\s+the\s+(?:colou?rs|palette)|surprise\s+me)\b";
    SWAP_COLOR = r"\b(?:change|replace|turn|swap|make)\s+(?:the\s+|all\s+(?:the\s+)?)?$";
    ALL_OF_IT = r"\b(?:it|everything|all|the\s+(?:whole\s+)?(?:thing|animation|video|picture|design|look|colou?rs?|palette|theme)|this)\b";
    TARGET = r"\b(background|backdrop|bg|text|letters|title|words|accent|primary|main\s+colou?r)\b";
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

/// Every change that the words ask for, in the order in which they are best made.
pub(crate) fn read(said: &str, now: &Draft, tools: Tools<'_>) -> Vec<Op> {
    let mut text = Text::read(said);
    let mut ops = Vec::new();
    take_recipe(&mut text, now, tools, &mut ops);
    ops_text::take_data(&mut text, now, &mut ops);
    ops_text::take_texts(&mut text, now, &mut ops);
    take_style(&mut text, now, &mut ops);
    take_logo(&mut text, tools, &mut ops);
    take_time(&mut text, &mut ops);
    take_format(&mut text, &mut ops);
    take_fonts(&mut text, now, tools.fonts, &mut ops);
    take_colors(&mut text, &mut ops);
    take_tone(&mut text, &mut ops);
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
    let new = tools.facts.pictures().rev().find(|a| a.new);
    let asked = USE_LOGO.find(&text.plain).map(|m| m.range());
    let picture = new.or_else(|| {
        asked
            .as_ref()
            .and_then(|_| tools.facts.pictures().next_back())
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

fn take_fonts(text: &mut Text, now: &Draft, fonts: &Fonts, ops: &mut Vec<Op>) {
    let said = words(&text.plain);
    let asked = FONT_ASKED.is_match(&text.plain);
    let role = match (
        FONT_ROLE.is_match(&text.plain),
        TITLE_ROLE.is_match(&text.plain),
    ) {
        (true, false) => FontRole::Body,
        (false, true) => FontRole::Title,
        _ => FontRole::Both,
    };
    let plainly = [
        "serif",
        "sans serif",
        "monospace",
        "monospaced",
        "mono",
        "handwritten",
        "handwriting",
        "script",
        "cursive",
        "typewriter",
        "bolder",
        "heavier",
        "thicker",
        "condensed",
        "rounded",
        "geometric",
        "thinner",
        "bold",
    ];
    if let Some((family, range)) = fonts.mentioned(text) {
        ops.push(Op::Font { family, role });
        text.take(range);
    } else if asked || plainly.iter().any(|w| contains_phrase(&said, w)) {
        let current = if role == FontRole::Body {
            &now.design.fonts.body
        } else {
            &now.design.fonts.title
        };
        let limited: Vec<String> = said
            .iter()
            .filter(|w| !matches!(w.as_str(), "black" | "light" | "lighter") || asked)
            .cloned()
            .collect();
        let by_kind = Fonts::kind(&limited).and_then(|kind| fonts.of_kind(kind, current));
        let unknown = FONT_NAME
            .captures(&text.plain)
            .and_then(|c| c.get(1).or_else(|| c.get(2)))
            .map(|m| m.as_str().to_owned());
        match (by_kind, unknown) {
            (Some(family), _) => ops.push(Op::Font { family, role }),
            (None, Some(name)) => ops.push(Op::NoFont(name)),
            (None, None) if asked => {
                let other = fonts.for_mood(&[], &format!("{current}, other")).title;
                ops.push(Op::Font {
                    family: other,
                    role,
                });
            }
            (None, None) => {}
        }
        text.take_all(&FONT_ASKED);
    }
}

fn take_colors(text: &mut Text, ops: &mut Vec<Op>) {
    if let Some(found) = OTHER_COLORS.find(&text.plain).map(|m| m.range()) {
        let colors = colors::mentions(text);
        if colors.is_empty() {
            ops.push(Op::Palette(None));
            text.take(found);
            return;
        }
    }
    let mentions = colors::mentions(text);
    if let [from, to] = mentions.as_slice()
        && swaps(text, from, to)
    {
        ops.push(Op::SwapColor {
            from: from.color,
            to: to.color,
            words: to.words.clone(),
        });
    } else if !mentions.is_empty() {
        let placed = mentions.iter().any(|m| m.role.is_some());
        let named: Vec<_> = colors::assign(&mentions)
            .into_iter()
            .map(|(role, color)| {
                let said = mentions
                    .iter()
                    .find(|m| m.color == color)
                    .map(|m| m.words.clone());
                (role, color, said.unwrap_or_else(|| color.hex()))
            })
            .collect();
        // `Make it blue` means the whole; `the text blue` means just that.
        let only_background = named
            .iter()
            .all(|(role, ..)| *role == ColorRole::Background);
        let op = if placed || only_background {
            Op::Colors(named)
        } else {
            Op::Recolor(named)
        };
        ops.push(op);
    }
    for mention in mentions.iter().rev() {
        let range = mention.phrase.start..mention.phrase.end.min(text.plain.len());
        if range.start <= range.end
            && text.plain.is_char_boundary(range.start)
            && text.plain.is_char_boundary(range.end)
        {
            let blank = " ".repeat(range.len());
            text.plain.replace_range(range, &blank);
        }
    }
}

/// `Change the blue to red`, `red instead of blue`.
fn swaps(text: &Text, from: &Mention, to: &Mention) -> bool {
    let before = text.plain.get(..from.range.start).unwrap_or_default();
    let between = text
        .plain
        .get(from.range.end..to.range.start)
        .unwrap_or_default()
        .to_lowercase();
    SWAP_COLOR.is_match(before)
        && matches!(
            between.trim(),
            "to" | "with" | "into" | "by" | "to a" | "for"
        )
}

fn take_tone(text: &mut Text, ops: &mut Vec<Op>) {
    patterns! {
        TONES = r"\b(?:a\s+(?:bit|little)\s+|much\s+|more\s+)?(darker|darken|lighter|lighten|brighter|brighten|warmer|warm|cooler|colder|cool|more\s+colou?rful|colou?rful|vibrant|vivid|saturated|punchier|muted|desaturated?|duller|calmer\s+colou?rs|more\s+contrast|higher\s+contrast|contrast|dark\s+(?:mode|theme|background)|light\s+(?:mode|theme|background)|invert(?:ed)?(?:\s+the\s+colou?rs)?|swap\s+the\s+colou?rs)\b";
    }
    let mut any = false;
    while let Some(found) = TONES.captures(&text.plain) {
        let whole = found.get(0).map(|m| m.range()).unwrap_or_default();
        let word = found.get(1).map_or("", |m| m.as_str()).to_lowercase();
        let tone = match word.as_str() {
            w if w.starts_with("dark ") => Tone::DarkMode,
            w if w.starts_with("light ") => Tone::LightMode,
            w if w.starts_with("dark") => Tone::Darker,
            w if w.starts_with("light") => Tone::Lighter,
            w if w.starts_with("bright") => Tone::Brighter,
            w if w.starts_with("warm") => Tone::Warmer,
            w if w.starts_with("co") && (w.starts_with("cool") || w.starts_with("cold")) => {
                Tone::Cooler
            }
            w if w.starts_with("muted")
                || w.starts_with("desat")
                || w.starts_with("dull")
                || w.starts_with("calm") =>
            {
                Tone::Muted
            }
            w if w.contains("contrast") => Tone::Contrast,
            w if w.starts_with("invert") || w.starts_with("swap") => Tone::Invert,
            _ => Tone::Vivid,
        };
        let role = TARGET
            .captures(&text.plain)
            .and_then(|c| c.get(1))
            .map(|m| match m.as_str().to_lowercase().as_str() {
                "background" | "backdrop" | "bg" => ColorRole::Background,
                "accent" => ColorRole::Accent,
                "primary" => ColorRole::Primary,
                w if w.starts_with("main") => ColorRole::Primary,
                _ => ColorRole::Text,
            });
        let role = role.filter(|_| {
            !matches!(
                tone,
                Tone::DarkMode | Tone::LightMode | Tone::Invert | Tone::Contrast
            )
        });
        ops.push(Op::Tone(tone, role));
        text.take(whole);
        any = true;
    }
    // A mood alone, as in `make it retro`, is a palette.
    let said = words(&text.plain);
    let about_look = ALL_OF_IT.is_match(&text.plain)
        || contains_phrase(&said, "look")
        || contains_phrase(&said, "palette")
        || contains_phrase(&said, "theme")
        || contains_phrase(&said, "more")
        || said.len() <= 2;
    let busy = any
        || ops.iter().any(|o| {
            matches!(
                o,
                Op::Colors(_)
                    | Op::Recolor(_)
                    | Op::SwapColor { .. }
                    | Op::Palette(_)
                    | Op::Title(_)
                    | Op::Subtitle(_)
            )
        });
    if let Some(found) = palette::by_words(&said).filter(|_| about_look && !busy) {
        ops.push(Op::Palette(Some(found.name.clone())));
    }
}
