//! What a request for a new animation asks for.

use super::{
    color::Rgb,
    colors::{self, Mention},
    design::ColorRole,
    fonts::Fonts,
    format::FormatWish,
    lexicon::contains_phrase,
    numbers::{self, Found},
    phrase::{self, end_of_phrase, end_of_value, exact, spoken},
    plan::{ASK_KIND, ASK_TITLE},
    text::{Text, patterns, words},
};

/// A request for an animation, understood.
#[derive(Debug, Clone, Default)]
pub(crate) struct Brief {
    /// As typed: decides what is left to chance.
    pub seed: String,
    /// What was said to be shown; the topic where nothing was.
    pub title: Option<String>,
    pub subtitle: Option<String>,
    pub lines: Vec<String>,
    /// Whether the subtitle was called a slogan, which may be all that there is.
    slogan: bool,
    /// Whether the title is only the first of the lines.
    pub title_leads: bool,
    pub data: Option<Found>,
    pub colors: Vec<(ColorRole, Rgb)>,
    pub format: FormatWish,
    /// A family that was named.
    pub font: Option<String>,
    /// The words about the picture, in lower case; not those to be shown.
    pub words: Vec<String>,
}

patterns! {
    SUBTITLE = r"(?:,\s*|\b(?:and|with|plus)\s+)*(?:\b(?:a|an|the|as|has|smaller)\s+)*\b(?:sub-?\s?title|tag\s?line|slogan|strap\s?line|sub-?heading|by\s?line|second\s+line|caption)\b(?:\s+(?:text|underneath|below|under\s+it))*\s*(?:(?:is|says|saying|that\s+says|reading|reads|of|called|=|:)\s*)*";
    SLOGAN = r"\b(?:slogan|tag\s?line|caption|strap\s?line)\b";
    LINES = r"(?:,\s*|\b(?:and|with|plus)\s+)*(?:\b(?:the|these|three|two|four|five|following)\s+)*\b(?:lines|phrases|sentences|words|texts|slides|messages)\b(?:\s+(?:are|of\s+text))?\s*(?:[:=]\s*|<Q>)";
    TITLE = r"(?:,\s*|\b(?:and|with)\s+)*(?:\b(?:the|a|an|main|this)\s+)*\b(?:title|headline|heading|text|copy|name|word|quote|phrase|message|motto|sentence|lyrics?|saying)\b(?:\s+by\s+[^:,]{1,40}?)?\s*(?:(?:is|says|should\s+(?:say|be|read)|to\s+be)\b|[:=])\s*";
    SAYING = r"\b(?:that\s+(?:says|reads|spells)|saying|says|should\s+say|spelling(?:\s+out)?|spells|titled|entitled|called|named|(?:with|forming|forms?|showing|shows?|into|displaying|reveal(?:ing|s)?|spell(?:ing|s)?)\s+the\s+(?:text|words?|title|message|phrase|headline|name|quote|slogan|motto|letters)|(?:title|text|words?|letters|card|intro|animation)\s+(?:reading|reads))\b\s*[:,]?\s*";
    SAY = r"(?:^|\b(?:to|it|please|you)\s+|[.,;]\s*)(?:say|write|spell(?:\s+out)?)\b\s*[:,]?\s*";
    FOR = r"\b(?:for|of|from|by|introducing|announcing|about|on)\s+(?:(?:my|our|the|a|an|your|new|upcoming|startup|start-up|company|brand|agency|studio|band|podcast|channel|show|app|shop|store|business|client|product|team|school|club|event|conference|course|newsletter|series|game|film|movie|book|album|song|website|company's)\s+)*";
    KIND_OF_FONT = r"(?:\b(?:in|with|using|use|a|an|the)\s+)+(?:[\p{L}-]+\s+){0,2}(?:font|typeface|lettering)s?\b";
    STRUCTURE = r"^\s*(?:(?:an?|the|my|our|short|new|simple|animated|bold|calm|minimal)\s+)*(?:kinetic\s+typography|typography|logo(?:\s+reveal)?|(?:bar|line|pie)?\s*chart|graph|particles|(?:lower\s+third|title)(?:\s+card)?|intro|outro|opener|teaser|trailer|promo|banner|animation|video|text(?:\s+animation)?|quote|3d\s+title|3d\s+text)\s*[:–—-]\s*";
    SHADE = r"((?:,\s*|\b(?:and|with|all)\s+)*\b(?:on|over|against|with|in)\s+(?:an?\s+|the\s+)?(?:dark|light|bright)(?:\s+(?:background|backdrop|ground|mode|theme))?)\s*(?:[,.;!]|$)";
    PARTS = r"\s+/\s+|\s*(?:\||\n)\s*";
}

