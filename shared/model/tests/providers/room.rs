//! A scripted server, and both adapters in front of it.

use futures_util::StreamExt;
use koda_domain::{
    BlobId, TenantId,
    message::{Content, Message, Speaker},
    model::{LanguageModel, ModelAnswer, ModelError, ModelEvent, ModelRequest, Role, ToolSpec},
    objects::{ObjectKey, ObjectStore},
};
use koda_model::{Anthropic, Chat, Endpoint, Key, Price, Thinking, ToolMode};
use koda_objects::LocalObjects;
use koda_testkit::{
    TestClock,
    model_server::{Answer, KEY, ModelServer, Seen},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// Which protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Anthropic,
    Chat,
}

pub const BOTH: [Wire; 2] = [Wire::Anthropic, Wire::Chat];

pub struct Room {
    pub server: ModelServer,
    pub objects: Arc<LocalObjects>,
    pub wire: Wire,
    _folder: tempfile::TempDir,
}

/// What a call gave.
pub struct Told {
    pub text: String,
    pub thinking: String,
    pub started: Vec<String>,
    pub answer: ModelAnswer,
}

impl Room {
    pub async fn new(wire: Wire, answers: Vec<Answer>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::default());
        let objects = LocalObjects::new(folder.path().to_owned(), &[7; 32], clock).unwrap();
        Self {
            server: ModelServer::start(answers).await,
            objects: Arc::new(objects),
            wire,
            _folder: folder,
        }
    }

    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            base_url: self.server.url.clone(),
            key: Some(Key::new(KEY)),
            model: "scripted-1".into(),
            thinking: Thinking::Default,
            most_output: None,
            price: Some(Price {
                input: 1.0,
                output: 10.0,
                cached: Some(0.1),
                cache_write: Some(1.25),
            }),
        }
    }

    pub fn model(&self) -> Arc<dyn LanguageModel> {
        match self.wire {
            Wire::Anthropic => {
                Arc::new(Anthropic::new(self.endpoint(), self.objects.clone()).unwrap())
            }
            Wire::Chat => Arc::new(self.chat(None)),
        }
    }

    pub fn chat(&self, tools: Option<ToolMode>) -> Chat {
        Chat::new(self.endpoint(), tools, self.objects.clone()).unwrap()
    }

    pub async fn ask(&self, request: ModelRequest) -> Result<Told, ModelError> {
        ask(&*self.model(), request).await
    }

    /// A picture that the conversation can show.
    pub async fn picture(&self) -> BlobId {
        let bytes = b"a picture".to_vec();
        let blob = BlobId::of(&bytes);
        let key = ObjectKey::blob(&TenantId::single(), &blob);
        self.objects
            .put(&key, "image/png", bytes.into())
            .await
            .unwrap();
        blob
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.server.seen()
    }
}

pub async fn ask(model: &dyn LanguageModel, request: ModelRequest) -> Result<Told, ModelError> {
    let mut stream = model.stream(request).await?;
    let (mut text, mut thinking, mut started) = (String::new(), String::new(), Vec::new());
    while let Some(event) = stream.next().await {
        match event? {
            ModelEvent::Text(piece) => text.push_str(&piece),
            ModelEvent::Thinking(piece) => thinking.push_str(&piece),
            ModelEvent::ToolCallStarted { name, .. } => started.push(name),
            ModelEvent::Finished(answer) => {
                assert!(
                    stream.next().await.is_none(),
                    "something came after the end"
                );
                return Ok(Told {
                    text,
                    thinking,
                    started,
                    answer,
                });
            }
        }
    }
    panic!("the stream ended without an answer or an error");
}

pub fn say(text: &str) -> Answer {
    Answer {
        say: text.into(),
        ..Answer::default()
    }
}

pub fn text(text: &str) -> Content {
    Content::Text { text: text.into() }
}

pub fn user(content: Vec<Content>) -> Message {
    Message {
        speaker: Speaker::User,
        content,
    }
}

pub fn assistant(content: Vec<Content>) -> Message {
    Message {
        speaker: Speaker::Assistant,
        content,
    }
}

pub fn tool(name: &str) -> ToolSpec {
    ToolSpec {
        name: name.into(),
        description: format!("{name} does what it says."),
        input_schema: json!({"type": "object", "properties": {"path": {"type": "string"}}}),
    }
}

/// A request with tools and this conversation.
pub fn request(messages: Vec<Message>) -> ModelRequest {
    ModelRequest {
        tenant: TenantId::single(),
        role: Role::Orchestrator,
        system: vec!["Rules of the engine. ".repeat(300)],
        pinned: json!({"phase": "build", "files": [{"path": "src/a.ts"}], "plan": null, "user_messages": ["hello"]}),
        messages,
        tools: vec![tool("write_file"), tool("finish")],
        max_output_tokens: 1000,
    }
}

pub fn hello() -> ModelRequest {
    request(vec![user(vec![text("hello")])])
}

/// All text of a request as it was sent.
pub fn sent(seen: &Seen) -> String {
    Value::to_string(&seen.body)
}
