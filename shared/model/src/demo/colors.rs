//! Colours that a person names, and what for.

use super::{
    color::Rgb,
    design::ColorRole,
    lexicon::COLORS,
    text::{patterns, stands_alone},
};
use regex::Regex;
use std::{ops::Range, sync::LazyLock};

/// A colour that words name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mention {
    pub color: Rgb,
    /// As written.
    pub words: String,
    /// What for, where the words say so.
    pub role: Option<ColorRole>,
    pub range: Range<usize>,
    /// The phrase around it: `on a red background`.
    pub phrase: Range<usize>,
}

static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    let longest_first =
        |words: &mut Vec<&String>| words.sort_by_key(|w| std::cmp::Reverse(w.len()));
    let mut names: Vec<&String> = COLORS.names.keys().collect();
    longest_first(&mut names);
    let mut modifiers: Vec<&String> = COLORS.modifiers.keys().collect();
    longest_first(&mut modifiers);
    let list = |words: Vec<&String>| {
        words
            .iter()
            .map(|w| regex::escape(w))
            .collect::<Vec<_>>()
            .join("|")
    };
    super::text::pattern(&format!(
        r"(?P<hex>#(?:[0-9a-f]{{6}}|[0-9a-f]{{3}}))\b|\b(?:very\s+|really\s+)?(?P<mods>(?:(?:{})[\s-]+)*)(?P<name>{})\b",
        list(modifiers),
        list(names)
    ))
});

patterns! {
    BACKGROUND_AFTER = r"^(?:[\s-]*colou?red)?\s+(?:background|backdrop|bg|canvas|wall|sky)\b";
    TEXT_AFTER = r"^(?:[\s-]*colou?red)?\s+(?:text|letters?|lettering|type|typography|words|fonts?|writing|subtitle|caption|title|headline)\b";
    ACCENT_AFTER = r"^(?:[\s-]*colou?red)?\s+(?:accents?|highlights?|details|touches|secondary)\b";
    PRIMARY_AFTER = r"^(?:[\s-]*colou?red)?\s+(?:primary|bars?|columns?|shapes?|particles?|confetti|logo|object|bottle|material)\b";
    BACKGROUND_BEFORE = r"(?:\b(?:the|a|an|with|on|and)\s+)*\b(?:background|backdrop|bg|canvas)(?:\s+colou?r)?(?:\s+(?:is|to|in|as|be|of|into|should\s+be|a|an|the|more))*\s*[:=]?\s*$";
    ON_BEFORE = r"\b(?:on|against|over|upon)(?:\s+(?:top\s+of|a|an|the|plain|solid|clean|simple|pure|all))*\s*$";
    TEXT_BEFORE = r"(?:\b(?:the|a|with|and)\s+)*\b(?:text|letters?|lettering|type|words|fonts?|writing|title|headline|subtitle|caption)(?:\s+colou?r)?(?:\s+(?:is|to|in|as|be|into|should\s+be|a|the))*\s*[:=]?\s*$";
    ACCENT_BEFORE = r"(?:\b(?:the|a|an|with|and)\s+)*\b(?:accents?|highlights?|secondary|second)(?:\s+colou?rs?)?(?:\s+(?:is|to|in|as|be|of|into|should\s+be|a|the))*\s*[:=]?\s*$";
    PRIMARY_BEFORE = r"(?:\b(?:the|a|an|with|and)\s+)*\b(?:primary|main|first|bars?|columns?|shapes?|particles?|logo|object|bottle)(?:\s+colou?r)?(?:\s+(?:is|to|in|as|be|of|into|should\s+be|a|the))*\s*[:=]?\s*$";
    PLACE_BEFORE = r"(?:\b(?:in|on|with|using|use|to|into|of|and|or|it|all|be|is|as|more|some|colou?rs?|palette|from|gradient|a|an|the|our|brand|made)\b\s*|,\s*|:\s*|=\s*)+$";
    EXPECTED_BEFORE = r"(?:\b(?:in|it|be|is|colou?rs?|use|using|into|gradient|from|background|text|accent|primary|everything|more)(?:\s+(?:to|of|in|a|an|the))*\s*[:=]?|\b(?:background|text|accent|colou?r)\b.*\bto)\s*$";
    PREPOSED = r"^\s*(?:in|on|with)\s";
    NOT_BEFORE = r"\b(?:no|not|without|instead\s+of|rather\s+than|avoid|never|less|than)\s+(?:a\s+|the\s+|any\s+)?$";
    COLOR_WORD_AFTER = r"^[\s-]*(?:colou?red|colou?rs?|tones?|tint|hues?|palette|theme|scheme|gradient|look)\b";
}

