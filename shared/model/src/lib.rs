//! Language-model adapters. The demo model needs no key, no network and no model.

mod demo;

pub use demo::{DemoModel, RecipeError};
