//! Logs, heads and leases.

use super::{at, failed, json, named, parse, signed, unsigned};
use jiff::Timestamp;
use koda_domain::{
    Event, EventBody, ProjectId, SessionId, TenantId, TurnId,
    store::{Append, Lease, SessionHead, StoreError},
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::time::Duration;

const HEAD: &str = "SELECT id, tenant, project_id, seq, state FROM sessions";

struct RawHead {
    id: String,
    tenant: String,
    project: String,
    seq: i64,
    state: String,
}

fn raw_head(row: &Row<'_>) -> rusqlite::Result<RawHead> {
    Ok(RawHead {
        id: row.get(0)?,
        tenant: row.get(1)?,
        project: row.get(2)?,
        seq: row.get(3)?,
        state: row.get(4)?,
    })
}

fn read_head(raw: &RawHead) -> Result<SessionHead, StoreError> {
    Ok(SessionHead {
        id: named(&raw.id, "a session's id")?,
        tenant: TenantId(raw.tenant.clone()),
        project_id: named(&raw.project, "a session's project")?,
        seq: unsigned(raw.seq),
        state: parse(&raw.state, "a session's state")?,
    })
}

pub(super) fn create(
    c: &Connection,
    head: &SessionHead,
    at: Timestamp,
    events: &[EventBody],
) -> Result<(), StoreError> {
    super::records::owned_project(c, &head.tenant, head.project_id)?;
    c.execute(
        "INSERT INTO sessions (id, tenant, project_id, seq, state, has_work) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            head.id.to_string(),
            head.tenant.0,
            head.project_id.to_string(),
            signed(head.seq),
            json(&head.state)?,
            head.state.has_work(),
        ],
    )
    .map_err(failed)?;
    insert(c, head.id, 0, at, None, events)
}

pub(super) fn head(c: &Connection, id: SessionId) -> Result<SessionHead, StoreError> {
    let raw = c
        .prepare_cached(&format!("{HEAD} WHERE id = ?1"))
        .and_then(|mut q| q.query_row([id.to_string()], raw_head))
        .map_err(failed)?;
    read_head(&raw)
}

pub(super) fn of_project(
    c: &Connection,
    project: ProjectId,
) -> Result<Vec<SessionHead>, StoreError> {
    let mut query = c
        .prepare_cached(&format!("{HEAD} WHERE project_id = ?1 ORDER BY id"))
        .map_err(failed)?;
    let rows = query
        .query_map([project.to_string()], raw_head)
        .map_err(failed)?;
    rows.map(|raw| read_head(&raw.map_err(failed)?)).collect()
}

pub(super) fn delete(c: &Connection, tenant: &TenantId, id: SessionId) -> Result<(), StoreError> {
    let gone = c
        .execute(
            "DELETE FROM sessions WHERE id = ?1 AND tenant = ?2",
            params![id.to_string(), tenant.0],
        )
        .map_err(failed)?;
    if gone == 0 {
        Err(StoreError::NotFound)
    } else {
        Ok(())
    }
}

pub(super) fn append(c: &Connection, append: &Append) -> Result<u64, StoreError> {
    let id = append.session.to_string();
    let seq: i64 = c
        .prepare_cached("SELECT seq FROM sessions WHERE id = ?1")
        .and_then(|mut q| q.query_row([&id], |row| row.get(0)))
        .map_err(failed)?;
    if let Some(lease) = &append.lease {
        still_held(c, lease)?;
    }
    if unsigned(seq) != append.expected_seq {
        return Err(StoreError::Conflict);
    }
    insert(
        c,
        append.session,
        append.expected_seq,
        append.at,
        append.turn,
        &append.events,
    )?;
    let last = append.expected_seq + append.events.len() as u64;
    c.prepare_cached("UPDATE sessions SET seq = ?2, state = ?3, has_work = ?4 WHERE id = ?1")
        .and_then(|mut q| {
            let state = serde_json::to_string(&append.state).unwrap_or_default();
            q.execute(params![id, signed(last), state, append.state.has_work()])
        })
        .map_err(failed)?;
    Ok(last)
}

