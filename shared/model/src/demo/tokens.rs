//! Words cut into labels, numbers and what stands between them.

use super::text::{QUOTED, Text, pattern, patterns};
use regex::Regex;
use std::{ops::Range, sync::LazyLock};

static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?P<time>\b\d{{1,2}}:\d{{2}}\b)|(?P<number>(?:[$€£¥]\s?)?[-+−]?(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?)(?P<unit>\s?(?:%|percent\b|k\b|thousand\b|m\b|mn\b|mio\b|million\b|b\b|bn\b|billion\b|€|°c?))?|(?P<sep>,|;|\n|\||/|•|·|\band\b|\bvs\b\.?|\bversus\b)|(?P<link>:|=|->|→|–|—|\(|\)|\s-\s)|(?P<word>{QUOTED}|[\p{{L}}#][\p{{L}}\p{{N}}'’&+.-]*)"
    ))
});

patterns! {
    OFF = r"^\s*(?:off|discount|more|less|faster|cheaper|better|sale|free|bonus|cotton|natural|organic|vegan|pure)\b";
}

/// A piece of words.
pub(crate) enum Token {
    Word(String, Range<usize>),
    Number {
        value: f64,
        year: bool,
        sign: String,
        unit: String,
        range: Range<usize>,
    },
    Link(bool),
}

/// Pieces, in stretches that commas, line breaks and the like divide.
pub(crate) fn segments(text: &Text) -> Vec<Vec<Token>> {
    let mut all = vec![Vec::new()];
    for found in TOKEN.captures_iter(&text.plain) {
        let Some(whole) = found.get(0) else { continue };
        let glued = |at: usize| {
            text.plain
                .get(..at)
                .and_then(|s| s.chars().next_back())
                .is_some_and(char::is_alphanumeric)
        };
        let runs_on = text
            .plain
            .get(whole.end()..)
            .and_then(|s| s.chars().next())
            .is_some_and(char::is_alphanumeric);
        let token = if found.name("sep").is_some() {
            all.push(Vec::new());
            continue;
        } else if let Some(link) = found.name("link") {
            Token::Link(matches!(link.as_str(), ":" | "=" | "->" | "→"))
        } else if let Some(word) = found.name("word") {
            Token::Word(
                text.fill(word.as_str()).trim_end_matches('.').to_owned(),
                word.range(),
            )
        } else if let Some(number) = found.name("number") {
            let off = text
                .plain
                .get(whole.end()..)
                .is_some_and(|rest| OFF.is_match(rest));
            if glued(whole.start()) || runs_on || off {
                continue;
            }
            let unit = found
                .name("unit")
                .map_or("", |m| m.as_str())
                .trim()
                .to_lowercase();
            let Some(plain) = value(number.as_str()) else {
                continue;
            };
            let year =
                unit.is_empty() && (1900.0..2100.0).contains(&plain) && number.as_str().len() == 4;
            Token::Number {
                value: plain,
                year,
                sign: number
                    .as_str()
                    .chars()
                    .filter(|c| matches!(c, '$' | '€' | '£' | '¥'))
                    .collect(),
                unit: short_unit(&unit),
                range: whole.range(),
            }
        } else {
            continue;
        };
        if let Some(last) = all.last_mut() {
            last.push(token);
        }
    }
    all
}

fn value(text: &str) -> Option<f64> {
    let plain: String = text
        .chars()
        .filter(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '−'))
        .collect();
    plain
        .replace('−', "-")
        .parse()
        .ok()
        .filter(|v: &f64| v.is_finite())
}

fn short_unit(unit: &str) -> String {
    let short = match unit {
        "percent" => "%",
        "thousand" => "k",
        "m" | "mn" | "mio" | "million" => "M",
        "b" | "bn" | "billion" => "B",
        "°c" => "°C",
        other => other,
    };
    short.to_owned()
}

/// What a unit multiplies by.
pub(crate) fn scale(unit: &str) -> f64 {
    match unit {
        "k" => 1e3,
        "M" => 1e6,
        "B" => 1e9,
        _ => 1.0,
    }
}
