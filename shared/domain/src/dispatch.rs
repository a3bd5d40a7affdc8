//! The seam to whoever does the work of sessions, where that is not the process that takes requests.

use crate::SessionId;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// What is to be done for a session. May come more than once: leases see to it that it is done once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    /// Whose work.
    pub session: SessionId,
    /// Whether its sandbox is to show the working files as they are now, besides the turns and renders that wait.
    #[serde(default)]
    pub refresh: bool,
}

/// Brings errands to where they are run.
#[async_trait]
pub trait Dispatcher: Send + Sync {
    /// Returns when the errand is accepted. One that is lost is found by the janitor, who looks for work that nobody does.
    async fn dispatch(&self, errand: Errand);
}
