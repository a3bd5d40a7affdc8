//! Changes to words and numbers, read from words.

use super::{
    colors,
    draft::Draft,
    ops::{Case, LineRef, Op},
    phrase::{self, end_of_value, exact, spoken},
    text::{Text, patterns, whole_word, words},
};

patterns! {
    ADD_LINE = r"\b(?:add|append|insert)\s+(?:a|an|another|the|one\s+more)?\s*(?:new\s+|third\s+|second\s+|last\s+|extra\s+|further\s+)*(?:line|phrase|sentence)(?:\s+(?:of\s+text|saying|that\s+says|which\s+says|with|reading|at\s+the\s+end|with\s+the\s+words))*\s*[:=]?\s*";
    SET_LINE = r"\b(?:(?:change|set|make|update|replace)\s+)?(?:the\s+)?(?:(first|second|third|fourth|fifth|last|1st|2nd|3rd|4th|5th)\s+line|line\s+(?:no\.?\s*)?(\d+))\s*(?:(?:to|with|by|as|into|say|read|should\s+(?:say|be|read))\b|[:=])\s*(?:say\s+|read\s+)?";
    REMOVE_LINE = r"\b(?:remove|delete|drop)\s+(?:the\s+)?(?:(first|second|third|fourth|fifth|last|1st|2nd|3rd|4th|5th)\s+line\b|line\s+(?:no\.?\s*)?(\d+)\b|(?:line|phrase|sentence)\s+)";
    REMOVE_LINES = r"\b(?:remove|delete|drop)\s+(?:all\s+)?(?:the\s+)?lines\b";
    SET_LINES = r"\b(?:(?:change|set|update|use|replace)\s+)?(?:the\s+|these\s+)?(?:lines|phrases|sentences)\s*(?:(?:to|with|are|by)\b|[:=])\s*";
    REMOVE_SUBTITLE = r"\b(?:remove|delete|drop|hide|no|without|lose|get\s+rid\s+of|clear)\s+(?:the\s+|a\s+|that\s+)?(?:sub-?\s?title|tag\s?line|slogan|strap\s?line|caption)\b";
    SUBTITLE = r"(?:\b(?:add|change|set|update|make|use|put|give\s+it|with|replace|and|have)\s+)*(?:\b(?:a|an|the|as|new)\s+)*\b(?:sub-?\s?title|tag\s?line|slogan|strap\s?line|caption)\b(?:\s+text)?\s*(?P<tie>(?:(?:to|is|as|into|with|by|saying|says?|that\s+says|reading|reads?|should\s+(?:be|say|read)|be|of|called)\b\s*|[:=]\s*)*)";
    CASE = r"\b(?:(upper\s?case|all\s+caps|capitals|capital\s+letters|caps)|(lower\s?case|small\s+letters|no\s+caps)|(title\s+case))\b";
    TITLE = r"\b(?:change|set|update|make|edit|replace|let|have|turn)\s+(?:the\s+|my\s+|its\s+)?(?:main\s+|big\s+)?(?:title|headline|heading|text|words?|wording|copy|name|message|writing)(?:\s+text)?\s+(?:(?:to|into|with|as|by|be|say|read|says|reads)\b\s*|[:=]\s*)+";
    TITLE_IS = r"\b(?:the\s+|new\s+)?(?:title|headline|heading|text)\s*(?:(?:should\s+(?:be|say|read)|is(?:\s+now)?|now\s+says|must\s+(?:be|say))\b|[:=])\s*";
    TITLE_QUOTED = r"\b(?:title|headline|heading|text|name)\s+(?:to\s+|as\s+)?";
    SAY = r"(?:\b(?:it|this|that|make\s+it|have\s+it|let\s+it|should|to|please|just|must|can\s+you|want\s+it\s+to)\s+)*\b(?:say|says|read|spell)\b\s*[:,]?\s*";
    CALL = r"\b(?:rename\s+(?:it|this)(?:\s+to)?|retitle\s+(?:it|this)(?:\s+to)?|call\s+(?:it|this)|title\s+it|name\s+it)\b\s*[:,]?\s*";
    REPLACE = r"\b(?:replace|swap|change|switch|rename|turn|substitute|correct|fix)\s+(?:the\s+)?(?:word\s+|words\s+|text\s+|label\s+|phrase\s+)?(?P<from>.+?)\s+(?:with|by|to|for|into|->|→)\s+(?:the\s+word\s+)?";
    INSTEAD_OF = r"(?P<to>[^,;.\n]+?)\s+instead\s+of\s+";
    REMOVE_WORD = r"\b(?:remove|delete|drop)\s+(?:the\s+)?(?:words?|text)\s+";
    LEADING_VERB = r"^(?:\s*(?:use|say|write|put|show|with|make\s+it|it\s+should\s+say|please|have)\s+)+";
    BELOW = r"\b(?:below|under|underneath|beneath|smaller)\b";
    ARROW = r"(?P<from>[^→]+?)\s*(?:→|->|=>)\s*";
    ADDS = r"\b(?:add|append|insert|include|plus)\b";
}

