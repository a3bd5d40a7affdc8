//! Limits that hold everywhere, in one place.

/// The longest message, in bytes.
pub const MESSAGE_BYTES: usize = 32 * 1024;
/// The largest body of a JSON request, in bytes.
pub const BODY_BYTES: usize = 2 * 1024 * 1024;
/// The largest text file that an agent may write, in bytes.
pub const CODE_FILE_BYTES: usize = 100 * 1024;
/// The most files of a workspace.
pub const WORKSPACE_FILES: usize = 400;
/// The largest asset, in bytes.
pub const ASSET_BYTES: u64 = 100 * 1024 * 1024;
/// The most messages that wait while a turn runs.
pub const QUEUED_MESSAGES: usize = 20;
/// The most renders of one session that wait or run.
pub const QUEUED_RENDERS: usize = 10;
/// The most events that one read returns.
pub const EVENTS_PAGE: usize = 1_000;

/// What one turn may use before it ends with a clear outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnBudget {
    /// Model calls.
    pub steps: u32,
    /// Tokens in and out, cached ones included.
    pub tokens: u64,
    /// Seconds of work.
    pub seconds: u64,
    /// Millionths of a US dollar; 0 is no limit.
    pub cost_micros: u64,
    /// Millionths of a US dollar, of all turns of a session; 0 is no limit.
    pub session_cost_micros: u64,
    /// Rounds of repair after a failed check.
    pub repairs: u32,
}

impl Default for TurnBudget {
    fn default() -> Self {
        Self {
            steps: 30,
            tokens: 2_000_000,
            seconds: 900,
            cost_micros: 5_000_000,
            session_cost_micros: 0,
            repairs: 3,
        }
    }
}
