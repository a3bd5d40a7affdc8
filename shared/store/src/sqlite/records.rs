//! Projects, assets and idempotency keys.

use super::{at, failed, json, named, parse, signed, unsigned};
use jiff::Timestamp;
use koda_domain::{
    AssetId, ProjectId, TenantId,
    asset::Asset,
    project::{Document, Project},
    store::{KeyAnswer, Page, StoreError},
};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// How long a request may run before its key is taken to be abandoned, in milliseconds.
const ABANDONED: i64 = 60_000;
/// How long answers are kept, in milliseconds.
const KEPT: i64 = 2 * 24 * 3600 * 1000;

pub(super) fn create_project(c: &Connection, p: &Project) -> Result<(), StoreError> {
    c.execute(
        "INSERT INTO projects (id, tenant, name, revision, created_at, updated_at, document)
         VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6)",
        params![
            p.id.to_string(),
            p.tenant.0,
            p.name,
            sortable(p.created_at),
            sortable(p.updated_at),
            json(&p.document)?
        ],
    )
    .map_err(failed)?;
    Ok(())
}

/// Times as text of one length, so that they sort as times.
fn sortable(time: Timestamp) -> String {
    format!("{time:.6}")
}

struct RawProject {
    id: String,
    tenant: String,
    name: String,
    revision: i64,
    created_at: String,
    updated_at: String,
    document: Option<String>,
}

fn raw_project(row: &Row<'_>) -> rusqlite::Result<RawProject> {
    Ok(RawProject {
        id: row.get(0)?,
        tenant: row.get(1)?,
        name: row.get(2)?,
        revision: row.get(3)?,
        created_at: row.get(4)?,
        updated_at: row.get(5)?,
        document: row.get(6)?,
    })
}

fn read_project(raw: RawProject) -> Result<Project, StoreError> {
    Ok(Project {
        id: named(&raw.id, "a project's id")?,
        tenant: TenantId(raw.tenant),
        name: raw.name,
        revision: unsigned(raw.revision),
        created_at: at(&raw.created_at)?,
        updated_at: at(&raw.updated_at)?,
        document: match raw.document {
            Some(text) => parse(&text, "a project's document")?,
            None => Document::default(),
        },
    })
}

pub(super) fn project(
    c: &Connection,
    tenant: &TenantId,
    id: ProjectId,
) -> Result<Project, StoreError> {
    let raw = c
        .query_row(
            "SELECT id, tenant, name, revision, created_at, updated_at, document FROM projects
             WHERE id = ?1 AND tenant = ?2",
            params![id.to_string(), tenant.0],
            raw_project,
        )
        .map_err(failed)?;
    read_project(raw)
}

pub(super) fn owned_project(
    c: &Connection,
    tenant: &TenantId,
    id: ProjectId,
) -> Result<(), StoreError> {
    c.query_row(
        "SELECT 1 FROM projects WHERE id = ?1 AND tenant = ?2",
        params![id.to_string(), tenant.0],
        |_| Ok(()),
    )
    .map_err(failed)
}

