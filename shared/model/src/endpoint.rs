//! One model at one provider, as it is configured.

use crate::prices::Price;
use std::fmt;

/// A provider's key; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// Keeps a key.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[set]")
    }
}

/// How much a model thinks before it answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Thinking {
    /// As the model does where nobody asks for anything.
    #[default]
    Default,
    /// As much as it finds right.
    Adaptive,
    /// At most so many tokens.
    Budget(u32),
}

/// A model at a provider.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Address of the API, without `/v1/messages` or `/chat/completions`.
    pub base_url: String,
    /// Key, where the provider asks for one.
    pub key: Option<Key>,
    /// The provider's name of the model.
    pub model: String,
    /// How much it thinks.
    pub thinking: Thinking,
    /// The most tokens that it writes in one answer, where that is known.
    pub most_output: Option<u32>,
    /// What its tokens cost, where that is known.
    pub price: Option<Price>,
}