impl Brief {
    /// Reads a request.
    pub fn read(said: &str, fonts: &Fonts) -> Self {
        let mut text = Text::read(said);
        let mut brief = Self {
            seed: said.trim().to_lowercase(),
            ..Self::default()
        };
        brief.format = FormatWish::take(&mut text);
        brief.take_shade(&mut text);
        brief.take_subtitle(&mut text);
        brief.take_lines(&mut text);
        brief.take_title(&mut text);
        brief.take_data(&mut text);
        brief.format.take_four_k(&mut text);
        brief.take_look(&mut text, fonts);
        brief.take_quotes(&mut text);
        brief.take_said(&mut text);
        brief.words.extend(words(&text.plain));
        if brief.title.is_none() {
            brief.title = title_of(&text, brief.has_share(), said);
        }
        if brief.title.is_none() && brief.slogan {
            brief.title = brief.subtitle.take();
            brief.words.push("slogan".into());
        }
        brief.split_title();
        brief
    }

    fn has_share(&self) -> bool {
        self.data.as_ref().is_some_and(|d| d.pairs.len() == 1)
    }

    fn take_subtitle(&mut self, text: &mut Text) {
        if let Some((value, range)) = labelled(text, &SUBTITLE, true) {
            self.slogan = SLOGAN.is_match(text.plain.get(range.clone()).unwrap_or_default());
            self.subtitle = Some(value);
            text.take(range);
        }
    }

    /// `… in gold on dark`: which is about the picture, and no part of a title.
    fn take_shade(&mut self, text: &mut Text) {
        let found = SHADE.captures(&text.plain).and_then(|c| c.get(1));
        if let Some((range, said)) = found.map(|m| (m.range(), words(m.as_str()))) {
            self.words.extend(said);
            text.take(range);
        }
    }

    fn take_lines(&mut self, text: &mut Text) {
        let Some(found) = LINES.find(&text.plain) else {
            return;
        };
        let quoted = found
            .as_str()
            .chars()
            .next_back()
            .and_then(|c| text.quote(c))
            .is_some();
        let from = if quoted {
            found.end() - found.as_str().chars().next_back().map_or(0, char::len_utf8)
        } else {
            found.end()
        };
        let rest = text.plain.get(from..).unwrap_or_default();
        let (lines, end) = if rest
            .trim_start()
            .chars()
            .next()
            .and_then(|c| text.quote(c))
            .is_some()
        {
            let end = rest
                .rfind(|c| text.quote(c).is_some())
                .map_or(0, |at| at + 3);
            let marks = rest.get(..end).unwrap_or_default();
            (
                marks
                    .chars()
                    .filter_map(|c| text.quote(c))
                    .map(str::to_owned)
                    .collect::<Vec<_>>(),
                end,
            )
        } else {
            let end = rest
                .find("\n\n")
                .or_else(|| rest.find(". "))
                .unwrap_or(rest.len());
            let list = rest.get(..end).unwrap_or_default();
            (
                list.split([',', '/', ';', '|', '\n'])
                    .filter_map(|part| spoken(text, part))
                    .collect(),
                end,
            )
        };
        if lines.len() >= 2 {
            self.lines = lines.into_iter().take(12).collect();
            let range = found.start()..from + end;
            text.take(range);
        }
    }

