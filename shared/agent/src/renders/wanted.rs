//! Cancelling: whatever a render is at, somebody looks whether it is still wanted. That it is not is told at once, what draws is
//! ended meanwhile, and what cannot be left half done is done to its end.

use super::{Ended, Watch};
use crate::{Studio, commit::Writer};
use futures_util::future::join_all;
use koda_domain::{
    EventBody, RenderId, SessionId,
    objects::ObjectKey,
    render::{RenderOutput, RenderStatus},
    sandbox::SandboxError,
    store::{Lease, SessionHead, StoreError},
};
use std::{pin::pin, time::Duration};
use tracing::warn;

/// How often it is looked whether a render is still wanted.
const LOOK: Duration = Duration::from_millis(200);
/// How long a cancelled renderer has to clean up after itself. One look before it and the calls to the sandbox are to fit into a
/// second with it.
const GRACE: Duration = Duration::from_millis(600);

/// How often it is tried to end a process.
const TRIES: u32 = 5;

/// What is written of a render, and read about it.
#[derive(Clone, Copy)]
pub(super) struct Log<'a> {
    studio: &'a Studio,
    session: SessionId,
    render: RenderId,
    lease: &'a Lease,
}

impl Log<'_> {
    async fn write(
        &self,
        decide: impl FnMut(&SessionHead) -> Result<Vec<EventBody>, Ended>,
    ) -> Result<SessionHead, Ended> {
        let writer = Writer {
            lease: Some(self.lease),
            turn: None,
        };
        self.studio.commit(self.session, writer, decide).await
    }

    /// Appends what an attempt has come to, unless the render is not wanted any more.
    pub async fn tell(&self, events: Vec<EventBody>) -> Result<SessionHead, Ended> {
        self.write(|head| self.wanted(head).map(|()| events.clone()))
            .await
    }

    /// Appends how the render has ended, which is cancelled where somebody asked for that before. Returns what it is then.
    pub async fn conclude(&self, end: EventBody) -> Result<RenderStatus, Ended> {
        let now = self
            .write(|head| match head.state.render(self.render) {
                None => Err(Ended::Silently),
                Some(render) if render.status.is_final() => Ok(vec![]),
                Some(render) if render.cancel_requested => Ok(vec![EventBody::RenderCancelled {
                    render_id: self.render,
                }]),
                Some(_) => Ok(vec![end.clone()]),
            })
            .await?;
        let render = now.state.render(self.render);
        render.map(|render| render.status).ok_or(Ended::Silently)
    }

    /// Tells that it is cancelled, if it is there and not over. Where that fails it is tried again at the end.
    async fn cancelled(&self) {
        let cancelled = EventBody::RenderCancelled {
            render_id: self.render,
        };
        let _ = self.conclude(cancelled).await;
    }

    /// Whether the render is there, and nobody has cancelled it.
    fn wanted(&self, head: &SessionHead) -> Result<(), Ended> {
        match head.state.render(self.render) {
            None => Err(Ended::Silently),
            Some(render) if render.cancel_requested || render.status.is_final() => {
                Err(Ended::Cancelled)
            }
            Some(_) => Ok(()),
        }
    }

    /// Returns when the render is not wanted any more.
    async fn until_unwanted(&self) -> Ended {
        loop {
            match self.studio.store().session_any(self.session).await {
                Ok(head) => {
                    if let Err(ended) = self.wanted(&head) {
                        return ended;
                    }
                }
                Err(StoreError::NotFound) => return Ended::Silently,
                // Whether that lasts, the attempt sees by itself.
                Err(_) => {}
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl<'a> Watch<'a> {
    pub(super) fn log(&self) -> Log<'a> {
        Log {
            studio: self.studio,
            session: self.session,
            render: self.render.id,
            lease: self.lease,
        }
    }

    /// An attempt for as long as the render is wanted. Where it is not any more, that is told at once, and the attempt comes to
    /// an end of its own meanwhile: a sandbox that is being made is the session's, and helpers are known only once they are made.
    pub(super) async fn while_wanted(&mut self, head: &SessionHead) -> Result<RenderOutput, Ended> {
        let (log, unwanted) = (self.log(), self.unwanted.clone());
        let mut attempt = Box::pin(self.attempt_or_undo(head));
        let why = tokio::select! {
            ended = &mut attempt => return ended,
            why = log.until_unwanted() => why,
        };
        unwanted.cancel();
        if matches!(why, Ended::Cancelled) {
            let (_, _) = tokio::join!(log.cancelled(), attempt);
        } else {
            let _ = attempt.await;
        }
        Err(why)
    }

    /// An attempt. Where it comes to an end because the render is not wanted any more, what it has begun is ended.
    async fn attempt_or_undo(&mut self, head: &SessionHead) -> Result<RenderOutput, Ended> {
        let ended = self.attempt(head).await;
        if matches!(ended, Err(Ended::Cancelled)) {
            // It may have seen that itself, as it was about to tell something.
            self.unwanted.cancel();
        }
        if self.unwanted.is_cancelled() {
            let helpers = std::mem::take(&mut self.render.helpers);
            let ends = helpers.iter().map(|helper| self.end_helper(helper));
            let log = self.log();
            tokio::join!(log.cancelled(), self.end_processes(), join_all(ends));
        }
        ended
    }

    /// That nobody has seen yet that the render is not wanted any more.
    pub(super) fn still_wanted(&self) -> Result<(), Ended> {
        if self.unwanted.is_cancelled() {
            Err(Ended::Cancelled)
        } else {
            Ok(())
        }
    }

    /// What comes of this; it is dropped where the render is not wanted any more.
    pub(super) async fn if_wanted<T>(&self, work: impl Future<Output = T>) -> Result<T, Ended> {
        let done = self.unwanted.run_until_cancelled(work).await;
        done.ok_or(Ended::Cancelled)
    }

    /// What comes of this, which is done to its end; where the render is not wanted any more, what draws is ended meanwhile.
    pub(super) async fn to_its_end<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        tokio::select! {
            done = &mut work => done,
            () = self.unwanted.cancelled() => tokio::join!(work, self.end_processes()).0,
        }
    }

    /// Ends what draws and what joins in the session's own sandbox.
    pub(super) async fn end_processes(&self) {
        let Some(sandbox) = &self.at else { return };
        let ends = [self.process(), self.joiner()].map(|process| async move {
            // Nobody looks after it once the render is over, so that one call that fails must not leave it to run on.
            for _ in 0..TRIES {
                let sandboxes = self.studio.sandboxes();
                match sandboxes.kill(sandbox, &process, GRACE).await {
                    Ok(()) | Err(SandboxError::Gone | SandboxError::NotFound(_)) => return,
                    Err(error) => {
                        warn!(render.id = %self.render.id, %error, "Could not end {}: {error}", process.as_str());
                    }
                }
                tokio::time::sleep(GRACE).await;
            }
        });
        join_all(ends).await;
    }

    /// Removes what may have come home of a file that is not to be.
    pub(super) async fn forget_output(&self) {
        let film = self.render.spec.format.extension();
        for name in [film, "poster.png", "poster.jpg"] {
            let key = ObjectKey::render(&self.tenant, self.render.id, name);
            if let Err(error) = self.studio.objects().delete(&key).await {
                warn!(render.id = %self.render.id, %error, "A file of {} is left: {error}", self.render.id);
            }
        }
    }
}