pub(super) fn projects(
    c: &Connection,
    tenant: &TenantId,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<Project>, StoreError> {
    // A cursor is the place of the last item: its time and id.
    let (time, id) = match cursor {
        None => ("~".to_owned(), String::new()),
        Some(cursor) => {
            let (time, id) = cursor.split_once('~').ok_or(StoreError::BadCursor)?;
            time.parse::<Timestamp>()
                .map_err(|_| StoreError::BadCursor)?;
            id.parse::<ProjectId>().map_err(|_| StoreError::BadCursor)?;
            (time.to_owned(), id.to_owned())
        }
    };
    let mut query = c
        .prepare_cached(
            "SELECT id, tenant, name, revision, created_at, updated_at, NULL FROM projects
             WHERE tenant = ?1 AND (updated_at, id) < (?2, ?3)
             ORDER BY updated_at DESC, id DESC LIMIT ?4",
        )
        .map_err(failed)?;
    let rows = query
        .query_map(
            params![tenant.0, time, id, signed(limit as u64 + 1)],
            raw_project,
        )
        .map_err(failed)?;
    let mut items = rows
        .map(|raw| read_project(raw.map_err(failed)?))
        .collect::<Result<Vec<_>, StoreError>>()?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items
        .last()
        .filter(|_| more)
        .map(|p| format!("{}~{}", sortable(p.updated_at), p.id));
    Ok(Page { items, next })
}

pub(super) fn update_project(
    c: &Connection,
    p: &Project,
    expected: u64,
) -> Result<u64, StoreError> {
    let changed = c
        .execute(
            "UPDATE projects SET name = ?3, document = ?4, updated_at = ?5, revision = revision + 1
             WHERE id = ?1 AND tenant = ?2 AND revision = ?6",
            params![
                p.id.to_string(),
                p.tenant.0,
                p.name,
                json(&p.document)?,
                sortable(p.updated_at),
                signed(expected)
            ],
        )
        .map_err(failed)?;
    if changed == 1 {
        return Ok(expected + 1);
    }
    owned_project(c, &p.tenant, p.id)?;
    Err(StoreError::Conflict)
}

pub(super) fn delete_project(
    c: &Connection,
    tenant: &TenantId,
    id: ProjectId,
) -> Result<(), StoreError> {
    let gone = c
        .execute(
            "DELETE FROM projects WHERE id = ?1 AND tenant = ?2",
            params![id.to_string(), tenant.0],
        )
        .map_err(failed)?;
    if gone == 0 {
        Err(StoreError::NotFound)
    } else {
        Ok(())
    }
}

pub(super) fn put_asset(
    c: &Connection,
    tenant: &TenantId,
    asset: &Asset,
) -> Result<(), StoreError> {
    owned_project(c, tenant, asset.project_id)?;
    c.execute(
        "INSERT INTO assets (id, tenant, project_id, body) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET body = ?4 WHERE tenant = ?2",
        params![
            asset.id.to_string(),
            tenant.0,
            asset.project_id.to_string(),
            json(asset)?
        ],
    )
    .map_err(failed)?;
    Ok(())
}

pub(super) fn asset(c: &Connection, tenant: &TenantId, id: AssetId) -> Result<Asset, StoreError> {
    let body: String = c
        .query_row(
            "SELECT body FROM assets WHERE id = ?1 AND tenant = ?2",
            params![id.to_string(), tenant.0],
            |row| row.get(0),
        )
        .map_err(failed)?;
    parse(&body, "an asset")
}

pub(super) fn assets(c: &Connection, project: ProjectId) -> Result<Vec<Asset>, StoreError> {
    let mut query = c
        .prepare_cached("SELECT body FROM assets WHERE project_id = ?1 ORDER BY id")
        .map_err(failed)?;
    let rows = query
        .query_map([project.to_string()], |row| row.get::<_, String>(0))
        .map_err(failed)?;
    rows.map(|body| parse(&body.map_err(failed)?, "an asset"))
        .collect()
}

pub(super) fn delete_asset(
    c: &Connection,
    tenant: &TenantId,
    id: AssetId,
) -> Result<(), StoreError> {
    c.execute(
        "DELETE FROM assets WHERE id = ?1 AND tenant = ?2",
        params![id.to_string(), tenant.0],
    )
    .map_err(failed)?;
    Ok(())
}

pub(super) fn begin_key(
    c: &Connection,
    tenant: &TenantId,
    key: &str,
    fingerprint: &str,
    now: Timestamp,
) -> Result<Option<KeyAnswer>, StoreError> {
    let now = now.as_millisecond();
    c.execute("DELETE FROM idempotency WHERE at < ?1", [now - KEPT])
        .map_err(failed)?;
    let known: Option<(String, i64, Option<String>)> = c
        .query_row(
            "SELECT fingerprint, at, answer FROM idempotency WHERE tenant = ?1 AND key = ?2",
            params![tenant.0, key],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()
        .map_err(failed)?;
    match known {
        Some((other, ..)) if other != fingerprint => return Err(StoreError::Conflict),
        Some((_, _, Some(answer))) => return parse(&answer, "an answer").map(Some),
        Some((_, at, None)) if now - at < ABANDONED => return Ok(Some(KeyAnswer::Running)),
        _ => {}
    }
    c.execute(
        "INSERT INTO idempotency (tenant, key, fingerprint, at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (tenant, key) DO UPDATE SET at = ?4",
        params![tenant.0, key, fingerprint, now],
    )
    .map_err(failed)?;
    Ok(None)
}

pub(super) fn finish_key(
    c: &Connection,
    tenant: &TenantId,
    key: &str,
    answer: &KeyAnswer,
) -> Result<(), StoreError> {
    c.execute(
        "UPDATE idempotency SET answer = ?3 WHERE tenant = ?1 AND key = ?2",
        params![tenant.0, key, json(answer)?],
    )
    .map_err(failed)?;
    Ok(())
}

pub(super) fn forget_key(c: &Connection, tenant: &TenantId, key: &str) -> Result<(), StoreError> {
    c.execute(
        "DELETE FROM idempotency WHERE tenant = ?1 AND key = ?2 AND answer IS NULL",
        params![tenant.0, key],
    )
    .map_err(failed)?;
    Ok(())
}
