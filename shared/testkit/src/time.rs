//! Time and names that tests hold in their hands.

use jiff::Timestamp;
use koda_domain::{Clock, Ids};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use ulid::Ulid;

/// A clock that runs with the real one, and can be set ahead.
pub struct TestClock {
    began: Instant,
    ahead: Mutex<Duration>,
}

impl Default for TestClock {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            ahead: Mutex::default(),
        }
    }
}

impl TestClock {
    /// Sets the clock ahead.
    pub fn advance(&self, by: Duration) {
        *self.ahead.lock().unwrap() += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let since = self.began.elapsed() + *self.ahead.lock().unwrap();
        Timestamp::from_second(1_800_000_000).unwrap() + since
    }
}

/// Names in order: the first, the second, …
#[derive(Default)]
pub struct SeqIds(AtomicU64);

impl SeqIds {
    /// Numbers from here on, for several that share a store.
    #[must_use]
    pub fn from(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }
}

impl Ids for SeqIds {
    fn ulid(&self) -> Ulid {
        Ulid::from_parts(
            1_800_000_000_000,
            u128::from(self.0.fetch_add(1, Ordering::SeqCst)),
        )
    }
}
