//! Tests of the whole: requests as the turn engine makes them, answered and carried out.

mod drive;
mod edits;
mod odd;
mod planning;
mod studio;

use super::DemoModel;
use std::time::Duration;

/// The demo model as it is shipped, without pauses.
pub(super) fn model() -> DemoModel {
    DemoModel::new()
        .expect("every shipped recipe keeps the rules")
        .with_pace(Duration::ZERO)
}
