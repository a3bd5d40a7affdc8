//! The checklist of the protocol: our client against the emulator. The official clients pass the same list, in
//! `e2b/conformance`.

#![allow(
    clippy::unwrap_used,
    reason = "tests stop where something is not as it should be"
)]

mod faults;
mod files;
mod life;
mod load;
mod processes;
mod room;
mod walls;