fn insert(
    c: &Connection,
    session: SessionId,
    after: u64,
    at: Timestamp,
    turn: Option<TurnId>,
    events: &[EventBody],
) -> Result<(), StoreError> {
    let mut query = c
        .prepare_cached(
            "INSERT INTO events (session_id, seq, at, turn_id, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .map_err(failed)?;
    for (seq, event) in (after + 1..).zip(events) {
        let turn = turn.map(|t| t.to_string());
        query
            .execute(params![
                session.to_string(),
                signed(seq),
                at.to_string(),
                turn,
                json(event)?
            ])
            .map_err(failed)?;
    }
    Ok(())
}

pub(super) fn events(
    c: &Connection,
    id: SessionId,
    after: u64,
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    let mut query = c
        .prepare_cached(
            "SELECT seq, at, turn_id, body FROM events WHERE session_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
        )
        .map_err(failed)?;
    let rows = query
        .query_map(
            params![id.to_string(), signed(after), signed(limit as u64)],
            |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, Option<String>>(2)?,
                    row.get::<_, String>(3)?,
                ))
            },
        )
        .map_err(failed)?;
    let mut events = Vec::new();
    for row in rows {
        let (seq, time, turn, body) = row.map_err(failed)?;
        events.push(Event {
            seq: unsigned(seq),
            at: at(&time)?,
            session_id: id,
            turn_id: turn.map(|t| named(&t, "an event's turn")).transpose()?,
            body: parse(&body, "an event")?,
        });
    }
    if events.is_empty() {
        // An empty answer of a session that is not there would look like one with nothing new.
        let there: Option<i64> = c
            .query_row(
                "SELECT 1 FROM sessions WHERE id = ?1",
                [id.to_string()],
                |row| row.get(0),
            )
            .optional()
            .map_err(failed)?;
        there.ok_or(StoreError::NotFound)?;
    }
    Ok(events)
}

pub(super) fn with_work(c: &Connection, limit: usize) -> Result<Vec<SessionId>, StoreError> {
    let mut query = c
        .prepare_cached("SELECT id FROM sessions WHERE has_work = 1 ORDER BY id LIMIT ?1")
        .map_err(failed)?;
    let rows = query
        .query_map([signed(limit as u64)], |row| row.get::<_, String>(0))
        .map_err(failed)?;
    rows.map(|id| named(&id.map_err(failed)?, "a session's id"))
        .collect()
}

fn still_held(c: &Connection, lease: &Lease) -> Result<(), StoreError> {
    let held: Option<(Option<String>, i64)> = c
        .prepare_cached("SELECT owner, fence FROM leases WHERE key = ?1")
        .and_then(|mut q| {
            q.query_row([&lease.key], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        })
        .map_err(failed)?;
    match held {
        Some((Some(owner), fence)) if owner == lease.owner && unsigned(fence) == lease.fence => {
            Ok(())
        }
        _ => Err(StoreError::Fenced),
    }
}

fn later(now: Timestamp, life: Duration) -> Timestamp {
    now.checked_add(life).unwrap_or(Timestamp::MAX)
}

pub(super) fn acquire(
    c: &Connection,
    key: &str,
    owner: &str,
    now: Timestamp,
    life: Duration,
) -> Result<Option<Lease>, StoreError> {
    let held: Option<(Option<String>, i64, i64)> = c
        .query_row(
            "SELECT owner, fence, expires_at FROM leases WHERE key = ?1",
            [key],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()
        .map_err(failed)?;
    let expires_at = later(now, life);
    let fence = match held {
        None => 1,
        Some((Some(holder), fence, _)) if holder == owner => unsigned(fence),
        Some((Some(_), _, until)) if until > now.as_millisecond() => return Ok(None),
        Some((_, fence, _)) => unsigned(fence) + 1,
    };
    c.execute(
        "INSERT INTO leases (key, owner, fence, expires_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (key) DO UPDATE SET owner = ?2, fence = ?3, expires_at = ?4",
        params![key, owner, signed(fence), expires_at.as_millisecond()],
    )
    .map_err(failed)?;
    Ok(Some(Lease {
        key: key.to_owned(),
        owner: owner.to_owned(),
        fence,
        expires_at,
    }))
}

pub(super) fn renew(
    c: &Connection,
    lease: &Lease,
    now: Timestamp,
    life: Duration,
) -> Result<Lease, StoreError> {
    still_held(c, lease)?;
    let expires_at = later(now, life);
    c.execute(
        "UPDATE leases SET expires_at = ?2 WHERE key = ?1",
        params![lease.key, expires_at.as_millisecond()],
    )
    .map_err(failed)?;
    Ok(Lease {
        expires_at,
        ..lease.clone()
    })
}

pub(super) fn release(c: &Connection, lease: &Lease) -> Result<(), StoreError> {
    c.execute(
        "UPDATE leases SET owner = NULL WHERE key = ?1 AND owner = ?2 AND fence = ?3",
        params![lease.key, lease.owner, signed(lease.fence)],
    )
    .map_err(failed)?;
    Ok(())
}
