//! Tools: what a model may do. Each exists for the model only where the state allows it.

mod ask;
mod files;
mod generate;
mod guards;
mod look;
mod matching;
mod settings;

use crate::turn::{Interrupted, Job, stage};
use async_trait::async_trait;
use koda_domain::{
    EventBody, SessionState,
    message::{ToolCall, ToolOutput},
    model::ToolSpec,
    store::SessionHead,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a tool gave.
pub(crate) struct Reply {
    /// Facts, recorded together with the result.
    pub events: Vec<EventBody>,
    /// For the model.
    pub output: Vec<ToolOutput>,
    /// For people, in a line.
    pub summary: String,
    /// Whether it refused or failed.
    pub is_error: bool,
}

impl Reply {
    fn ok(text: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            events: Vec::new(),
            output: vec![ToolOutput::Text { text: text.into() }],
            summary: summary.into(),
            is_error: false,
        }
    }

    fn refused(text: impl Into<String>) -> Self {
        let text = text.into();
        let summary = text
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(160)
            .collect();
        Self {
            events: Vec::new(),
            output: vec![ToolOutput::Text { text }],
            summary,
            is_error: true,
        }
    }

    fn with(mut self, events: impl IntoIterator<Item = EventBody>) -> Self {
        self.events.extend(events);
        self
    }
}

/// One tool. Running it twice with the same input must do no harm: a worker may die before it has said so.
#[async_trait]
trait Tool: Send + Sync {
    fn name(&self) -> &'static str;
    fn description(&self) -> &'static str;
    /// JSON Schema of the input.
    fn schema(&self) -> Value;
    /// Whether the tool exists for the model in this state.
    fn offered(&self, state: &SessionState) -> bool;
    /// What it is about to do, for people.
    fn title(&self, input: &Value) -> String;
    async fn run(
        &self,
        job: &Job<'_>,
        head: &SessionHead,
        input: Value,
    ) -> Result<Reply, Interrupted>;
}

fn all() -> [&'static dyn Tool; 18] {
    [
        &ask::AskUser,
        &ask::ProposePlan,
        &ask::UpdateTodos,
        &ask::Finish,
        &files::ListFiles,
        &files::ReadFile,
        &files::SearchFiles,
        &files::WriteFile,
        &files::EditFile,
        &files::DeleteFile,
        &generate::GenerateCode,
        &look::Check,
        &look::Still,
        &look::RunCommand,
        &look::ListAssets,
        &settings::UpdateSettings,
        &settings::RestoreVersion,
        &settings::SetTitle,
    ]
}

/// Whether the approved plan may be built on now.
fn may_build(state: &SessionState) -> bool {
    stage(state) != "plan"
}

/// The tools that exist for the model in this state, in a stable order.
pub(crate) fn offered(state: &SessionState) -> Vec<ToolSpec> {
    all()
        .into_iter()
        .filter(|tool| tool.offered(state))
        .map(spec)
        .collect()
}

fn spec(tool: &dyn Tool) -> ToolSpec {
    ToolSpec {
        name: tool.name().to_owned(),
        description: tool.description().to_owned(),
        input_schema: tool.schema(),
    }
}

/// Runs an open call and records its result, both as checkpoints.
pub(crate) async fn run(
    job: &Job<'_>,
    head: &SessionHead,
    call: &ToolCall,
) -> Result<SessionHead, Interrupted> {
    let tool = all().into_iter().find(|tool| tool.name() == call.name);
    let title = tool.map_or_else(|| call.name.clone(), |tool| tool.title(&call.input));
    job.tell(vec![EventBody::ToolStarted {
        call: call.clone(),
        title,
    }])
    .await?;
    let began = job.studio.clock().now();
    let reply = match tool {
        Some(tool) if tool.offered(&head.state) => {
            let running = tool.run(job, head, call.input.clone());
            job.cancel
                .run_until_cancelled(running)
                .await
                .ok_or(Interrupted::Cancelled)??
        }
        _ => {
            let names: Vec<_> = offered(&head.state)
                .into_iter()
                .map(|tool| tool.name)
                .collect();
            Reply::refused(format!(
                "There is no tool {:?} now. There are: {}.",
                call.name,
                names.join(", ")
            ))
        }
    };
    let mut reply = reply;
    let turn = head.state.turn.as_ref();
    if reply.is_error && turn.is_some_and(|t| t.misses.repeats(call, &reply.summary)) {
        let text =
            "You made this very call before, and it failed in the same way. Do something else.";
        reply.output.push(ToolOutput::Text { text: text.into() });
    }
    let finished = EventBody::ToolFinished {
        call_id: call.id.clone(),
        name: call.name.clone(),
        is_error: reply.is_error,
        output: reply.output,
        summary: reply.summary,
        seconds: job.studio.seconds_since(began),
    };
    let mut events = reply.events;
    events.push(finished);
    job.tell(events).await
}

/// Reads a tool's input.
fn parse<T: DeserializeOwned>(input: Value) -> Result<T, Reply> {
    serde_json::from_value(input)
        .map_err(|error| Reply::refused(format!("The input does not fit: {error}.")))
}

/// Unwraps, or ends the tool with its refusal.
macro_rules! or_refuse {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(reply) => return Ok(reply),
        }
    };
}
use or_refuse;
