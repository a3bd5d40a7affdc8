//! Render jobs: detached in the sandbox, watched by whoever holds the lease, finished by whoever looks.

mod begin;
mod ended;
mod home;
mod parts;
mod share;
mod wanted;
mod watch;

use crate::Studio;
use ended::Ended;
use koda_domain::{
    EventBody, SandboxId, SessionId, TenantId,
    render::{Render, RenderOutput, RenderStatus},
    sandbox::{ProcessName, ProcessStatus, SandboxError},
    store::{Lease, SessionHead, StoreError},
};
use std::{collections::HashSet, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info, info_span, warn};

/// How often a running render is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// How long a render may take.
const DEADLINE: Duration = Duration::from_secs(2 * 3600);
/// How often a render is begun where its sandbox was lost or its browser died.
const ATTEMPTS: u32 = 2;
/// How often where parts of it had become whole each time.
const MOST_ATTEMPTS: u32 = 20;

/// A render at work.
struct Watch<'a> {
    studio: &'a Studio,
    session: SessionId,
    tenant: TenantId,
    render: Render,
    lease: &'a Lease,
    /// Cancelled where this worker is to let go.
    cancel: CancellationToken,
    /// Cancelled where the render is not wanted any more.
    unwanted: CancellationToken,
    /// Parts that are in the object store.
    home: HashSet<u32>,
    /// Whether this attempt has made a part whole.
    fruitful: bool,
    /// Whether an attempt before failed by itself: it may have been too much at once, and one browser may do it.
    crowded: bool,
    /// The session's own sandbox, once the render is in it.
    at: Option<SandboxId>,
    /// How often in a row a helper has not answered.
    misses: u32,
}

impl Studio {
    /// Works off a session's renders, one after the other, if no other worker does. Whether something may be left to whoever
    /// looks next.
    pub(crate) async fn work_renders(
        &self,
        session: SessionId,
        shutdown: &CancellationToken,
    ) -> bool {
        let Some(Ok(_slot)) = shutdown
            .run_until_cancelled(self.render_slots.acquire())
            .await
        else {
            return false;
        };
        let owner = format!("{}/{}", self.parts.owner, self.ids().ulid());
        let key = format!("render/{session}");
        let taken = self
            .store()
            .acquire(&key, &owner, self.clock().now(), self.options().lease)
            .await;
        let Ok(Some(lease)) = taken else { return true };
        let cancel = shutdown.child_token();
        let work = async {
            let left = loop {
                if cancel.is_cancelled() {
                    break true;
                }
                let Ok(head) = self.store().session_any(session).await else {
                    break true;
                };
                let Some(render) = head
                    .state
                    .renders
                    .iter()
                    .find(|r| !r.status.is_final())
                    .cloned()
                else {
                    break false;
                };
                let watch = Watch {
                    studio: self,
                    session,
                    tenant: head.tenant.clone(),
                    render,
                    lease: &lease,
                    cancel: cancel.clone(),
                    unwanted: CancellationToken::new(),
                    home: HashSet::new(),
                    fruitful: false,
                    crowded: false,
                    at: None,
                    misses: 0,
                };
                let span = info_span!("render", tenant = %head.tenant, session.id = %session, render.id = %watch.render.id);
                if !Box::pin(watch.run(head)).instrument(span).await {
                    break true;
                }
            };
            cancel.cancel();
            left
        };
        let (left, ()) = tokio::join!(work, self.keep_lease(lease.clone(), cancel.clone()));
        self.recent.forget(session);
        let _ = self.store().release(&lease).await;
        left
    }
}

