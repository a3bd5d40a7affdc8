//! Changes to a chart's numbers, read from words.

use super::{
    design::Datum,
    draft::Draft,
    numbers,
    ops::Op,
    text::{QUOTED, Text, capitalised, pattern, patterns, whole_word},
};
use regex::Regex;
use std::ops::Range;

patterns! {
    ABOUT_DATA = r"\b(?:numbers?|values?|data|figures|bars?|chart|graph|percentages?)\b";
    ADDS = r"\b(?:add|append|insert|include|plus)\b";
}

/// What a number looks like.
const NUMBER: &str = r"([$€£]?\s?[-−]?\d[\d,]*(?:\.\d+)?)\s?(%|k\b|m\b|bn\b|million\b|thousand\b)?";
/// Reads changes of a chart's numbers.
pub(crate) fn take_data(text: &mut Text, now: &Draft, ops: &mut Vec<Op>) {
    let becomes_chart = ops.iter().any(|op| matches!(op, Op::Recipe(_)));
    if now.design.data.is_empty() && !becomes_chart {
        return;
    }
    let labels = &now.design.data;
    let adds = ADDS.is_match(&text.plain);
    if let Some(found) = numbers::find(text).filter(|f| f.pairs.len() >= 2) {
        let data = found.data();
        let known = data
            .iter()
            .all(|d| labels.iter().any(|l| same(&l.label, &d.label)));
        let labelled = found.pairs.iter().all(|p| !p.label.is_empty());
        if (found.weight() > 0.0 || (adds && labelled)) && !found.is_bare() {
            if (known && data.len() < labels.len()) || adds {
                ops.extend(data.into_iter().map(Op::SetDatum));
            } else {
                ops.push(Op::SetData(data, Some(found.affixes())));
            }
            text.take(found.range);
            return;
        }
        if found.is_bare() && ABOUT_DATA.is_match(&text.plain) {
            ops.push(Op::SetValues(data.iter().map(|d| d.value).collect()));
            text.take(found.range);
            return;
        }
    }
    let mut known: Vec<&String> = labels.iter().map(|d| &d.label).collect();
    known.sort_by_key(|l| std::cmp::Reverse(l.len()));
    for label in known {
        if whole_word(&text.plain.to_lowercase(), &label.to_lowercase()).is_none() {
            continue;
        }
        let name = regex::escape(label);
        let set = pattern(&format!(
            r"(?:\b(?:set|change|update|make|put|let|raise|lower|increase|decrease|the)\s+)*\b{name}\b(?:'s)?(?:\s+(?:value|bar|number))?\s*(?:(?:from\s+[\d.,]+\s+)?(?:to|is|be|should\s+be|at|now|by)\b\s*|[=:]\s*)*{NUMBER}"
        ));
        if let Some((range, value)) = number_at(&set, &text.plain) {
            ops.push(Op::SetDatum(Datum {
                label: label.clone(),
                value,
            }));
            text.take(range);
            continue;
        }
        let remove = pattern(&format!(
            r"\b(?:remove|delete|drop|without)\s+(?:the\s+)?(?:bar\s+|value\s+|entry\s+|column\s+)*(?:for\s+)?{name}\b(?:\s+(?:bar|value|column))?"
        ));
        if let Some(range) = remove.find(&text.plain).map(|m| m.range()) {
            ops.push(Op::RemoveDatum(label.clone()));
            text.take(range);
        }
    }
    let add = pattern(&format!(
        r"\b(?:add|append|insert|include)\s+(?:a\s+|an\s+|another\s+|the\s+)?(?:bar\s+|value\s+|number\s+|entry\s+|column\s+|data\s+point\s+)*(?:called\s+|named\s+|for\s+)?(?P<label>{QUOTED}|[\p{{L}}\d][\p{{L}}\d .&'-]{{0,30}}?)(?:\s*[:=,]\s*|\s+(?:(?:with|of|at|as)\s+)?){NUMBER}"
    ));
    while let Some((range, label, value)) = add.captures(&text.plain).and_then(|c| {
        let label = text.fill(c.name("label")?.as_str());
        Some((
            c.get(0)?.range(),
            label,
            read_number(c.get(2)?.as_str(), c.get(3).map(|m| m.as_str()))?,
        ))
    }) {
        if label.to_lowercase().contains("line") || label.to_lowercase().contains("second") {
            break;
        }
        ops.push(Op::SetDatum(Datum {
            label: capitalised(&label),
            value,
        }));
        text.take(range);
    }
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

fn number_at(what: &Regex, plain: &str) -> Option<(Range<usize>, f64)> {
    let found = what.captures(plain)?;
    let value = read_number(found.get(1)?.as_str(), found.get(2).map(|m| m.as_str()))?;
    Some((found.get(0)?.range(), value))
}

fn read_number(digits: &str, unit: Option<&str>) -> Option<f64> {
    let plain: String = digits
        .chars()
        .filter(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '−'))
        .collect();
    let value: f64 = plain.replace('−', "-").trim_end_matches('.').parse().ok()?;
    let scale = match unit.unwrap_or_default().to_lowercase().as_str() {
        "k" | "thousand" => 1e3,
        "m" | "million" => 1e6,
        "bn" => 1e9,
        _ => 1.0,
    };
    Some(value * scale)
}
