//! Labels and numbers, read from words: `Q1 10, Q2 25`, `30% apples`, `2019 12m 2020 18m`, `10, 20, 30`.

use super::{
    design::Datum,
    text::{Text, capitalised, patterns, shortened},
    tokens::{Token, scale, segments},
};
use std::ops::Range;

/// The most numbers of one chart.
pub(crate) const MAX_DATA: usize = 12;
const LABEL_WORDS: usize = 4;

/// Numbers that were found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub pairs: Vec<Pair>,
    /// Where they stand.
    pub range: Range<usize>,
}

/// A number with its label.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pair {
    pub label: String,
    /// As written, without its unit.
    pub value: f64,
    pub percent: bool,
    /// A currency sign before it.
    sign: String,
    /// `k`, `m`, `b`, `%`, `€` or `°` behind it.
    unit: String,
    /// Whether the label stands before the number.
    before: bool,
    /// How many words or quoted passages the label has.
    parts: usize,
    /// Where each of them begins.
    starts: Vec<usize>,
    /// Whether `:` or `=` ties them, or the number has a unit.
    tied: bool,
    range: Range<usize>,
}

patterns! {
    PERIOD = r"^(?:q[1-4]|h[12]|(?:19|20)\d\d|jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec|(?:january|february|march|april|june|july|august|september|october|november|december)|mon|tue|tues|wed|thu|thur|fri|sat|sun|(?:mon|tues|wednes|thurs|fri|satur|sun)day|week|w\d+|day)\b";
}

/// Words that a label never begins with; what stands before the last of them introduces the data.
const LEADS: &[&str] = &[
    "of", "showing", "show", "shows", "with", "for", "is", "are", "was", "were", "in", "from",
    "the", "a", "an", "our", "my", "chart", "charts", "graph", "diagram", "data", "values",
    "numbers", "figures", "to", "at", "by", "on", "grew", "went", "than", "then", "only", "about",
    "that", "has", "have", "had", "got", "set", "add", "make", "use", "it", "reached", "bars",
];

/// Finds labels and numbers. Format phrases must be taken out before.
pub(crate) fn find(text: &Text) -> Option<Found> {
    let mut pairs = Vec::new();
    for segment in segments(text) {
        pairs_of(&segment, pairs.is_empty(), &mut pairs);
    }
    // A first label may carry words that introduce the data: `sales Q1 10, Q2 25`.
    let longest = pairs.iter().skip(1).map(|p: &Pair| p.parts).max();
    if let (Some(first), Some(longest)) = (pairs.first_mut(), longest) {
        let words: Vec<&str> = first.label.split(' ').collect();
        if first.before && first.parts > longest && first.parts == words.len() {
            let dropped = words.len() - longest;
            let kept = words.get(dropped..).unwrap_or_default().join(" ");
            first.range.start = first
                .starts
                .get(dropped)
                .copied()
                .unwrap_or(first.range.start);
            first.label = kept;
        }
    }
    pairs.truncate(MAX_DATA);
    let range = pairs.first()?.range.start..pairs.last()?.range.end;
    for pair in &mut pairs {
        pair.label = shortened(&capitalised(&pair.label), 24);
    }
    Some(Found { pairs, range })
}

impl Found {
    /// How much this asks for a chart, whatever the words around it say.
    pub fn weight(&self) -> f64 {
        let labelled: Vec<_> = self
            .pairs
            .iter()
            .filter(|p| !p.label.is_empty() && p.before)
            .collect();
        let sure = labelled
            .iter()
            .filter(|p| p.tied || p.percent || PERIOD.is_match(&p.label))
            .count();
        let percents = self.pairs.iter().filter(|p| p.percent).count();
        let bare = self.pairs.iter().filter(|p| p.label.is_empty()).count();
        if sure >= 2 || labelled.len() >= 3 || percents >= 2 {
            7.0
        } else if bare >= 3 && bare == self.pairs.len() {
            5.0
        } else if percents == 1 {
            3.0
        } else {
            0.0
        }
    }

    /// What a chart shows. Numbers without labels are counted; a share alone gets its rest.
    pub fn data(&self) -> Vec<Datum> {
        let datum = |label: String, value| Datum { label, value };
        if let [only] = self.pairs.as_slice()
            && only.percent
            && (0.0..100.0).contains(&only.value)
        {
            let label = if only.label.is_empty() {
                "Share".to_owned()
            } else {
                only.label.clone()
            };
            return vec![
                datum(label, only.value),
                datum("Rest".to_owned(), 100.0 - only.value),
            ];
        }
        let unit = self.unit().map(scale);
        let value = |p: &Pair| p.value * scale(&p.unit) / unit.unwrap_or(1.0);
        let label = |n: usize, p: &Pair| {
            if p.label.is_empty() {
                (n + 1).to_string()
            } else {
                p.label.clone()
            }
        };
        let pairs = self.pairs.iter().enumerate();
        pairs.map(|(n, p)| datum(label(n, p), value(p))).collect()
    }

