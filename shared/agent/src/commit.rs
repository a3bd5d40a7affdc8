//! The one way to write to a session's log: read the head, decide, append if nobody else wrote meanwhile.

use crate::{Studio, studio::held};
use koda_domain::{
    Event, EventBody, SessionId, TurnId,
    store::{Append, Lease, SessionHead, StoreError},
};
use std::{collections::HashMap, sync::Mutex, time::Duration};

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

/// Heads that this process wrote last under a lease. Whoever holds the lease writes most of a log, so that this is mostly the
/// newest; where it is not, the store refuses what is built on it.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<HashMap<SessionId, SessionHead>>);

impl Recent {
    fn take(&self, session: SessionId) -> Option<SessionHead> {
        held(&self.0).remove(&session)
    }

    fn keep(&self, head: SessionHead) {
        held(&self.0).insert(head.id, head);
    }

    /// Forgets a session whose work is over.
    pub fn forget(&self, session: SessionId) {
        held(&self.0).remove(&session);
    }
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
            let recent = writer.lease.and_then(|_| self.recent.take(session));
            let may_be_old = recent.is_some();
            let mut head = match recent {
                Some(head) => head,
                None => self.store().session_any(session).await?,
            };
            let events = match decide(&head) {
                // What others wrote since may speak for it, and the store refuses only what is appended.
                Err(_) if may_be_old => continue,
                decided => decided?,
            };
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
                    if writer.lease.is_some() {
                        self.recent.keep(head.clone());
                    }
                    self.bell.tell(&head, numbered(append));
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

/// What was appended, as a log has it.
fn numbered(append: Append) -> Vec<Event> {
    let (session_id, turn_id, at) = (append.session, append.turn, append.at);
    let numbers = append.expected_seq + 1..;
    let events = numbers.zip(append.events);
    events
        .map(|(seq, body)| Event {
            seq,
            at,
            session_id,
            turn_id,
            body,
        })
        .collect()
}