    fn take_title(&mut self, text: &mut Text) {
        if let Some((value, range)) = labelled(text, &TITLE, true) {
            // A label such as `quote:` also says what kind of animation this is.
            let label = words(text.plain.get(range.clone()).unwrap_or_default());
            let kind = |w: &&String| {
                ["quote", "lyrics", "phrase", "motto", "sentence"].contains(&w.as_str())
            };
            self.words.extend(label.iter().take(3).find(kind).cloned());
            self.title = Some(value);
            text.take(range);
        }
    }

    fn take_data(&mut self, text: &mut Text) {
        let Some(found) = numbers::find(text) else {
            return;
        };
        let about = words(&text.plain);
        let asked = [
            "chart",
            "graph",
            "bar",
            "diagram",
            "infographic",
            "data",
            "histogram",
            "statistics",
            "stats",
            "plot",
            "compare",
            "comparing",
            "comparison",
            "vs",
        ];
        let asked = asked.iter().any(|w| contains_phrase(&about, w));
        let counts_down = found.is_bare()
            && ["countdown", "count down"]
                .iter()
                .any(|w| contains_phrase(&about, w));
        if counts_down {
            return;
        }
        if found.weight() > 0.0 || (asked && found.pairs.len() >= 2) {
            if found.pairs.len() > 1 {
                text.take(found.range.clone());
            }
            self.data = Some(found);
        }
    }

    fn take_look(&mut self, text: &mut Text, fonts: &Fonts) {
        if let Some((family, range)) = fonts.mentioned(text) {
            self.font = Some(family);
            text.take(range);
        } else if let Some(found) = KIND_OF_FONT
            .find(&text.plain)
            .map(|m| (m.range(), words(m.as_str())))
        {
            self.font = Fonts::kind(&found.1).and_then(|kind| fonts.of_kind(kind, ""));
            text.take(found.0);
        }
        let mentions: Vec<Mention> = colors::mentions(&text.plain);
        self.colors = colors::assign(&mentions);
        for mention in mentions.iter().rev() {
            // `Particles in gold` is still about particles.
            let around = text.plain.get(mention.phrase.clone()).unwrap_or_default();
            if mention.role == Some(ColorRole::Primary) {
                self.words.extend(words(around));
            }
            let range = mention.phrase.start.min(text.plain.len())
                ..mention.phrase.end.min(text.plain.len());
            // Two phrases may share a word, such as the `and` between them.
            if text.plain.is_char_boundary(range.start) && text.plain.is_char_boundary(range.end) {
                let blank = " ".repeat(range.len());
                text.plain.replace_range(range, &blank);
            }
        }
        text.plain = text
            .plain
            .lines()
            .map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
            .join("\n");
    }

    fn take_quotes(&mut self, text: &mut Text) {
        let quotes: Vec<String> = text
            .quotes()
            .into_iter()
            .filter(|q| !q.is_empty())
            .map(str::to_owned)
            .collect();
        let mut rest = quotes.into_iter();
        if self.title.is_none() {
            self.title = rest.next();
        }
        let mut rest: Vec<String> = rest.collect();
        if self.subtitle.is_none() && rest.len() == 1 {
            self.subtitle = rest.pop();
        } else if self.lines.is_empty() && !rest.is_empty() {
            self.lines = rest;
            self.title_leads = true;
        }
        if self.title.is_some() {
            let marks: Vec<char> = text
                .plain
                .chars()
                .filter(|c| text.quote(*c).is_some())
                .collect();
            text.plain = text.plain.replace(marks.as_slice(), " ");
        }
    }

    fn take_said(&mut self, text: &mut Text) {
        if self.title.is_some() {
            return;
        }
        for introduced in [&*SAYING, &*SAY] {
            if let Some((value, range)) = labelled(text, introduced, false) {
                self.title = Some(value);
                text.take(range);
                return;
            }
        }
    }

