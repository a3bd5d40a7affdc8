//! Sandbox providers: `local` is bubblewrap on this machine, `e2b` is E2B.

pub mod e2b;
mod files;
pub mod local;
mod talk;
pub mod wire;

#[cfg(feature = "conformance")]
pub mod conformance;
