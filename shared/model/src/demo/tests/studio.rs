//! A small turn engine: it makes requests as the real one does, and carries out what the model calls.

use super::model;
use crate::demo::{DemoModel, design::Design};
use futures_util::StreamExt;
use koda_domain::{
    Settings,
    event::{Question, Todo},
    message::{Content, Message, Speaker, ToolCall, ToolOutput},
    model::{LanguageModel, ModelAnswer, ModelEvent, ModelRequest, Role, ToolSpec},
    plan::Plan,
    settings::SettingsPatch,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const BUILD: &str = "The plan is approved. Build it now, then finish.";
/// More steps than any turn of the demo model needs.
const STEPS: usize = 8;

type Files = BTreeMap<String, String>;

/// A session with everything that the model is told of it.
pub(super) struct Studio {
    pub model: DemoModel,
    pub settings: Settings,
    pub plan: Option<Plan>,
    pub proposal: Option<Plan>,
    pub question: Option<Question>,
    pub todos: Vec<Todo>,
    pub files: Files,
    pub versions: Vec<(Files, Settings)>,
    pub assets: Vec<Value>,
    pub messages: Vec<Message>,
    pub said: Vec<String>,
    /// What the check says; passing where none is set.
    pub check: Option<String>,
    /// Every call of the newest turn.
    pub calls: Vec<ToolCall>,
    /// All words of the newest turn.
    pub told: String,
    /// What `finish` was given in the newest turn.
    pub summary: Option<String>,
    pub fonts: Vec<String>,
    /// Whether every request is made twice, to see that its answer stands.
    pub twice: bool,
    stage: &'static str,
}

impl Studio {
    pub fn new() -> Self {
        Self {
            model: model(),
            settings: Settings::default(),
            plan: None,
            proposal: None,
            question: None,
            todos: Vec::new(),
            files: Files::new(),
            versions: Vec::new(),
            assets: Vec::new(),
            messages: Vec::new(),
            said: Vec::new(),
            check: None,
            calls: Vec::new(),
            told: String::new(),
            summary: None,
            fonts: Vec::new(),
            twice: true,
            stage: "plan",
        }
    }

    /// A session whose first request was planned, approved and built.
    pub fn built(prompt: &str) -> Self {
        let mut studio = Self::new();
        studio.twice = false;
        studio.say(prompt);
        studio.approve();
        studio
    }

    pub fn attach(&mut self, name: &str) {
        self.attach_as(name, None);
    }

    pub fn attach_as(&mut self, name: &str, role: Option<&str>) {
        let n = self.assets.len();
        self.assets.push(json!({
            "id": format!("ast_{n}"), "filename": name, "kind": "image", "path": format!("public/assets/{name}"),
            "width": 400, "height": 400, "new": true, "role": role,
        }));
    }

    pub fn say(&mut self, text: &str) {
        self.said.push(text.to_owned());
        self.stage = if self.plan.is_some() && self.proposal.is_none() {
            "edit"
        } else {
            "plan"
        };
        self.turn(text);
        for asset in &mut self.assets {
            asset["new"] = json!(false);
        }
    }

    pub fn approve(&mut self) {
        let plan = self.proposal.take().expect("a plan is proposed");
        self.approve_as(plan);
    }

    pub fn approve_as(&mut self, plan: Plan) {
        self.proposal = None;
        assert_eq!(plan.problems(), []);
        if self.plan.as_ref().is_some_and(|p| p.engine != plan.engine) {
            self.files.clear();
        }
        self.settings = self
            .settings
            .patched(&plan.settings)
            .expect("the plan's settings keep the rules");
        self.settings.duration_seconds = (plan.duration_seconds() * 100.0).round() / 100.0;
        self.plan = Some(plan);
        self.stage = "build";
        self.turn(BUILD);
    }

    pub fn design(&self) -> Design {
        Design::read(&self.files["src/design.ts"]).expect("src/design.ts is strict JSON")
    }

    pub fn request(&self) -> ModelRequest {
        let request = if self.stage == "build" {
            BUILD
        } else {
            self.said.last().map_or("", String::as_str)
        };
        let files: Vec<Value> = self
            .files
            .iter()
            .map(|(p, t)| json!({"path": p, "size": t.len()}))
            .collect();
        let versions: Vec<Value> = (1..=self.versions.len())
            .map(|n| json!({"number": n, "summary": ""}))
            .collect();
        ModelRequest {
            tenant: koda_domain::TenantId::single(),
            role: Role::Orchestrator,
            system: vec!["Rules.".into()],
            pinned: json!({
                "phase": self.stage, "settings": self.settings, "engine": self.plan.as_ref().map(|p| p.engine),
                "plan": self.plan, "proposal": self.proposal, "assets": self.assets, "files": files,
                "diagnostics": null, "versions": versions, "fonts": self.fonts, "user_messages": self.said,
                "request": request,
            }),
            messages: self.messages.clone(),
            tools: self.offered().iter().map(|name| spec(name)).collect(),
            max_output_tokens: 16_000,
        }
    }

    fn offered(&self) -> Vec<&'static str> {
        let mut tools = vec!["update_todos", "list_assets"];
        if self.stage == "plan" && self.question.is_none() {
            tools.push("ask_user");
        }
        if self.stage != "build" {
            tools.push("propose_plan");
        }
        if self.stage != "plan" {
            tools.extend([
                "read_file",
                "write_file",
                "delete_file",
                "update_settings",
                "set_title",
                "check",
                "finish",
            ]);
        }
        if self.stage != "plan" && !self.versions.is_empty() {
            tools.push("restore_version");
        }
        tools
    }

    fn turn(&mut self, text: &str) {
        self.calls.clear();
        self.told.clear();
        self.summary = None;
        self.user(Content::Text {
            text: text.to_owned(),
        });
        let before = (self.files.clone(), self.settings.clone());
        for _ in 0..STEPS {
            let answer = self.step();
            if answer.tool_calls().next().is_none() || self.summary.is_some() || self.asked(&answer)
            {
                if self.stage != "plan"
                    && before != (self.files.clone(), self.settings.clone())
                    && self.check.is_none()
                {
                    self.versions
                        .push((self.files.clone(), self.settings.clone()));
                }
                return;
            }
        }
        panic!("the turn did not end: {:?}", self.calls);
    }

    fn asked(&self, answer: &ModelAnswer) -> bool {
        answer
            .tool_calls()
            .any(|c| matches!(c.name.as_str(), "propose_plan" | "ask_user"))
    }

    /// The same failure that the real engine tells a model.
    pub fn tell_failure(&mut self) -> ModelAnswer {
        self.user(Content::Text {
            text: "The check failed. Mend the first error at its cause.".into(),
        });
        self.step()
    }

    fn step(&mut self) -> ModelAnswer {
        let request = self.request();
        let answer = ask(&self.model, request.clone());
        if self.twice {
            let again = ask(&self.model, request.clone());
            assert_eq!(again, answer, "the same request gives the same answer");
        }
        let offered: Vec<_> = request.tools.iter().map(|t| t.name.as_str()).collect();
        if !answer.content.is_empty() {
            self.messages.push(Message {
                speaker: Speaker::Assistant,
                content: answer.content.clone(),
            });
        }
        for content in &answer.content {
            if let Content::Text { text } = content {
                self.told += text;
                self.told.push(' ');
            }
        }
        for call in answer.tool_calls() {
            assert!(
                offered.contains(&call.name.as_str()),
                "{} was not offered",
                call.name
            );
            assert!(
                !self.calls.iter().any(|c| c.id == call.id),
                "call ids are unique"
            );
            self.calls.push(call.clone());
            let (output, is_error) = match self.run(call) {
                Ok(text) => (text, false),
                Err(text) => (text, true),
            };
            let output = vec![ToolOutput::Text { text: output }];
            self.user(Content::ToolResult {
                call_id: call.id.clone(),
                output,
                is_error,
            });
        }
        answer
    }

    fn user(&mut self, content: Content) {
        match self.messages.last_mut() {
            Some(last) if last.speaker == Speaker::User => last.content.push(content),
            _ => self.messages.push(Message {
                speaker: Speaker::User,
                content: vec![content],
            }),
        }
    }

    fn run(&mut self, call: &ToolCall) -> Result<String, String> {
        let text = |key: &str| call.input[key].as_str().unwrap_or_default().to_owned();
        match call.name.as_str() {
            "propose_plan" => {
                let plan: Plan =
                    serde_json::from_value(call.input.clone()).map_err(|e| e.to_string())?;
                assert_eq!(plan.problems(), [], "{plan:?}");
                self.proposal = Some(plan);
            }
            "ask_user" => {
                self.question =
                    Some(serde_json::from_value(call.input.clone()).map_err(|e| e.to_string())?);
            }
            "update_todos" => {
                self.todos = serde_json::from_value(call.input["todos"].clone())
                    .map_err(|e| e.to_string())?;
            }
            "read_file" => {
                return self
                    .files
                    .get(&text("path"))
                    .cloned()
                    .ok_or_else(|| "There is no such file.".into());
            }
            "write_file" => {
                self.files.insert(text("path"), text("content"));
            }
            "delete_file" => {
                self.files
                    .remove(&text("path"))
                    .ok_or("There is no such file.")?;
            }
            "update_settings" => {
                let patch: SettingsPatch = serde_json::from_value(call.input["settings"].clone())
                    .map_err(|e| e.to_string())?;
                self.settings = self
                    .settings
                    .patched(&patch)
                    .map_err(|e| format!("{e:?}"))?;
            }
            "set_title" => {
                if let Some(plan) = &mut self.plan {
                    plan.title = text("title");
                }
            }
            "check" => {
                return self
                    .check
                    .clone()
                    .map_or(Ok("All gates passed.".into()), Err);
            }
            "restore_version" => {
                let number = usize::try_from(call.input["number"].as_u64().unwrap_or_default())
                    .unwrap_or_default();
                let found = number
                    .checked_sub(1)
                    .and_then(|n| self.versions.get(n))
                    .cloned();
                (self.files, self.settings) = found.ok_or("There is no such version.")?;
            }
            "finish" => self.summary = Some(text("summary")),
            other => return Err(format!("no tool {other}")),
        }
        Ok("Done.".into())
    }
}

