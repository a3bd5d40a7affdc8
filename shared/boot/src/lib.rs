//! The composition root: configuration, logs, adapters, and the server made of them.

pub mod config;

pub use config::Config;
