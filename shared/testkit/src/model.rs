//! A language model that says what a test wants.

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use koda_domain::{
    message::{Content, ToolCall, Usage},
    model::{
        LanguageModel, ModelAnswer, ModelError, ModelEvent, ModelLabel, ModelRequest, ModelStream,
        Role, StopReason,
    },
};
use serde_json::Value;
use std::{sync::Mutex, time::Duration};

type Script = dyn FnMut(&ModelRequest) -> Result<ModelAnswer, ModelError> + Send;

/// A model whose answers a closure makes from the request. It streams texts letter by letter.
pub struct ScriptedModel {
    script: Mutex<Box<Script>>,
    /// Pause before each piece.
    pub pause: Duration,
    requests: Mutex<Vec<ModelRequest>>,
}

impl ScriptedModel {
    /// A model that answers as the closure says.
    pub fn new(
        script: impl FnMut(&ModelRequest) -> Result<ModelAnswer, ModelError> + Send + 'static,
    ) -> Self {
        Self {
            script: Mutex::new(Box::new(script)),
            pause: Duration::ZERO,
            requests: Mutex::default(),
        }
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<ModelRequest> {
        self.requests.lock().unwrap().clone()
    }
}

/// An answer of these parts.
#[must_use]
pub fn answer(content: Vec<Content>) -> ModelAnswer {
    let calls = content.iter().any(|c| matches!(c, Content::ToolCall(_)));
    ModelAnswer {
        content,
        stop: if calls {
            StopReason::ToolUse
        } else {
            StopReason::EndTurn
        },
        usage: Usage {
            input_tokens: 10,
            output_tokens: 5,
            cost_micros: 1,
            ..Usage::default()
        },
        model: "scripted".into(),
    }
}

/// Words.
#[must_use]
pub fn say(text: &str) -> Content {
    Content::Text { text: text.into() }
}

/// A tool call.
#[must_use]
pub fn call(id: &str, name: &str, input: Value) -> Content {
    Content::ToolCall(ToolCall {
        id: id.into(),
        name: name.into(),
        input,
    })
}

#[async_trait]
impl LanguageModel for ScriptedModel {
    async fn stream(&self, request: ModelRequest) -> Result<ModelStream, ModelError> {
        let answer = (self.script.lock().unwrap())(&request);
        self.requests.lock().unwrap().push(request);
        let answer = answer?;
        let mut events = Vec::new();
        for content in &answer.content {
            if let Content::Text { text } = content {
                events.extend(text.chars().map(|c| ModelEvent::Text(c.to_string())));
            }
        }
        events.push(ModelEvent::Finished(answer));
        let pause = self.pause;
        let paced = stream::iter(events).then(move |event| async move {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            Ok(event)
        });
        Ok(paced.boxed())
    }

    fn describe(&self, _: Role) -> ModelLabel {
        ModelLabel {
            provider: "scripted".into(),
            model: "scripted".into(),
            is_ai: false,
        }
    }
}
