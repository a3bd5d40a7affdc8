//! `generate_code`: hands a piece of work to the engine's code generator, with the spec pinned by the server.

use super::{Reply, Tool, all, may_build, or_refuse, parse, spec};
use crate::turn::{Interrupted, Job, system};
use async_trait::async_trait;
use futures_util::StreamExt;
use koda_domain::{
    EventBody, SessionState,
    message::{Content, Message, Speaker, ToolOutput},
    model::{ModelEvent, ModelRequest, Role},
    store::SessionHead,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write as _;

pub(super) struct GenerateCode;

const GENERATOR: &str = include_str!("../prompts/code_generator.md");
/// Tools of a code generator: it writes, and nothing else.
const WRITES: [&str; 3] = ["write_file", "edit_file", "delete_file"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    instructions: String,
    #[serde(default)]
    files: Vec<String>,
}

#[async_trait]
impl Tool for GenerateCode {
    fn name(&self) -> &'static str {
        "generate_code"
    }

    fn description(&self) -> &'static str {
        "Let the code generator write or change files. It knows the plan, the design and the engine's rules; say what \
         to make, and name the files that it must see."
    }

    fn schema(&self) -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["instructions"],
            "properties": {
                "instructions": {"type": "string"},
                "files": {"type": "array", "items": {"type": "string"}}
            }
        })
    }

    fn offered(&self, state: &SessionState) -> bool {
        may_build(state)
    }

    fn title(&self, _: &Value) -> String {
        "Writing code".into()
    }

    async fn run(
        &self,
        job: &Job<'_>,
        head: &SessionHead,
        input: Value,
    ) -> Result<Reply, Interrupted> {
        let Task {
            instructions,
            files,
        } = or_refuse!(parse(input));
        let mut words = instructions;
        for path in &files {
            let text = or_refuse!(super::files::text_of(job, head, path).await?);
            let _ = write!(words, "\n\n--- {path} ---\n{text}");
        }
        let state = &head.state;
        let mut rules = system(state.engine());
        GENERATOR.clone_into(&mut rules[0]);
        let request = ModelRequest {
            tenant: head.tenant.clone(),
            role: Role::CodeGenerator,
            system: rules,
            pinned: json!({
                "settings": state.settings, "plan": state.approved, "manifest": state.manifest(),
                "files": state.files.0.keys().collect::<Vec<_>>(),
            }),
            messages: vec![Message {
                speaker: Speaker::User,
                content: vec![Content::Text { text: words }],
            }],
            tools: all()
                .into_iter()
                .filter(|t| WRITES.contains(&t.name()))
                .map(spec)
                .collect(),
            max_output_tokens: 32_000,
        };
        let mut stream = match job.studio.model().stream(request).await {
            Ok(stream) => stream,
            Err(error) => {
                return Ok(Reply::refused(format!(
                    "The code generator failed: {error}."
                )));
            }
        };
        let answer = loop {
            match stream.next().await {
                Some(Ok(ModelEvent::Finished(answer))) => break answer,
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    return Ok(Reply::refused(format!(
                        "The code generator failed: {error}."
                    )));
                }
                None => return Ok(Reply::refused("The code generator broke off.")),
            }
        };
        let mut head = head.clone();
        let mut total = Reply::ok("", "");
        let mut lines = Vec::new();
        for call in answer.tool_calls() {
            let Some(tool) = all()
                .into_iter()
                .find(|t| WRITES.contains(&t.name()) && t.name() == call.name)
            else {
                continue;
            };
            let reply = tool.run(job, &head, call.input.clone()).await?;
            for event in &reply.events {
                head.state
                    .apply(head.seq, job.studio.clock().now(), Some(job.turn), event);
            }
            total.is_error |= reply.is_error;
            lines.push(reply.summary);
            total.events.extend(reply.events);
        }
        if total.events.is_empty() {
            return Ok(Reply::refused(
                "The code generator wrote nothing. Say more exactly what to make.",
            ));
        }
        total.summary = lines.join("; ").chars().take(300).collect();
        total.output = vec![ToolOutput::Text {
            text: lines.join("\n"),
        }];
        let writes = total
            .events
            .iter()
            .filter(|e| matches!(e, EventBody::FileWritten { .. }))
            .count();
        tracing::debug!(session.id = %job.session, writes, "The code generator wrote {writes} files");
        Ok(total)
    }
}
