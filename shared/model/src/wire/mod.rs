//! What the adapters of real providers share.

pub mod arrange;
pub mod calls;
pub mod http;
