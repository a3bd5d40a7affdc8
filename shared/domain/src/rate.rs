//! How often what costs something may be done, counted in the store so that all processes share the count.

use jiff::Timestamp;
use std::time::Duration;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Costly {
    /// Messages and approvals: each has a model work.
    Turn,
    /// Exports.
    Render,
    /// Uploads.
    Upload,
    /// Projects and sessions.
    Creation,
}

impl Costly {
    /// What it is called in a store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Turn => "turn",
            Self::Render => "render",
            Self::Upload => "upload",
            Self::Creation => "creation",
        }
    }

    /// What it is called among people.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Turn => "messages",
            Self::Render => "exports",
            Self::Upload => "uploads",
            Self::Creation => "new projects and nodes",
        }
    }
}

/// How often a tenant may do each in a minute; 0 is as often as they like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Messages and approvals.
    pub turns: u32,
    /// Exports.
    pub renders: u32,
    /// Uploads.
    pub uploads: u32,
    /// Projects and sessions.
    pub creations: u32,
}

impl Rates {
    /// How often this may be done in a minute, where that is limited.
    #[must_use]
    pub const fn of(&self, what: Costly) -> Option<u32> {
        let most = match what {
            Costly::Turn => self.turns,
            Costly::Render => self.renders,
            Costly::Upload => self.uploads,
            Costly::Creation => self.creations,
        };
        if most == 0 { None } else { Some(most) }
    }
}

/// The length of what uses are counted in, in milliseconds.
const WINDOW: i64 = 60_000;

/// A minute by the clock, and how far it has come.
///
/// Uses are counted by such minutes, because adding to a number is one write that contends with nobody. Those of the minute
/// before count for the part of it that is less than a minute ago, as if they had been spread evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its number, since 1970.
    pub number: i64,
    /// Milliseconds since it began.
    elapsed: i64,
}

impl Window {
    /// The minute of this moment.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        let millis = now.as_millisecond();
        Self {
            number: millis.div_euclid(WINDOW),
            elapsed: millis.rem_euclid(WINDOW),
        }
    }

    /// The second, since 1970, from which on its count is of no use.
    #[must_use]
    pub const fn forgotten(&self) -> i64 {
        (self.number + 2) * WINDOW / 1_000
    }

    /// How many uses this minute may hold by now, after so many in the one before.
    #[must_use]
    pub fn room(&self, most: u32, before: u32) -> u32 {
        let counted = i64::from(before) * (WINDOW - self.elapsed) / WINDOW;
        most.saturating_sub(u32::try_from(counted).unwrap_or(u32::MAX))
    }

    /// How long until there is room for one more, if nobody else takes it.
    #[must_use]
    pub fn wait(&self, most: u32, before: u32, used: u32) -> Duration {
        // Room for one comes when what counts of the earlier minute has shrunk to what is left beside the later one's.
        let shrunk = |before: u32, used: u32| {
            let left = i64::from(most) - 1 - i64::from(used);
            (left >= 0).then(|| {
                let (before, left) = (i64::from(before.max(1)), left.min(i64::from(before)));
                (WINDOW - WINDOW * (left + 1) / before + 1).clamp(0, WINDOW)
            })
        };
        let millis = match shrunk(before, used) {
            Some(at) => (at - self.elapsed).max(1),
            None => WINDOW - self.elapsed + shrunk(used, 0).unwrap_or(WINDOW),
        };
        Duration::from_millis(u64::try_from(millis).unwrap_or_default())
    }
}
