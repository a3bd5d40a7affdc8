//! `generate_code`: hands a piece of work to the engine's code generator, with the spec pinned by the server.

use super::{Reply, Tool, all, may_build, or_refuse, parse, spec};
use crate::turn::{ANSWER_TOKENS, Interrupted, Job, Talk, facts, may_pass, pause, system};
use async_trait::async_trait;
use futures_util::StreamExt;
use koda_domain::{
    EventBody, SessionState,
    message::{Content, Message, Speaker, ToolOutput},
    model::{ModelAnswer, ModelError, ModelEvent, ModelRequest, Role, StopReason},
    store::SessionHead,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write as _;

pub(super) struct GenerateCode;

const GENERATOR: &str = include_str!("../prompts/code_generator.md");
const CUT: &str = "Its answer was cut off because it was too long: what it wrote last is missing. Let it write less at once, such \
                   as one file at a time.";
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
        let mut rules = system(head.state.engine());
        GENERATOR.clone_into(&mut rules[0]);
        let given = job.studio.given(head).await;
        let request = ModelRequest {
            tenant: head.tenant.clone(),
            role: Role::CodeGenerator,
            system: rules,
            pinned: facts(head, &given, &Talk::default()),
            messages: vec![Message {
                speaker: Speaker::User,
                content: vec![Content::Text { text: words }],
            }],
            tools: all()
                .into_iter()
                .filter(|t| WRITES.contains(&t.name()))
                .map(spec)
                .collect(),
            max_output_tokens: ANSWER_TOKENS,
        };
        let began = job.studio.clock().now();
        let answer = match ask(job, request).await {
            Ok(answer) => answer,
            Err(error) => {
                return Ok(Reply::refused(format!(
                    "The code generator failed: {error}. Write the code yourself with write_file, or try again."
                )));
            }
        };
        let used = EventBody::GeneratorFinished {
            model: answer.model.clone(),
            usage: answer.usage,
            seconds: job.studio.seconds_since(began),
        };
        let mut head = head.clone();
        let mut total = Reply::ok("", "");
        let mut lines = Vec::new();
        let mut told = Vec::new();
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
            told.push(if reply.is_error {
                format!("Failed: {} {}", call.name, words_of(&reply.output))
            } else {
                reply.summary.clone()
            });
            lines.push(reply.summary);
            total.events.extend(reply.events);
        }
        if answer.stop == StopReason::MaxTokens {
            total.is_error = true;
            told.push(CUT.to_owned());
            lines.push("it was cut off".to_owned());
        }
        if total.events.is_empty() {
            let mut why =
                "The code generator wrote nothing. Say more exactly what to make.".to_owned();
            if !told.is_empty() {
                let _ = write!(why, "\n{}", told.join("\n"));
            }
            return Ok(Reply::refused(why).with([used]));
        }
        total.summary = lines.join("; ").chars().take(300).collect();
        total.output = vec![ToolOutput::Text {
            text: told.join("\n"),
        }];
        let writes = total
            .events
            .iter()
            .filter(|e| matches!(e, EventBody::FileWritten { .. }))
            .count();
        let total = total.with([used]);
        tracing::debug!(session.id = %job.session, writes, "The code generator wrote {writes} files");
        Ok(total)
    }
}

fn words_of(output: &[ToolOutput]) -> String {
    let words = output.iter().filter_map(|piece| match piece {
        ToolOutput::Text { text } => Some(text.as_str()),
        ToolOutput::Image { .. } => None,
    });
    words.collect::<Vec<_>>().join("\n")
}

/// One answer. Nobody sees any of it before it is whole, so that a call that breaks off is made again.
async fn ask(job: &Job<'_>, request: ModelRequest) -> Result<ModelAnswer, ModelError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let error = match whole(job, request.clone()).await {
            Err(error) if may_pass(&error, tries) => error,
            done => return done,
        };
        tokio::time::sleep(pause(&error, tries)).await;
    }
}

async fn whole(job: &Job<'_>, request: ModelRequest) -> Result<ModelAnswer, ModelError> {
    let mut stream = job.studio.model().stream(request).await?;
    while let Some(event) = stream.next().await {
        if let ModelEvent::Finished(answer) = event? {
            return Ok(answer);
        }
    }
    Err(ModelError::Unavailable("the answer broke off".into()))
}
