//! Planning: from what was said to a plan.

use super::{
    brief::without_questions,
    conversation::{Conversation, sentence},
    design::ColorRole,
    draft::{Draft, Tools},
    facts::Turn,
    ops,
    recipes::{Recipe, Recipes},
    reply::Reply,
    text::{Text, shortened},
};
use koda_domain::{
    plan::{Plan, PlanDesign, Scene},
    settings::{Colors, Fonts, SettingsPatch},
};
use serde_json::json;

pub(crate) const ASK_TITLE: &str = "What should it say?";
pub(crate) const ASK_KIND: &str = "What kind of animation?";
const RECIPE: &str = "Recipe: ";
const HONEST: &str = "The demo model is not an AI";

/// Answers a message while there is no approved plan, or a new one is wanted.
pub(crate) fn reply(conversation: &Conversation, turn: &Turn, tools: Tools<'_>) -> Reply {
    let request = Text::read(&without_questions(&tools.facts.request));
    if let Some(refused) = turn.last("propose_plan").filter(|c| c.is_error) {
        return Reply::say(format!(
            "The plan was refused: {} Say it in another way, and I try again.",
            refused.output
        ));
    }
    if turn.has("propose_plan") || turn.has("ask_user") {
        return Reply::default();
    }
    if ops::is_consent(&request) && tools.facts.proposal.is_some() {
        return Reply::say(
            "Press “Approve” on the plan, and it is built. You can also edit its scenes first.",
        );
    }
    if ops::is_question(&request) {
        return Reply::say(abilities(tools.recipes));
    }
    if !turn.can("propose_plan") {
        return Reply::say(format!(
            "{HONEST}, and no plan can be made just now. {}",
            abilities(tools.recipes)
        ));
    }
    if request.is_blank() || conversation.draft.is_none() && tools.facts.settings.engine.is_none() {
        return ask(turn, tools.recipes);
    }
    let begun = Draft::begin(&tools.facts.request, tools);
    // After a rejection, words that change nothing are a new wish.
    let draft = if conversation.understood {
        conversation.draft.clone()
    } else {
        begun.filter(|_| tools.facts.proposal.is_none())
    };
    let Some((draft, recipe)) = draft.and_then(|d| tools.recipes.get(&d.recipe).map(|r| (d, r)))
    else {
        return not_understood(conversation, tools);
    };
    if !conversation.refusals.is_empty() && conversation.changes.is_empty() {
        return Reply::say(format!(
            "The plan stays as it is: {}",
            sentence(&conversation.refusals)
        ));
    }
    let intro = if conversation.changes.is_empty() {
        format!(
            "{HONEST}: it fills in the “{}” recipe by the words of your message. Here is the plan.",
            recipe.title
        )
    } else {
        let but = if conversation.refusals.is_empty() {
            String::new()
        } else {
            format!(" But {}", lower(&sentence(&conversation.refusals)))
        };
        format!(
            "{}{but} Here is the plan again.",
            sentence(&conversation.changes)
        )
    };
    Reply::say(intro).call("propose_plan", json!(plan(&draft, recipe, tools)))
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|c| c.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}

fn not_understood(conversation: &Conversation, tools: Tools<'_>) -> Reply {
    if conversation.draft.is_none() {
        return Reply::say(format!(
            "{HONEST}, and it has no recipe for the engine that the settings name. Choose the other engine, or connect a model."
        ));
    }
    Reply::say(format!(
        "{HONEST}: it did not find in your message what to change in the plan. It understands, for example, “make it 8 seconds”, \
         “use blue and orange”, “the title is Hello”, “portrait”, “use the {} recipe”. A new request beginning with “make a …” starts over.",
        tools
            .recipes
            .iter()
            .next()
            .map(|r| r.title.to_lowercase())
            .unwrap_or_default()
    ))
}

/// Asks what nobody can guess.
fn ask(turn: &Turn, recipes: &Recipes) -> Reply {
    let intro = "Say what the animation should show, and I fill in the recipe that fits.";
    if !turn.can("ask_user") {
        return Reply::say(format!("{intro} {}", abilities(recipes)));
    }
    let kinds: Vec<&str> = recipes.iter().map(|r| r.title.as_str()).collect();
    Reply::say(format!(
        "{HONEST}: it works from the words of your message, and finds none in this one."
    ))
    .call(
        "ask_user",
        json!({ "intro": intro, "fields": [
            { "id": "title", "label": ASK_TITLE, "kind": "text", "options": [] },
            { "id": "kind", "label": ASK_KIND, "kind": "choice", "options": kinds },
        ] }),
    )
}

/// What can be asked of the demo model.
pub(crate) fn abilities(recipes: &Recipes) -> String {
    let titles: Vec<String> = recipes.iter().map(|r| r.title.to_lowercase()).collect();
    format!(
        "{HONEST}: it picks one of {} recipes ({}) by the words of a message and fills in text, colours, fonts, numbers, length and format. \
         Try “Kinetic typography: ‘Move fast’”, “Bar chart of sales: Q1 10, Q2 25, Q3 40”, “Reveal our logo for Acme in teal, 5 seconds, square” \
         or “3D title saying KODA”. Connect a language model for anything else.",
        titles.len(),
        titles.join(", ")
    )
}

