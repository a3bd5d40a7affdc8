//! The E2B provider through the emulator: the suite that every provider passes, and what is E2B's own.

#![allow(
    clippy::unwrap_used,
    reason = "tests stop where something is not as it should be"
)]

mod life;
mod room;

koda_sandbox::sandbox_conformance!(room::bench);
