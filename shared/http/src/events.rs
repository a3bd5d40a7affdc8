//! Event streams: logs told as they grow, from any place on, to any number of listeners.

use crate::{AppState, error::ApiError};
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use data_encoding::BASE64URL_NOPAD;
use futures_util::{Stream, StreamExt, stream::BoxStream};
use koda_domain::{
    Event, ProjectId, SessionId, TenantId,
    store::{SessionHead, StoreError},
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    convert::Infallible,
    time::{Duration, Instant},
};
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// How soon an append of another process is seen.
const POLL: Duration = Duration::from_millis(700);
/// How soon what happens in a session without work is seen, where another process did it: each look reads every session.
const LOOK: Duration = Duration::from_secs(2);
/// Looks at a session in which nothing happens, before they become fewer.
const QUIET: u32 = 15;
/// Looks at a session without work, before a stream that is not to be held is closed.
const IDLE: u32 = 4;
/// How often a silent stream shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(12);
/// Events that are read at once.
const PAGE: usize = 200;

pub(crate) type Events =
    Sse<axum::response::sse::KeepAliveStream<BoxStream<'static, Result<Message, Infallible>>>>;

fn stream(events: impl Stream<Item = Result<Message, Infallible>> + Send + 'static) -> Events {
    // What comes with the head goes out with it: proxies pass the stream on at once, and Lambda's runtime does not wait for the
    // head to be acknowledged before it sends what follows.
    let begun = futures_util::stream::once(async { Ok(Message::default().comment("")) });
    let events = begun.chain(events);
    Sse::new(events.boxed()).keep_alive(KeepAlive::new().interval(HEARTBEAT))
}

fn kind(event: &Event) -> String {
    let value = serde_json::to_value(&event.body).unwrap_or_default();
    value["type"].as_str().unwrap_or("event").to_owned()
}

fn message(event: &Event, id: String) -> Message {
    let data = serde_json::to_string(event).unwrap_or_default();
    Message::default().event(kind(event)).id(id).data(data)
}

fn failure(error: StoreError) -> Message {
    let body = ApiError::from(error).body(&crate::guard::request_id());
    Message::default()
        .event("error")
        .data(serde_json::to_string(&body).unwrap_or_default())
}

/// Nothing happens and nothing is about to: whoever listens comes back when they do something, and now and then.
fn idle() -> Message {
    Message::default().event("idle").data("{}")
}

/// Waits until something may have happened. Tells which session rang, or none where all must be looked at.
async fn rung(bell: &mut Receiver<SessionId>, pause: Duration) -> Option<SessionId> {
    match tokio::time::timeout(pause, bell.recv()).await {
        Ok(Ok(session)) => Some(session),
        Ok(Err(RecvError::Lagged(_))) | Err(_) => None,
        Ok(Err(RecvError::Closed)) => {
            tokio::time::sleep(pause).await;
            None
        }
    }
}

/// One session's events after `after`.
pub(crate) fn of_session(state: AppState, session: SessionId, mut after: u64) -> Events {
    stream(async_stream::stream! {
        let mut bell = state.studio.subscribe();
        let shutdown = state.shutdown.clone();
        let mut quiet = 0;
        loop {
            match state.studio.store().events(session, after, PAGE).await {
                Ok(events) => {
                    let whole = events.len() == PAGE;
                    quiet = if events.is_empty() { quiet + 1 } else { 0 };
                    for event in events {
                        after = event.seq;
                        yield Ok(message(&event, after.to_string()));
                    }
                    if whole {
                        continue;
                    }
                }
                Err(error) => {
                    yield Ok(failure(error));
                    return;
                }
            }
            if !state.holds_idle_streams && quiet >= IDLE {
                let head = state.studio.store().session_any(session).await;
                if head.is_ok_and(|head| !head.state.has_work()) {
                    yield Ok(idle());
                    return;
                }
            }
            let pause = if quiet > QUIET { 3 * POLL } else { POLL };
            let waited = async { while rung(&mut bell, pause).await.is_some_and(|rang| rang != session) {} };
            if shutdown.run_until_cancelled(waited).await.is_none() {
                return;
            }
        }
    })
}