/// The plan of a draft.
pub(crate) fn plan(draft: &Draft, recipe: &Recipe, tools: Tools<'_>) -> Plan {
    let scene = |s: &super::recipes::SceneShare| Scene {
        title: s.title.clone(),
        description: s.description.clone(),
        duration_seconds: s.share,
    };
    let colors = &draft.design.colors;
    let mut assumptions = vec![format!("{RECIPE}{}.", recipe.name)];
    assumptions.extend(draft.assumed.iter().cloned());
    Plan {
        title: shortened(
            if draft.design.title.trim().is_empty() {
                &recipe.title
            } else {
                &draft.design.title
            },
            110,
        ),
        summary: shortened(&summary(draft, recipe), 1_900),
        engine: recipe.engine,
        scenes: recipe.scenes.iter().map(scene).collect(),
        design: PlanDesign {
            colors: Colors {
                background: Some(colors.background.clone()),
                primary: Some(colors.primary.clone()),
                accent: Some(colors.accent.clone()),
                text: Some(colors.text.clone()),
            },
            fonts: Fonts {
                title: Some(draft.design.fonts.title.clone()),
                body: Some(draft.design.fonts.body.clone()),
            },
            mood: draft.mood.clone(),
        },
        assumptions,
        settings: wishes(draft, tools, false),
    }
    .scaled_to(draft.seconds)
}

fn summary(draft: &Draft, recipe: &Recipe) -> String {
    let design = &draft.design;
    let mut says = format!("“{}”", design.title);
    if !design.lines.is_empty() && super::draft::shows_lines(recipe) {
        says = format!(
            "{} and {says}",
            design
                .lines
                .iter()
                .map(|l| format!("“{l}”"))
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    if !design.subtitle.is_empty() {
        says += &format!(" with “{}” below", design.subtitle);
    }
    if super::draft::shows_data(recipe) {
        let text = |key: &str| {
            design
                .more
                .get(key)
                .and_then(|v| v.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        let (prefix, suffix) = (text("prefix"), text("suffix"));
        let numbers: Vec<String> = design
            .data
            .iter()
            .map(|d| format!("{} {prefix}{}{suffix}", d.label, d.value))
            .collect();
        says += &format!(", showing {}", numbers.join(", "));
    }
    if let Some(logo) = &design.logo {
        says += &format!(
            ", with the picture {}",
            logo.rsplit('/').next().unwrap_or(logo)
        );
    }
    let head = says
        .chars()
        .next()
        .map_or(String::new(), |c| c.to_uppercase().collect());
    format!(
        "{head}{}. {}",
        says.get(says.chars().next().map_or(0, char::len_utf8)..)
            .unwrap_or_default(),
        recipe.description
    )
}

/// What the settings must become. `keep` records named colours and fonts even where the settings left them open.
pub(crate) fn wishes(draft: &Draft, tools: Tools<'_>, keep: bool) -> SettingsPatch {
    let settings = &tools.facts.settings;
    let mut patch = SettingsPatch {
        aspect: Some(draft.aspect).filter(|a| *a != settings.aspect),
        fps: Some(draft.fps).filter(|f| *f != settings.fps),
        resolution: Some(draft.resolution).filter(|r| *r != settings.resolution),
        duration_seconds: Some(draft.seconds)
            .filter(|s| draft.timed && (*s - settings.duration_seconds).abs() > 1e-6),
        ..SettingsPatch::default()
    };
    let colors = &draft.design.colors;
    let mut next = settings.colors.clone();
    let roles = [
        (
            ColorRole::Background,
            &mut next.background,
            &colors.background,
        ),
        (ColorRole::Primary, &mut next.primary, &colors.primary),
        (ColorRole::Accent, &mut next.accent, &colors.accent),
        (ColorRole::Text, &mut next.text, &colors.text),
    ];
    for (role, chosen, now) in roles {
        let overruled = chosen
            .as_ref()
            .is_some_and(|c| !c.eq_ignore_ascii_case(now));
        if overruled || (keep && draft.named.contains(&role)) {
            *chosen = Some(now.clone());
        }
    }
    patch.colors = Some(next).filter(|c| *c != settings.colors);
    let mut fonts = settings.fonts.clone();
    for (chosen, now) in [
        (&mut fonts.title, &draft.design.fonts.title),
        (&mut fonts.body, &draft.design.fonts.body),
    ] {
        if chosen.as_ref().is_some_and(|c| c != now) {
            *chosen = Some(now.clone());
        }
    }
    patch.fonts = Some(fonts).filter(|f| *f != settings.fonts);
    patch
}

/// The recipe that a plan names.
pub(crate) fn recipe_of<'a>(plan: &Plan, recipes: &'a Recipes) -> Option<&'a Recipe> {
    let named = plan
        .assumptions
        .iter()
        .find_map(|a| a.strip_prefix(RECIPE))?;
    recipes
        .get(named.trim().trim_end_matches('.'))
        .filter(|r| r.engine == plan.engine)
}
