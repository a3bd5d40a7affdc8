//! Tools that speak to the person.

use super::{Reply, Tool, may_build, or_refuse, parse};
use crate::turn::{Interrupted, Job, stage};
use async_trait::async_trait;
use koda_domain::{
    EventBody, SessionState,
    event::{Question, Todo, TurnInput},
    plan::Plan,
    store::SessionHead,
};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) struct AskUser;
pub(super) struct ProposePlan;
pub(super) struct UpdateTodos;
pub(super) struct Finish;

#[async_trait]
impl Tool for AskUser {
    fn name(&self) -> &'static str {
        "ask_user"
    }

    fn description(&self) -> &'static str {
        "Ask the person one form of up to three questions, once in a session, only where the answer changes the plan."
    }

    fn schema(&self) -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["intro", "fields"],
            "properties": {
                "intro": {"type": "string"},
                "fields": {"type": "array", "minItems": 1, "maxItems": 3, "items": {
                    "type": "object", "additionalProperties": false, "required": ["id", "label", "kind"],
                    "properties": {
                        "id": {"type": "string"}, "label": {"type": "string"},
                        "kind": {"enum": ["text", "choice", "multiple_choice"]},
                        "options": {"type": "array", "items": {"type": "string"}}
                    }
                }}
            }
        })
    }

    fn offered(&self, state: &SessionState) -> bool {
        stage(state) == "plan" && !state.has_asked
    }

    fn title(&self, _: &Value) -> String {
        "Asking a question".into()
    }

    async fn run(&self, _: &Job<'_>, _: &SessionHead, input: Value) -> Result<Reply, Interrupted> {
        let question: Question = or_refuse!(parse(input));
        if question.fields.is_empty() || question.fields.len() > 3 {
            return Ok(Reply::refused("Ask one to three questions."));
        }
        Ok(Reply::ok(
            "Asked. The answer comes as the next message.",
            "Asked a question",
        )
        .with([EventBody::QuestionAsked { question }]))
    }
}

#[async_trait]
impl Tool for ProposePlan {
    fn name(&self) -> &'static str {
        "propose_plan"
    }

    fn description(&self) -> &'static str {
        "Propose what will be made. Ends the turn; the person edits, approves or rejects it. Nothing is built before."
    }

    fn schema(&self) -> Value {
        let color = json!({"type": ["string", "null"], "pattern": "^#[0-9a-fA-F]{6}$"});
        json!({
            "type": "object", "additionalProperties": false,
            "required": ["title", "summary", "engine", "scenes", "design"],
            "properties": {
                "title": {"type": "string"},
                "summary": {"type": "string"},
                "engine": {"enum": ["remotion", "theatre"]},
                "scenes": {"type": "array", "minItems": 1, "maxItems": 24, "items": {
                    "type": "object", "additionalProperties": false,
                    "required": ["title", "description", "duration_seconds"],
                    "properties": {
                        "title": {"type": "string"}, "description": {"type": "string"},
                        "duration_seconds": {"type": "number", "minimum": 0.1, "maximum": 120}
                    }
                }},
                "design": {"type": "object", "additionalProperties": false, "properties": {
                    "colors": {"type": "object", "additionalProperties": false, "properties": {
                        "background": color, "primary": color, "accent": color, "text": color}},
                    "fonts": {"type": "object", "additionalProperties": false, "properties": {
                        "title": {"type": ["string", "null"]}, "body": {"type": ["string", "null"]}}},
                    "mood": {"type": "string"}
                }},
                "assumptions": {"type": "array", "items": {"type": "string"}},
                "settings": super::settings::schema()
            }
        })
    }

    fn offered(&self, state: &SessionState) -> bool {
        !matches!(
            state.turn.as_ref().map(|t| &t.input),
            Some(TurnInput::Plan { .. })
        )
    }

    fn title(&self, _: &Value) -> String {
        "Proposing a plan".into()
    }

    async fn run(
        &self,
        _: &Job<'_>,
        head: &SessionHead,
        input: Value,
    ) -> Result<Reply, Interrupted> {
        let mut plan: Plan = or_refuse!(parse(input));
        let settings = &head.state.settings;
        if let Some(engine) = settings.engine
            && engine != plan.engine
            && head.state.approved.is_none()
        {
            return Ok(Reply::refused(format!(
                "The person chose the engine {engine}; plan for it."
            )));
        }
        let asked = plan.settings.duration_seconds;
        if let Some(seconds) =
            asked.or(settings.duration_fixed.then_some(settings.duration_seconds))
        {
            plan = plan.scaled_to(seconds);
        }
        let problems = plan.problems();
        if !problems.is_empty() {
            let lines: Vec<_> = problems
                .iter()
                .map(|p| format!("{}: {}", p.field, p.message))
                .collect();
            return Ok(Reply::refused(format!(
                "The plan breaks rules:\n{}",
                lines.join("\n")
            )));
        }
        let hash = plan.hash();
        let summary = format!("Proposed “{}”", plan.title);
        Ok(Reply::ok("Proposed. The person decides.", summary)
            .with([EventBody::PlanProposed { plan, hash }]))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Todos {
    todos: Vec<Todo>,
}

#[async_trait]
impl Tool for UpdateTodos {
    fn name(&self) -> &'static str {
        "update_todos"
    }

    fn description(&self) -> &'static str {
        "Replace the list of things to do that the person sees. At most twelve, each a few words."
    }

    fn schema(&self) -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["todos"],
            "properties": {"todos": {"type": "array", "maxItems": 12, "items": {
                "type": "object", "additionalProperties": false, "required": ["label", "status"],
                "properties": {"label": {"type": "string"}, "status": {"enum": ["pending", "active", "done"]}}
            }}}
        })
    }

    fn offered(&self, _: &SessionState) -> bool {
        true
    }

    fn title(&self, _: &Value) -> String {
        "Updating the to-do list".into()
    }

    async fn run(&self, _: &Job<'_>, _: &SessionHead, input: Value) -> Result<Reply, Interrupted> {
        let Todos { todos } = or_refuse!(parse(input));
        if todos.len() > 12 {
            return Ok(Reply::refused("At most twelve."));
        }
        Ok(Reply::ok("Updated.", "Updated the to-do list")
            .with([EventBody::TodosUpdated { todos }]))
    }
}