    /// `Move fast / Break things` and `Move fast. Break things.` are several lines.
    fn split_title(&mut self) {
        let Some(title) = self.title.clone() else {
            return;
        };
        let parts: Vec<&str> = PARTS
            .split(&title)
            .map(str::trim)
            .filter(|p| !p.is_empty())
            .collect();
        let parts = if parts.len() > 1 {
            parts
        } else {
            sentences(&title)
        };
        if let [first, rest @ ..] = parts.as_slice()
            && !rest.is_empty()
            && self.lines.is_empty()
        {
            self.title = Some((*first).to_owned());
            self.lines = rest.iter().map(|l| (*l).to_owned()).collect();
            self.title_leads = true;
        }
    }
}

/// Sentences of a text that has several; one that is short enough stays whole.
fn sentences(title: &str) -> Vec<&str> {
    let parts: Vec<&str> = title
        .split_inclusive(['.', '!', '?'])
        .map(str::trim)
        .filter(|p| p.chars().any(char::is_alphanumeric))
        .collect();
    let split = parts.len() > 1
        && parts
            .iter()
            .all(|p| p.len() >= 4 && p.contains(|c: char| c.is_alphabetic()));
    if split && (title.contains(". ") || title.contains("! ")) {
        parts
    } else {
        vec![title]
    }
}

/// A value that a label introduces: quoted, or as long as the phrase is. After `title:` all words count; after `saying`
/// the talk may go back to the picture.
fn labelled(
    text: &Text,
    label: &regex::Regex,
    whole: bool,
) -> Option<(String, std::ops::Range<usize>)> {
    let found = label.find(&text.plain)?;
    let rest = text.plain.get(found.end()..).unwrap_or_default();
    let first = rest.chars().next()?;
    let end = if text.quote(first).is_some() {
        found.end() + first.len_utf8()
    } else if whole {
        end_of_value(&text.plain, found.end())
    } else {
        end_of_phrase(&text.plain, found.end())
    };
    let end = if whole {
        found.end() + colors::before_tail(text.plain.get(found.end()..end).unwrap_or_default())
    } else {
        end
    };
    let part = text.plain.get(found.end()..end).unwrap_or_default();
    let value = if whole {
        exact(text, part)
    } else {
        spoken(text, part)
    }?;
    let only_generic =
        text.quote(first).is_none() && words(&value).iter().all(|w| phrase::is_generic(w));
    (!only_generic).then_some((value, found.start()..end))
}

fn title_of(text: &Text, share: bool, said: &str) -> Option<String> {
    if share {
        let sentence = said
            .split(['\n', '.', ';'])
            .next()
            .unwrap_or_default()
            .trim();
        if words(sentence).len() <= 9 && sentence.starts_with(|c: char| c.is_ascii_digit()) {
            return Some(sentence.to_owned());
        }
    }
    for found in FOR.find_iter(&text.plain) {
        let rest = text.plain.get(found.end()..).unwrap_or_default();
        if let Some(name) = phrase::name_at(rest).filter(|n| n.chars().any(char::is_alphabetic)) {
            let known = words(name).iter().all(|w| phrase::is_generic(w));
            if !known {
                return spoken(text, name);
            }
        }
    }
    // `Kinetic typography: stay hungry` says what to make, then what it says.
    if let Some(found) = STRUCTURE.find(&text.plain) {
        let end = end_of_value(&text.plain, found.end());
        let said = text
            .plain
            .get(found.end()..end)
            .and_then(|part| exact(text, part));
        if let Some(said) = said.filter(|s| words(s).iter().any(|w| !phrase::is_generic(w))) {
            return Some(said);
        }
    }
    phrase::topic(&text.plain)
}

/// A form's answers arrive as lines that begin with the question; only the answers count.
pub(crate) fn without_questions(said: &str) -> String {
    let answer = |line: &str, question| {
        let rest = line.trim().strip_prefix(question)?;
        Some(
            rest.trim_start_matches([':', ' ', '-', '–', '\t'])
                .to_owned(),
        )
    };
    let lines = said.lines().map(|line| {
        let title = answer(line, ASK_TITLE).map(|title| format!("title: {title}"));
        title
            .or_else(|| answer(line, ASK_KIND))
            .unwrap_or_else(|| line.to_owned())
    });
    lines.collect::<Vec<_>>().join("\n")
}
