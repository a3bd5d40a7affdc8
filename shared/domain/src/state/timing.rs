//! Where the time of a turn goes.

use crate::{
    TurnId,
    event::{EventBody, TurnInput, TurnOutcome},
    message::Usage,
    state::TurnState,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many turns a session remembers; the log has all.
pub(super) const REMEMBERED_TURNS: usize = 20;

/// Milliseconds by stage, whole ones, so that the same log always adds up to the same. A stage that was cut off does not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Stages {
    /// Waiting for the model.
    pub model_ms: u64,
    /// Tools, without checks.
    pub tools_ms: u64,
    /// Making and filling new sandboxes.
    pub sandbox_ms: u64,
    /// Checks, inside the sandbox.
    pub check_ms: u64,
}

impl Stages {
    /// Adds what an event says of the turn that it belongs to.
    pub(super) fn add(&mut self, body: &EventBody) {
        match body {
            EventBody::ModelFinished { seconds, .. } => self.model_ms += milliseconds(*seconds),
            // The check tells its own time.
            EventBody::ToolFinished { name, seconds, .. } if name != "check" => {
                self.tools_ms += milliseconds(*seconds);
            }
            EventBody::SandboxChanged {
                seconds: Some(seconds),
                ..
            } => self.sandbox_ms += milliseconds(*seconds),
            EventBody::CheckFinished { report, .. } => {
                self.check_ms += milliseconds(report.seconds)
            }
            _ => {}
        }
    }
}

/// A turn that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TurnSummary {
    /// Its name.
    pub id: TurnId,
    /// What it answered.
    pub input: TurnInput,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// Milliseconds from its beginning to its end.
    pub total_ms: u64,
    /// Where they went.
    pub stages: Stages,
    /// 1, and more where workers died.
    pub attempts: u32,
    /// Model calls.
    pub steps: u32,
    /// Repairs asked for.
    pub repairs: u32,
    /// Tokens and money.
    pub usage: Usage,
    /// How it ended.
    pub outcome: TurnOutcome,
}

impl TurnSummary {
    pub(super) fn new(turn: &TurnState, at: Timestamp, outcome: &TurnOutcome) -> Self {
        Self {
            id: turn.id,
            input: turn.input.clone(),
            started_at: turn.started_at,
            total_ms: u64::try_from(at.duration_since(turn.started_at).as_millis()).unwrap_or(0),
            stages: turn.stages,
            attempts: turn.attempt,
            steps: turn.steps,
            repairs: turn.repairs,
            usage: turn.usage,
            outcome: outcome.clone(),
        }
    }
}

/// Whole milliseconds; none of what is no time.
fn milliseconds(seconds: f64) -> u64 {
    let rounded = std::time::Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default();
    u64::try_from((rounded + std::time::Duration::from_micros(500)).as_millis()).unwrap_or(0)
}
