//! How a turn went, for the log and for metrics.

use koda_domain::{event::TurnOutcome, state::TurnSummary};
use std::time::Duration;
use tracing::{info, trace};

/// Tells the log, and whoever keeps metrics, how a turn went.
pub(super) fn measure(turn: &TurnSummary, outcome: &'static str) {
    let stages = turn.stages;
    let seconds = |milliseconds| Duration::from_millis(milliseconds).as_secs_f64();
    info!(
        monotonic_counter.koda.turns = 1,
        histogram.koda.turn.seconds = seconds(turn.total_ms),
        histogram.koda.turn.model.seconds = seconds(stages.model_ms),
        histogram.koda.turn.tools.seconds = seconds(stages.tools_ms),
        histogram.koda.turn.sandbox.seconds = seconds(stages.sandbox_ms),
        histogram.koda.turn.check.seconds = seconds(stages.check_ms),
        outcome,
        "The turn ended: {outcome}"
    );
    trace!(
        monotonic_counter.koda.tokens.input = turn.usage.input_tokens,
        monotonic_counter.koda.tokens.output = turn.usage.output_tokens,
        "Tokens"
    );
}

pub(super) fn kind(outcome: &TurnOutcome) -> &'static str {
    match outcome {
        TurnOutcome::Ready { .. } => "ready",
        TurnOutcome::Answered => "answered",
        TurnOutcome::AwaitingPlan => "awaiting_plan",
        TurnOutcome::AwaitingAnswer => "awaiting_answer",
        TurnOutcome::Stopped => "stopped",
        TurnOutcome::CheckFailed { .. } => "check_failed",
        TurnOutcome::BudgetExhausted { .. } => "budget_exhausted",
        TurnOutcome::Failed { .. } => "failed",
    }
}
