//! Counts of what may be done so often in a minute.

use super::failed;
use koda_domain::{
    TenantId,
    rate::{Costly, Window},
    store::StoreError,
};
use rusqlite::{Connection, OptionalExtension, params};
use std::time::Duration;

pub(super) fn count(
    c: &Connection,
    tenant: &TenantId,
    what: Costly,
    most: u32,
    window: Window,
) -> Result<Option<Duration>, StoreError> {
    let (name, minute) = (what.name(), window.number);
    c.execute(
        "DELETE FROM uses WHERE tenant = ?1 AND what = ?2 AND minute < ?3",
        params![tenant.0, name, minute - 1],
    )
    .map_err(failed)?;
    let used = |minute: i64| -> Result<u32, StoreError> {
        let found = c
            .query_row(
                "SELECT used FROM uses WHERE tenant = ?1 AND what = ?2 AND minute = ?3",
                params![tenant.0, name, minute],
                |row| row.get(0),
            )
            .optional();
        Ok(found.map_err(failed)?.unwrap_or_default())
    };
    let (before, now) = (used(minute - 1)?, used(minute)?);
    if now >= window.room(most, before) {
        return Ok(Some(window.wait(most, before, now)));
    }
    c.execute(
        "INSERT INTO uses (tenant, what, minute, used) VALUES (?1, ?2, ?3, 1)
         ON CONFLICT (tenant, what, minute) DO UPDATE SET used = used + 1",
        params![tenant.0, name, minute],
    )
    .map_err(failed)?;
    Ok(None)
}
