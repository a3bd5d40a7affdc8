//! The state of a session: a fold over its events, and nothing else.

mod fold;
mod misses;
mod timing;

pub use fold::signature;
pub use misses::Misses;
pub use timing::{Stages, TurnSummary};

use crate::{
    AssetId, BlobId, MessageId, RenderId, SandboxId, Settings, TurnId, VersionId,
    event::{Question, SandboxStatus, Todo, TurnInput, TurnOutcome},
    format::Engine,
    message::{ToolCall, Usage},
    plan::Plan,
    render::Render,
    report::Diagnostic,
    version::{Files, Manifest},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many idempotency keys of messages a session remembers.
const REMEMBERED_KEYS: usize = 50;

/// What a session's events add up to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SessionState {
    /// Node on the canvas.
    pub node_id: String,
    /// Design settings.
    pub settings: Settings,
    /// What the conversation waits for.
    pub phase: Phase,
    /// The plan that was last proposed.
    pub proposal: Option<Proposal>,
    /// The plan that is being, or was, built.
    pub approved: Option<Plan>,
    /// What the agent asks.
    pub question: Option<Question>,
    /// Whether the agent has asked its one round of questions.
    pub has_asked: bool,
    /// The agent's list.
    pub todos: Vec<Todo>,
    /// Inputs that wait for a turn, oldest first.
    pub queue: Vec<TurnInput>,
    /// The turn that runs.
    pub turn: Option<TurnState>,
    /// How the last turn ended.
    pub outcome: Option<TurnOutcome>,
    /// The last turns that are over, oldest first; at most twenty.
    pub turns: Vec<TurnSummary>,
    /// Working files.
    pub files: Files,
    /// What the last check said of which files and settings.
    pub check: Option<CheckState>,
    /// Versions, oldest first.
    pub versions: Vec<VersionSummary>,
    /// Renders, oldest first.
    pub renders: Vec<Render>,
    /// The sandbox that was last known.
    pub sandbox: Option<SandboxState>,
    /// Tokens and money of all turns.
    pub usage: Usage,
    /// Every asset that was given.
    pub assets: Vec<AssetId>,
    /// What the model was last told of that a check found and passed, by signature.
    #[serde(default)]
    pub noted: Vec<String>,
    /// Idempotency keys of recent messages.
    pub keys: Vec<(String, MessageId)>,
}

/// What a conversation waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The first message.
    #[default]
    Idle,
    /// An answer.
    Clarify,
    /// A decision on the plan.
    Plan,
    /// The agent, which builds.
    Build,
    /// The next wish; there is something to see.
    Ready,
}

/// A plan that was proposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Proposal {
    /// The plan.
    pub plan: Plan,
    /// Its hash.
    pub hash: String,
    /// Whether a decision is still open.
    pub open: bool,
}

/// A turn that runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TurnState {
    /// Its name.
    pub id: TurnId,
    /// What it answers.
    pub input: TurnInput,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// 1, and more where workers died.
    pub attempt: u32,
    /// Model calls that are over.
    pub steps: u32,
    /// Tool calls that have no result yet.
    pub open_calls: Vec<ToolCall>,
    /// Tokens and money so far.
    pub usage: Usage,
    /// Where the time went so far.
    #[serde(default)]
    pub stages: Stages,
    /// Tool calls that failed since one worked.
    #[serde(default)]
    pub misses: Misses,
    /// Whether a call of the model's last answer failed, or was cut off.
    #[serde(default)]
    pub call_failed: bool,
    /// The version that it made.
    #[serde(default)]
    pub version: Option<VersionId>,
    /// Repairs asked for so far.
    pub repairs: u32,
    /// The last check error told to the model: gate, code, file and message.
    pub last_error: Option<String>,
    /// Whether somebody asked to stop.
    pub stop_requested: bool,
    /// Whether the turn proposed a plan or asked a question.
    pub asked: bool,
    /// Whether the model has said all; what is left is the server's to do.
    pub told_all: bool,
    /// What the model says it did, in a line.
    pub summary: Option<String>,
}

/// What a check said of which files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckState {
    /// See [`SessionState::digest`].
    pub digest: BlobId,
    /// Whether it passed.
    pub ok: bool,
    /// First error first; at most ten.
    pub diagnostics: Vec<Diagnostic>,
    /// Contact sheet.
    pub sheet: Option<BlobId>,
}

/// A version without its files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VersionSummary {
    /// Its name.
    pub id: VersionId,
    /// From 1.
    pub number: u32,
    /// What changed.
    pub summary: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Where its event is in the log.
    pub seq: u64,
    /// Names its files.
    pub digest: BlobId,
    /// Names its `koda.json`.
    pub manifest: BlobId,
}

/// The sandbox that was last known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SandboxState {
    /// Its name, while there is one.
    pub id: Option<SandboxId>,
    /// Where it stands.
    pub status: SandboxStatus,
    /// Which provider.
    pub provider: String,
}

impl SessionState {
    /// Whether a worker is needed: a turn runs or waits, or a render does.
    #[must_use]
    pub fn has_work(&self) -> bool {
        self.turn.is_some()
            || !self.queue.is_empty()
            || self.renders.iter().any(|r| !r.status.is_final())
    }

    /// The engine: of the approved plan, or chosen in the settings.
    #[must_use]
    pub fn engine(&self) -> Option<Engine> {
        self.approved
            .as_ref()
            .map(|plan| plan.engine)
            .or(self.settings.engine)
    }

    /// `koda.json` of the working files, once a plan was approved.
    #[must_use]
    pub fn manifest(&self) -> Option<Manifest> {
        let plan = self.approved.as_ref()?;
        Some(Manifest::new(plan.engine, &plan.title, &self.settings))
    }

    fn manifest_id(&self) -> BlobId {
        BlobId::of(
            self.manifest()
                .map(|m| m.to_json())
                .unwrap_or_default()
                .as_bytes(),
        )
    }

    /// Names the working files together with the manifest: what a check speaks of.
    #[must_use]
    pub fn digest(&self) -> BlobId {
        BlobId::of(format!("{}\n{}", self.files.digest(), self.manifest_id()).as_bytes())
    }

    /// Whether files or manifest differ from the newest version's.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        match self.versions.last() {
            Some(v) => v.digest != self.files.digest() || v.manifest != self.manifest_id(),
            None => !self.files.0.is_empty(),
        }
    }

    /// Whether the working files passed the check as they are now.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        self.check
            .as_ref()
            .is_some_and(|c| c.ok && c.digest == self.digest())
    }

    /// The newest version.
    #[must_use]
    pub fn head_version(&self) -> Option<&VersionSummary> {
        self.versions.last()
    }

    /// A render of this session.
    #[must_use]
    pub fn render(&self, id: RenderId) -> Option<&Render> {
        self.renders.iter().find(|r| r.id == id)
    }

    /// A version of this session, without its files.
    #[must_use]
    pub fn version(&self, id: VersionId) -> Option<&VersionSummary> {
        self.versions.iter().find(|v| v.id == id)
    }
}
