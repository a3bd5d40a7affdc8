//! All models behind one door: each job has a chain of them, of which the next is asked where one fails before its first word.

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use koda_domain::model::{
    LanguageModel, ModelError, ModelEvent, ModelLabel, ModelRequest, ModelStream, Role,
};
use std::sync::Arc;

/// Models for one job, in the order in which they are asked.
pub type Chain = Vec<Arc<dyn LanguageModel>>;

/// Models by job.
pub struct Door {
    orchestrator: Chain,
    code_generator: Chain,
}

impl Door {
    /// A door; `None` where a job has no model.
    #[must_use]
    pub fn new(orchestrator: Chain, code_generator: Chain) -> Option<Self> {
        let complete = !orchestrator.is_empty() && !code_generator.is_empty();
        complete.then_some(Self {
            orchestrator,
            code_generator,
        })
    }

    fn chain(&self, role: Role) -> &Chain {
        match role {
            Role::Orchestrator => &self.orchestrator,
            Role::CodeGenerator => &self.code_generator,
        }
    }
}

/// Whether another model may do where this one did not.
const fn may_pass(error: &ModelError) -> bool {
    // What is wrong with the request is wrong everywhere.
    !matches!(error, ModelError::Rejected(_))
}

#[async_trait]
impl LanguageModel for Door {
    async fn stream(&self, request: ModelRequest) -> Result<ModelStream, ModelError> {
        let chain = self.chain(request.role);
        let mut last = None;
        for (place, model) in chain.iter().enumerate() {
            let opened = match model.stream(request.clone()).await {
                Ok(mut stream) => match stream.next().await {
                    Some(Ok(first)) => Ok((first, stream)),
                    Some(Err(error)) => Err(error),
                    None => Err(ModelError::Unavailable("the answer broke off".into())),
                },
                Err(error) => Err(error),
            };
            match opened {
                Ok((first, rest)) => {
                    return Ok(stream::iter([Ok::<ModelEvent, _>(first)])
                        .chain(rest)
                        .boxed());
                }
                Err(error) => {
                    let label = model.describe(request.role);
                    let next = may_pass(&error) && place + 1 < chain.len();
                    tracing::warn!(model = label.model, provider = label.provider, %error, next, "A model failed");
                    // The first one's reason is what a person can act on.
                    last.get_or_insert(error);
                    if !next {
                        break;
                    }
                }
            }
        }
        Err(last.unwrap_or_else(|| ModelError::Unavailable("no model is configured".into())))
    }

    fn describe(&self, role: Role) -> ModelLabel {
        self.chain(role).first().map_or_else(
            || ModelLabel {
                provider: String::new(),
                model: String::new(),
                is_ai: false,
            },
            |model| model.describe(role),
        )
    }
}
