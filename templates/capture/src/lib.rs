//! Checks, shoots and renders a Koda composition inside its sandbox. The contract between the page, this program and the server
//! is in `templates/README.md`.

pub mod browser;
pub mod buffers;
pub mod cdp;
pub mod check;
pub mod cli;
pub mod error;
pub mod info;
pub mod machine;
pub mod manifest;
pub mod output;
pub mod page;
pub mod picture;
pub mod pixels;
pub mod process;
pub mod remotion;
pub mod render;
pub mod server;
pub mod still;
