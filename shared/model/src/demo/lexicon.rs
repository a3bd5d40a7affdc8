//! Words that mean something to the demo model, kept as data in `data/`.

use super::{color::Rgb, design::Palette};
use serde::{Deserialize, de::DeserializeOwned};
use std::{collections::BTreeMap, sync::LazyLock};

/// Names of colours.
#[derive(Debug, Deserialize)]
pub(crate) struct ColorWords {
    pub names: BTreeMap<String, String>,
    pub modifiers: BTreeMap<String, Modifier>,
    /// Phrases in which a colour's name means something else.
    pub not_colors: Vec<String>,
    /// Names that are as often things; they count where a colour is expected.
    pub only_when_placed: Vec<String>,
}

/// What a word such as `dark` does to a colour.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Modifier {
    /// Multiplies lightness.
    pub lightness: Option<f32>,
    /// Multiplies saturation.
    pub saturation: Option<f32>,
    /// Moves lightness towards white, by this share.
    pub tint: Option<f32>,
    pub set_lightness: Option<f32>,
    pub set_saturation: Option<f32>,
    /// Turns the hue a fifth of the way to this one.
    pub hue_toward: Option<f32>,
}

/// A palette that stands for a mood.
#[derive(Debug, Deserialize)]
pub(crate) struct NamedPalette {
    pub name: String,
    pub mood: String,
    pub words: Vec<String>,
    /// Whether it is for an occasion, and never taken by chance.
    #[serde(default)]
    pub only_asked: bool,
    pub colors: Palette,
}

/// Font families by kind.
#[derive(Debug, Deserialize)]
pub(crate) struct FontWords {
    pub kinds: Vec<FontKind>,
    /// The families that 3D letters can be cut from: those that the 3D template carries.
    pub theatre: Vec<String>,
    /// Well-known families that the templates do not carry.
    pub absent: Vec<String>,
    /// For titles, where no word asks for a kind.
    pub titles: Vec<String>,
    /// The family for the rest beside a title's family.
    pub bodies: BTreeMap<String, String>,
    /// The same for any other title.
    pub body: String,
}

/// A kind of font.
#[derive(Debug, Deserialize)]
pub(crate) struct FontKind {
    pub name: String,
    pub words: Vec<String>,
    /// Best first.
    pub families: Vec<String>,
}

/// What says which recipe is meant.
#[derive(Debug, Deserialize)]
pub(crate) struct RecipeWords {
    /// For each recipe: phrases and how much each says.
    pub phrases: BTreeMap<String, BTreeMap<String, f64>>,
    /// Words that only say what kind of thing to make; no title is made of them.
    pub generic: Vec<String>,
    /// Phrases that ask for the third dimension or for flat graphics.
    pub three_d: Vec<String>,
    pub two_d: Vec<String>,
}

pub(crate) static COLORS: LazyLock<ColorWords> =
    LazyLock::new(|| load(include_str!("data/colors.json")));
pub(crate) static PALETTES: LazyLock<Vec<NamedPalette>> =
    LazyLock::new(|| load(include_str!("data/palettes.json")));
pub(crate) static FONTS: LazyLock<FontWords> =
    LazyLock::new(|| load(include_str!("data/fonts.json")));
pub(crate) static RECIPES: LazyLock<RecipeWords> =
    LazyLock::new(|| load(include_str!("data/recipes.json")));

fn load<T: DeserializeOwned>(json: &str) -> T {
    #[expect(
        clippy::expect_used,
        reason = "the files are part of the program, and tests read every one"
    )]
    serde_json::from_str(json).expect("the lexicon is JSON of its own shape")
}

impl Modifier {
    pub fn apply(&self, color: Rgb) -> Rgb {
        let mut hsl = color.hsl();
        hsl.s = self
            .set_saturation
            .filter(|_| hsl.s > 0.05)
            .unwrap_or(hsl.s)
            * self.saturation.unwrap_or(1.0);
        hsl.l = self.set_lightness.unwrap_or(hsl.l) * self.lightness.unwrap_or(1.0);
        hsl.l += (1.0 - hsl.l) * self.tint.unwrap_or(0.0);
        if let Some(hue) = self.hue_toward {
            let turn = (hue - hsl.h + 540.0).rem_euclid(360.0) - 180.0;
            hsl.h += turn * 0.2;
        }
        hsl.into()
    }
}

/// Whether these words hold this phrase, in the singular or plural; a hyphen is as good as a space.
pub(crate) fn contains_phrase(words: &[String], phrase: &str) -> bool {
    let parts: Vec<&str> = phrase.split([' ', '-']).collect();
    let same = |word: &String, part: &&str| {
        word == part
            || word
                .strip_suffix('s')
                .is_some_and(|w| w == *part && w.len() > 3)
    };
    words
        .windows(parts.len())
        .any(|window| window.iter().zip(&parts).all(|(w, p)| same(w, p)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::color::READABLE;
    use crate::demo::design::{
        ByRole,
        ColorRole::{Accent, Background, Primary, Text},
    };

    #[test]
    fn every_palette_can_be_read_and_every_colour_is_one() {
        assert!(PALETTES.len() >= 16);
        for palette in PALETTES.iter() {
            let c = |role| palette.colors.get(role);
            let name = &palette.name;
            assert!(c(Text).contrast(c(Background)) >= READABLE, "{name}: text");
            assert!(c(Primary).contrast(c(Background)) >= 3.0, "{name}: primary");
            assert!(c(Accent).contrast(c(Background)) >= 2.0, "{name}: accent");
        }
        for (name, hex) in &COLORS.names {
            assert!(Rgb::parse(hex).is_some(), "{name}");
        }
        assert!(COLORS.names.len() >= 40 && !COLORS.modifiers.is_empty());
    }

    #[test]
    fn phrases_are_found_as_whole_words_and_in_the_plural() {
        let words = crate::demo::text::words("Two Bar-charts of open source bars");
        assert!(contains_phrase(&words, "open source") && contains_phrase(&words, "bar"));
        assert!(!contains_phrase(&words, "art"));
        assert!(contains_phrase(
            &crate::demo::text::words("sans-serif fonts"),
            "sans-serif"
        ));
        assert!(contains_phrase(
            &crate::demo::text::words("camera fly through"),
            "fly-through"
        ));
    }

    #[test]
    fn every_list_of_words_is_there() {
        assert!(
            !FONTS.kinds.is_empty() && !RECIPES.phrases.is_empty() && !RECIPES.generic.is_empty()
        );
    }
}
