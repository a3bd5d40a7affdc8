//! Changes of fonts, colours and mood, read from words.

use super::{
    colors::{self, Mention},
    design::ColorRole,
    draft::{Draft, Tools},
    fonts::Fonts,
    lexicon::{FONTS, contains_phrase},
    ops::{FontRole, Op},
    palette,
    text::{Text, patterns, title_case, words},
    tone::Tone,
};

patterns! {
    ADDS_A = r"\b(?:add|put|include|insert|draw|place|show|give\s+me)\s+(?:in\s+)?(?:an?|another|one|two|three|some|many|\d+)\s+(?:[\p{L}-]+\s+){0,2}$";
    A_THING = r"^\s+(?:\p{L}{4,}|cat|dog|car|sun|bee|sea|sky|man|boy)\b";
    FONT_ROLE = r"\b(subtitle|body|small\s+text|labels?|caption)\b";
    TITLE_ROLE = r"\b(title|headline|heading)\b";
    FONT_ASKED = r"\b(?:fonts?|typefaces?|lettering)\b";
    FONT_NAME = r"\b(?:use|with|in|to|font|typeface)\s+(?:the\s+)?(?:font\s+|typeface\s+)?((?-i:[A-Z])[\p{L}]+(?:\s+(?-i:[A-Z])[\p{L}]+){0,2})(?:\s+(?:font|typeface))?|\bfont(?:\s+family)?\s*(?:to|:|=|is)?\s+((?-i:[A-Z])[\p{L}]+(?:\s+(?-i:[A-Z])[\p{L}]+){0,2})";
    OTHER_COLORS = r"\b(?:(?:different|other|new|another|random|surprise)\s+(?:set\s+of\s+)?(?:colou?rs?|palette|look|colou?r\s+scheme)|change\s+the\s+(?:colou?rs|palette)|surprise\s+me|(?:don'?’?t|do\s+not)\s+like\s+(?:the|these|those)\s+(?:colou?rs?|palette|look)|(?:ugly|boring|awful)\s+(?:colou?rs?|palette))\b";
    SWAP_COLOR = r"\b(?:change|replace|turn|swap|make)\s+(?:the\s+|all\s+(?:the\s+)?)?$";
    ALL_OF_IT = r"\b(?:it|everything|all|the\s+(?:whole\s+)?(?:thing|animation|video|picture|design|look|colou?rs?|palette|theme)|this)\b";
    TARGET = r"\b(background|backdrop|bg|text|letters|title|words|accent|primary|main\s+colou?r)\b";
    TONES = r"\b(?:a\s+(?:bit|little)\s+|much\s+|more\s+)?(darker|darken|lighter|lighten|brighter|brighten|warmer|warm|cooler|colder|cool|more\s+colou?rful|colou?rful|vibrant|vivid|saturated|punchier|muted|desaturated?|duller|calmer\s+colou?rs|more\s+contrast|higher\s+contrast|contrast|dark\s+(?:mode|theme|background)|light\s+(?:mode|theme|background)|invert(?:ed)?(?:\s+the\s+colou?rs)?|swap\s+the\s+colou?rs)\b";
    USES = r"\b(?:use|with|in|to|font|typeface|set|try)\b";
    ADDS = r"\b(?:add|append|insert|include|remove|delete|drop)\b";
}

/// Reads changes of fonts.
pub(crate) fn take_fonts(text: &mut Text, now: &Draft, tools: Tools<'_>, ops: &mut Vec<Op>) {
    let fonts = tools.fonts_of(&now.recipe);
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
    let absent = FONTS
        .absent
        .iter()
        .find(|name| USES.is_match(&text.plain) && contains_phrase(&said, name));
    if let Some((family, range)) = tools.fonts.mentioned(text) {
        ops.push(Op::Font { family, role });
        text.take(range);
    } else if let Some(name) = absent {
        ops.push(Op::NoFont(title_case(name)));
        text.take_all(&FONT_ASKED);
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

/// Reads changes of colours.
pub(crate) fn take_colors(text: &mut Text, ops: &mut Vec<Op>) {
    if let Some(found) = OTHER_COLORS.find(&text.plain).map(|m| m.range()) {
        let colors = colors::mentions(&text.plain);
        if colors.is_empty() {
            ops.push(Op::Palette(None));
            text.take(found);
            return;
        }
    }
    let mut mentions = colors::mentions(&text.plain);
    mentions.retain(|m| !describes_a_thing(&text.plain, m));
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

/// `Add a purple elephant` is about an elephant, and not about the colours of what is there.
fn describes_a_thing(plain: &str, mention: &Mention) -> bool {
    let before = plain.get(..mention.range.start).unwrap_or_default();
    let after = plain.get(mention.range.end..).unwrap_or_default();
    mention.role.is_none() && ADDS_A.is_match(before) && A_THING.is_match(after)
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

/// Reads changes of tone and of mood.
pub(crate) fn take_tone(text: &mut Text, ops: &mut Vec<Op>) {
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
        || ["style", "vibe", "mood", "feel", "feeling"]
            .iter()
            .any(|w| contains_phrase(&said, w))
        || said.len() <= 2;
    let busy = any
        || ADDS.is_match(&text.plain)
        || ops.iter().any(|o| {
            matches!(
                o,
                Op::Colors(_)
                    | Op::Recolor(_)
                    | Op::SwapColor { .. }
                    | Op::Palette(_)
                    | Op::Title(_)
                    | Op::Subtitle(_)
                    | Op::SetData(..)
                    | Op::SetValues(_)
                    | Op::SetDatum(_)
            )
        });
    if let Some(found) = palette::by_words(&said).filter(|_| about_look && !busy) {
        ops.push(Op::Palette(Some(found.name.clone())));
    }
}
