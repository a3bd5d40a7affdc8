//! Where a phrase that nobody put in quotation marks ends, and what of it is fit to be a title.

use super::{
    lexicon::{COLORS, FONTS, PALETTES, RECIPES},
    text::{Text, capitalised, patterns, shortened, title_case, words},
};
use std::collections::HashSet;
use std::sync::LazyLock;

const TITLE_WORDS: usize = 9;
const TITLE_CHARS: usize = 60;

static GENERIC: LazyLock<HashSet<&str>> =
    LazyLock::new(|| RECIPES.generic.iter().map(String::as_str).collect());

patterns! {
    STOP = r"[;\n]|[.](?:\s|$)|\s+(?:with|using|featuring|while|which|where|against|please|and\s+(?:a|an|the|make|use|with|then|have|put|set|it|add|some|show|change|turn|give|remove|slow|speed)|in\s+(?:a|an|the|big|bold|huge|large|giant|metal|chrome|glass|letters|3d)|on\s+(?:a|an|the|top)|made\s+of|(?:that\s+)?(?:flying|flies|fly|appearing|appears?|rotating|rotates?|spinning|spins?|floating|floats?|turning|sliding|slides?|bouncing|bounces?|fading|fades?|exploding|explodes?)(?:\s+\p{L}+|$)|for\s+(?:a|an|my|our|the)|as\s+(?:a|an)|instead|again|there)\b";
    VALUE_STOP = r"[;\n]|[.](?:\s|$)|,?\s+(?:and|but|then|also)\s+(?:also\s+|then\s+)?(?:make|change|use|set|add|remove|delete|put|turn|give|let|slow|speed|switch|replace|render|show|colou?r|it\b|in\s|with\s|(?:a|the)\s+(?:title|headline|subtitle|tagline|slogan|background|text|font|colou?rs?|accent|logo))|\s+instead\b|\s+please\b|\s+in\s+(?:all\s+caps|uppercase|capitals|bold)\b|\s+with\s+(?:a|an|the)\s+(?:sub-?title|tagline|slogan|font|camera|background|dark|light|calm|slow|fast)\b";
    TAIL = r"(?:\s+(?:in|on|at|for|with|and|of|by|a|an|the|as|lasting|from|is|text|instead|please))+\s*$|[\s,:;–—-]+$";
    HEAD = r"^[\s,.:;!?–—-]+";
    CAPITAL_RUN = r"^(?-i:[A-Z0-9][\p{L}\p{N}&'’.-]*(?:\s+(?:(?:of|the|and|&|for|de|la|by)\s+)?[A-Z0-9&][\p{L}\p{N}&'’.-]*)*)";
    NEW_NAME = r"^new\s+(?:year|york|zealand|delhi|orleans|moon|beginning|beginnings|england|jersey|mexico|order|era|chapter|dawn|day|life|home)\b";
    FILLER = r"^(?P<greeting>(?:(?:hi|hey|hello|ok|okay|so|well|now|thanks|koda)\b[\s,!.]*)+)(?:(?:can|could|would|will)\s+you\b|i\b|we\b|make\b|create\b|please\b|let|animate\b|design\b|an?\b)";
}

/// Where a phrase ends that begins here.
pub(crate) fn end_of_phrase(text: &str, from: usize) -> usize {
    end_by(&STOP, text, from)
}

/// Where a value ends that a label introduced: `title: Made for the web, portrait`.
pub(crate) fn end_of_value(text: &str, from: usize) -> usize {
    end_by(&VALUE_STOP, text, from)
}

fn end_by(stop: &regex::Regex, text: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let stop = stop.find(rest).map_or(rest.len(), |m| m.start());
    let mut end = 0;
    // After a comma, only words that stand alone still belong to it: `Ready, set, go`.
    for (n, part) in rest
        .get(..stop)
        .unwrap_or_default()
        .split_inclusive(',')
        .enumerate()
    {
        let said = words(part);
        let alone = said.len() <= 2
            && !said.is_empty()
            && said.iter().all(|w| {
                !is_generic(w)
                    && !is_mood(w)
                    && !COLORS.names.contains_key(w)
                    && !w.chars().all(|c| c.is_ascii_digit())
            });
        if n > 0 && !alone {
            break;
        }
        end += part.len();
        if part.trim_end_matches([',', ' ']).ends_with(['!', '?']) {
            break;
        }
    }
    from + end
}

/// Whether a word stands for a mood.
fn is_mood(word: &str) -> bool {
    PALETTES.iter().any(|p| p.words.iter().any(|w| w == word))
        || FONTS
            .kinds
            .iter()
            .any(|k| k.words.iter().any(|w| w == word))
}

