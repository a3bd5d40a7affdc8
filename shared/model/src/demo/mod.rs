//! The demo model: not AI. It picks a shipped recipe by the words of a request, fills it in, and goes through the very
//! same plan, tools, check and versions as any model. It keeps nothing: every answer follows from the request alone.

mod apply;
mod apply_text;
mod brief;
mod build;
mod choose;
mod color;
mod colors;
mod conversation;
mod design;
mod draft;
mod edit;
mod facts;
mod fonts;
mod format;
mod lexicon;
mod numbers;
mod ops;
mod ops_data;
mod ops_look;
mod ops_text;
mod palette;
mod phrase;
mod plan;
mod recipes;
mod reply;
#[cfg(test)]
mod tests;
mod text;
mod tokens;
mod tone;

pub use recipes::RecipeError;

use async_trait::async_trait;
use conversation::Conversation;
use draft::Tools;
use facts::{Facts, Turn};
use fonts::Fonts;
use futures_util::StreamExt;
use koda_domain::message::Content;
use koda_domain::model::{
    LanguageModel, ModelAnswer, ModelError, ModelEvent, ModelLabel, ModelRequest, ModelStream, Role,
};
use recipes::Recipes;
use reply::Reply;
use std::{sync::Arc, time::Duration};

/// How long the demo model waits between pieces of text, where nobody says otherwise.
const PACE: Duration = Duration::from_millis(15);

/// A model without a model: see the module.
#[derive(Debug, Clone)]
pub struct DemoModel {
    recipes: Arc<Recipes>,
    pace: Duration,
}

impl DemoModel {
    /// Reads the recipes that this build carries.
    ///
    /// # Errors
    /// No recipe, or one that breaks the rules of `templates/README.md`.
    pub fn new() -> Result<Self, RecipeError> {
        Ok(Self {
            recipes: Arc::new(Recipes::shipped()?),
            pace: PACE,
        })
    }

    /// With this pause between pieces of text; none for tests.
    #[must_use]
    pub const fn with_pace(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    /// Names of the recipes, in order.
    pub fn recipes(&self) -> impl Iterator<Item = &str> {
        self.recipes.iter().map(|r| r.name.as_str())
    }

    fn answer(&self, request: &ModelRequest) -> ModelAnswer {
        self.reply(request).answer(request)
    }

    fn reply(&self, request: &ModelRequest) -> Reply {
        let facts = Facts::read(&request.pinned);
        let fonts = Fonts::new(&facts.fonts);
        let turn = Turn::read(request, &facts);
        let tools = Tools {
            recipes: &self.recipes,
            fonts: &fonts,
            facts: &facts,
        };
        // The server asks for a repair by telling what the check found.
        if !turn.told.is_empty() {
            return build::finish(
                &turn,
                "The demo model cannot mend what the check found, so this is left to the server: it keeps the last version that passed.",
            );
        }
        let conversation = Conversation::follow(&facts::heard(&facts, &request.messages), tools);
        match &facts.plan {
            Some(plan) if facts.phase != "plan" => {
                let unbuilt = !facts.is_built() && turn.can("write_file");
                if facts.phase == "build" || unbuilt || turn.has("update_todos") {
                    build::reply(plan, &conversation, &turn, tools)
                } else {
                    edit::reply(plan, &conversation, &turn, tools)
                }
            }
            _ => plan::reply(&conversation, &turn, tools),
        }
    }
}

#[async_trait]
impl LanguageModel for DemoModel {
    async fn stream(&self, request: ModelRequest) -> Result<ModelStream, ModelError> {
        let answer = self.answer(&request);
        let pace = self.pace;
        let told = async_stream::stream! {
            for content in &answer.content {
                match content {
                    Content::Text { text } => {
                        for piece in reply::pieces(text) {
                            yield Ok(ModelEvent::Text(piece));
                            if !pace.is_zero() {
                                tokio::time::sleep(pace).await;
                            }
                        }
                    }
                    Content::ToolCall(call) => {
                        yield Ok(ModelEvent::ToolCallStarted { id: call.id.clone(), name: call.name.clone() });
                    }
                    _ => {}
                }
            }
            yield Ok(ModelEvent::Finished(answer.clone()));
        };
        Ok(told.boxed())
    }

    fn describe(&self, _: Role) -> ModelLabel {
        ModelLabel {
            provider: reply::NAME.into(),
            model: reply::NAME.into(),
            is_ai: false,
        }
    }
}