#[derive(Deserialize)]
struct Finished {
    summary: String,
}

#[async_trait]
impl Tool for Finish {
    fn name(&self) -> &'static str {
        "finish"
    }

    fn description(&self) -> &'static str {
        "Say in one line what was done. The server then checks the animation and makes a version of it."
    }

    fn schema(&self) -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["summary"],
            "properties": {"summary": {"type": "string"}}
        })
    }

    fn offered(&self, state: &SessionState) -> bool {
        may_build(state)
    }

    fn title(&self, _: &Value) -> String {
        "Finishing".into()
    }

    async fn run(
        &self,
        _: &Job<'_>,
        head: &SessionHead,
        input: Value,
    ) -> Result<Reply, Interrupted> {
        let Finished { summary } = or_refuse!(parse(input));
        // It was written before the model knew.
        if head.state.turn.as_ref().is_some_and(|t| t.call_failed) {
            return Ok(Reply::refused(
                "Not finished: a call of this answer failed or was cut off. Look at what is said of it, do what is missing, then \
                 finish and say only what is really done.",
            ));
        }
        let line = headline(&summary);
        Ok(Reply::ok(
            "Done.",
            if line.is_empty() { "Done".into() } else { line },
        ))
    }
}

/// The first sentence, without its stop: what a version is called.
fn headline(summary: &str) -> String {
    let line = summary.trim().lines().next().unwrap_or_default();
    let sentence = line
        .split_inclusive(['.', '!'])
        .scan(String::new(), |so_far, part| {
            so_far.push_str(part);
            Some(so_far.clone())
        });
    // A stop within a number or a name is followed by no space.
    let ends = |text: &String| line[text.len()..].starts_with(' ') || text.len() == line.len();
    let first = sentence
        .into_iter()
        .find(ends)
        .unwrap_or_else(|| line.to_owned());
    first.trim_end_matches('.').chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::headline;

    #[test]
    fn a_version_is_called_by_the_first_sentence() {
        assert_eq!(headline("“A” is ready. Ask for more."), "“A” is ready");
        assert_eq!(headline("Now 2.5 s long"), "Now 2.5 s long");
        assert_eq!(headline("Done!\nMore"), "Done!");
        assert_eq!(headline(""), "");
    }
}
