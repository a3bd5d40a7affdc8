//! The fold: what each event does to the state.

use super::{
    CheckState, Misses, Phase, Proposal, REMEMBERED_KEYS, SandboxState, SessionState, Stages,
    TurnState, TurnSummary, VersionSummary, timing::REMEMBERED_TURNS,
};
use crate::{
    AssetId, BlobId, MessageId, TurnId, WorkPath,
    design::DESIGN_PATH,
    event::{Actor, EventBody, TurnInput, TurnOutcome},
    message::Usage,
    model::StopReason,
    plan::Plan,
    render::RenderStatus,
    report::{Diagnostic, Severity},
    version::{Manifest, Version},
};
use jiff::Timestamp;

impl SessionState {
    /// The state after one more event. `seq`, `at` and `turn` are the event's own.
    #[expect(clippy::too_many_lines, reason = "one arm for each kind of event")]
    pub fn apply(&mut self, seq: u64, at: Timestamp, turn: Option<TurnId>, body: &EventBody) {
        self.in_turn(|t| t.stages.add(body));
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
                    // One that was cut off is missing.
                    let cut = answer.stop == StopReason::MaxTokens;
                    t.call_failed = cut;
                    t.told_all = t.open_calls.is_empty() && !cut;
                    if t.open_calls.is_empty() && cut {
                        t.misses.cut();
                    }
                });
            }
            EventBody::GeneratorFinished { usage, .. } => {
                self.usage += *usage;
                self.in_turn(|t| t.usage += *usage);
            }
            EventBody::ToolFinished {
                call_id,
                name,
                is_error,
                summary,
                ..
            } => self.in_turn(|t| {
                let finish = name == "finish";
                if let Some(call) = t.open_calls.iter().find(|call| call.id == *call_id)
                    // What it is refused for was counted.
                    && !(finish && t.call_failed)
                {
                    t.misses.count(call, *is_error, summary);
                }
                t.open_calls.retain(|call| call.id != *call_id);
                if *is_error {
                    t.call_failed = true;
                    t.told_all = false;
                } else if finish {
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
            EventBody::DesignEdited { entry } => {
                if let Ok(path) = WorkPath::parse(DESIGN_PATH) {
                    self.files.0.insert(path, entry.clone());
                }
                self.queue_settings(true);
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
            EventBody::ModelTold { noted, .. } if !noted.is_empty() => {
                self.noted.clone_from(noted);
                self.in_turn(|t| t.told_all = false);
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
            EventBody::TurnFinished { outcome } => self.turn_finished(at, outcome),
            EventBody::RenderQueued { .. }
            | EventBody::RenderStarted { .. }
            | EventBody::RenderShared { .. }
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
        self.queue_settings(asks || (by == Actor::Person && self.design_waits()));
    }

    fn design_waits(&self) -> bool {
        self.queue.contains(&TurnInput::Settings {}) && self.has_changes()
    }

    /// One turn takes all changes by hand that wait.
    fn queue_settings(&mut self, asks: bool) {
        self.queue
            .retain(|waiting| *waiting != TurnInput::Settings {});
        if asks {
            self.queue.push(TurnInput::Settings {});
        }
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
            stages: Stages::default(),
            misses: Misses::default(),
            call_failed: false,
            version: None,
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
        self.in_turn(|t| {
            if version.turn_id == Some(t.id) {
                t.version = Some(version.id);
            }
        });
    }

    fn turn_finished(&mut self, at: Timestamp, outcome: &TurnOutcome) {
        if let Some(turn) = self.turn.take() {
            self.turns.push(TurnSummary::new(&turn, at, outcome));
            if self.turns.len() > REMEMBERED_TURNS {
                self.turns.remove(0);
            }
        }
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
            | EventBody::RenderShared { render_id, .. }
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
                render.helpers.clear();
            }
            EventBody::RenderShared { sandboxes, .. } => render.helpers.clone_from(sandboxes),
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