fn spec(name: &str) -> ToolSpec {
    ToolSpec {
        name: name.into(),
        description: String::new(),
        input_schema: json!({}),
    }
}

/// The answer to a request, put together from what is streamed.
pub(super) fn ask(model: &DemoModel, request: ModelRequest) -> ModelAnswer {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut stream = model.stream(request).await.unwrap();
        let (mut text, mut started) = (String::new(), Vec::new());
        while let Some(event) = stream.next().await {
            match event.unwrap() {
                ModelEvent::Text(piece) => text += &piece,
                ModelEvent::ToolCallStarted { id, name } => started.push((id, name)),
                ModelEvent::Thinking(_) => panic!("the demo model does not think"),
                ModelEvent::Finished(answer) => {
                    assert!(
                        stream.next().await.is_none(),
                        "the answer is the last event"
                    );
                    let calls: Vec<_> = answer
                        .tool_calls()
                        .map(|c| (c.id.clone(), c.name.clone()))
                        .collect();
                    assert_eq!(started, calls, "every call is announced");
                    let whole: String = answer
                        .content
                        .iter()
                        .map(|c| {
                            if let Content::Text { text } = c {
                                text.as_str()
                            } else {
                                ""
                            }
                        })
                        .collect();
                    assert_eq!(text, whole, "the pieces are the text");
                    return answer;
                }
            }
        }
        panic!("the stream ended without an answer")
    })
}