/// Places in the logs of a project's sessions. As an event's id it is opaque.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cursor(BTreeMap<SessionId, u64>);

impl Cursor {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let places = text.split(';').filter(|place| !place.is_empty());
        let places = places.map(|place| {
            let (session, seq) = place.split_once('=')?;
            Some((session.parse().ok()?, seq.parse().ok()?))
        });
        places.collect::<Option<_>>().map(Self)
    }

    fn text(&self) -> String {
        let places: String = self
            .0
            .iter()
            .map(|(session, seq)| format!("{session}={seq};"))
            .collect();
        BASE64URL_NOPAD.encode(places.as_bytes())
    }
}

/// The events of all sessions of a project.
pub(crate) fn of_project(
    state: AppState,
    tenant: TenantId,
    project: ProjectId,
    mut cursor: Cursor,
) -> Events {
    stream(async_stream::stream! {
        let mut bell = state.studio.subscribe();
        let shutdown = state.shutdown.clone();
        let mut known: Vec<SessionId> = Vec::new();
        let mut working: Vec<SessionId> = Vec::new();
        let mut looked: Option<Instant> = None;
        let (mut rang, mut quiet) = (None, 0);
        loop {
            // Somebody rang whom we do not know, or nobody looked for a while: see who is there.
            let stranger = rang.is_some_and(|session| !known.contains(&session));
            let look = stranger || looked.is_none_or(|at| at.elapsed() >= LOOK);
            let due: Vec<SessionId> = if look {
                looked = Some(Instant::now());
                let heads = match state.studio.store().sessions(&tenant, project).await {
                    Ok(heads) => heads,
                    Err(error) => {
                        yield Ok(failure(error));
                        return;
                    }
                };
                for head in heads.iter().filter(|head| !known.contains(&head.id)) {
                    yield Ok(announcement(head));
                }
                known = heads.iter().map(|head| head.id).collect();
                working = heads.iter().filter(|head| head.state.has_work()).map(|head| head.id).collect();
                cursor.0.retain(|session, _| known.contains(session));
                let news = heads.iter().filter(|head| cursor.0.get(&head.id).is_none_or(|seq| *seq < head.seq));
                news.map(|head| head.id).collect()
            } else {
                rang.map_or_else(|| working.clone(), |session| vec![session])
            };
            quiet += 1;
            for session in due {
                loop {
                    let after = cursor.0.get(&session).copied().unwrap_or(0);
                    // A session that was deleted meanwhile has nothing more to tell.
                    let events = state.studio.store().events(session, after, PAGE).await.unwrap_or_default();
                    let whole = events.len() == PAGE;
                    for event in events {
                        quiet = 0;
                        cursor.0.insert(session, event.seq);
                        yield Ok(message(&event, cursor.text()));
                    }
                    if !whole {
                        break;
                    }
                }
            }
            if !state.holds_idle_streams && working.is_empty() && quiet >= IDLE {
                yield Ok(idle());
                return;
            }
            match shutdown.run_until_cancelled(rung(&mut bell, POLL)).await {
                Some(next) => rang = next,
                None => return,
            }
        }
    })
}

fn announcement(head: &SessionHead) -> Message {
    let data = json!({"id": head.id, "node_id": head.state.node_id});
    Message::default().event("session").data(data.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text_form() {
        let session = |n| SessionId::new(ulid::Ulid::from_parts(1, n));
        let cursor = Cursor(BTreeMap::from([(session(1), 7), (session(2), 123_456)]));
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        for bad in ["!", "aGVsbG8", "\u{e9}"] {
            assert_eq!(Cursor::parse(bad), None);
        }
    }
}
