//! SQLite: one file, write-ahead log, every conditional write an immediate transaction.

mod records;
mod sessions;
mod uses;

use async_trait::async_trait;
use jiff::Timestamp;
use koda_domain::{
    AssetId, Event, EventBody, ProjectId, SessionId, TenantId,
    asset::Asset,
    project::Project,
    rate::{Costly, Window},
    store::{Append, KeyAnswer, Lease, Page, SessionHead, SessionStore, StoreError},
};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long a writer waits for another process's.
const BUSY: Duration = Duration::from_secs(10);
/// What makes each version of the schema out of the one before.
const SCHEMAS: [&str; 2] = [include_str!("schema.sql"), include_str!("schema_2.sql")];

/// A session store in one SQLite file. Several processes may open the same file.
pub struct SqliteStore {
    writer: Arc<Mutex<Connection>>,
    reader: Arc<Mutex<Connection>>,
}

impl SqliteStore {
    /// Opens a database file, making it if it is not there.
    ///
    /// # Errors
    /// Where it cannot be opened, is damaged, or was made by a newer version.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut writer = Connection::open(path).map_err(failed)?;
        prepare(&writer)?;
        migrate(&mut writer)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = Connection::open_with_flags(PathBuf::from(path), flags).map_err(failed)?;
        reader.busy_timeout(BUSY).map_err(failed)?;
        Ok(Self {
            writer: Arc::new(Mutex::new(writer)),
            reader: Arc::new(Mutex::new(reader)),
        })
    }

    /// A database that lives as long as this value.
    ///
    /// # Errors
    /// Where SQLite refuses.
    pub fn open_in_memory() -> Result<Self, StoreError> {
        let mut connection = Connection::open_in_memory().map_err(failed)?;
        prepare(&connection)?;
        migrate(&mut connection)?;
        let connection = Arc::new(Mutex::new(connection));
        Ok(Self {
            writer: connection.clone(),
            reader: connection,
        })
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = self.reader.clone();
        blocking(move || query(&connection.lock().unwrap_or_else(PoisonError::into_inner))).await
    }

    async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = self.writer.clone();
        blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            // Immediate: the conditions are read under the same lock as what is written on them.
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(failed)?;
            let value = change(&transaction)?;
            transaction.commit().map_err(failed)?;
            Ok(value)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| StoreError::Unavailable(error.to_string()))?
}

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY).map_err(failed)?;
    // With a write-ahead log, NORMAL survives the death of the process at any point; only a power cut can take back the
    // last moments, and never leaves half of a transaction.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;",
        )
        .map_err(failed)
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let version: u32 = transaction
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(failed)?;
    let version = version as usize;
    if version > SCHEMAS.len() {
        return Err(StoreError::Unavailable(
            "the database was made by a newer version of Koda; run that version".into(),
        ));
    }
    for (before, schema) in (0_i64..).zip(SCHEMAS).skip(version) {
        transaction.execute_batch(schema).map_err(failed)?;
        transaction
            .pragma_update(None, "user_version", before + 1)
            .map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

fn failed(error: rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::QueryReturnedNoRows => StoreError::NotFound,
        rusqlite::Error::SqliteFailure(code, _)
            if code.code == rusqlite::ErrorCode::ConstraintViolation =>
        {
            StoreError::Exists
        }
        rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..) => {
            StoreError::Corrupt("a column has another type".into())
        }
        other => StoreError::Unavailable(other.to_string()),
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}

fn parse<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("{what}: {error}")))
}

fn named<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt(what.into()))
}

fn at(text: &str) -> Result<Timestamp, StoreError> {
    named(text, "a time")
}

/// SQLite's integers are signed; ours never come near the limit.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

#[async_trait]
impl SessionStore for SqliteStore {
    async fn ready(&self) -> Result<(), StoreError> {
        self.read(|c| c.query_row("SELECT 1", [], |_| Ok(())).map_err(failed))
            .await
    }

    async fn create_project(&self, project: &Project) -> Result<(), StoreError> {
        let project = project.clone();
        self.write(move |c| records::create_project(c, &project))
            .await
    }

    async fn project(&self, tenant: &TenantId, id: ProjectId) -> Result<Project, StoreError> {
        let tenant = tenant.clone();
        self.read(move |c| records::project(c, &tenant, id)).await
    }

    async fn projects(
        &self,
        tenant: &TenantId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Project>, StoreError> {
        let (tenant, cursor) = (tenant.clone(), cursor.map(str::to_owned));
        self.read(move |c| records::projects(c, &tenant, cursor.as_deref(), limit))
            .await
    }

    async fn update_project(&self, project: &Project, expected: u64) -> Result<u64, StoreError> {
        let project = project.clone();
        self.write(move |c| records::update_project(c, &project, expected))
            .await
    }

    async fn delete_project(&self, tenant: &TenantId, id: ProjectId) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        self.write(move |c| records::delete_project(c, &tenant, id))
            .await
    }

