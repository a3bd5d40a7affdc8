//! Session stores. SQLite is the embedded default.

mod sqlite;

pub use sqlite::SqliteStore;
