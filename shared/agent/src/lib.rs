//! The studio: sessions, turns, workspaces, sandboxes and renders, told in terms of the seams of `koda-domain`.
//!
//! [`Studio`] is the one door. Requests call its commands; [`Studio::run_worker`] does what takes long.
//! Nothing in here knows an adapter, HTTP or a wall clock.

mod bell;
mod commands;
mod commit;
mod copies;
mod designs;
mod environment;
mod exports;
mod janitor;
mod renders;
mod scaffold;
mod studio;
mod tools;
mod turn;
mod versions;
mod worker;
mod workspace;

pub use bell::{News, Room};
pub use commands::{Decision, NewMessage, Posted};
pub use scaffold::scaffold;
pub use studio::{Studio, StudioError, StudioOptions, StudioParts};