/// Every colour that the words name, in order.
pub(crate) fn mentions(plain: &str) -> Vec<Mention> {
    let shouting = !plain.chars().any(char::is_lowercase);
    let names = names_of_things(plain);
    let mut found: Vec<Mention> = Vec::new();
    for captures in NAMED.captures_iter(plain) {
        let Some(whole) = captures.get(0) else {
            continue;
        };
        let (before, after) = (
            plain.get(..whole.start()).unwrap_or_default(),
            plain.get(whole.end()..).unwrap_or_default(),
        );
        if names
            .iter()
            .any(|n| n.start < whole.end() && whole.start() < n.end)
            || NOT_BEFORE.is_match(before)
        {
            continue;
        }
        let Some(color) = color_of(&captures) else {
            continue;
        };
        let name = captures.name("name").map_or("", |m| m.as_str());
        if !shouting && is_proper_name(name, before, after) {
            continue;
        }
        let (role, phrase) = placed(plain, whole.range());
        let listed = found.last().is_some_and(|last: &Mention| {
            plain
                .get(last.phrase.end..whole.start())
                .is_some_and(|between| {
                    matches!(between.trim(), "and" | "," | "&" | ", and" | "to" | "/")
                })
        });
        let doubtful = COLORS
            .only_when_placed
            .iter()
            .any(|w| w.eq_ignore_ascii_case(name))
            && captures.name("mods").is_none_or(|m| m.is_empty());
        let expected = role.is_some()
            || listed
            || EXPECTED_BEFORE.is_match(before)
            || COLOR_WORD_AFTER.is_match(after)
            || plain.trim().len() == whole.len();
        if doubtful && !expected {
            continue;
        }
        found.push(Mention {
            color,
            words: whole.as_str().to_lowercase(),
            role,
            range: whole.range(),
            phrase,
        });
    }
    found
}

/// Where a colour phrase begins that ends a value: `KODA in gold`. The value's length where none does.
pub(crate) fn before_tail(value: &str) -> usize {
    let all = mentions(value);
    let last = all.last().filter(|m| {
        value
            .get(m.phrase.end..)
            .is_some_and(|rest| rest.trim().is_empty())
    });
    let first = last.and_then(|_| {
        all.iter()
            .find(|m| PREPOSED.is_match(value.get(m.phrase.clone()).unwrap_or_default()))
    });
    first
        .filter(|m| {
            !value
                .get(..m.phrase.start)
                .unwrap_or_default()
                .trim()
                .is_empty()
        })
        .map_or(value.len(), |m| m.phrase.start)
}

fn names_of_things(plain: &str) -> Vec<Range<usize>> {
    let lower = plain.to_lowercase();
    if lower.len() != plain.len() {
        return Vec::new();
    }
    let places = |phrase: &String| {
        lower
            .match_indices(phrase.as_str())
            .filter(|(at, m)| stands_alone(&lower, *at..at + m.len()))
            .map(|(at, m)| at..at + m.len())
            .collect::<Vec<_>>()
    };
    COLORS.not_colors.iter().flat_map(places).collect()
}

fn color_of(captures: &regex::Captures<'_>) -> Option<Rgb> {
    if let Some(hex) = captures.name("hex") {
        return Rgb::parse(hex.as_str());
    }
    let name = captures.name("name")?.as_str().to_lowercase();
    let base = Rgb::parse(COLORS.names.get(&name)?)?;
    let modifiers = captures
        .name("mods")
        .map_or("", |m| m.as_str())
        .to_lowercase();
    let words = modifiers.split([' ', '-']).filter(|w| !w.is_empty()).rev();
    Some(
        words
            .filter_map(|w| COLORS.modifiers.get(w))
            .fold(base, |color, modifier| modifier.apply(color)),
    )
}

/// `Blue Apron` and `Agent Orange` are names.
fn is_proper_name(name: &str, before: &str, after: &str) -> bool {
    let capital = |word: Option<&str>| {
        word.and_then(|w| w.chars().next())
            .is_some_and(char::is_uppercase)
    };
    let next = after
        .strip_prefix(' ')
        .and_then(|rest| rest.split_whitespace().next());
    let previous = before
        .ends_with(' ')
        .then(|| before.split_whitespace().next_back())
        .flatten();
    let first_word =
        before.trim_end().is_empty() || before.trim_end().ends_with(['.', ':', '!', '?', '\n']);
    let previous_is_name = capital(previous) && before.split_whitespace().count() > 1;
    capital(Some(name)) && (capital(next) || (previous_is_name && !first_word))
}

fn placed(plain: &str, range: Range<usize>) -> (Option<ColorRole>, Range<usize>) {
    let (before, after) = (
        plain.get(..range.start).unwrap_or_default(),
        plain.get(range.end..).unwrap_or_default(),
    );
    let behind: [(&Regex, ColorRole); 4] = [
        (&BACKGROUND_AFTER, ColorRole::Background),
        (&TEXT_AFTER, ColorRole::Text),
        (&ACCENT_AFTER, ColorRole::Accent),
        (&PRIMARY_AFTER, ColorRole::Primary),
    ];
    let ahead: [(&Regex, ColorRole); 5] = [
        (&BACKGROUND_BEFORE, ColorRole::Background),
        (&TEXT_BEFORE, ColorRole::Text),
        (&ACCENT_BEFORE, ColorRole::Accent),
        (&PRIMARY_BEFORE, ColorRole::Primary),
        (&ON_BEFORE, ColorRole::Background),
    ];
    let place = PLACE_BEFORE.find(before).map_or(range.start, |m| m.start());
    if let Some((end, role)) = behind
        .iter()
        .find_map(|(re, role)| re.find(after).map(|m| (m.end(), *role)))
    {
        return (Some(role), place..range.end + end);
    }
    let end = range.end + COLOR_WORD_AFTER.find(after).map_or(0, |m| m.end());
    if let Some((start, role)) = ahead
        .iter()
        .find_map(|(re, role)| re.find(before).map(|m| (m.start(), *role)))
    {
        return (Some(role), start..end);
    }
    (None, place..end)
}

