//! Language-model adapters: Anthropic's Messages, OpenAI-compatible chat completions, and the demo model, which is not AI.

mod abilities;
mod anthropic;
mod chat;
pub mod demo;
mod door;
mod endpoint;
mod prices;
mod probe;
mod wire;

pub use abilities::most_output;
pub use anthropic::Anthropic;
pub use chat::{Chat, ToolMode};
pub use demo::{DemoModel, RecipeError};
pub use door::{Chain, Door};
pub use endpoint::{Endpoint, Key, Thinking};
pub use prices::{Price, PriceError, Prices};
pub use probe::{Finding, PICTURE, probe};
