//! What tests of several crates share: fakes with state, and the suites that every adapter of a seam passes.
//! Never a part of what ships.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "tests stop where something is not as it should be"
)]

pub mod aws;
pub mod conformance;
pub mod faults;
mod model;
pub mod model_server;
pub mod samples;
mod sandbox;
mod time;

pub use model::{ScriptedModel, answer, call, say};
pub use sandbox::{FakeFiles, FakeRun, FakeSandboxes};
pub use time::{SeqIds, TestClock};