const NOT_TEXT: &[&str] = &[
    "font",
    "bigger",
    "smaller",
    "larger",
    "bold",
    "bolder",
    "color",
    "colour",
    "serif",
    "mono",
    "animation",
    "faster",
    "slower",
    "visible",
    "readable",
    "centered",
    "centred",
    "uppercase",
    "lowercase",
    "caps",
    "disappear",
    "longer",
    "shorter",
    "lighter",
    "darker",
    "brighter",
    "stronger",
    "too",
    "hard",
    "not",
    "unreadable",
    "small",
    "big",
    "large",
    "wrong",
    "ugly",
    "boring",
    "missing",
    "cut",
    "off",
    "blurry",
];

/// Reads changes of what is said.
pub(crate) fn take_texts(text: &mut Text, now: &Draft, ops: &mut Vec<Op>) {
    take_lines(text, ops);
    if let Some(range) = REMOVE_SUBTITLE.find(&text.plain).map(|m| m.range()) {
        ops.push(Op::Subtitle(None));
        text.take(range);
    }
    let subtitle = SUBTITLE
        .captures(&text.plain)
        .and_then(|c| Some((c.get(0)?.range(), !c.name("tie")?.as_str().is_empty())));
    match subtitle.map(|(range, tied)| (value(text, range.end, tied), range)) {
        Some((Some((value, end)), range)) => {
            ops.push(Op::Subtitle(Some(value)));
            text.take(range.start..end);
        }
        Some((None, range)) if ADDS.is_match(text.plain.get(range.clone()).unwrap_or_default()) => {
            ops.push(Op::Cannot(
                "the subtitle needs words, as in “add a subtitle See you soon”".into(),
            ));
            text.take(range);
        }
        _ => {}
    }
    if let Some(found) = CASE.captures(&text.plain) {
        let case = if found.get(1).is_some() {
            Case::Upper
        } else if found.get(2).is_some() {
            Case::Lower
        } else {
            Case::Title
        };
        let range = found.get(0).map(|m| m.range()).unwrap_or_default();
        ops.push(Op::Case(case));
        text.take(range);
    }
    for introduced in [&*TITLE, &*TITLE_IS, &*CALL, &*SAY] {
        if let Some(range) = introduced.find(&text.plain).map(|m| m.range())
            && let Some((value, end)) = value(text, range.end, true)
        {
            ops.push(Op::Title(value));
            text.take(range.start..end);
            break;
        }
    }
    while take_replacement(text, now, ops) {}
    if let Some(range) = TITLE_QUOTED.find(&text.plain).map(|m| m.range())
        && let Some(mark) = text
            .plain
            .get(range.end..)
            .and_then(|r| r.chars().next())
            .filter(|c| text.quote(*c).is_some())
    {
        ops.push(Op::Title(text.fill(&mark.to_string())));
        text.take(range.start..range.end + mark.len_utf8());
    }
}

