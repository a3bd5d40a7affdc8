//! The animation as it is wanted now: what a plan is made of, and what an edit changes.

use super::{
    brief::Brief,
    choose,
    color::{READABLE, Rgb},
    design::{ColorRole, Design},
    facts::{Facts, Heard},
    fonts::Fonts,
    ops, palette,
    recipes::{Recipe, Recipes},
    text::{Text, capitalised, words},
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

/// How a conversation came to a draft.
#[derive(Debug, Clone)]
pub(crate) struct Conversation {
    pub draft: Option<Draft>,
    /// What the newest message changed; empty where it began afresh.
    pub changes: Vec<String>,
    /// What of the newest message could not be done.
    pub refusals: Vec<String>,
    /// Whether the newest message says anything that was understood.
    pub understood: bool,
}

/// What the parts of the demo model share.
#[derive(Clone, Copy)]
pub(crate) struct Tools<'a> {
    pub recipes: &'a Recipes,
    pub fonts: &'a Fonts,
    pub facts: &'a Facts,
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
        let base = asked.unwrap_or_else(|| palette::by_chance(&brief.seed));
        let mut given: Vec<(ColorRole, Rgb)> = chosen_colors(tools.facts);
        given.retain(|(role, _)| !brief.colors.iter().any(|(r, _)| r == role));
        given.extend(&brief.colors);
        self.design.colors = palette::with(&base.colors, &given);
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
        let mut fonts = tools.fonts.for_mood(&mood_words, &brief.seed);
        if let Some(family) = &brief.font {
            fonts = tools.fonts.pair(family);
        } else if let Some(title) = settings.fonts.title.as_deref() {
            fonts = tools.fonts.pair(title);
        }
        if let Some(body) = settings
            .fonts
            .body
            .as_deref()
            .filter(|_| brief.font.is_none())
        {
            fonts.body = body.to_owned();
        }
        self.design.fonts = fonts;
    }

    fn fill_logo(&mut self, facts: &Facts) {
        let any = || {
            facts
                .pictures()
                .next_back()
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
    pub fn recast(&mut self, recipe: &Recipe) {
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
        self.design.fonts = before.fonts;
        self.design.lines = before.lines;
        self.design.logo = before.logo;
        self.design.data = data;
    }
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

impl Conversation {
    /// Goes through all that was said: the first request that says something, then every change to it.
    pub fn follow(heard: &[Heard], tools: Tools<'_>) -> Self {
        let mut all = Self {
            draft: None,
            changes: Vec::new(),
            refusals: Vec::new(),
            understood: false,
        };
        let mut newest: Option<(Draft, &str)> = None;
        for one in heard {
            match one {
                Heard::Said(words) => {
                    newest = all.draft.clone().map(|draft| (draft, words.as_str()));
                    all.hear(words, tools);
                }
                Heard::Wrote(source) => all.show(source, tools),
                Heard::Read(source) => {
                    // What was said before the reading is meant of what was read.
                    let Some((before, words)) = newest
                        .clone()
                        .filter(|(_, w)| !begins_afresh(&Text::read(w)))
                    else {
                        continue;
                    };
                    all.draft = Some(before);
                    all.show(source, tools);
                    all.hear(words, tools);
                }
            }
        }
        all
    }

    fn show(&mut self, source: &str, tools: Tools<'_>) {
        if let (Some(draft), Ok(design)) = (&mut self.draft, Design::read(source)) {
            draft.design = design;
            if let Some(recipe) = super::build::recipe_named_in(source, tools) {
                draft.recipe.clone_from(&recipe.name);
            }
        }
    }

    fn hear(&mut self, said: &str, tools: Tools<'_>) {
        self.changes.clear();
        self.refusals.clear();
        self.understood = false;
        let said = &super::brief::without_questions(said);
        let text = Text::read(said);
        if text.is_blank()
            || ops::is_question(&text)
            || ops::is_consent(&text)
            || ops::undo(&text).is_some()
        {
            return;
        }
        let Some(draft) = self.draft.as_mut().filter(|_| !begins_afresh(&text)) else {
            self.draft = Draft::begin(said, tools);
            self.understood = self.draft.is_some();
            return;
        };
        let wishes = ops::read(said, draft, tools);
        for op in &wishes {
            match super::apply::apply(op, draft, tools) {
                Ok(change) => self.changes.push(change),
                Err(why) => self.refusals.push(why),
            }
        }
        self.understood = !wishes.is_empty();
    }
}

/// Whether a message asks for a new animation rather than for a change.
pub(crate) fn begins_afresh(text: &Text) -> bool {
    super::text::patterns! {
        FRESH = r"^(?:\W*(?:please|ok|okay|actually|no|now|hey|hi)\W+)*(?:(?:can|could)\s+you\s+)?(?:(?:make|create|design|generate|animate|build|produce|start|do|give\s+me|i\s+(?:want|need)|let's\s+(?:make|do))\s+(?:me\s+|us\s+)?(?:(?:a|an|another|some)\s+)(?:completely\s+|totally\s+)?(?:new\s+|different\s+|fresh\s+|\p{L}+\s+){0,4}(?:animation|video|intro|outro|opener|clip|reveal|chart|graph|title|typography|shot|turntable|ad|promo|teaser|trailer|particles|confetti)\b|start\s+(?:over|again|from\s+scratch)|new\s+(?:animation|idea|request|video)\b)";
    }
    FRESH.is_match(&text.plain)
}

/// Sentences about what changed, as one.
pub(crate) fn sentence(changes: &[String]) -> String {
    match changes {
        [] => String::new(),
        [one] => format!("{}.", capitalised(one)),
        [first @ .., last] => format!("{} and {last}.", capitalised(&first.join(", "))),
    }
}
