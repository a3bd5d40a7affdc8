//! Only the models' names, for programs in which nobody asks them anything: the adapters are no part of those.

use crate::config::{Ai, Provider};
use anyhow::Result;
use async_trait::async_trait;
use koda_domain::{
    model::{LanguageModel, ModelError, ModelLabel, ModelRequest, ModelStream, Role},
    objects::ObjectStore,
};
use std::sync::Arc;

/// Only the models' names, where nobody asks them anything.
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

struct Named {
    orchestrator: ModelLabel,
    code_generator: ModelLabel,
}

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