fn take_lines(text: &mut Text, ops: &mut Vec<Op>) {
    while let Some(range) = ADD_LINE.find(&text.plain).map(|m| m.range()) {
        let Some((value, end)) = value(text, range.end, true) else {
            break;
        };
        ops.push(Op::AddLine(value));
        text.take(range.start..end);
    }
    if let Some(range) = REMOVE_LINES.find(&text.plain).map(|m| m.range()) {
        ops.push(Op::Lines(Vec::new()));
        text.take(range);
    }
    if let Some(range) = SET_LINES.find(&text.plain).map(|m| m.range()) {
        let rest = text.plain.get(range.end..).unwrap_or_default();
        let end = rest
            .find(". ")
            .or_else(|| rest.find('\n'))
            .unwrap_or(rest.len());
        let list = rest.get(..end).unwrap_or_default();
        let quoted: Vec<String> = list
            .chars()
            .filter_map(|c| text.quote(c))
            .map(str::to_owned)
            .collect();
        let parts = if quoted.is_empty() {
            list.split([',', '/', ';', '|'])
                .filter_map(|part| spoken(text, part))
                .collect()
        } else {
            quoted
        };
        if !parts.is_empty() {
            ops.push(Op::Lines(parts));
            text.take(range.start..range.end + end);
        }
    }
    let line_of = |c: &regex::Captures<'_>| {
        let number = c
            .get(2)
            .and_then(|m| m.as_str().parse().ok())
            .map(LineRef::Number);
        number.or_else(|| c.get(1).map(|m| ordinal(m.as_str())))
    };
    if let Some((range, line)) = REMOVE_LINE
        .captures(&text.plain)
        .and_then(|c| Some((c.get(0)?.range(), line_of(&c))))
    {
        match line {
            Some(line) => {
                ops.push(Op::RemoveLine(line));
                text.take(range);
            }
            None => {
                if let Some((words, end)) = value(text, range.end, true) {
                    ops.push(Op::RemoveLine(LineRef::Words(words)));
                    text.take(range.start..end);
                }
            }
        }
    }
    while let Some((range, line)) = SET_LINE
        .captures(&text.plain)
        .and_then(|c| Some((c.get(0)?.range(), line_of(&c)?)))
    {
        let Some((value, end)) = value(text, range.end, true) else {
            break;
        };
        ops.push(Op::SetLine(line, value));
        text.take(range.start..end);
    }
}

fn ordinal(word: &str) -> LineRef {
    match word.to_lowercase().as_str() {
        "first" | "1st" => LineRef::Number(1),
        "second" | "2nd" => LineRef::Number(2),
        "third" | "3rd" => LineRef::Number(3),
        "fourth" | "4th" => LineRef::Number(4),
        "fifth" | "5th" => LineRef::Number(5),
        _ => LineRef::Last,
    }
}

/// The words from here on: a quoted passage, or what follows up to the next change. None where they are about looks.
fn value(text: &Text, from: usize, tied: bool) -> Option<(String, usize)> {
    let rest = text.plain.get(from..)?;
    let first = rest.chars().next()?;
    if text.quote(first).is_some() {
        return Some((text.fill(&first.to_string()), from + first.len_utf8()));
    }
    if !tied {
        // `Subtitle See you soon` without a colon: a capital tells words from talk.
        return plain_value(text, from).filter(|(v, _)| {
            v.chars().next().is_some_and(char::is_uppercase) && rest.starts_with(char::is_uppercase)
        });
    }
    plain_value(text, from)
}

