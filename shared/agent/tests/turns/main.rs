//! Turns through the studio's door: real store and files, a scripted model, sandboxes in memory.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

mod assets;
mod checks;
mod edits;
mod errands;
mod hands;
mod honesty;
mod limits;
mod memory;
mod plans;
mod renders;
mod room;
mod shares;
mod survival;