/// Gives every mention a role: as said, else main colour first, then accent. Black and white lie behind the others.
pub(crate) fn assign(mentions: &[Mention]) -> Vec<(ColorRole, Rgb)> {
    let mut given: Vec<(ColorRole, Rgb)> = Vec::new();
    for mention in mentions {
        if let Some(role) = mention.role {
            given.retain(|(r, _)| *r != role);
            given.push((role, mention.color));
        }
    }
    let mut open: Vec<Rgb> = mentions
        .iter()
        .filter(|m| m.role.is_none())
        .map(|m| m.color)
        .collect();
    let free = |given: &[(ColorRole, Rgb)], role| !given.iter().any(|(r, _)| *r == role);
    if free(&given, ColorRole::Background) {
        let extreme = |dark: bool| {
            open.iter().position(|c| {
                if dark {
                    c.luminance() < 0.02
                } else {
                    c.luminance() > 0.9
                }
            })
        };
        if let Some(n) = extreme(true).or_else(|| extreme(false)) {
            given.push((ColorRole::Background, open.remove(n)));
        }
    }
    for color in open {
        let next = [
            ColorRole::Primary,
            ColorRole::Accent,
            ColorRole::Text,
            ColorRole::Background,
        ]
        .into_iter()
        .find(|role| free(&given, *role));
        given.extend(next.map(|role| (role, color)));
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;
    use ColorRole::{Accent, Background, Primary, Text as Words};

    fn read(words: &str) -> Vec<(ColorRole, String)> {
        assign(&mentions(&crate::demo::text::Text::read(words).plain))
            .into_iter()
            .map(|(r, c)| (r, c.hex()))
            .collect()
    }

    fn named(name: &str) -> String {
        COLORS.names[name].clone()
    }

    #[test]
    fn colours_go_where_the_words_put_them() {
        let cases: &[(&str, &[(ColorRole, &str)])] = &[
            ("background black", &[(Background, "black")]),
            (
                "white text on a red background",
                &[(Words, "white"), (Background, "red")],
            ),
            (
                "white text on red",
                &[(Words, "white"), (Background, "red")],
            ),
            ("a perfume bottle in gold", &[(Primary, "gold")]),
            (
                "black and gold",
                &[(Background, "black"), (Primary, "gold")],
            ),
            ("blue and orange", &[(Primary, "blue"), (Accent, "orange")]),
            (
                "red, white and blue",
                &[(Background, "white"), (Primary, "red"), (Accent, "blue")],
            ),
            ("accent: teal", &[(Accent, "teal")]),
            (
                "make the background navy blue and the text cream",
                &[(Background, "navy blue"), (Words, "cream")],
            ),
            (
                "teal accents on white",
                &[(Accent, "teal"), (Background, "white")],
            ),
            ("in coral", &[(Primary, "coral")]),
            ("green bars", &[(Primary, "green")]),
            ("COOL BLUE INTRO", &[]),
        ];
        for (words, expected) in cases {
            let got = read(words);
            if expected.is_empty() {
                assert_eq!(got.len(), 1, "{words}");
                continue;
            }
            for (role, name) in *expected {
                assert!(got.contains(&(*role, named(name))), "{words}: {got:?}");
            }
            assert_eq!(got.len(), expected.len(), "{words}: {got:?}");
        }
        assert_eq!(
            read("background #fff and text #102030"),
            [(Background, "#ffffff".into()), (Words, "#102030".into())]
        );
    }

    #[test]
    fn names_and_things_are_no_colours() {
        for words in [
            "a Black Friday sale",
            "coffee shop opening",
            "Blue Apron intro",
            "wine tasting",
            "not blue",
            "'Red' and 'Green'",
            "our rose garden",
            "salmon fishing",
        ] {
            assert_eq!(read(words), [], "{words}");
        }
    }

    #[test]
    fn words_such_as_dark_and_pastel_change_a_colour() {
        let one = |words: &str| Rgb::parse(&read(words)[0].1).unwrap();
        assert!(one("in dark blue").luminance() < one("in blue").luminance());
        assert!(one("in light green").luminance() > one("in green").luminance());
        assert!(one("in pastel pink").hsl().l > 0.75);
        assert!(one("in neon green").hsl().s > 0.95);
    }
}
