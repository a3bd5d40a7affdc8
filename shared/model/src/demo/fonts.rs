//! Choosing font families among those that the templates carry.

use koda_domain::format::Engine;

use super::{
    design::FontPair,
    lexicon::{FONTS, FontKind, contains_phrase},
    text::{Text, hash, patterns, whole_word},
};

patterns! {
    BEFORE = r"(?:\b(?:in|with|using|use|set|font|typeface|the|a|to|as)\s+)+$";
    AFTER = r"^\s+(?:font|typeface|family)\b";
}

/// Families that can be used.
#[derive(Debug, Clone)]
pub(crate) struct Fonts {
    names: Vec<String>,
}

impl Fonts {
    /// Of the names that the request lists; of those that the lexicon knows, where it lists none or only one.
    pub fn new(listed: &[String]) -> Self {
        let mut names = listed.to_vec();
        if names.is_empty() {
            names = FONTS
                .kinds
                .iter()
                .flat_map(|k| k.families.clone())
                .chain(FONTS.titles.clone())
                .collect();
            names.push(FONTS.body.clone());
            names.sort();
            names.dedup();
        }
        Self { names }
    }

    /// Those of them that an engine's template carries.
    pub fn on(&self, engine: Engine) -> Self {
        let mut names = self.names.clone();
        if engine == Engine::Theatre {
            names.retain(|n| FONTS.theatre.contains(n));
        }
        if names.is_empty() {
            names.push(FONTS.body.clone());
        }
        Self { names }
    }

    /// This family, or where it is not at hand the most like it.
    pub fn like(&self, family: &str) -> String {
        if let Some(name) = self.named(family) {
            return name.to_owned();
        }
        let of_its_kind = FONTS
            .kinds
            .iter()
            .filter(|k| k.families.iter().any(|f| f == family));
        let similar = of_its_kind.filter_map(|kind| self.of_kind(kind, "")).next();
        similar.unwrap_or_else(|| self.for_mood(&[], family).title)
    }

    /// A family by its name, or by the beginning of it.
    pub fn named(&self, name: &str) -> Option<&str> {
        let wanted = name.trim().to_lowercase();
        let same = |n: &&String| n.to_lowercase() == wanted;
        let begins = |n: &&String| wanted.len() >= 4 && n.to_lowercase().starts_with(&wanted);
        self.names
            .iter()
            .find(same)
            .or_else(|| self.names.iter().find(begins))
            .map(String::as_str)
    }

    /// The family that the words name, with where: `in Playfair`.
    pub fn mentioned(&self, text: &Text) -> Option<(String, std::ops::Range<usize>)> {
        let lower = text.plain.to_lowercase();
        if lower.len() != text.plain.len() {
            return None;
        }
        let mut all: Vec<&String> = self.names.iter().collect();
        all.sort_by_key(|n| std::cmp::Reverse(n.len()));
        for name in all {
            // Half a name is enough where that is no everyday word.
            let short = name.split(' ').next().filter(|f| {
                f.len() >= 5 && name.contains(' ') && !["Space", "Archivo"].contains(f)
            });
            for wanted in [Some(name.as_str()), short].into_iter().flatten() {
                let Some(range) = whole_word(&lower, &wanted.to_lowercase()) else {
                    continue;
                };
                let before = BEFORE
                    .find(lower.get(..range.start).unwrap_or_default())
                    .map_or(range.start, |m| m.start());
                let after = AFTER
                    .find(lower.get(range.end..).unwrap_or_default())
                    .map_or(0, |m| m.end());
                // `Inter`, `Outfit` and `Anton` are also words and names: they need a word for a font beside them.
                if name.contains(' ') || before < range.start || after > 0 {
                    return Some((name.clone(), before..range.end + after));
                }
            }
        }
        None
    }

    /// Every family, for telling a person.
    pub fn list(&self) -> String {
        self.names.join(", ")
    }