    /// What is written before and after every number, where all share it.
    pub fn affixes(&self) -> (String, String) {
        let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
        (owned(self.shared(|p| &p.sign)), owned(self.unit()))
    }

    /// The unit that all numbers are told in: the smallest of thousands, millions and billions.
    fn unit(&self) -> Option<&str> {
        let scaled = self.pairs.iter().all(|p| scale(&p.unit) > 1.0);
        let smallest = self
            .pairs
            .iter()
            .map(|p| p.unit.as_str())
            .min_by(|a, b| scale(a).total_cmp(&scale(b)));
        if scaled {
            smallest
        } else {
            self.shared(|p| &p.unit)
        }
    }

    /// `$10, 20` means dollars throughout; so does `10, 20%`.
    fn shared(&self, part: impl Fn(&Pair) -> &String) -> Option<&str> {
        let first = part(self.pairs.first()?);
        if self.pairs.iter().all(|p| part(p) == first) {
            return Some(first);
        }
        let mut given = self.pairs.iter().filter(|p| !part(p).is_empty());
        let only = given
            .next()
            .filter(|p| given.next().is_none() && scale(&p.unit) <= 1.0)?;
        Some(part(only))
    }

    /// Whether no number has a label.
    pub fn is_bare(&self) -> bool {
        self.pairs.iter().all(|p| p.label.is_empty())
    }
}

fn pairs_of(segment: &[Token], first: bool, pairs: &mut Vec<Pair>) {
    let segment = segment.get(lead_in(segment)..).unwrap_or_default();
    let before = pairs.len();
    let mut label: Vec<(&str, usize)> = Vec::new();
    let mut years: Vec<String> = Vec::new();
    let mut tied = false;
    let mut start = None;
    for (n, token) in segment.iter().enumerate() {
        match token {
            Token::Word(word, range) => {
                label.push((word, range.start));
                tied = false;
            }
            Token::Link(ties) => tied |= ties,
            Token::Number {
                value,
                year,
                sign,
                unit,
                range,
            } => {
                let next = segment
                    .iter()
                    .skip(n + 1)
                    .find(|t| !matches!(t, Token::Link(_)));
                if *year && matches!(next, Some(Token::Number { .. })) {
                    years.push(value.to_string());
                    start = start.or(Some(range.start));
                    tied = false;
                    continue;
                }
                let later = |t: &Token| matches!(t, Token::Number { year: false, .. });
                if *year && segment.iter().skip(n + 1).any(later) {
                    // `Report 2025: revenue 4, costs 2`: the year belongs to what introduces the data.
                    label.clear();
                    tied = false;
                    continue;
                }
                let (mut text, starts) = label_of(&label, tied && !first);
                let (at, mut parts) = (starts.first().copied(), starts.len());
                if let Some(year) = years.pop() {
                    parts += 1;
                    text = if text.is_empty() {
                        year
                    } else {
                        format!("{text} {year}")
                    };
                }
                let from = at.or(start).unwrap_or(range.start).min(range.start);
                pairs.push(Pair {
                    before: !text.is_empty(),
                    parts,
                    starts,
                    label: text,
                    value: *value,
                    percent: unit == "%",
                    tied: tied || !unit.is_empty() || !sign.is_empty(),
                    sign: sign.clone(),
                    unit: unit.clone(),
                    range: from..range.end,
                });
                label.clear();
                (tied, start) = (false, None);
            }
        }
    }
    // `30% apples`: what follows a number that stood alone is its label.
    if pairs.len() == before + 1
        && let Some(only) = pairs.last_mut().filter(|p| p.label.is_empty())
    {
        let words: Vec<&str> = label
            .iter()
            .map(|(w, _)| *w)
            .skip_while(|w| LEADS.contains(&w.to_lowercase().as_str()))
            .collect();
        let name: Vec<&str> = words
            .into_iter()
            .take_while(|w| !LEADS.contains(&w.to_lowercase().as_str()))
            .take(2)
            .collect();
        if let Some((_, at)) = label.iter().rev().find(|(w, _)| name.last() == Some(w)) {
            only.range.end = at + name.last().map_or(0, |w| w.len());
        }
        only.label = name.join(" ");
    }
}

/// How many tokens before a colon only introduce the data.
fn lead_in(segment: &[Token]) -> usize {
    let label_and_number = |rest: &[Token]| {
        let number = rest.iter().rposition(|t| matches!(t, Token::Number { .. }));
        let label = rest
            .iter()
            .position(|t| matches!(t, Token::Word(..) | Token::Number { year: true, .. }));
        matches!((label, number), (Some(l), Some(n)) if l < n)
    };
    let colon = segment.iter().enumerate().rev().find(|(n, token)| {
        matches!(token, Token::Link(true))
            && *n > 0
            && label_and_number(segment.get(n + 1..).unwrap_or_default())
    });
    colon.map_or(0, |(n, _)| n + 1)
}

