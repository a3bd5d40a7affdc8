//! What every adapter of a seam does. Each case is a function; a macro makes each a test of the adapter's own.

pub mod object_store;
pub mod session_store;
