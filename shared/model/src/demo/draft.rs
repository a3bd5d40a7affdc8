//! The animation as it is wanted now: what a plan is made of, and what an edit changes.

use super::{
    brief::Brief,
    choose,
    color::{READABLE, Rgb},
    design::{ByRole, ColorRole, Design, FontPair},
    facts::Facts,
    fonts::Fonts,
    palette,
    recipes::{Recipe, Recipes},
    text::words,
};
use koda_domain::{
    format::{Aspect, Fps, Resolution},
    plan::Plan,
};

/// A wish in the making.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draft {
    /// Name of the recipe.
    pub recipe: String,
    pub design: Design,
    pub seconds: f64,
    pub fps: Fps,
    pub aspect: Aspect,
    pub resolution: Resolution,
    /// Whether the length was asked for in words.
    pub timed: bool,
    /// Roles that a person named a colour for.
    pub named: Vec<ColorRole>,
    pub mood: String,
    /// What was taken for granted, as sentences.
    pub assumed: Vec<String>,
}

/// What the parts of the demo model share.
#[derive(Clone, Copy)]
pub(crate) struct Tools<'a> {
    pub recipes: &'a Recipes,
    pub fonts: &'a Fonts,
    pub facts: &'a Facts,
}

impl Tools<'_> {
    /// Families that a recipe's engine can draw.
    pub fn fonts_of(&self, recipe: &str) -> Fonts {
        self.recipes
            .get(recipe)
            .map_or_else(|| self.fonts.clone(), |r| self.fonts.on(r.engine))
    }
}

impl Draft {
    /// A draft for a request that begins afresh.
    pub fn begin(said: &str, tools: Tools<'_>) -> Option<Self> {
        let facts = tools.facts;
        let brief = Brief::read(said, tools.fonts);
        let recipe = choose::choose(&brief, facts, facts.settings.engine, tools.recipes)?;
        let settings = &facts.settings;
        let mut draft = Self {
            recipe: recipe.name.clone(),
            design: recipe.design.clone(),
            seconds: if settings.duration_fixed {
                settings.duration_seconds
            } else {
                recipe.duration_seconds
            },
            fps: brief.format.fps.unwrap_or(settings.fps),
            aspect: brief.format.aspect.unwrap_or(settings.aspect),
            resolution: brief.format.resolution.unwrap_or(settings.resolution),
            timed: brief.format.seconds.is_some(),
            named: brief.colors.iter().map(|(role, _)| *role).collect(),
            mood: String::new(),
            assumed: brief.format.notes.clone(),
        };
        match brief.format.seconds {
            Some(seconds) => draft.seconds = seconds,
            None if settings.duration_fixed => {}
            None => draft.assume(format!(
                "{} seconds, as the request gives no length.",
                draft.seconds
            )),
        }
        draft.fill_words(&brief, recipe);
        draft.fill_data(&brief, recipe);
        draft.fill_look(&brief, tools);
        draft.fill_logo(facts);
        Some(draft)
    }

    fn assume(&mut self, sentence: String) {
        self.assumed.push(sentence);
    }

    fn fill_words(&mut self, brief: &Brief, recipe: &Recipe) {
        let mut lines = brief.lines.clone();
        let mut title = brief.title.clone();
        // Further lines lead up to the title, so what is said last is the title.
        if shows_lines(recipe) && (brief.title_leads || title.is_none()) && !lines.is_empty() {
            lines.splice(0..0, title.take());
            title = lines.pop();
        }
        let untitled = title.is_none();
        let title = title.or_else(|| stand_in(brief, recipe));
        if let (true, Some(title)) = (untitled, &title) {
            self.assume(format!(
                "The title is “{title}”, as the request names none."
            ));
        }
        match title {
            Some(title) => self.design.title = title,
            None => self.assume(format!(
                "The title is “{}”, as the request names none.",
                recipe.design.title
            )),
        }
        self.design.subtitle = brief.subtitle.clone().unwrap_or_default();
        if !(untitled && shows_lines(recipe)) {
            self.design.lines = lines;
        }
        // A recipe that shows lines as well still says all that was asked for.
        if !shows_lines(recipe) && self.design.subtitle.is_empty() && !brief.lines.is_empty() {
            self.design.subtitle = brief.lines.join(" · ");
            self.design.lines.clear();
        }
    }