    /// The kind of font that the words ask for.
    pub fn kind(words: &[String]) -> Option<&'static FontKind> {
        FONTS.kinds.iter().find(|kind| {
            contains_phrase(words, &kind.name)
                || kind.words.iter().any(|w| contains_phrase(words, w))
        })
    }

    /// The first family of a kind that can be used, another than this one where there is one.
    pub fn of_kind(&self, kind: &FontKind, not: &str) -> Option<String> {
        let mut able = kind.families.iter().filter_map(|f| self.named(f));
        let first = able.next()?;
        Some(
            if first == not {
                able.next().unwrap_or(first)
            } else {
                first
            }
            .to_owned(),
        )
    }

    /// A title's family with one for the rest.
    pub fn pair(&self, title: &str) -> FontPair {
        let body = FONTS
            .bodies
            .get(title)
            .and_then(|b| self.named(b))
            .or_else(|| self.named(&FONTS.body));
        FontPair {
            title: title.to_owned(),
            body: body.unwrap_or(title).to_owned(),
        }
    }

    /// A pair for a mood; always the same one for the same words.
    pub fn for_mood(&self, words: &[String], seed: &str) -> FontPair {
        let asked = Self::kind(words).and_then(|kind| self.of_kind(kind, ""));
        let chance = || {
            let able: Vec<&str> = FONTS.titles.iter().filter_map(|t| self.named(t)).collect();
            let n = usize::try_from(hash(seed) % able.len().max(1) as u64).unwrap_or_default();
            able.get(n).map(|t| (*t).to_owned())
        };
        let title = asked
            .or_else(chance)
            .or_else(|| self.names.first().cloned());
        self.pair(&title.unwrap_or_else(|| FONTS.body.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::text::words;

    fn all() -> Fonts {
        Fonts::new(&[])
    }

    #[test]
    fn families_are_found_by_name_and_by_its_beginning() {
        assert_eq!(all().named("playfair"), Some("Playfair Display"));
        assert_eq!(all().named("Inter"), Some("Inter"));
        assert_eq!(all().named("Comic Sans"), None);
        let in_words = |w: &str| all().mentioned(&Text::read(w)).map(|(name, _)| name);
        assert_eq!(
            in_words("a title in Playfair").as_deref(),
            Some("Playfair Display")
        );
        assert_eq!(
            in_words("use the font Bebas Neue").as_deref(),
            Some("Bebas Neue")
        );
        assert_eq!(in_words("Inter Milan wins"), None);
        assert_eq!(in_words("Anton turns 40"), None);
    }

    #[test]
    fn kinds_are_asked_for_in_plain_words() {
        let kind = |w: &str| Fonts::kind(&words(w)).map(|k| k.name.as_str());
        assert_eq!(kind("a sans serif font"), Some("sans-serif"));
        assert_eq!(kind("make it a serif"), Some("serif"));
        assert_eq!(kind("handwritten please"), Some("handwritten"));
        assert_eq!(kind("bolder"), Some("bold"));
    }

    #[test]
    fn the_lexicon_knows_which_template_bundles_which_family() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates");
        for engine in [Engine::Remotion, Engine::Theatre] {
            let path = format!("{root}/{engine}/src/koda/families.ts");
            let bundled = std::fs::read_to_string(&path).unwrap();
            for family in &all().names {
                let there = bundled.contains(&format!("name: \"{family}\""));
                let known = all().on(engine).named(family) == Some(family);
                assert_eq!(there, known, "{engine}: {family}");
            }
        }
    }

    #[test]
    fn a_family_that_an_engine_lacks_gives_way_to_its_like() {
        let fonts = all().on(Engine::Theatre);
        assert_eq!(fonts.like("Playfair Display"), "DM Serif Display");
        assert_eq!(fonts.like("Anton"), "Anton");
        assert!(fonts.named(&fonts.like("Caveat")).is_some());
        let pair = fonts.pair("DM Serif Display");
        assert!(fonts.named(&pair.body).is_some(), "{pair:?}");
    }

    #[test]
    fn only_families_that_are_there_are_chosen() {
        let few = Fonts::new(&["Inter".into()]);
        assert_eq!(
            few.for_mood(&words("elegant"), "x"),
            FontPair {
                title: "Inter".into(),
                body: "Inter".into()
            }
        );
    }
}