impl Watch<'_> {
    /// Does one render to its end. False where this worker must let go.
    async fn run(mut self, head: SessionHead) -> bool {
        let id = self.render.id;
        let mut seconds = 0.0;
        loop {
            let cancel = self.cancel.clone();
            let ended = cancel.run_until_cancelled(self.while_wanted(&head)).await;
            let ended = match ended {
                Some(ended) => ended,
                // It was told of as over already, and nobody else looks after what it has begun.
                None if self.unwanted.is_cancelled() => {
                    self.end_processes().await;
                    Err(Ended::Cancelled)
                }
                None => Err(Ended::Silently),
            };
            let event = match ended {
                Ok(output) => {
                    seconds = output.seconds;
                    EventBody::RenderReady {
                        render_id: id,
                        output,
                    }
                }
                Err(Ended::Silently) => {
                    let there = self.studio.store().session_any(self.session).await;
                    if matches!(there, Err(StoreError::NotFound)) {
                        // A part or the file may have come home after the session was cleared away.
                        self.forget_parts().await;
                        self.forget_output().await;
                    }
                    return false;
                }
                Err(Ended::Cancelled) => EventBody::RenderCancelled { render_id: id },
                Err(Ended::Again(failure))
                    if self.render.attempts < ATTEMPTS
                        || self.fruitful && self.render.attempts < MOST_ATTEMPTS =>
                {
                    warn!(
                        code = failure.code,
                        "The render begins again: {}", failure.message
                    );
                    self.render.status = RenderStatus::Queued;
                    self.fruitful = false;
                    self.crowded |= ended::may_be_crowded(&failure);
                    self.let_helpers_go().await;
                    continue;
                }
                Err(Ended::Again(failure) | Ended::Failed(failure)) => {
                    let failure = ended::closed(failure);
                    warn!(
                        monotonic_counter.koda.renders.failed = 1,
                        code = failure.code,
                        "The render failed: {}",
                        failure.message
                    );
                    EventBody::RenderFailed {
                        render_id: id,
                        failure,
                    }
                }
            };
            // Told first: what is cleared away before cannot be brought home again by whoever takes over.
            let Ok(status) = self.log().conclude(event).await else {
                return false;
            };
            self.let_helpers_go().await;
            if let Some(sandbox) = self.at.take() {
                self.clear(&sandbox).await;
            }
            self.forget_parts().await;
            if status == RenderStatus::Ready {
                info!(
                    monotonic_counter.koda.renders = 1,
                    histogram.koda.render.seconds = seconds,
                    "The render is ready"
                );
            } else {
                self.forget_output().await;
            }
            return true;
        }
    }

    /// Appends what this attempt has come to, unless the render is not wanted any more.
    async fn tell(&self, events: Vec<EventBody>) -> Result<SessionHead, Ended> {
        self.log().tell(events).await
    }

    fn process(&self) -> ProcessName {
        ProcessName::new(self.render.id.to_string())
    }

    /// The process that joins what several sandboxes have drawn. Each attempt has one of its own: what an earlier one ended with
    /// is not this one's end.
    fn joiner(&self) -> ProcessName {
        ProcessName::new(format!("{}-join-{}", self.render.id, self.render.attempts))
    }

    fn folder(&self) -> String {
        format!(".koda/renders/{}", self.render.id)
    }

    /// Begins the render, or finds it at work, and brings home what it makes.
    async fn attempt(&mut self, head: &SessionHead) -> Result<RenderOutput, Ended> {
        let version = self.studio.version_of(head, self.render.version_id).await?;
        let sandbox = match self.running_in(head).await? {
            Some(sandbox) => {
                self.at = Some(sandbox.clone());
                self.fruitful = self.has_parts().await;
                sandbox
            }
            None => self.start(&version).await?,
        };
        // Helpers are let go on the way.
        let sandboxes = 1 + u32::try_from(self.render.helpers.len()).unwrap_or(u32::MAX);
        let last = self.watch(&sandbox).await?;
        let output = self.bring_home(head, &version, &sandbox, &last);
        let output = self.if_wanted(output).await??;
        Ok(RenderOutput {
            sandboxes,
            ..output
        })
    }

    /// The sandbox where this render runs or has ended already: a worker that died may have begun it.
    async fn running_in(&self, head: &SessionHead) -> Result<Option<SandboxId>, Ended> {
        if self.render.status != RenderStatus::Running {
            return Ok(None);
        }
        let head = self.studio.store().session_any(head.id).await?;
        let Some(id) = head.state.sandbox.and_then(|s| s.id) else {
            return Ok(None);
        };
        match self.studio.sandboxes().process(&id, &self.process()).await {
            Ok(ProcessStatus::Unknown) | Err(SandboxError::Gone) => Ok(None),
            Ok(_) => Ok(Some(id)),
            Err(error) => Err(error.into()),
        }
    }

    fn file_name(&self) -> String {
        format!("out.{}", self.render.spec.format.extension())
    }

    /// Where a process of the render keeps what it said last.
    fn progress_file(&self, of: &ProcessName) -> String {
        let name = if *of == self.joiner() {
            "join"
        } else {
            "progress"
        };
        format!("{}/{name}.json", self.folder())
    }
}