    async fn create_session(
        &self,
        head: &SessionHead,
        at: Timestamp,
        events: &[EventBody],
    ) -> Result<(), StoreError> {
        let (head, events) = (head.clone(), events.to_vec());
        self.write(move |c| sessions::create(c, &head, at, &events))
            .await
    }

    async fn session(&self, tenant: &TenantId, id: SessionId) -> Result<SessionHead, StoreError> {
        let tenant = tenant.clone();
        let head = self.read(move |c| sessions::head(c, id)).await?;
        if head.tenant == tenant {
            Ok(head)
        } else {
            Err(StoreError::NotFound)
        }
    }

    async fn session_any(&self, id: SessionId) -> Result<SessionHead, StoreError> {
        self.read(move |c| sessions::head(c, id)).await
    }

    async fn sessions(
        &self,
        tenant: &TenantId,
        project: ProjectId,
    ) -> Result<Vec<SessionHead>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |c| {
            records::owned_project(c, &tenant, project)?;
            sessions::of_project(c, project)
        })
        .await
    }

    async fn delete_session(&self, tenant: &TenantId, id: SessionId) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        self.write(move |c| sessions::delete(c, &tenant, id)).await
    }

    async fn append(&self, append: &Append) -> Result<u64, StoreError> {
        let append = append.clone();
        self.write(move |c| sessions::append(c, &append)).await
    }

    async fn events(
        &self,
        id: SessionId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        self.read(move |c| sessions::events(c, id, after, limit))
            .await
    }

    async fn acquire(
        &self,
        key: &str,
        owner: &str,
        now: Timestamp,
        life: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let (key, owner) = (key.to_owned(), owner.to_owned());
        self.write(move |c| sessions::acquire(c, &key, &owner, now, life))
            .await
    }

    async fn renew(
        &self,
        lease: &Lease,
        now: Timestamp,
        life: Duration,
    ) -> Result<Lease, StoreError> {
        let lease = lease.clone();
        self.write(move |c| sessions::renew(c, &lease, now, life))
            .await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |c| sessions::release(c, &lease)).await
    }

    async fn sessions_with_work(&self, limit: usize) -> Result<Vec<SessionId>, StoreError> {
        self.read(move |c| sessions::with_work(c, limit)).await
    }

    async fn put_asset(&self, tenant: &TenantId, asset: &Asset) -> Result<(), StoreError> {
        let (tenant, asset) = (tenant.clone(), asset.clone());
        self.write(move |c| records::put_asset(c, &tenant, &asset))
            .await
    }

    async fn asset(&self, tenant: &TenantId, id: AssetId) -> Result<Asset, StoreError> {
        let tenant = tenant.clone();
        self.read(move |c| records::asset(c, &tenant, id)).await
    }

    async fn assets(
        &self,
        tenant: &TenantId,
        project: ProjectId,
    ) -> Result<Vec<Asset>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |c| {
            records::owned_project(c, &tenant, project)?;
            records::assets(c, project)
        })
        .await
    }

    async fn delete_asset(&self, tenant: &TenantId, id: AssetId) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        self.write(move |c| records::delete_asset(c, &tenant, id))
            .await
    }

    async fn begin_key(
        &self,
        tenant: &TenantId,
        key: &str,
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<Option<KeyAnswer>, StoreError> {
        let (tenant, key, fingerprint) = (tenant.clone(), key.to_owned(), fingerprint.to_owned());
        self.write(move |c| records::begin_key(c, &tenant, &key, &fingerprint, now))
            .await
    }

    async fn finish_key(
        &self,
        tenant: &TenantId,
        key: &str,
        answer: &KeyAnswer,
    ) -> Result<(), StoreError> {
        let (tenant, key, answer) = (tenant.clone(), key.to_owned(), answer.clone());
        self.write(move |c| records::finish_key(c, &tenant, &key, &answer))
            .await
    }

    async fn forget_key(&self, tenant: &TenantId, key: &str) -> Result<(), StoreError> {
        let (tenant, key) = (tenant.clone(), key.to_owned());
        self.write(move |c| records::forget_key(c, &tenant, &key))
            .await
    }

    async fn count_use(
        &self,
        tenant: &TenantId,
        what: Costly,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<Duration>, StoreError> {
        let (tenant, window) = (tenant.clone(), Window::at(now));
        self.write(move |c| uses::count(c, &tenant, what, most, window))
            .await
    }
}