    fn fill_data(&mut self, brief: &Brief, recipe: &Recipe) {
        if !shows_data(recipe) {
            return;
        }
        let Some(found) = &brief.data else {
            self.assume(
                "The numbers are samples, as the request gives none; send yours as “Q1 10, Q2 25”."
                    .into(),
            );
            return;
        };
        self.design.data = found.data();
        let (prefix, suffix) = found.affixes();
        for (key, text) in [("prefix", prefix), ("suffix", suffix)] {
            if recipe.design.more.contains_key(key) || !text.is_empty() {
                self.design.more.insert(key.into(), text.into());
            }
        }
        if found.is_bare() {
            self.assume(
                "The numbers are labelled 1, 2, 3 …, as the request names no labels.".into(),
            );
        }
        let line = ["line", "trend", "curve", "over time"];
        let wants_line = line
            .iter()
            .any(|w| super::lexicon::contains_phrase(&brief.words, w));
        if let Some(style) = self.design.more.get_mut("style").filter(|_| wants_line) {
            *style = "line".into();
        }
    }

    fn fill_look(&mut self, brief: &Brief, tools: Tools<'_>) {
        let settings = &tools.facts.settings;
        let mut mood_words = brief.words.clone();
        for word in [&settings.theme, &settings.style].into_iter().flatten() {
            mood_words.extend(words(word));
        }
        let asked = palette::by_words(&mood_words);
        let mut given: Vec<(ColorRole, Rgb)> = chosen_colors(tools.facts);
        given.retain(|(role, _)| !brief.colors.iter().any(|(r, _)| r == role));
        given.extend(&brief.colors);
        let ground = given
            .iter()
            .find(|(role, _)| *role == ColorRole::Background);
        let base = asked.or_else(|| ground.map(|(_, color)| palette::around(*color)));
        let base = base.unwrap_or_else(|| palette::by_chance(&brief.seed));
        let mut fixed = given.clone();
        if let Some(dark) = palette::shade(&mood_words).filter(|_| ground.is_none()) {
            let main = given.iter().find(|(r, _)| *r == ColorRole::Primary);
            let background = palette::shaded(&base.colors, main.map(|(_, color)| *color), dark);
            fixed.push((ColorRole::Background, background));
        }
        self.design.colors = palette::with(&base.colors, &fixed);
        self.mood.clone_from(&base.mood);
        let (text, ground) = (
            self.design.colors.get(ColorRole::Text),
            self.design.colors.get(ColorRole::Background),
        );
        if text.contrast(ground) < READABLE {
            self.assume(
                "The text stands out little from the background, as both colours were named."
                    .into(),
            );
        }
        if given.is_empty() {
            let why = if asked.is_some() {
                "for the mood of the request"
            } else {
                "as the request names no colours"
            };
            self.assume(format!("Colours: the “{}” palette, {why}.", base.name));
        }
        self.fill_fonts(brief, &mood_words, tools);
    }

    fn fill_fonts(&mut self, brief: &Brief, mood_words: &[String], tools: Tools<'_>) {
        let settings = &tools.facts.settings.fonts;
        let able = tools.fonts_of(&self.recipe);
        let wanted = brief.font.as_ref().or(settings.title.as_ref());
        let mut fonts = match wanted {
            Some(family) => able.pair(&able.like(family)),
            None => able.for_mood(mood_words, &brief.seed),
        };
        if let Some(family) = wanted.filter(|f| able.named(f).is_none()) {
            let instead = &fonts.title;
            self.assume(format!(
                "The font {family} is not at hand in 3D, so {instead} stands in."
            ));
        }
        if let (Some(body), None) = (&settings.body, &brief.font) {
            fonts.body = able.like(body);
        }
        self.design.fonts = fonts;
    }

