//! A person's words, prepared: quoted passages are set aside so that nothing in them is taken for an instruction.

use regex::Regex;
use std::{ops::Range, sync::LazyLock};

/// Stands for the first quoted passage; the next for the second, and so on. Private use, so no keyboard writes it.
const FIRST_MARK: u32 = 0xe000;
const MARKS: usize = 64;
/// A regular expression's class for one quoted passage.
pub(crate) const QUOTED: &str = r"[\u{e000}-\u{e03f}]";

/// Words with the quoted passages set aside.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Text {
    /// The words; each quoted passage is one mark.
    pub plain: String,
    quotes: Vec<String>,
}

/// Compiles a pattern of ours; `Q` in angle brackets stands for a quoted passage.
pub(crate) fn pattern(text: &str) -> Regex {
    let text = text.replace("<Q>", QUOTED);
    #[expect(
        clippy::expect_used,
        reason = "patterns are constants, and every one is compiled by tests"
    )]
    Regex::new(&format!("(?i){text}")).expect("a pattern of ours compiles")
}

/// Declares patterns that are compiled once.
macro_rules! patterns {
    ($($name:ident = $text:expr;)*) => {
        $(static $name: std::sync::LazyLock<regex::Regex> = std::sync::LazyLock::new(|| $crate::demo::text::pattern($text));)*
    };
}
pub(crate) use patterns;

impl Text {
    /// Sets quoted passages aside and evens out white space; line breaks stay.
    pub fn read(text: &str) -> Self {
        let mut plain = String::new();
        let mut quotes = Vec::new();
        let chars: Vec<char> = text
            .chars()
            .filter(|c| !(FIRST_MARK..FIRST_MARK + 64).contains(&u32::from(*c)))
            .collect();
        let mut i = 0;
        while let Some(c) = chars.get(i) {
            let close = closing(*c)
                .filter(|_| opens(&chars, i))
                .and_then(|close| find_close(&chars, i + 1, close));
            match close {
                Some(end) if quotes.len() < MARKS => {
                    let inner: String = chars.get(i + 1..end).unwrap_or_default().iter().collect();
                    let mark = FIRST_MARK + u32::try_from(quotes.len()).unwrap_or_default();
                    plain.extend(char::from_u32(mark));
                    quotes.push(inner.split_whitespace().collect::<Vec<_>>().join(" "));
                    i = end + 1;
                }
                _ => {
                    plain.push(*c);
                    i += 1;
                }
            }
        }
        let lines: Vec<String> = plain
            .lines()
            .map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|l| !l.is_empty())
            .collect();
        Self {
            plain: lines.join("\n"),
            quotes,
        }
    }

    /// Puts quoted passages back, without their quotation marks.
    pub fn fill(&self, part: &str) -> String {
        let mut out = String::new();
        for c in part.chars() {
            match self.quote(c) {
                Some(quote) => out.push_str(quote),
                None => out.push(c),
            }
        }
        out.trim().to_owned()
    }

    /// The passage behind a mark.
    pub fn quote(&self, mark: char) -> Option<&str> {
        let n = u32::from(mark).checked_sub(FIRST_MARK)?;
        self.quotes
            .get(usize::try_from(n).ok()?)
            .map(String::as_str)
    }

    /// Quoted passages that are still in the words, in order.
    pub fn quotes(&self) -> Vec<&str> {
        self.plain.chars().filter_map(|c| self.quote(c)).collect()
    }

    /// Takes a stretch out, so that nothing else is read from it.
    pub fn take(&mut self, range: Range<usize>) {
        self.plain.replace_range(range, " ");
    }

    /// Takes out everything that matches.
    pub fn take_all(&mut self, what: &Regex) {
        self.plain = what.replace_all(&self.plain, " ").into_owned();
    }

    /// Whether anything is left that could be read.
    pub fn is_blank(&self) -> bool {
        !self
            .plain
            .chars()
            .any(|c| c.is_alphanumeric() || self.quote(c).is_some())
    }
}

const fn closing(open: char) -> Option<char> {
    Some(match open {
        '"' => '"',
        '“' | '„' => '”',
        '«' => '»',
        '‹' => '›',
        '\'' => '\'',
        '‘' => '’',
        '`' => '`',
        _ => return None,
    })
}

