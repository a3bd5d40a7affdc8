//! Configuration of language models.

use super::read::{Reader, Secret};
use std::path::PathBuf;

/// Whose models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Anthropic, or who speaks its protocol.
    Anthropic,
    /// OpenAI, or who speaks its protocol.
    OpenAi,
    /// The demo model, which is not AI.
    Demo,
}

/// Language models.
#[derive(Debug, Clone)]
pub struct Ai {
    /// In the order in which they are asked.
    pub providers: Vec<Provider>,
    /// Anthropic.
    pub anthropic: Anthropic,
    /// OpenAI.
    pub openai: OpenAi,
    /// A file with prices.
    pub prices: Option<PathBuf>,
}

/// How much a model thinks before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinking {
    /// Nothing is asked for.
    Off,
    /// As much as it finds right.
    Adaptive,
    /// At most so many tokens.
    Budget(u32),
}

/// How a model is given tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tools {
    /// As is found out.
    Auto,
    /// As streamed calls.
    Stream,
    /// As calls in whole answers.
    Whole,
    /// As words.
    Text,
}

/// Models of Anthropic's.
#[derive(Debug, Clone)]
pub struct Anthropic {
    /// Key.
    pub key: Option<Secret>,
    /// Address.
    pub base_url: String,
    /// Model that plans, works and answers.
    pub orchestrator: String,
    /// Model that writes code.
    pub codegen: String,
    /// How much the former thinks.
    pub thinking: Thinking,
}

/// Models of OpenAI's, or of others that speak its protocol.
#[derive(Debug, Clone)]
pub struct OpenAi {
    /// Key.
    pub key: Option<Secret>,
    /// Address.
    pub base_url: String,
    /// Model that plans, works and answers.
    pub orchestrator: String,
    /// Model that writes code.
    pub codegen: String,
    /// How it is given tools.
    pub tools: Tools,
}

/// Where Anthropic itself is.
const ANTHROPIC: &str = "https://api.anthropic.com";
/// Where OpenAI itself is.
const OPENAI: &str = "https://api.openai.com/v1";
/// The least that a model can be told to think.
const LEAST_THINKING: u32 = 1024;

impl Ai {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let anthropic = Anthropic {
            key: reader.secret("ANTHROPIC_API_KEY"),
            base_url: reader
                .address("ANTHROPIC_BASE_URL")
                .unwrap_or_else(|| ANTHROPIC.to_owned()),
            orchestrator: reader.text("ANTHROPIC_ORCHESTRATOR_MODEL"),
            codegen: reader.text("ANTHROPIC_CODEGEN_MODEL"),
            thinking: thinking(reader),
        };
        let at = reader.address("OPENAI_BASE_URL");
        let elsewhere = at.is_some();
        let openai = OpenAi {
            key: reader.secret("OPENAI_API_KEY"),
            base_url: at.unwrap_or_else(|| OPENAI.to_owned()),
            orchestrator: reader.text("OPENAI_ORCHESTRATOR_MODEL"),
            codegen: reader.text("OPENAI_CODEGEN_MODEL"),
            tools: match reader
                .one_of("OPENAI_TOOLS", &["auto", "stream", "whole", "text"])
                .as_str()
            {
                "stream" => Tools::Stream,
                "whole" => Tools::Whole,
                "text" => Tools::Text,
                _ => Tools::Auto,
            },
        };
        let has_anthropic = anthropic.key.is_some();
        // A service of one's own may need no key.
        let has_openai = openai.key.is_some() || elsewhere;
        let providers = providers(reader, has_anthropic, has_openai);
        let prices = reader.optional("KODA_MODEL_PRICES").map(PathBuf::from);
        Self {
            providers,
            anthropic,
            openai,
            prices,
        }
    }
}

fn thinking(reader: &mut Reader) -> Thinking {
    match reader.text("ANTHROPIC_THINKING").trim() {
        "off" => Thinking::Off,
        "adaptive" => Thinking::Adaptive,
        number => match number.parse() {
            Ok(tokens) if tokens >= LEAST_THINKING => Thinking::Budget(tokens),
            _ => {
                reader.problem(
                    "ANTHROPIC_THINKING",
                    "must be off, adaptive, or a number of tokens from 1024",
                );
                Thinking::Off
            }
        },
    }
}

fn providers(reader: &mut Reader, has_anthropic: bool, has_openai: bool) -> Vec<Provider> {
    const NAME: &str = "KODA_MODEL_PROVIDERS";
    let text = reader.text(NAME);
    if text.trim() == "auto" {
        let found = [
            has_anthropic.then_some(Provider::Anthropic),
            has_openai.then_some(Provider::OpenAi),
        ];
        let found: Vec<_> = found.into_iter().flatten().collect();
        return if found.is_empty() {
            vec![Provider::Demo]
        } else {
            found
        };
    }
    let mut chosen = Vec::new();
    for word in text.split(',').map(str::trim) {
        let (provider, missing) = match word {
            "anthropic" => (
                Provider::Anthropic,
                (!has_anthropic).then_some("ANTHROPIC_API_KEY"),
            ),
            "openai" => (Provider::OpenAi, (!has_openai).then_some("OPENAI_API_KEY")),
            "demo" => (Provider::Demo, None),
            _ => {
                reader.problem(
                    NAME,
                    "must be auto, or a list of anthropic, openai and demo",
                );
                continue;
            }
        };
        if let Some(missing) = missing {
            reader.problem(missing, &format!("is needed where {NAME} names {word}"));
        }
        if !chosen.contains(&provider) {
            chosen.push(provider);
        }
    }
    chosen
}
