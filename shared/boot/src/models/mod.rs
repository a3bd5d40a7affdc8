//! Language models, as they are configured.

#[cfg(feature = "lambda")]
mod named;

#[cfg(feature = "lambda")]
pub(crate) use named::named;

use crate::config::{Ai, Provider, Thinking as Configured, Tools};
use anyhow::{Context, Result};
use koda_domain::{
    model::{LanguageModel, Role},
    objects::ObjectStore,
};
use koda_model::{
    Anthropic, Chain, Chat, DemoModel, Door, Endpoint, Key, Prices, Thinking, ToolMode,
};
use std::sync::Arc;
#[cfg(feature = "server")]
use {
    koda_domain::{BlobId, TenantId, objects::ObjectKey},
    koda_model::PICTURE,
};

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
    shipped.with(&json(&text)?).context("KODA_MODEL_PRICES")
}

#[cfg(feature = "server")]
fn json(text: &str) -> Result<String> {
    let table: serde_json::Value =
        serde_saphyr::from_str(text).context("KODA_MODEL_PRICES is not YAML")?;
    Ok(table.to_string())
}

/// Functions read JSON alone, which is YAML too.
#[cfg(not(feature = "server"))]
fn json(text: &str) -> Result<String> {
    Ok(text.to_owned())
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
                most_output: koda_model::most_output(&model),
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

/// Asks each model what it can do and prints what was seen.
#[cfg(feature = "server")]
#[allow(clippy::print_stdout, reason = "that is what the command is for")]
pub(crate) async fn probe(ai: &Ai, objects: Arc<dyn ObjectStore>) -> Result<()> {
    let prices = prices(ai)?;
    let key = ObjectKey::blob(&TenantId::single(), &BlobId::of(PICTURE));
    objects
        .put(&key, "image/png", PICTURE.into())
        .await
        .context("the picture that models are asked about cannot be saved")?;
    let mut able = true;
    for role in [Role::Orchestrator, Role::CodeGenerator] {
        for model in chain(ai, role, &prices, &objects)? {
            let label = model.describe(role);
            println!("{role}: {} at {}", label.model, label.provider);
            if !label.is_ai {
                println!("  not AI: nothing to ask");
                continue;
            }
            let limit = koda_model::most_output(&label.model);
            let limit = limit.map_or("not known".into(), |most| format!("{most} tokens"));
            let price = prices
                .of(&label.model)
                .map_or("not known, see KODA_MODEL_PRICES".into(), |p| {
                    format!("${} read, ${} written, a million tokens", p.input, p.output)
                });
            println!("  longest answer: {limit}; price: {price}");
            for finding in koda_model::probe(&*model, role).await {
                let mark = if finding.works { "✓" } else { "✗" };
                println!("  {mark} {}: {}", finding.what, finding.detail);
                able &= finding.works || !matches!(finding.what, "words" | "tools");
            }
        }
    }
    anyhow::ensure!(able, "a model cannot do Koda's work");
    Ok(())
}