    fn fill_logo(&mut self, facts: &Facts) {
        let any = || {
            facts
                .likely_logo(|_| true)
                .filter(|_| self.recipe == "logo-reveal")
        };
        self.design.logo = facts
            .logo()
            .or_else(any)
            .map(|asset| asset.public_path().to_owned());
        if self.recipe == "logo-reveal" && self.design.logo.is_none() {
            self.assume(
                "No logo is attached, so the name is drawn in letters; attach a picture to use it."
                    .into(),
            );
        }
    }

    /// Takes over what an approved plan says, edits included.
    pub fn obey(&mut self, plan: &Plan) {
        self.design.title.clone_from(&plan.title);
        let colors = &plan.design.colors;
        let given = [
            (ColorRole::Background, &colors.background),
            (ColorRole::Primary, &colors.primary),
            (ColorRole::Accent, &colors.accent),
            (ColorRole::Text, &colors.text),
        ];
        for (role, color) in given {
            if let Some(color) = color.as_deref().and_then(Rgb::parse) {
                self.design.colors.set(role, color);
            }
        }
        if let Some(title) = &plan.design.fonts.title {
            self.design.fonts.title.clone_from(title);
        }
        if let Some(body) = &plan.design.fonts.body {
            self.design.fonts.body.clone_from(body);
        }
    }

    /// The same content in another recipe.
    pub fn recast(&mut self, recipe: &Recipe, tools: Tools<'_>) {
        let before = std::mem::replace(&mut self.design, recipe.design.clone());
        self.recipe.clone_from(&recipe.name);
        let data = if before.data.is_empty() || !shows_data(recipe) {
            self.design.data.clone()
        } else {
            before.data
        };
        let kept = ["prefix", "suffix"]
            .into_iter()
            .filter_map(|k| before.more.get(k).map(|v| (k.to_owned(), v.clone())));
        if shows_data(recipe) && !before.more.is_empty() {
            self.design
                .more
                .extend(kept.filter(|(_, v)| v.as_str().is_some_and(|v| !v.is_empty())));
        }
        self.design.title = before.title;
        self.design.subtitle = before.subtitle;
        self.design.colors = before.colors;
        let able = tools.fonts_of(&recipe.name);
        self.design.fonts = FontPair {
            title: able.like(&before.fonts.title),
            body: able.like(&before.fonts.body),
        };
        self.design.lines = before.lines;
        self.design.logo = before.logo;
        self.design.data = data;
    }
}

/// A title for a request that names none, where the recipe's own would say something untrue.
fn stand_in(brief: &Brief, recipe: &Recipe) -> Option<String> {
    if recipe.name == "logo-reveal" {
        return Some("Your Brand".into());
    }
    let data = brief.data.as_ref().filter(|_| shows_data(recipe))?.data();
    let labels: Vec<&str> = data.iter().map(|d| d.label.as_str()).collect();
    Some(match labels.as_slice() {
        [one, other] if other.chars().any(char::is_alphabetic) => format!("{one} vs {other}"),
        _ => "In numbers".into(),
    })
}

/// Whether a recipe draws `lines`.
pub(crate) fn shows_lines(recipe: &Recipe) -> bool {
    recipe
        .files
        .iter()
        .any(|(path, text)| path != super::design::DESIGN_PATH && text.contains("design.lines"))
}

/// Whether a recipe draws `logo`.
pub(crate) fn shows_logo(recipe: &Recipe) -> bool {
    recipe
        .files
        .iter()
        .any(|(path, text)| path != super::design::DESIGN_PATH && text.contains("design.logo"))
}

/// Whether a recipe draws `data`.
pub(crate) fn shows_data(recipe: &Recipe) -> bool {
    !recipe.design.data.is_empty()
}

/// Colours that the person chose in the settings.
fn chosen_colors(facts: &Facts) -> Vec<(ColorRole, Rgb)> {
    let colors = &facts.settings.colors;
    let all = [
        (ColorRole::Background, &colors.background),
        (ColorRole::Primary, &colors.primary),
        (ColorRole::Accent, &colors.accent),
        (ColorRole::Text, &colors.text),
    ];
    all.into_iter()
        .filter_map(|(role, c)| Some((role, Rgb::parse(c.as_deref()?)?)))
        .collect()
}
