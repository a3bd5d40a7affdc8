//! Object stores. A local folder, served through signed URLs of our own, is the embedded default.

mod local;
mod sign;

pub use local::LocalObjects;