fn plain_value(text: &Text, from: usize) -> Option<(String, usize)> {
    let part = text.plain.get(from..end_of_value(&text.plain, from))?;
    // `KODA in gold` is words and a colour; `white` alone is a colour.
    let end = from + colors::before_tail(part);
    let only_color = |m: &colors::Mention| {
        words(part).len() <= words(part.get(m.phrase.clone()).unwrap_or_default()).len()
    };
    if colors::mentions(part).first().is_some_and(only_color) {
        return None;
    }
    let part = text.plain.get(from..end)?;
    let value = exact(text, part)?;
    let said = words(&value);
    let about_looks = said.len() <= 3 && said.iter().any(|w| NOT_TEXT.contains(&w.as_str()));
    let only_generic = said.iter().all(|w| phrase::is_generic(w))
        && said.len() <= 3
        && !value.chars().skip(1).any(char::is_uppercase)
        && !part.trim_start().starts_with(char::is_uppercase);
    (!about_looks && !only_generic && !said.is_empty()).then_some((value, end))
}

/// `Replace A with B`, where A is among the words that are shown.
fn take_replacement(text: &mut Text, now: &Draft, ops: &mut Vec<Op>) -> bool {
    let change = REPLACE
        .captures(&text.plain)
        .or_else(|| ARROW.captures(&text.plain));
    if let Some((range, from)) =
        change.and_then(|c| Some((c.get(0)?.range(), text.fill(c.name("from")?.as_str()))))
    {
        let known = shown(now, &from);
        if let (Some(from), Some((to, end))) = (known, value(text, range.end, true)) {
            ops.push(Op::Replace { from, to });
            text.take(range.start..end);
            return true;
        }
    }
    if let Some((range, to)) = INSTEAD_OF
        .captures(&text.plain)
        .and_then(|c| Some((c.get(0)?.range(), c.name("to")?.as_str().to_owned())))
    {
        let old = value(text, range.end, true);
        let new = spoken(text, &LEADING_VERB.replace(&to, ""));
        if let (Some((old, end)), Some(to)) = (old, new)
            && let Some(from) = shown(now, &old)
        {
            ops.push(Op::Replace { from, to });
            text.take(range.start..end);
            return true;
        }
    }
    if let Some(range) = REMOVE_WORD.find(&text.plain).map(|m| m.range())
        && let Some((word, end)) = value(text, range.end, true)
        && let Some(from) = shown(now, &word)
    {
        ops.push(Op::Replace {
            from,
            to: String::new(),
        });
        text.take(range.start..end);
        return true;
    }
    false
}

/// The words as they are shown, where they are.
fn shown(now: &Draft, wanted: &str) -> Option<String> {
    let wanted = wanted.trim().to_lowercase();
    if wanted.is_empty() || wanted.len() > 120 {
        return None;
    }
    let design = &now.design;
    let texts = [&design.title, &design.subtitle]
        .into_iter()
        .chain(&design.lines)
        .chain(design.data.iter().map(|d| &d.label));
    texts.into_iter().find_map(|text| {
        let lower = text.to_lowercase();
        // Where the small letters take more room, the places would not agree.
        let range = whole_word(&lower, &wanted).filter(|_| lower.len() == text.len())?;
        text.get(range).map(str::to_owned)
    })
}

/// A quoted passage that nothing else used is the new title.
pub(crate) fn take_rest(text: &mut Text, now: &Draft, ops: &mut Vec<Op>) {
    let wordy = |op: &Op| {
        matches!(
            op,
            Op::Title(_)
                | Op::Subtitle(Some(_))
                | Op::AddLine(_)
                | Op::Replace { .. }
                | Op::Lines(_)
                | Op::SetLine(..)
        )
    };
    if ops.iter().any(wordy) {
        return;
    }
    let quotes: Vec<String> = text.quotes().into_iter().map(str::to_owned).collect();
    if let [only] = quotes.as_slice()
        && shown(now, only).is_none()
        && !only.is_empty()
    {
        let below = ADDS.is_match(&text.plain) || BELOW.is_match(&text.plain);
        let words = only.clone();
        ops.push(if below {
            Op::Subtitle(Some(words))
        } else {
            Op::Title(words)
        });
    }
}
