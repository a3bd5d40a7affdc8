//! Event streams: logs told as they grow, from any place on, to any number of listeners.

use crate::{AppState, error::ApiError};
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use data_encoding::BASE64URL_NOPAD;
use futures_util::{Stream, StreamExt, stream::BoxStream};
use koda_agent::{News, Room};
use koda_domain::{
    Event, ProjectId, SessionId, TenantId,
    store::{SessionHead, StoreError},
};
use serde_json::json;
use std::sync::Arc;
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
/// Looks at a session in which nothing happens, before they become fewer, and fewer again.
const QUIET: u32 = 15;
/// How many times as seldom they become.
const SELDOM: u32 = 15;
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

/// What woke a listener.
enum Woken {
    /// What this process appended.
    News(Arc<News>),
    /// Something may have happened: the store knows.
    Look,
}

async fn woken(bell: &mut Receiver<Arc<News>>, pause: Duration) -> Woken {
    match tokio::time::timeout(pause, bell.recv()).await {
        Ok(Ok(news)) => Woken::News(news),
        Ok(Err(RecvError::Lagged(_))) | Err(_) => Woken::Look,
        Ok(Err(RecvError::Closed)) => {
            tokio::time::sleep(pause).await;
            Woken::Look
        }
    }
}

/// Events of news that follow on `after`; `None` where the store must be read for what stands between, or for what another process
/// appended.
fn following(news: &News, after: u64) -> Option<&[Event]> {
    let first = news.events.first()?.seq;
    let known = usize::try_from(after.checked_sub(first - 1)?).ok()?;
    Some(news.events.get(known..).unwrap_or_default())
}

/// The pause before the next look, after so many looks in vain. Who works on a session rings within a second or two, wherever it
/// is done; what is left is what a person does in another tab.
fn pause(quiet: u32) -> Duration {
    POLL * (quiet / QUIET * 3).clamp(1, SELDOM)
}

/// One session's events after `after`.
pub(crate) fn of_session(state: AppState, session: SessionId, mut after: u64) -> Events {
    stream(async_stream::stream! {
        let mut bell = state.studio.listen(Room::Session(session));
        let shutdown = state.shutdown.clone();
        let mut quiet = 0;
        let mut looks = true;
        loop {
            if looks {
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
            }
            let pause = if state.holds_idle_streams { pause(quiet) } else { POLL };
            looks = true;
            match shutdown.run_until_cancelled(woken(&mut bell, pause)).await {
                Some(Woken::News(news)) => {
                    if let Some(events) = following(&news, after) {
                        looks = false;
                        quiet = 0;
                        for event in events {
                            after = event.seq;
                            yield Ok(message(event, after.to_string()));
                        }
                    }
                }
                Some(Woken::Look) => {}
                None => return,
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
        let mut bell = state.studio.listen(Room::Project(project));
        let shutdown = state.shutdown.clone();
        let mut known: Vec<SessionId> = Vec::new();
        let mut working: Vec<SessionId> = Vec::new();
        let mut looked: Option<Instant> = None;
        let (mut rang, mut quiet) = (None, 0);
        loop {
            // Somebody rang whom we do not know, or nobody looked for a while: see who is there.
            let stranger = rang.is_some_and(|session| !known.contains(&session));
            let every = if state.holds_idle_streams { LOOK.max(pause(quiet)) } else { LOOK };
            let look = stranger || looked.is_none_or(|at| at.elapsed() >= every);
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
            loop {
                let news = match shutdown.run_until_cancelled(woken(&mut bell, POLL)).await {
                    Some(Woken::News(news)) => news,
                    Some(Woken::Look) => {
                        rang = None;
                        break;
                    }
                    None => return,
                };
                rang = Some(news.session);
                let after = cursor.0.get(&news.session).copied().unwrap_or(0);
                let Some(events) = following(&news, after).filter(|_| known.contains(&news.session)) else {
                    break;
                };
                quiet = 0;
                for event in events {
                    cursor.0.insert(news.session, event.seq);
                    yield Ok(message(event, cursor.text()));
                }
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
