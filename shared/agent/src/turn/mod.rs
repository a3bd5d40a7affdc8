//! Turns: one run of the agent each, durable by checkpoints, held by a lease.

mod budget;
mod check;
mod conclude;
mod conversation;
mod measure;
mod pinned;
mod step;
mod values;
mod window;

pub(crate) use check::describe;
pub(crate) use conversation::Talk;
pub(crate) use pinned::{facts, fonts, stage, system};
pub(crate) use step::{ANSWER_TOKENS, may_pass, pause};

use crate::{News, Room, Studio, StudioError, commands::approval, commit::Writer, tools};
use koda_domain::{
    EventBody, SessionId, SessionState, TurnId, WorkPath,
    asset::{Asset, AssetRole},
    event::{Actor, TurnOutcome},
    store::{Lease, SessionHead, StoreError},
    version::FileEntry,
};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info, info_span, warn};

/// How soon a request to stop is seen where nobody rings.
const STOP_POLL: Duration = Duration::from_secs(1);

/// Why a turn's work ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Interrupted {
    /// Another worker has the lease, or the session is gone: say nothing more.
    #[error("the lease was lost")]
    Lost,
    /// A person asked to stop, or the process shuts down.
    #[error("stopped")]
    Cancelled,
    /// It cannot go on.
    #[error("{message}")]
    Failed {
        /// A closed word.
        code: &'static str,
        /// What happened and what to do.
        message: String,
    },
}

impl From<StoreError> for Interrupted {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Fenced | StoreError::NotFound => Self::Lost,
            other => Self::Failed {
                code: "store_unavailable",
                message: format!("Saving failed: {other}."),
            },
        }
    }
}

impl From<StudioError> for Interrupted {
    fn from(error: StudioError) -> Self {
        match error {
            StudioError::Store(error) => error.into(),
            StudioError::Sandbox(error) => Self::Failed {
                code: "sandbox_unavailable",
                message: format!(
                    "The sandbox could not be used: {error}. Send the message again to retry."
                ),
            },
            StudioError::NotFound => Self::Lost,
            other => Self::Failed {
                code: "storage_unavailable",
                message: format!("Saving failed: {other}."),
            },
        }
    }
}

/// A turn at work: what it may write, and when it must end.
pub(crate) struct Job<'a> {
    pub studio: &'a Studio,
    pub session: SessionId,
    pub turn: TurnId,
    pub lease: &'a Lease,
    pub cancel: CancellationToken,
    /// What was said, as far as this turn has read it.
    pub log: tokio::sync::Mutex<conversation::Log>,
}

impl Job<'_> {
    /// Appends events of this turn.
    pub async fn tell(&self, events: Vec<EventBody>) -> Result<SessionHead, Interrupted> {
        self.studio
            .commit(self.session, self.writer(), |_| {
                Ok::<_, Interrupted>(events.clone())
            })
            .await
    }

    pub fn writer(&self) -> Writer<'_> {
        Writer {
            lease: Some(self.lease),
            turn: Some(self.turn),
        }
    }
}

impl Studio {
    /// Works off a session's turns, if no other worker does. Returns when none waits, the lease is lost or cannot be had, or a
    /// turn failed; whether something may be left to whoever looks next.
    pub(crate) async fn work_turns(
        &self,
        session: SessionId,
        shutdown: &CancellationToken,
    ) -> bool {
        let owner = format!("{}/{}", self.parts.owner, self.ids().ulid());
        let key = format!("turn/{session}");
        loop {
            let now = self.clock().now();
            let lease = match self
                .store()
                .acquire(&key, &owner, now, self.options().lease)
                .await
            {
                Ok(Some(lease)) => lease,
                Ok(None) => return true,
                Err(error) => {
                    warn!(session.id = %session, %error, "Could not take the lease of session {session}: {error}");
                    return true;
                }
            };
            let cancel = shutdown.child_token();
            let keeper = self.keep_lease(lease.clone(), cancel.clone());
            let work = async {
                let result = self.work_leased(session, &lease, &cancel).await;
                cancel.cancel();
                result
            };
            let (result, ()) = tokio::join!(work, keeper);
            if let Err(Interrupted::Failed { code, message }) = &result {
                warn!(session.id = %session, code, "A turn of session {session} ended early: {message}");
            }
            self.recent.forget(session);
            let _ = self.store().release(&lease).await;
            // What came between the last look and the release would wait for the next poll.
            let more = self
                .store()
                .session_any(session)
                .await
                .is_ok_and(|head| wants_turn(&head.state));
            if !more || result.is_err() || shutdown.is_cancelled() {
                return result.is_err();
            }
        }
    }

