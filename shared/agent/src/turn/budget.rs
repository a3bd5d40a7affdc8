//! What ends a turn that would go on: budgets, and going round in circles.

use super::{Interrupted, Job};
use koda_domain::{SessionState, state::TurnState};
use std::time::Duration;

impl Job<'_> {
    /// Which budget is used up.
    pub(super) fn exhausted(&self, state: &SessionState, turn: &TurnState) -> Option<&'static str> {
        let budget = self.studio.options().budget;
        let usage = turn.usage;
        let read = usage.input_tokens + usage.cached_tokens + usage.cache_write_tokens;
        let tokens = read + usage.output_tokens;
        let seconds = self.studio.seconds_since(turn.started_at);
        if turn.told_all {
            None
        } else if turn.steps >= budget.steps {
            Some("steps")
        } else if tokens >= budget.tokens {
            Some("tokens")
        } else if over(state.usage.cost_micros, budget.session_cost_micros) {
            Some("session_money")
        } else if over(usage.cost_micros, budget.cost_micros) {
            Some("money")
        } else if seconds >= Duration::from_secs(budget.seconds).as_secs_f64() {
            Some("seconds")
        } else {
            None
        }
    }
}

/// Whether money is used up; 0 is no limit.
fn over(used: u64, most: u64) -> bool {
    most > 0 && used >= most
}

/// How a turn ends whose model goes round in circles.
pub(super) fn stuck() -> Interrupted {
    Interrupted::Failed {
        code: "stuck",
        message: "The agent tried the same again and again, and it never worked. What was done so far is kept; say what you \
                  want in other words, or in smaller steps."
            .into(),
    }
}