/// Whether a word only says what kind of thing to make.
pub(crate) fn is_generic(word: &str) -> bool {
    GENERIC.contains(word)
}

/// A value as it was said, without the punctuation around it.
pub(crate) fn exact(text: &Text, part: &str) -> Option<String> {
    let trimmed = part
        .trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ':' | ';' | '–' | '—'))
        .trim_end_matches('.');
    let filled = text.fill(trimmed);
    (!filled.is_empty()).then(|| shortened(&capitalised(&filled), 110))
}

/// A phrase as it was said, trimmed to be a title.
pub(crate) fn spoken(text: &Text, part: &str) -> Option<String> {
    let trimmed = trim(part);
    let filled = text.fill(&trimmed);
    (!filled.is_empty()).then(|| shortened(&capitalised(&filled), 110))
}

fn trim(part: &str) -> String {
    let mut part = HEAD
        .replace(part, "")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    loop {
        let next = TAIL.replace(&part, "").into_owned();
        if next == part {
            return part;
        }
        part = next;
    }
}

/// What a request is about, as a title, where it names nothing to be said.
pub(crate) fn topic(plain: &str) -> Option<String> {
    let greeting = FILLER
        .captures(plain)
        .and_then(|c| c.name("greeting"))
        .map_or(0, |m| m.end());
    let plain = plain.get(greeting..).unwrap_or_default();
    let mut from = 0;
    for (at, word) in tokens(plain) {
        let rest = plain.get(at..).unwrap_or_default();
        if NEW_NAME.is_match(rest) || !is_generic(&word.to_lowercase()) {
            from = at;
            break;
        }
        from = at + word.len();
    }
    let rest = plain.get(from..).unwrap_or_default();
    let rest = rest.get(..end_of_phrase(rest, 0)).unwrap_or_default();
    let rest = rest.split([':', '(', '\n']).next().unwrap_or_default();
    let mut kept: Vec<&str> = rest.split_whitespace().take(TITLE_WORDS).collect();
    while let Some(last) = kept.last() {
        let bare: String = last
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, '\'' | '’' | '&' | '-'))
            .collect::<String>()
            .to_lowercase();
        if bare.is_empty() || is_generic(&bare) {
            kept.pop();
        } else {
            break;
        }
    }
    let phrase = trim(&kept.join(" "));
    let phrase = phrase.trim_end_matches(['.', '!']).trim();
    (!phrase.is_empty()).then(|| shortened(&title_case(phrase), TITLE_CHARS))
}

/// A name that stands here, in capitals: `Acme`, `Bank of Ireland`.
pub(crate) fn name_at(rest: &str) -> Option<&str> {
    CAPITAL_RUN
        .find(rest)
        .map(|m| m.as_str().trim_end_matches(['.', ',', '\'']))
}

fn tokens(plain: &str) -> impl Iterator<Item = (usize, &str)> {
    plain.split_whitespace().map(move |word| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        // The word is a part of `plain`, so the difference of addresses is its place.
        (word.as_ptr() as usize - plain.as_ptr() as usize, word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_ends_where_the_talk_goes_back_to_the_picture() {
        let cut = |t: &str| t.get(..end_of_phrase(t, 0)).unwrap().to_owned();
        assert_eq!(cut("KODA with a camera fly-through"), "KODA");
        assert_eq!(
            cut("welcome to the future. Make it calm"),
            "welcome to the future"
        );
        assert_eq!(cut("Ready, set, go"), "Ready, set, go");
        assert_eq!(cut("KODA, calm mood"), "KODA,");
        assert_eq!(cut("Salt and Pepper and make it red"), "Salt and Pepper");
    }

    #[test]
    fn a_topic_is_what_is_left_without_the_words_for_the_craft() {
        for (words, title) in [
            ("rotating perfume bottle product shot", "Perfume Bottle"),
            (
                "make an animation about the history of tea",
                "History of Tea",
            ),
            ("quarterly revenue bar chart", "Quarterly Revenue"),
            ("Please create a short intro for my podcast", "Podcast"),
            ("happy birthday Anna", "happy birthday Anna"),
            ("sports car rotating on a pedestal", "Sports Car"),
            ("Welcome to Koda", "Welcome to Koda"),
        ] {
            assert_eq!(
                topic(words).unwrap().to_lowercase(),
                title.to_lowercase(),
                "{words}"
            );
        }
        assert_eq!(topic("make an animation please"), None);
    }

    #[test]
    fn names_are_runs_of_capitals() {
        assert_eq!(name_at("Bank of Ireland, blue"), Some("Bank of Ireland"));
        assert_eq!(name_at("Acme in blue"), Some("Acme"));
        assert_eq!(name_at("a coffee shop"), None);
    }
}
