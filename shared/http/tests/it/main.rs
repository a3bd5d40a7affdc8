//! The HTTP door, with real stores and fakes for what is outside.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

mod bad_input;
mod contract;
mod events;
mod exports;
mod preview;
mod rates;
mod support;
mod uploads;
mod usage;
