//! Session stores: SQLite, the embedded default, and DynamoDB.

#[cfg(feature = "dynamo")]
pub mod dynamo;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "dynamo")]
pub use dynamo::DynamoStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
