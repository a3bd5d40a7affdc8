//! The state of a session: a fold over its events, and nothing else.

use crate::{
    AssetId, BlobId, MessageId, RenderId, SandboxId, Settings, TurnId, VersionId,
    event::{Actor, EventBody, Question, SandboxStatus, Todo, TurnInput, TurnOutcome},
    format::Engine,
    message::{ToolCall, Usage},
    plan::Plan,
    render::{Render, RenderStatus},
    report::{Diagnostic, Severity},
    version::{Files, Manifest, Version},
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
    /// The state after one more event. `seq`, `at` and `turn` are the event's own.
    #[expect(clippy::too_many_lines, reason = "one arm for each kind of event")]
    pub fn apply(&mut self, seq: u64, at: Timestamp, turn: Option<TurnId>, body: &EventBody) {
        match body {
            EventBody::SessionCreated {
                node_id, settings, ..
            } => {
                self.node_id.clone_from(node_id);
                self.settings = settings.clone();
            }
            EventBody::SettingsChanged { settings, by } => {
                self.settings = settings.clone();
                self.settings_changed(*by);
            }
            EventBody::MessagePosted {
                message_id,
                attachments,
                key,
                ..
            } => {
                self.posted(*message_id, attachments, key.as_deref());
            }
            EventBody::TurnStarted { input } => self.turn_started(turn, at, input),
            EventBody::TurnResumed { attempt } => self.in_turn(|t| t.attempt = *attempt),
            EventBody::ModelFinished { answer, step, .. } => {
                self.usage += answer.usage;
                self.in_turn(|t| {
                    t.steps = *step;
                    t.usage += answer.usage;
                    t.open_calls = answer.tool_calls().cloned().collect();
                    t.told_all = t.open_calls.is_empty();
                });
            }
            EventBody::ToolFinished {
                call_id,
                name,
                is_error,
                summary,
                ..
            } => self.in_turn(|t| {
                t.open_calls.retain(|call| call.id != *call_id);
                if name == "finish" && !is_error {
                    t.told_all = true;
                    t.summary = Some(summary.clone());
                }
            }),
            EventBody::QuestionAsked { question } => {
                self.question = Some(question.clone());
                self.has_asked = true;
                self.phase = Phase::Clarify;
                self.in_turn(|t| t.asked = true);
            }
            EventBody::PlanProposed { plan, hash } => {
                self.proposal = Some(Proposal {
                    plan: plan.clone(),
                    hash: hash.clone(),
                    open: true,
                });
                self.phase = Phase::Plan;
                self.in_turn(|t| t.asked = true);
            }
            EventBody::PlanApproved { plan, hash, .. } => self.approved(plan, hash),
            EventBody::PlanRejected { .. } => {
                if let Some(proposal) = &mut self.proposal {
                    proposal.open = false;
                }
                self.phase = self.resting_phase();
            }
            EventBody::TodosUpdated { todos } => self.todos.clone_from(todos),
            EventBody::FileWritten { path, entry } => {
                self.files.0.insert(path.clone(), entry.clone());
            }
            EventBody::FileDeleted { path } => {
                self.files.0.remove(path);
            }
            EventBody::FilesRestored {
                files, settings, ..
            } => {
                self.files = files.clone();
                self.settings = settings.clone();
            }
            EventBody::CheckFinished {
                report,
                digest,
                sheet,
            } => {
                self.check = Some(CheckState {
                    digest: digest.clone(),
                    ok: report.ok,
                    diagnostics: report.diagnostics.iter().take(10).cloned().collect(),
                    sheet: sheet.clone(),
                });
            }
            EventBody::ModelTold { .. } => {
                let error = self
                    .check
                    .as_ref()
                    .and_then(|c| c.diagnostics.iter().find(|d| d.severity == Severity::Error))
                    .map(signature);
                self.in_turn(|t| {
                    t.repairs += 1;
                    t.last_error = error;
                    t.told_all = false;
                });
            }
            EventBody::TitleChanged { title } => {
                if let Some(plan) = &mut self.approved {
                    plan.title.clone_from(title);
                }
            }
            EventBody::SandboxChanged {
                status,
                sandbox_id,
                provider,
                ..
            } => {
                self.sandbox = Some(SandboxState {
                    id: sandbox_id.clone(),
                    status: *status,
                    provider: provider.clone(),
                });
            }
            EventBody::VersionCreated { version } => self.version_created(seq, version),
            EventBody::StopRequested {} => self.in_turn(|t| t.stop_requested = true),
            EventBody::TurnFinished { outcome } => self.turn_finished(outcome),
            EventBody::RenderQueued { .. }
            | EventBody::RenderStarted { .. }
            | EventBody::RenderProgressed { .. }
            | EventBody::RenderReady { .. }
            | EventBody::RenderFailed { .. }
            | EventBody::RenderCancelRequested { .. }
            | EventBody::RenderCancelled { .. }
            | EventBody::RenderDeleted { .. } => self.apply_render(body),
            EventBody::ModelStarted { .. }
            | EventBody::TextDelta { .. }
            | EventBody::ThinkingDelta { .. }
            | EventBody::ToolStarted { .. }
            | EventBody::CheckStarted {} => {}
        }
    }

    fn in_turn(&mut self, change: impl FnOnce(&mut TurnState)) {
        if let Some(turn) = &mut self.turn {
            change(turn);
        }
    }

    fn posted(&mut self, id: MessageId, attachments: &[AssetId], key: Option<&str>) {
        self.queue.push(TurnInput::Message { message_id: id });
        for asset in attachments {
            if !self.assets.contains(asset) {
                self.assets.push(*asset);
            }
        }
        if let Some(key) = key {
            self.keys.push((key.to_owned(), id));
            if self.keys.len() > REMEMBERED_KEYS {
                self.keys.remove(0);
            }
        }
    }

    /// A person's change of what a version was made with is work: it becomes a version of its own.
    fn settings_changed(&mut self, by: Actor) {
        let asks = by == Actor::Person
            && self
                .versions
                .last()
                .is_some_and(|v| v.manifest != self.manifest_id());
        self.queue
            .retain(|waiting| *waiting != TurnInput::Settings {});
        if asks {
            self.queue.push(TurnInput::Settings {});
        }
    }

    fn manifest_id(&self) -> BlobId {
        BlobId::of(
            self.manifest()
                .map(|m| m.to_json())
                .unwrap_or_default()
                .as_bytes(),
        )
    }

    fn turn_started(&mut self, turn: Option<TurnId>, at: Timestamp, input: &TurnInput) {
        self.queue.retain(|waiting| waiting != input);
        self.question = None;
        self.todos.clear();
        self.outcome = None;
        self.turn = turn.map(|id| TurnState {
            id,
            input: input.clone(),
            started_at: at,
            attempt: 1,
            steps: 0,
            open_calls: Vec::new(),
            usage: Usage::default(),
            repairs: 0,
            last_error: None,
            stop_requested: false,
            asked: false,
            told_all: matches!(input, TurnInput::Settings {}),
            summary: None,
        });
    }

    fn approved(&mut self, plan: &Plan, hash: &str) {
        if let Some(proposal) = &mut self.proposal {
            proposal.open = false;
            proposal.plan = plan.clone();
            hash.clone_into(&mut proposal.hash);
        }
        self.approved = Some(plan.clone());
        self.phase = Phase::Build;
        self.queue.push(TurnInput::Plan {
            hash: hash.to_owned(),
        });
    }

    fn version_created(&mut self, seq: u64, version: &Version) {
        self.files = version.files.clone();
        self.settings = version.settings.clone();
        self.versions.push(VersionSummary {
            id: version.id,
            number: version.number,
            summary: version.summary.clone(),
            created_at: version.created_at,
            seq,
            digest: version.files.digest(),
            manifest: BlobId::of(
                Manifest::new(version.engine, &version.title, &version.settings)
                    .to_json()
                    .as_bytes(),
            ),
        });
        self.phase = Phase::Ready;
    }

    fn turn_finished(&mut self, outcome: &TurnOutcome) {
        self.turn = None;
        self.outcome = Some(outcome.clone());
        self.phase = match outcome {
            TurnOutcome::AwaitingPlan => Phase::Plan,
            TurnOutcome::AwaitingAnswer => Phase::Clarify,
            _ if self.proposal.as_ref().is_some_and(|p| p.open) => Phase::Plan,
            _ => self.resting_phase(),
        };
    }

    fn resting_phase(&self) -> Phase {
        match (self.versions.is_empty(), &self.approved) {
            (false, _) => Phase::Ready,
            (true, Some(_)) => Phase::Build,
            (true, None) => Phase::Idle,
        }
    }

    fn apply_render(&mut self, body: &EventBody) {
        let id = match body {
            EventBody::RenderQueued { render } => {
                self.renders.push(render.clone());
                return;
            }
            EventBody::RenderDeleted { render_id } => {
                self.renders.retain(|r| r.id != *render_id);
                return;
            }
            EventBody::RenderStarted { render_id, .. }
            | EventBody::RenderProgressed { render_id, .. }
            | EventBody::RenderReady { render_id, .. }
            | EventBody::RenderFailed { render_id, .. }
            | EventBody::RenderCancelRequested { render_id }
            | EventBody::RenderCancelled { render_id } => *render_id,
            _ => return,
        };
        let Some(render) = self.renders.iter_mut().find(|r| r.id == id) else {
            return;
        };
        match body {
            EventBody::RenderStarted { attempt, .. } => {
                render.status = RenderStatus::Running;
                render.attempts = *attempt;
                render.progress = None;
            }
            EventBody::RenderProgressed { progress, .. } => {
                render.progress = Some(progress.clone())
            }
            EventBody::RenderReady { output, .. } => {
                render.status = RenderStatus::Ready;
                render.output = Some(output.clone());
            }
            EventBody::RenderFailed { failure, .. } => {
                render.status = RenderStatus::Failed;
                render.failure = Some(failure.clone());
            }
            EventBody::RenderCancelRequested { .. } => render.cancel_requested = true,
            EventBody::RenderCancelled { .. } => render.status = RenderStatus::Cancelled,
            _ => {}
        }
    }

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

/// Tells two findings apart, line numbers aside: the same one twice means that a repair did not help.
#[must_use]
pub fn signature(d: &Diagnostic) -> String {
    let words: String = d.message.chars().filter(|c| !c.is_ascii_digit()).collect();
    format!(
        "{}|{}|{}|{words}",
        d.gate,
        d.code,
        d.file.as_deref().unwrap_or_default()
    )
}
