//! Editing: one message, read into changes, made in `src/design.ts` and the settings.

use super::{
    apply, build,
    conversation::{Conversation, begins_afresh, sentence},
    design::{DESIGN_PATH, Design},
    draft::{Draft, Tools},
    facts::Turn,
    ops, plan,
    recipes::Recipe,
    reply::Reply,
    text::Text,
};
use koda_domain::{plan::Plan, settings::SettingsPatch};
use serde_json::json;

/// The next step of answering a message about an animation that is built.
pub(crate) fn reply(
    approved: &Plan,
    conversation: &Conversation,
    turn: &Turn,
    tools: Tools<'_>,
) -> Reply {
    if let Some(refused) = turn
        .calls
        .iter()
        .find(|c| c.is_error && !matches!(c.call.name.as_str(), "check" | "read_file"))
    {
        let text = format!(
            "That did not work; {} was refused: {}",
            refused.call.name,
            first_line(&refused.output)
        );
        return build::finish(turn, &text);
    }
    if turn.has("propose_plan") {
        return Reply::default();
    }
    if turn.has("restore_version") {
        return build::finish(turn, &turn.said());
    }
    if turn.calls.is_empty() {
        return first(conversation, turn, tools);
    }
    let Some(read) = turn.last("read_file") else {
        return build::finish(turn, &turn.said());
    };
    if !["write_file", "update_settings", "set_title"]
        .iter()
        .any(|tool| turn.has(tool))
    {
        let source = if read.is_error {
            ""
        } else {
            read.output.as_str()
        };
        return match Work::of(approved, conversation, source, tools) {
            Some(work) => work.carry_out(approved, turn, tools),
            None => build::finish(
                turn,
                "The demo model has no recipe for this engine, so nothing was changed.",
            ),
        };
    }
    if !turn.has("check") && turn.can("check") {
        return Reply::default().call("check", json!({}));
    }
    let failed = turn.last("check").filter(|c| c.is_error);
    match failed {
        Some(check) => build::finish(
            turn,
            &format!(
                "The check found a problem that the demo model cannot mend: {}",
                first_line(&check.output)
            ),
        ),
        None => Reply {
            text: "Done.".into(),
            ..build::finish(turn, &turn.said())
        },
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// What to do first: answer at once, go back to a version, or look at the design.
fn first(conversation: &Conversation, turn: &Turn, tools: Tools<'_>) -> Reply {
    let request = Text::read(&tools.facts.request);
    if ops::is_consent(&request) {
        return build::finish(
            turn,
            "Nothing was changed. Export it whenever you like, or ask for a change.",
        );
    }
    if ops::is_question(&request) || (request.is_blank() && tools.facts.pictures().all(|a| !a.new))
    {
        return build::finish(turn, &abilities());
    }
    if begins_afresh(&request) && turn.can("propose_plan") {
        return plan::reply(conversation, turn, tools);
    }
    if let Some(wanted) = ops::undo(&request) {
        return undo(wanted, turn, tools);
    }
    Reply::default().call("read_file", json!({ "path": DESIGN_PATH }))
}

fn undo(wanted: Option<u32>, turn: &Turn, tools: Tools<'_>) -> Reply {
    let versions = &tools.facts.versions;
    let before_newest = versions
        .len()
        .checked_sub(2)
        .and_then(|n| versions.get(n))
        .copied();
    match wanted.or(before_newest) {
        Some(number) if versions.contains(&number) && turn.can("restore_version") => {
            Reply::say(format!("Version {number} is back."))
                .call("restore_version", json!({ "number": number }))
        }
        Some(number) => build::finish(
            turn,
            &format!("There is no version {number} to go back to, so nothing was changed."),
        ),
        None => build::finish(
            turn,
            "This is the first version: there is nothing to go back to, and nothing was changed.",
        ),
    }
}

/// What an edit can be.
fn abilities() -> String {
    "Nothing was changed. The demo model is not an AI: it changes colours, words, numbers, fonts, length and format by the words of a \
     message. Try “make it blue and slower”, “change the title to Hello”, “add a subtitle See you soon”, “portrait, 60 fps”, “use Playfair”, \
     or “undo”. Connect a language model for anything else."
        .to_owned()
}

/// What a message comes to.
struct Work<'a> {
    before: Draft,
    after: Draft,
    recipe: &'a Recipe,
    source: &'a str,
    changes: Vec<String>,
    refusals: Vec<String>,
    /// Why the file has to be written afresh.
    broken: Option<String>,
}

impl<'a> Work<'a> {
    fn of(
        approved: &Plan,
        conversation: &Conversation,
        source: &'a str,
        tools: Tools<'a>,
    ) -> Option<Self> {
        let (mut before, planned) = build::approved(approved, conversation, tools)?;
        let recipe = build::recipe_named_in(source, tools).unwrap_or(planned);
        let settings = &tools.facts.settings;
        if before.recipe != recipe.name {
            before.recast(recipe, tools);
        }
        before.seconds = settings.duration_seconds;
        (before.fps, before.aspect, before.resolution) =
            (settings.fps, settings.aspect, settings.resolution);
        before.timed = false;
        before.named.clear();
        let mut broken = None;
        match Design::read(source) {
            Ok(design) => before.design = design,
            Err(why) => broken = Some(why.to_string()),
        }
        let mut work = Self {
            after: before.clone(),
            before,
            recipe,
            source,
            changes: vec![],
            refusals: vec![],
            broken,
        };
        for op in ops::read(&tools.facts.request, &work.before, tools) {
            match apply::apply(&op, &mut work.after, tools) {
                Ok(change) => work.changes.push(change),
                Err(why) => work.refusals.push(why),
            }
        }
        Some(work)
    }

    fn carry_out(self, approved: &Plan, turn: &Turn, tools: Tools<'_>) -> Reply {
        if self.changes.is_empty() && self.broken.is_none() {
            let text = if self.refusals.is_empty() {
                abilities()
            } else {
                format!("{} Nothing was changed.", sentence(&self.refusals))
            };
            return build::finish(turn, &text);
        }
        let Some(target) = tools.recipes.get(&self.after.recipe) else {
            return build::finish(turn, &abilities());
        };
        if target.engine != self.recipe.engine {
            return self.other_engine(target, turn, tools);
        }
        let reply = Reply::say(self.said());
        let reply = self.write(reply, target, turn, tools);
        let reply = self.settle(reply, approved, turn, tools);
        if reply.calls.is_empty() {
            build::finish(turn, &self.said())
        } else {
            reply
        }
    }

    fn said(&self) -> String {
        let mut parts = Vec::new();
        if let Some(why) = &self.broken {
            parts.push(format!(
                "src/design.ts could not be read, as {why}, so it is written afresh from the plan."
            ));
        }
        parts.extend(Some(sentence(&self.changes)).filter(|s| !s.is_empty()));
        if !self.refusals.is_empty() {
            parts.push(format!("Left as it is: {}", self.refusals.join(", ") + "."));
        }
        parts.join(" ")
    }

    /// A 2D animation cannot become a 3D one in place: that is a new plan.
    fn other_engine(&self, target: &Recipe, turn: &Turn, tools: Tools<'_>) -> Reply {
        if !turn.can("propose_plan") {
            let text = format!(
                "The “{}” recipe needs the other engine, which takes a new animation node. Nothing was changed.",
                target.title
            );
            return build::finish(turn, &text);
        }
        let text = format!(
            "The “{}” recipe is drawn by the other engine, so that is a new plan with your words and colours. Nothing changes until you approve it.",
            target.title
        );
        Reply::say(text).call(
            "propose_plan",
            json!(plan::plan(&self.after, target, tools)),
        )
    }

    fn write(&self, reply: Reply, target: &Recipe, turn: &Turn, tools: Tools<'_>) -> Reply {
        if target.name != self.recipe.name {
            return build::write(reply, &self.after, target, turn, tools);
        }
        if self.after.design == self.before.design && self.broken.is_none() {
            return reply;
        }
        let content = match self.broken {
            None => self.after.design.write_into(self.source),
            Some(_) => build::design_file(&self.after.design, target),
        };
        reply.call(
            "write_file",
            json!({ "path": DESIGN_PATH, "content": content, "allow_shrink": true }),
        )
    }

    fn settle(&self, mut reply: Reply, approved: &Plan, turn: &Turn, tools: Tools<'_>) -> Reply {
        let patch = plan::wishes(&self.after, tools, true);
        if patch != SettingsPatch::default() && turn.can("update_settings") {
            reply = reply.call("update_settings", json!({ "settings": patch }));
        }
        // The animation's name follows the words on screen where it came from them.
        let (old, new) = (&self.before.design.title, &self.after.design.title);
        if old != new && approved.title == *old && !new.trim().is_empty() && turn.can("set_title") {
            reply = reply.call("set_title", json!({ "title": new }));
        }
        reply
    }
}