fn label_of(words: &[(&str, usize)], whole: bool) -> (String, Vec<usize>) {
    // `A` alone is a label.
    let leads = |w: &&(&str, usize)| w.0 != "A" && LEADS.contains(&w.0.to_lowercase().as_str());
    let skip = if whole && words.len() <= LABEL_WORDS {
        words.iter().take_while(leads).count()
    } else {
        words.iter().rposition(|w| leads(&w)).map_or(0, |n| n + 1)
    };
    let skip = skip.max(words.len().saturating_sub(LABEL_WORDS));
    let kept = words.get(skip..).unwrap_or_default();
    (
        kept.iter().map(|(w, _)| *w).collect::<Vec<_>>().join(" "),
        kept.iter().map(|(_, at)| *at).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Vec<(String, f64)> {
        find(&Text::read(words))
            .map(|f| f.data())
            .unwrap_or_default()
            .into_iter()
            .map(|d| (d.label, d.value))
            .collect()
    }

    #[test]
    fn labels_and_numbers_are_read_however_they_are_written() {
        let cases: &[(&str, &[(&str, f64)])] = &[
            (
                "bar chart of sales: Q1 10, Q2 25, Q3 40",
                &[("Q1", 10.0), ("Q2", 25.0), ("Q3", 40.0)],
            ),
            (
                "Apples: 30%, Pears 70%",
                &[("Apples", 30.0), ("Pears", 70.0)],
            ),
            (
                "revenue of 2019 12m 2020 18m",
                &[("2019", 12.0), ("2020", 18.0)],
            ),
            ("2019: 12, 2020: 18.5", &[("2019", 12.0), ("2020", 18.5)]),
            (
                "sales Q1 1,200, Q2 3,400.50",
                &[("Q1", 1200.0), ("Q2", 3400.5)],
            ),
            (
                "Mon 5 Tue 8 Wed 13",
                &[("Mon", 5.0), ("Tue", 8.0), ("Wed", 13.0)],
            ),
            (
                "30% apples and 70% pears",
                &[("Apples", 30.0), ("Pears", 70.0)],
            ),
            (
                "Germany $4.5k; France €3k",
                &[("Germany", 4.5), ("France", 3.0)],
            ),
            (
                "Jan=10\nFeb=20\n- Mar = 30",
                &[("Jan", 10.0), ("Feb", 20.0), ("Mar", 30.0)],
            ),
            (
                "values 10, 20, 30",
                &[("1", 10.0), ("2", 20.0), ("3", 30.0)],
            ),
            (
                "42% of users prefer it",
                &[("Users prefer", 42.0), ("Rest", 58.0)],
            ),
            (
                "Cost of goods: 30, Office rent: 20",
                &[("Goods", 30.0), ("Office rent", 20.0)],
            ),
            ("Spain (12), Italy (9)", &[("Spain", 12.0), ("Italy", 9.0)]),
            (
                "temperature: Oslo -5, Cairo 31",
                &[("Oslo", -5.0), ("Cairo", 31.0)],
            ),
            (
                "'North Sea' 4, 'Baltic' 7",
                &[("North Sea", 4.0), ("Baltic", 7.0)],
            ),
            (
                "Q1 2024 10, Q2 2024 20",
                &[("Q1 2024", 10.0), ("Q2 2024", 20.0)],
            ),
        ];
        for (words, expected) in cases {
            let expected: Vec<_> = expected
                .iter()
                .map(|(l, v)| ((*l).to_owned(), *v))
                .collect();
            assert_eq!(read(words), expected, "{words}");
        }
    }

    #[test]
    fn units_that_all_numbers_share_are_kept_apart_and_others_are_counted_in() {
        let affixes = |words: &str| {
            find(&Text::read(words))
                .map(|f| f.affixes())
                .unwrap_or_default()
        };
        assert_eq!(affixes("2019 12m 2020 18m"), (String::new(), "M".into()));
        assert_eq!(affixes("Q1 $10, Q2 $20"), ("$".into(), String::new()));
        assert_eq!(
            affixes("Apples 30%, Pears 70%"),
            (String::new(), "%".into())
        );
        assert_eq!(
            read("North 900, South 1.5k"),
            [("North".into(), 900.0), ("South".into(), 1500.0)]
        );
    }

    #[test]
    fn numbers_in_passing_are_no_chart() {
        for words in [
            "50% off today",
            "celebrating 1000 users",
            "top 10 of 2024",
            "doors open 19:00, hall 3",
            "version 2",
        ] {
            let weight = find(&Text::read(words)).map_or(0.0, |f| f.weight());
            assert!(weight < 1.0, "{words}: {weight}");
        }
    }

    #[test]
    fn at_most_twelve_numbers_are_kept() {
        let words = (1..30)
            .map(|n| format!("L{n} {n}"))
            .collect::<Vec<_>>()
            .join(", ");
        assert_eq!(read(&words).len(), MAX_DATA);
    }
}
