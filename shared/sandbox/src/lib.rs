//! Sandbox providers. `local` is bubblewrap on this machine.

pub mod local;
pub mod wire;

#[cfg(feature = "conformance")]
pub mod conformance;