    /// Renews a lease until the work is over; ends the work where the lease is lost.
    pub(crate) async fn keep_lease(&self, lease: Lease, cancel: CancellationToken) {
        let mut lease = lease;
        let pause = self.options().lease / 3;
        while cancel
            .run_until_cancelled(tokio::time::sleep(pause))
            .await
            .is_some()
        {
            match self
                .store()
                .renew(&lease, self.clock().now(), self.options().lease)
                .await
            {
                Ok(renewed) => lease = renewed,
                Err(StoreError::Fenced | StoreError::NotFound) => cancel.cancel(),
                Err(error) => {
                    warn!(lease.key = %lease.key, %error, "Could not renew {}: {error}", lease.key)
                }
            }
        }
    }

    async fn work_leased(
        &self,
        session: SessionId,
        lease: &Lease,
        cancel: &CancellationToken,
    ) -> Result<(), Interrupted> {
        loop {
            let Some((head, turn)) = self.next_turn(session, lease).await? else {
                return Ok(());
            };
            if cancel.is_cancelled() {
                return Err(Interrupted::Cancelled);
            }
            let stop = cancel.child_token();
            let job = Job {
                studio: self,
                session,
                turn,
                lease,
                cancel: stop.clone(),
                log: tokio::sync::Mutex::default(),
            };
            let span =
                info_span!("turn", tenant = %head.tenant, session.id = %session, turn.id = %turn);
            let work = async {
                let result = Box::pin(job.run(head)).await;
                stop.cancel();
                result
            };
            let at_work = async {
                let (result, ()) = tokio::join!(work, self.watch_for_stop(session, &stop));
                job.finish(result, cancel.is_cancelled()).await
            };
            at_work.instrument(span).await?;
        }
    }

    /// Begins the turn that waits, or takes over the one that a dead worker left.
    async fn next_turn(
        &self,
        session: SessionId,
        lease: &Lease,
    ) -> Result<Option<(SessionHead, TurnId)>, Interrupted> {
        let head = self.store().session_any(session).await?;
        if let Some(turn) = &head.state.turn {
            let writer = Writer {
                lease: Some(lease),
                turn: Some(turn.id),
            };
            let attempt = turn.attempt + 1;
            info!(session.id = %session, turn.id = %turn.id, "Resuming a turn that another worker left");
            let resumed = EventBody::TurnResumed { attempt };
            let head = self
                .commit::<Interrupted>(session, writer, |_| Ok(vec![resumed.clone()]))
                .await?;
            return Ok(head.state.turn.as_ref().map(|t| t.id).map(|id| (head, id)));
        }
        if head.state.queue.is_empty() {
            return Ok(None);
        }
        let turn = TurnId::new(self.ids().ulid());
        let given = self.given_files(&head).await;
        let writer = Writer {
            lease: Some(lease),
            turn: Some(turn),
        };
        let head = self
            .commit::<Interrupted>(session, writer, |head| {
                let Some(input) = head.state.queue.first() else {
                    return Ok(vec![]);
                };
                let mut events = vec![EventBody::TurnStarted {
                    input: input.clone(),
                }];
                let new = given
                    .iter()
                    .filter(|(path, entry)| head.state.files.0.get(path) != Some(entry));
                events.extend(new.map(|(path, entry)| EventBody::FileWritten {
                    path: path.clone(),
                    entry: entry.clone(),
                }));
                Ok(events)
            })
            .await?;
        Ok(head.state.turn.is_some().then_some((head, turn)))
    }

    /// The assets of a session, with the logo of its settings.
    pub(crate) async fn given(&self, head: &SessionHead) -> Vec<Asset> {
        let mut given = Vec::new();
        let logo = head.state.settings.logo;
        let unnamed = logo.filter(|id| !head.state.assets.contains(id));
        for id in head.state.assets.iter().chain(&unnamed) {
            // One that was deleted meanwhile is simply not there.
            given.extend(self.store().asset(&head.tenant, *id).await.ok());
        }
        given
    }

    /// Uploaded assets as files of the workspace.
    async fn given_files(&self, head: &SessionHead) -> Vec<(WorkPath, FileEntry)> {
        let mut files = Vec::new();
        for asset in self.given(head).await {
            // What is to be like something is made without it.
            if asset.role == Some(AssetRole::Reference) {
                continue;
            }
            if let (Ok(path), Some(blob)) = (WorkPath::parse_writable(&asset.path), asset.blob) {
                files.push((
                    path,
                    FileEntry {
                        blob,
                        size: asset.size,
                    },
                ));
            }
        }
        files
    }

