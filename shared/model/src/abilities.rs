//! What models can do that cannot be found out by asking.

use crate::prices::fits;
use serde::Deserialize;
use std::collections::BTreeMap;

/// By the beginning of a model's name. A model that is not in the table is asked for as much as Koda wants, and what it says to
/// that is remembered.
const SHIPPED: &str = include_str!("abilities.json");

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Abilities {
    /// The most tokens of one answer.
    output: u32,
}

/// The most tokens that a model writes in one answer, where that is known.
#[must_use]
pub fn most_output(model: &str) -> Option<u32> {
    let table: BTreeMap<String, Abilities> = serde_json::from_str(SHIPPED).unwrap_or_default();
    let fitting = table.iter().filter(|(name, _)| fits(model, name));
    fitting
        .max_by_key(|(name, _)| name.len())
        .map(|(_, a)| a.output)
}

/// The limit that a provider names when it refuses to write so many tokens: "max_tokens must be less than or equal to `8192`",
/// "This model supports at most 4096 completion tokens, whereas you provided 32000".
pub fn limit_in(words: &str, asked: u32) -> Option<u32> {
    let numbers = words
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse::<u32>().ok());
    numbers.filter(|n| (256..asked).contains(n)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_of_the_table_is_found_with_and_without_its_provider_and_date() {
        assert_eq!(most_output("claude-opus-4-5-20251101"), Some(64_000));
        assert_eq!(most_output("openai/gpt-4o-mini"), Some(16_384));
        assert_eq!(most_output("llama3.3"), None);
    }

    #[test]
    fn a_limit_is_read_from_what_providers_say() {
        for (words, limit) in [
            (
                "`max_tokens` must be less than or equal to `8192`, the maximum value",
                Some(8192),
            ),
            (
                "max_tokens is too large: 32000. This model supports at most 4096 completion tokens, whereas you provided 32000.",
                Some(4096),
            ),
            (
                "max_tokens: 32000 > 8192, which is the maximum allowed number of output tokens for claude-3-5-sonnet-20241022",
                Some(8192),
            ),
            ("Unsupported parameter: 'max_tokens'", None),
        ] {
            assert_eq!(limit_in(words, 32_000), limit, "{words}");
        }
    }
}
