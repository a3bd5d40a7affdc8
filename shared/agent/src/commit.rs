//! The one way to write to a session's log: read the head, decide, append if nobody else wrote meanwhile.

use crate::Studio;
use koda_domain::{
    EventBody, SessionId, TurnId,
    store::{Append, Lease, SessionHead, StoreError},
};
use std::time::Duration;

/// How often a writer tries again where others write at the same time.
const ATTEMPTS: u32 = 30;

/// Under what a writer writes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Writer<'a> {
    /// The lease that must still be held.
    pub lease: Option<&'a Lease>,
    /// The turn that the events belong to.
    pub turn: Option<TurnId>,
}

impl Studio {
    /// Appends what `decide` makes of the head, all or nothing; nothing where it decides for nothing.
    /// `decide` is called again where somebody else wrote meanwhile. Returns the head afterwards.
    pub(crate) async fn commit<E: From<StoreError>>(
        &self,
        session: SessionId,
        writer: Writer<'_>,
        decide: impl FnMut(&SessionHead) -> Result<Vec<EventBody>, E>,
    ) -> Result<SessionHead, E> {
        // On the heap: every job's future holds one of these.
        Box::pin(self.try_commit(session, writer, decide)).await
    }

    async fn try_commit<E: From<StoreError>>(
        &self,
        session: SessionId,
        writer: Writer<'_>,
        mut decide: impl FnMut(&SessionHead) -> Result<Vec<EventBody>, E>,
    ) -> Result<SessionHead, E> {
        for attempt in 0..ATTEMPTS {
            let mut head = self.store().session_any(session).await?;
            let events = decide(&head)?;
            if events.is_empty() {
                return Ok(head);
            }
            let at = self.clock().now();
            let expected_seq = head.seq;
            for event in &events {
                head.seq += 1;
                head.state.apply(head.seq, at, writer.turn, event);
            }
            let append = Append {
                session,
                expected_seq,
                lease: writer.lease.cloned(),
                at,
                turn: writer.turn,
                events,
                state: head.state.clone(),
            };
            match self.store().append(&append).await {
                Ok(_) => {
                    // Nobody listening is fine.
                    let _ = self.bell.send(session);
                    return Ok(head);
                }
                Err(StoreError::Conflict) => {
                    tokio::time::sleep(Duration::from_millis(u64::from(attempt.min(10)))).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }
}