    /// Ends the work when somebody asks to stop.
    async fn watch_for_stop(&self, session: SessionId, stop: &CancellationToken) {
        let mut bell = self.listen(Room::Session(session));
        let asks = |news: &News| {
            let events = news.events.iter();
            events
                .map(|e| &e.body)
                .any(|body| matches!(body, EventBody::StopRequested {}))
        };
        while !stop.is_cancelled() {
            let asked_here = async {
                let heard = async { while bell.recv().await.is_ok_and(|news| !asks(&news)) {} };
                let _ = tokio::time::timeout(STOP_POLL, heard).await;
            };
            if stop.run_until_cancelled(asked_here).await.is_none() {
                return;
            }
            let asked = self.store().session_any(session).await;
            if asked.is_ok_and(|head| head.state.turn.is_some_and(|t| t.stop_requested)) {
                stop.cancel();
            }
        }
    }
}

/// Whether a turn runs or waits.
pub(crate) fn wants_turn(state: &SessionState) -> bool {
    state.turn.is_some() || !state.queue.is_empty()
}

impl Job<'_> {
    /// Goes on from the last checkpoint until the turn has an outcome.
    async fn run(&self, mut head: SessionHead) -> Result<TurnOutcome, Interrupted> {
        loop {
            if self.cancel.is_cancelled() {
                return Err(Interrupted::Cancelled);
            }
            let Some(turn) = head.state.turn.clone() else {
                return Err(Interrupted::Lost);
            };
            if turn.stop_requested {
                return Err(Interrupted::Cancelled);
            }
            if turn.misses.is_stuck() {
                return Err(budget::stuck());
            }
            if let Some(what) = self.exhausted(&head.state, &turn) {
                return Ok(TurnOutcome::BudgetExhausted { what: what.into() });
            }
            head = if let Some(call) = turn.open_calls.first() {
                let head = tools::run(self, &head, call).await?;
                if head
                    .state
                    .turn
                    .as_ref()
                    .is_some_and(|t| t.open_calls.is_empty())
                {
                    self.show(&head).await;
                }
                head
            } else if turn.asked {
                return self.after_asking(&head).await;
            } else if turn.told_all {
                match Box::pin(self.conclude(&head)).await? {
                    conclude::Next::Outcome(outcome) => return Ok(outcome),
                    conclude::Next::Repair(head) => *head,
                }
            } else {
                self.call_model(&head).await?
            };
        }
    }

    /// Lets the preview show what the last batch of tools changed. The check fills the sandbox in any case.
    async fn show(&self, head: &SessionHead) {
        if head.state.has_changes() && head.state.approved.is_some() {
            let shown = self
                .cancel
                .run_until_cancelled(self.studio.prepare_working(head))
                .await;
            if let Some(Err(error)) = shown {
                warn!(session.id = %self.session, %error, "Could not show changes of {}: {error}", self.session);
            }
        }
    }

    async fn after_asking(&self, head: &SessionHead) -> Result<TurnOutcome, Interrupted> {
        if head.state.question.is_some() {
            return Ok(TurnOutcome::AwaitingAnswer);
        }
        self.studio.refresh_soon(head.id);
        if head.state.settings.auto_approve {
            self.studio
                .commit(self.session, self.writer(), |head| {
                    match &head.state.proposal {
                        Some(open) if open.open => {
                            approval(&head.state, open.plan.clone(), Actor::Auto)
                                .map_err(Interrupted::from)
                        }
                        _ => Ok(vec![]),
                    }
                })
                .await?;
        }
        Ok(TurnOutcome::AwaitingPlan)
    }

    /// Records how the turn ended. A turn cut off by a shutdown stays open: the next worker goes on.
    async fn finish(
        &self,
        result: Result<TurnOutcome, Interrupted>,
        shutdown: bool,
    ) -> Result<(), Interrupted> {
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(Interrupted::Lost) => return Err(Interrupted::Lost),
            Err(Interrupted::Cancelled) if shutdown => return Err(Interrupted::Cancelled),
            Err(Interrupted::Cancelled) => {
                self.end_commands().await;
                TurnOutcome::Stopped
            }
            Err(Interrupted::Failed { code, message }) => TurnOutcome::Failed {
                code: code.into(),
                message,
            },
        };
        let kind = measure::kind(&outcome);
        let head = self.tell(vec![EventBody::TurnFinished { outcome }]).await?;
        if let Some(turn) = head.state.turns.last().filter(|t| t.id == self.turn) {
            measure::measure(turn, kind);
        }
        Ok(())
    }
}

/// What a worker task needs to outlive the request that rang for it.
pub(crate) type SharedStudio = Arc<Studio>;
