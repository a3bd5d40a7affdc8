//! Session stores: SQLite, the embedded default, and DynamoDB.

pub mod dynamo;
mod sqlite;

pub use dynamo::DynamoStore;
pub use sqlite::SqliteStore;