/// Single quotes open only where a word could begin: an apostrophe stands inside one.
fn opens(chars: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|n| chars.get(n));
    let after = chars.get(at + 1);
    before.is_none_or(|c| !c.is_alphanumeric()) && after.is_some_and(|c| !c.is_whitespace())
}

fn find_close(chars: &[char], from: usize, close: char) -> Option<usize> {
    let fits = |(n, c): &(usize, &char)| {
        let same = **c == close || (close == '”' && matches!(**c, '“' | '"'));
        let ends = chars.get(n + 1).is_none_or(|next| !next.is_alphanumeric());
        same && *n > from && ends
    };
    chars
        .iter()
        .enumerate()
        .skip(from)
        .take(400)
        .find(fits)
        .map(|(n, _)| n)
}

static WORDS: LazyLock<Regex> = LazyLock::new(|| pattern(r"[\p{L}\p{N}]+(?:['’&][\p{L}\p{N}]+)*"));

/// Words in lower case, for looking them up.
pub(crate) fn words(text: &str) -> Vec<String> {
    WORDS
        .find_iter(text)
        .map(|m| m.as_str().to_lowercase())
        .collect()
}

/// Where these words stand alone.
pub(crate) fn whole_word(text: &str, wanted: &str) -> Option<Range<usize>> {
    let mut hits = text.match_indices(wanted).map(|(at, m)| at..at + m.len());
    hits.find(|hit| stands_alone(text, hit.clone()))
}

/// Whether no letter or digit touches this stretch.
pub(crate) fn stands_alone(text: &str, hit: Range<usize>) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    let before = text.get(..hit.start).and_then(|s| s.chars().next_back());
    let after = text.get(hit.end..).and_then(|s| s.chars().next());
    edge(before) && edge(after)
}

/// Writes a phrase as a title. What has capitals keeps them.
pub(crate) fn title_case(phrase: &str) -> String {
    const SMALL: [&str; 22] = [
        "a", "an", "the", "of", "and", "or", "for", "to", "in", "on", "at", "by", "with", "from",
        "vs", "is", "as", "but", "de", "la", "our", "my",
    ];
    let cased = phrase.split_whitespace().enumerate().map(|(n, word)| {
        if n > 0 && SMALL.contains(&word) {
            word.to_owned()
        } else {
            capitalised(word)
        }
    });
    cased.collect::<Vec<_>>().join(" ")
}

/// The same with a capital at its beginning.
pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        // `iPhone` and `eBay` are written as they are.
        Some(first) if !chars.clone().next().is_some_and(char::is_uppercase) => {
            first.to_uppercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// Cuts at a word where a text is longer than this many characters.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out = String::new();
    for word in text.split_whitespace() {
        if out.chars().count() + word.chars().count() + 1 > most.saturating_sub(1) {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    if out.is_empty() {
        text.chars().take(most).collect()
    } else {
        out + "…"
    }
}

/// A number that is the same on every machine, for choices that should look free but never change.
pub(crate) fn hash(text: &str) -> u64 {
    // FNV-1a: the standard library's hasher may differ between releases.
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_passages_are_set_aside_and_put_back() {
        for (text, quote) in [
            ("say \"Move fast\" loudly", "Move fast"),
            ("say 'Don't stop' loudly", "Don't stop"),
            ("say “Move fast” loudly", "Move fast"),
            ("say «Vite» loudly", "Vite"),
            ("say: 'Move fast'", "Move fast"),
        ] {
            let read = Text::read(text);
            assert_eq!(read.quotes(), [quote], "{text}");
            assert!(read.fill(&read.plain).contains(quote));
        }
    }

    #[test]
    fn an_apostrophe_opens_nothing() {
        assert!(
            Text::read("it's our users' favourite and doesn't stop")
                .quotes()
                .is_empty()
        );
        assert!(
            Text::read("an inch is 1\" and 2\" is more")
                .quotes()
                .is_empty()
        );
    }

    #[test]
    fn titles_get_capitals_only_where_the_person_wrote_none() {
        assert_eq!(
            title_case("the rise of solar energy"),
            "The Rise of Solar Energy"
        );
        assert_eq!(title_case("welcome to KODA"), "Welcome to KODA");
        assert_eq!(title_case("iPhone sales"), "iPhone Sales");
    }

    #[test]
    fn a_long_text_is_cut_at_a_word() {
        assert_eq!(shortened("one two three", 8), "one two…");
        assert_eq!(shortened("short", 8), "short");
    }
}
