//! Building: an approved plan becomes the recipe's files, filled in.

use super::{
    conversation::Conversation,
    design::{DESIGN_PATH, Design},
    draft::{Draft, Tools},
    facts::Turn,
    plan::recipe_of,
    recipes::Recipe,
    reply::Reply,
};
use koda_domain::plan::Plan;
use serde_json::{Value, json};

const MARK: &str = "// Recipe: ";

/// The next step of building.
pub(crate) fn reply(
    plan: &Plan,
    conversation: &Conversation,
    turn: &Turn,
    tools: Tools<'_>,
) -> Reply {
    let Some((draft, recipe)) = approved(plan, conversation, tools) else {
        return finish(
            turn,
            "The demo model has no recipe for this plan's engine, so nothing was built. Choose the other engine, or connect a model.",
        );
    };
    if let Some(refused) = turn
        .calls
        .iter()
        .find(|c| c.is_error && c.call.name != "check" && c.call.name != "update_todos")
    {
        return finish(
            turn,
            &format!(
                "Building stopped, as {} was refused: {}",
                refused.call.name, refused.output
            ),
        );
    }
    if !turn.has("write_file") {
        let text = format!(
            "Writing the “{}” recipe with your words, colours and fonts.",
            recipe.title
        );
        let mut reply = Reply::say(text);
        if turn.can("update_todos") {
            reply = reply.call("update_todos", todos(false));
        }
        return write(reply, &draft, recipe, turn, tools);
    }
    if !turn.has("check") && turn.can("check") {
        return Reply::default().call("check", json!({}));
    }
    let failed = turn.last("check").is_some_and(|c| c.is_error);
    let mut reply = Reply::default();
    if turn.can("update_todos") && !failed {
        reply = reply.call("update_todos", todos(true));
    }
    let text = if failed {
        format!(
            "“{}” is written, but the check found a problem that the demo model cannot mend.",
            plan.title
        )
    } else {
        format!(
            "“{}” is ready. Ask for changes in words: “make it blue”, “slower”, “change the title to …”{}, “portrait”, “use Playfair”.",
            plan.title,
            if super::draft::shows_data(recipe) {
                ", “set the first number to 40”"
            } else {
                ""
            }
        )
    };
    let done = finish(turn, &text);
    reply.text = done.text;
    reply.calls.extend(done.calls);
    reply
}

/// The draft that an approved plan stands for.
pub(crate) fn approved<'a>(
    plan: &Plan,
    conversation: &Conversation,
    tools: Tools<'a>,
) -> Option<(Draft, &'a Recipe)> {
    let mut draft = match &conversation.draft {
        Some(draft) => draft.clone(),
        None => Draft::begin(&plan.title, tools)?,
    };
    let fits = tools
        .recipes
        .get(&draft.recipe)
        .filter(|r| r.engine == plan.engine);
    let recipe = recipe_of(plan, tools.recipes)
        .or(fits)
        .or_else(|| tools.recipes.iter().find(|r| r.engine == plan.engine))?;
    if draft.recipe != recipe.name {
        draft.recast(recipe, tools);
    }
    draft.obey(plan);
    Some((draft, recipe))
}

/// Calls that make the workspace's sources exactly those of a recipe, with this design.
pub(crate) fn write(
    mut reply: Reply,
    draft: &Draft,
    recipe: &Recipe,
    turn: &Turn,
    tools: Tools<'_>,
) -> Reply {
    for (path, text) in &recipe.files {
        let content = if path == DESIGN_PATH {
            design_file(&draft.design, recipe)
        } else {
            text.clone()
        };
        reply = reply.call(
            "write_file",
            json!({ "path": path, "content": content, "allow_shrink": true }),
        );
    }
    let strangers = tools.facts.files.iter().filter(|path| {
        path.starts_with("src/")
            && !path.starts_with("src/koda/")
            && !recipe.files.contains_key(*path)
    });
    if turn.can("delete_file") {
        for path in strangers {
            reply = reply.call("delete_file", json!({ "path": path }));
        }
    }
    reply
}

/// `src/design.ts` of a recipe with this design.
pub(crate) fn design_file(design: &Design, recipe: &Recipe) -> String {
    let source = recipe
        .files
        .get(DESIGN_PATH)
        .map(String::as_str)
        .unwrap_or_default();
    format!("{MARK}{}\n{}", recipe.name, design.write_into(source))
}

/// The recipe that a `src/design.ts` was made from.
pub(crate) fn recipe_named_in<'a>(source: &str, tools: Tools<'a>) -> Option<&'a Recipe> {
    let name = source.lines().find_map(|line| line.strip_prefix(MARK))?;
    tools.recipes.get(name.trim())
}

/// Says this and ends the turn.
pub(crate) fn finish(turn: &Turn, text: &str) -> Reply {
    let reply = Reply::say(text);
    if turn.can("finish") {
        reply.call("finish", json!({ "summary": text }))
    } else {
        reply
    }
}

fn todos(done: bool) -> Value {
    let status = |now: &'static str| if done { "done" } else { now };
    json!({ "todos": [
        { "label": "Write the recipe's files", "status": status("active") },
        { "label": "Check the animation", "status": status("pending") },
    ] })
}
