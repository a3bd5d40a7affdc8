//! Turns through the studio's door: real store and files, a scripted model, sandboxes in memory, and in `walls` on this machine.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

mod assets;
mod cancels;
mod checks;
mod edits;
mod ends;
mod errands;
mod hands;
mod honesty;
mod limits;
mod memory;
mod plans;
mod queues;
mod renders;
mod room;
mod shares;
mod survival;
mod walls;
