//! What tokens cost.

use koda_domain::message::Usage;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Shipped prices, in US dollars for a million tokens, by the beginning of a model's name; configuration wins over them.
/// `cache_write` is the price of the entries that Koda makes, which live five minutes.
const SHIPPED: &str = include_str!("prices.json");

/// US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Tokens read.
    pub input: f64,
    /// Tokens written.
    pub output: f64,
    /// Tokens read from the provider's cache; as `input` where nothing is said.
    pub cached: Option<f64>,
    /// Tokens written to the provider's cache; as `input` where nothing is said.
    pub cache_write: Option<f64>,
}

impl Price {
    /// Millionths of a US dollar, rounded up.
    #[must_use]
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts of tokens are far below 2^52, and prices are not negative"
    )]
    pub fn micros(&self, usage: &Usage) -> u64 {
        let cost = usage.input_tokens as f64 * self.input
            + usage.cached_tokens as f64 * self.cached.unwrap_or(self.input)
            + usage.cache_write_tokens as f64 * self.cache_write.unwrap_or(self.input)
            + usage.output_tokens as f64 * self.output;
        cost.max(0.0).ceil() as u64
    }
}

/// A price table that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the price table cannot be read: {0}")]
pub struct PriceError(String);

/// Prices by the beginning of a model's name.
#[derive(Debug, Clone, Default)]
pub struct Prices(BTreeMap<String, Price>);

impl Prices {
    /// The shipped prices.
    ///
    /// # Errors
    /// Where the shipped table is damaged.
    pub fn shipped() -> Result<Self, PriceError> {
        Self::default().with(SHIPPED)
    }

    /// These and those of a table in JSON: `{"name": {"input": 3, "output": 15, "cached": 0.3, "cache_write": 3.75}}`.
    ///
    /// # Errors
    /// Where the table is not one, or a price is negative.
    pub fn with(mut self, table: &str) -> Result<Self, PriceError> {
        let more: BTreeMap<String, Price> =
            serde_json::from_str(table).map_err(|e| PriceError(e.to_string()))?;
        for (name, price) in &more {
            let all = [
                Some(price.input),
                Some(price.output),
                price.cached,
                price.cache_write,
            ];
            if all.into_iter().flatten().any(|p| !(0.0..1e6).contains(&p)) {
                return Err(PriceError(format!("{name} has a price that is none")));
            }
        }
        self.0.extend(more);
        Ok(self)
    }

    /// The price of a model by its name, with or without the provider in front and a date or edition behind.
    #[must_use]
    pub fn of(&self, model: &str) -> Option<Price> {
        let named = self.0.iter().filter(|(name, _)| fits(model, name));
        named
            .max_by_key(|(name, _)| name.len())
            .map(|(_, price)| *price)
    }
}

/// Sets what tokens cost, or that it is not known.
pub fn priced(usage: &mut Usage, price: Option<&Price>) {
    match price {
        Some(price) => usage.cost_micros = price.micros(usage),
        None => usage.unpriced_tokens = usage.tokens(),
    }
}

/// Whether a model is the one of this name: `openai/gpt-5-2025-08-07` is `gpt-5`, and `gpt-5-nano` is another.
pub fn fits(model: &str, name: &str) -> bool {
    let bare = model.rsplit('/').next().unwrap_or(model);
    [model, bare].into_iter().any(|model| {
        model.strip_prefix(name).is_some_and(|rest| {
            let edition = rest.trim_start_matches(['-', '@', ':', '.']);
            let dated =
                edition.len() >= 6 && edition.chars().all(|c| c.is_ascii_digit() || c == '-');
            rest.is_empty() || (edition.len() < rest.len() && (dated || edition == "latest"))
        })
    })
}
