//! Choosing the recipe by the words of a request.

use super::{
    brief::Brief,
    facts::Facts,
    lexicon::{RECIPES, contains_phrase},
    phrase::is_generic,
    recipes::{Recipe, Recipes},
    text::words,
};
use koda_domain::format::Engine;

/// What a keyword of a recipe's own description says, where the lexicon has no weight for it.
const KEYWORD: f64 = 1.5;

/// The recipe that fits best, among those of the engine that was chosen.
pub(crate) fn choose<'a>(
    brief: &Brief,
    facts: &Facts,
    engine: Option<Engine>,
    recipes: &'a Recipes,
) -> Option<&'a Recipe> {
    let able = recipes
        .iter()
        .filter(|r| engine.is_none_or(|e| r.engine == e));
    able.map(|recipe| (score(recipe, brief, facts), recipe))
        .max_by(|(a, x), (b, y)| a.total_cmp(b).then_with(|| y.name.cmp(&x.name)))
        .map(|(_, recipe)| recipe)
}

fn score(recipe: &Recipe, brief: &Brief, facts: &Facts) -> f64 {
    let mut score = said(recipe, &brief.words);
    let settings = &facts.settings;
    let technique = |t: &String| said(recipe, &words(t)).min(6.0);
    score += settings.techniques.iter().map(technique).sum::<f64>();
    score += dimension(recipe.engine, &brief.words);
    score += match recipe.name.as_str() {
        "animated-chart" => brief
            .data
            .as_ref()
            .map_or(0.0, |data| data.weight().max(3.0)),
        "logo-reveal" if facts.logo().is_some() => 2.5,
        "kinetic-typography" if brief.lines.len() >= 2 => 4.0,
        "kinetic-typography" if !brief.lines.is_empty() => 2.0,
        // What nothing speaks for becomes a title.
        "title-card" => 0.6,
        "title-3d" => 0.4,
        _ => 0.0,
    };
    score
}

/// How much words speak for a recipe.
pub(crate) fn said(recipe: &Recipe, words: &[String]) -> f64 {
    let known = RECIPES.phrases.get(&recipe.name);
    let weighed: f64 = known
        .into_iter()
        .flatten()
        .filter(|(p, _)| contains_phrase(words, p))
        .map(|(_, w)| w)
        .sum();
    let elsewhere = |k: &str| RECIPES.phrases.values().any(|p| p.contains_key(k));
    let own = recipe
        .keywords
        .iter()
        .map(|k| k.to_lowercase().replace('-', " "));
    // A mood says nothing of the kind of animation.
    let others = own
        .filter(|k| !elsewhere(k) && !is_generic(k) && contains_phrase(words, k))
        .count();
    let name = if contains_phrase(words, &recipe.name) {
        10.0
    } else {
        0.0
    };
    #[expect(clippy::cast_precision_loss, reason = "a handful of keywords")]
    let others = others.min(3) as f64 * KEYWORD;
    weighed + others + name
}

fn dimension(engine: Engine, words: &[String]) -> f64 {
    let any = |phrases: &[String]| phrases.iter().any(|p| contains_phrase(words, p));
    match engine {
        Engine::Theatre if any(&RECIPES.three_d) => 4.0,
        Engine::Remotion if any(&RECIPES.two_d) => 4.0,
        // Flat, unless something speaks for depth.
        Engine::Theatre => -0.75,
        _ => 0.0,
    }
}

/// The recipe that is named to be used instead, as in `use the particles recipe` or `turn it into a chart`.
pub(crate) fn named<'a>(
    what: &str,
    engine: Option<Engine>,
    recipes: &'a Recipes,
) -> Option<&'a Recipe> {
    let said_of = words(what);
    let scored = recipes.iter().map(|r| {
        let same = if engine == Some(r.engine) { 0.5 } else { 0.0 };
        (said(r, &said_of) + dimension(r.engine, &said_of) + same, r)
    });
    scored
        .filter(|(score, _)| *score >= 2.5)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, r)| r)
}
