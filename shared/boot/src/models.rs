//! Language models, as they are configured.

use crate::config::{Ai, Provider, Thinking as Configured, Tools};
use anyhow::{Context, Result};
use async_trait::async_trait;
use koda_domain::{
    model::{LanguageModel, ModelError, ModelLabel, ModelRequest, ModelStream, Role},
    objects::ObjectStore,
};
use koda_model::{
    Anthropic, Chain, Chat, DemoModel, Door, Endpoint, Key, Prices, Thinking, ToolMode,
};
use std::sync::Arc;

/// Makes what does the models' work.
pub(crate) type Maker = fn(&Ai, Arc<dyn ObjectStore>) -> Result<Arc<dyn LanguageModel>>;

/// The models themselves.
pub(crate) fn working(ai: &Ai, objects: Arc<dyn ObjectStore>) -> Result<Arc<dyn LanguageModel>> {
    let prices = prices(ai)?;
    let chain = |role| chain(ai, role, &prices, &objects);
    let door = Door::new(chain(Role::Orchestrator)?, chain(Role::CodeGenerator)?);
    Ok(Arc::new(door.context("no language model is configured")?))
}

fn prices(ai: &Ai) -> Result<Prices> {
    let shipped = Prices::shipped().context("the shipped prices are damaged")?;
    let Some(path) = &ai.prices else {
        return Ok(shipped);
    };
    let text = std::fs::read_to_string(path);
    let text =
        text.with_context(|| format!("KODA_MODEL_PRICES: {} cannot be read", path.display()))?;
    shipped.with(&text).context("KODA_MODEL_PRICES")
}

/// The models for a job, in the order in which they are asked.
fn chain(ai: &Ai, role: Role, prices: &Prices, objects: &Arc<dyn ObjectStore>) -> Result<Chain> {
    let mut chain: Chain = Vec::new();
    for provider in &ai.providers {
        let of = |orchestrator: &String, codegen: &String| match role {
            Role::Orchestrator => orchestrator.clone(),
            Role::CodeGenerator => codegen.clone(),
        };
        let endpoint =
            |base_url: &String, key: &Option<crate::config::Secret>, model: String| Endpoint {
                base_url: base_url.clone(),
                key: key.as_ref().map(|k| Key::new(k.expose())),
                price: prices.of(&model),
                model,
                thinking: Thinking::Default,
            };
        chain.push(match provider {
            Provider::Anthropic => {
                let a = &ai.anthropic;
                let mut endpoint = endpoint(&a.base_url, &a.key, of(&a.orchestrator, &a.codegen));
                endpoint.thinking = match (role, a.thinking) {
                    (Role::CodeGenerator, _) | (_, Configured::Off) => Thinking::Default,
                    (_, Configured::Adaptive) => Thinking::Adaptive,
                    (_, Configured::Budget(tokens)) => Thinking::Budget(tokens),
                };
                Arc::new(Anthropic::new(endpoint, objects.clone())?)
            }
            Provider::OpenAi => {
                let o = &ai.openai;
                let endpoint = endpoint(&o.base_url, &o.key, of(&o.orchestrator, &o.codegen));
                let tools = match o.tools {
                    Tools::Auto => None,
                    Tools::Stream => Some(ToolMode::Stream),
                    Tools::Whole => Some(ToolMode::Whole),
                    Tools::Text => Some(ToolMode::Text),
                };
                Arc::new(Chat::new(endpoint, tools, objects.clone())?)
            }
            Provider::Demo => {
                Arc::new(DemoModel::new().context("the demo model's recipes are damaged")?)
            }
        });
    }
    Ok(chain)
}

/// Only the models' names, where nobody asks them anything.
#[cfg(feature = "lambda")]
pub(crate) fn named(ai: &Ai, _: Arc<dyn ObjectStore>) -> Result<Arc<dyn LanguageModel>> {
    let label = |role: Role| {
        let of = |provider: &str, model: &String| ModelLabel {
            provider: provider.into(),
            model: model.clone(),
            is_ai: true,
        };
        let first = ai.providers.first().copied().unwrap_or(Provider::Demo);
        match (first, role) {
            (Provider::Anthropic, Role::Orchestrator) => {
                of("anthropic", &ai.anthropic.orchestrator)
            }
            (Provider::Anthropic, Role::CodeGenerator) => of("anthropic", &ai.anthropic.codegen),
            (Provider::OpenAi, Role::Orchestrator) => of("openai", &ai.openai.orchestrator),
            (Provider::OpenAi, Role::CodeGenerator) => of("openai", &ai.openai.codegen),
            (Provider::Demo, _) => ModelLabel {
                provider: "demo".into(),
                model: "demo".into(),
                is_ai: false,
            },
        }
    };
    Ok(Arc::new(Named {
        orchestrator: label(Role::Orchestrator),
        code_generator: label(Role::CodeGenerator),
    }))
}

#[cfg(feature = "lambda")]
struct Named {
    orchestrator: ModelLabel,
    code_generator: ModelLabel,
}

#[cfg(feature = "lambda")]
#[async_trait]
impl LanguageModel for Named {
    async fn stream(&self, _: ModelRequest) -> Result<ModelStream, ModelError> {
        Err(ModelError::Unavailable(
            "turns are worked on elsewhere".into(),
        ))
    }

    fn describe(&self, role: Role) -> ModelLabel {
        match role {
            Role::Orchestrator => self.orchestrator.clone(),
            Role::CodeGenerator => self.code_generator.clone(),
        }
    }
}

/// Asks each model what it can do and prints what was seen.
#[cfg(feature = "server")]
#[allow(clippy::print_stdout, reason = "that is what the command is for")]
pub(crate) async fn probe(ai: &Ai, objects: Arc<dyn ObjectStore>) -> Result<()> {
    let prices = prices(ai)?;
    let mut able = true;
    for role in [Role::Orchestrator, Role::CodeGenerator] {
        for model in chain(ai, role, &prices, &objects)? {
            let label = model.describe(role);
            println!("{role}: {} at {}", label.model, label.provider);
            if !label.is_ai {
                println!("  not AI: nothing to ask");
                continue;
            }
            for finding in koda_model::probe(&*model, role).await {
                let mark = if finding.works { "✓" } else { "✗" };
                println!("  {mark} {}: {}", finding.what, finding.detail);
                able &= finding.works || finding.what == "usage";
            }
        }
    }
    anyhow::ensure!(able, "a model cannot do Koda's work");
    Ok(())
}
