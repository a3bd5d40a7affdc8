//! Both real adapters against a server that speaks their wire formats, splits them anywhere and fails in every way.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

mod answers;
mod faults;
mod requests;
mod room;
