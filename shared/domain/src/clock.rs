//! Time and fresh names, as seams: tests hold both still, and `boot` gives the real ones.

use jiff::Timestamp;
use ulid::Ulid;

/// The wall clock, in UTC.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// A source of fresh ULIDs, ordered by time within a process.
pub trait Ids: Send + Sync {
    /// A ULID that was never given before.
    fn ulid(&self) -> Ulid;
}
