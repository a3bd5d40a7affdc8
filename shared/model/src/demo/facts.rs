//! What a request tells: facts that hold for the session, and how far this turn has come.

use koda_domain::{
    Settings,
    message::{Content, Message, Speaker, ToolCall, ToolOutput},
    model::ModelRequest,
    plan::Plan,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// The pinned part of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub phase: String,
    pub settings: Settings,
    /// As approved.
    pub plan: Option<Plan>,
    /// Proposed and not decided.
    pub proposal: Option<Plan>,
    pub assets: Vec<AssetFact>,
    /// Paths below the workspace's root.
    pub files: Vec<String>,
    /// Numbers, oldest first.
    pub versions: Vec<u32>,
    pub fonts: Vec<String>,
    pub user_messages: Vec<String>,
    pub request: String,
}

/// An uploaded file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct AssetFact {
    pub id: String,
    pub filename: String,
    pub kind: Option<String>,
    /// `public/assets/…`; none of what is a reference.
    pub path: Option<String>,
    /// What it is for, where that was said.
    pub role: Option<String>,
    /// Whether it came with the message that this turn answers.
    pub new: bool,
}

#[derive(Deserialize)]
struct FileFact {
    path: String,
}

#[derive(Deserialize)]
struct VersionFact {
    number: u32,
}

impl Facts {
    pub fn read(pinned: &Value) -> Self {
        let files: Vec<FileFact> = part(pinned, "files");
        let versions: Vec<VersionFact> = part(pinned, "versions");
        Self {
            phase: part(pinned, "phase"),
            settings: part(pinned, "settings"),
            plan: part(pinned, "plan"),
            proposal: part(pinned, "proposal"),
            assets: part(pinned, "assets"),
            files: files.into_iter().map(|f| f.path).collect(),
            versions: versions.into_iter().map(|v| v.number).collect(),
            fonts: part(pinned, "fonts"),
            user_messages: part(pinned, "user_messages"),
            request: part(pinned, "request"),
        }
    }

    /// The picture that could be a logo: one that came with this message, else the one that the settings name.
    pub fn logo(&self) -> Option<&AssetFact> {
        let chosen = self.settings.logo.map(|id| id.to_string());
        self.likely_logo(|a| a.new)
            .or_else(|| self.pictures().find(|a| Some(&a.id) == chosen.as_ref()))
    }

    /// Of these pictures the newest that is said to be the logo, else the newest that is no background.
    pub fn likely_logo(&self, of: impl Fn(&AssetFact) -> bool) -> Option<&AssetFact> {
        let role = |a: &AssetFact, role: &str| a.role.as_deref() == Some(role);
        self.pictures()
            .rfind(|a| of(a) && role(a, "logo"))
            .or_else(|| self.pictures().rfind(|a| of(a) && !role(a, "background")))
    }

    /// Pictures, oldest first.
    pub fn pictures(&self) -> impl DoubleEndedIterator<Item = &AssetFact> {
        self.assets
            .iter()
            .filter(|a| a.kind.as_deref() == Some("image") && a.path.is_some())
    }

    /// Whether the animation has been written.
    pub fn is_built(&self) -> bool {
        self.files.iter().any(|path| path == "src/Composition.tsx")
    }
}

impl AssetFact {
    /// The path as `design.ts` has it: below `public/`.
    pub fn public_path(&self) -> &str {
        let path = self.path.as_deref().unwrap_or_default();
        path.strip_prefix("public/").unwrap_or(path)
    }
}

/// What is left out or has another shape counts as not told.
fn part<T: DeserializeOwned + Default>(pinned: &Value, key: &str) -> T {
    pinned
        .get(key)
        .and_then(|v| T::deserialize(v).ok())
        .unwrap_or_default()
}

/// How far this turn has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turn {
    /// Tools that can be called now.
    offered: HashSet<String>,
    /// What was called in this turn, oldest first.
    pub calls: Vec<Called>,
    /// What the model said in it.
    pub words: Vec<String>,
    /// What the server told since the request, such as that the check failed.
    pub told: Vec<String>,
}

/// A tool call with its result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Called {
    pub call: ToolCall,
    pub output: String,
    pub is_error: bool,
}

impl Turn {
    pub fn read(request: &ModelRequest, facts: &Facts) -> Self {
        let mut turn = Self {
            offered: request.tools.iter().map(|t| t.name.clone()).collect(),
            ..Self::default()
        };
        let (at, within) = start(&request.messages, &facts.request);
        let mut places: HashMap<String, usize> = HashMap::new();
        for (n, message) in request.messages.iter().enumerate().skip(at) {
            for (m, content) in message.content.iter().enumerate() {
                if n == at && m <= within {
                    continue;
                }
                match content {
                    Content::ToolCall(call) => {
                        places.insert(call.id.clone(), turn.calls.len());
                        turn.calls.push(Called {
                            call: call.clone(),
                            output: String::new(),
                            is_error: false,
                        });
                    }
                    Content::ToolResult {
                        call_id,
                        output,
                        is_error,
                    } => {
                        if let Some(called) =
                            places.get(call_id).and_then(|n| turn.calls.get_mut(*n))
                        {
                            called.output = text_of(output);
                            called.is_error = *is_error;
                        }
                    }
                    Content::Text { text } if message.speaker == Speaker::User => {
                        turn.told.push(text.clone())
                    }
                    Content::Text { text } => turn.words.push(text.clone()),
                    _ => {}
                }
            }
        }
        turn
    }

    pub fn can(&self, tool: &str) -> bool {
        self.offered.contains(tool)
    }

    /// The newest call of a tool in this turn.
    pub fn last(&self, tool: &str) -> Option<&Called> {
        self.calls.iter().rev().find(|c| c.call.name == tool)
    }

    /// The newest words of this turn: what it set out to do.
    pub fn said(&self) -> String {
        self.words.last().cloned().unwrap_or_default()
    }

    pub fn has(&self, tool: &str) -> bool {
        self.last(tool).is_some()
    }
}

/// Where the message stands that this turn answers.
fn start(messages: &[Message], request: &str) -> (usize, usize) {
    let mut newest = (0, 0);
    let mut found = false;
    for (n, message) in messages.iter().enumerate() {
        for (m, content) in message.content.iter().enumerate() {
            if let (Speaker::User, Content::Text { text }) = (message.speaker, content) {
                let is_request = !request.is_empty() && text.ends_with(request);
                if is_request || !found {
                    newest = (n, m);
                }
                found |= is_request;
            }
        }
    }
    newest
}

fn text_of(output: &[ToolOutput]) -> String {
    let texts = output.iter().filter_map(|o| match o {
        ToolOutput::Text { text } => Some(text.as_str()),
        ToolOutput::Image { .. } => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// A piece of the conversation that says what the animation should be, or is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    /// A person's words.
    Said(String),
    /// `src/design.ts` as it was when the words before this were said.
    Read(String),
    /// `src/design.ts` as it was written since.
    Wrote(String),
}

/// Everything that bears on the animation, oldest first.
pub(crate) fn heard(facts: &Facts, messages: &[Message]) -> Vec<Heard> {
    let mut told = facts.user_messages.as_slice();
    let mut heard = Vec::new();
    let mut reads: HashSet<&str> = HashSet::new();
    for (speaker, content) in messages
        .iter()
        .flat_map(|m| m.content.iter().map(move |c| (m.speaker, c)))
    {
        match content {
            Content::Text { text } if speaker == Speaker::User => {
                let same = told.iter().position(|said| said == text);
                let ends = || {
                    told.iter()
                        .position(|said| !said.is_empty() && text.ends_with(said.as_str()))
                };
                if let Some(n) = same.or_else(ends) {
                    // What stands before it fell out of the window of the conversation.
                    let (now, later) = told.split_at(n + 1);
                    heard.extend(now.iter().cloned().map(Heard::Said));
                    told = later;
                }
            }
            Content::ToolCall(call) if path_of(&call.input) == super::design::DESIGN_PATH => {
                match call.name.as_str() {
                    "write_file" => {
                        let text = call
                            .input
                            .get("content")
                            .and_then(Value::as_str)
                            .unwrap_or_default();
                        heard.push(Heard::Wrote(text.to_owned()));
                    }
                    "read_file" => {
                        reads.insert(&call.id);
                    }
                    _ => {}
                }
            }
            Content::ToolResult {
                call_id,
                output,
                is_error: false,
            } if reads.contains(call_id.as_str()) => {
                heard.push(Heard::Read(text_of(output)));
            }
            _ => {}
        }
    }
    heard.extend(told.iter().cloned().map(Heard::Said));
    heard
}

fn path_of(input: &Value) -> &str {
    input
        .get("path")
        .and_then(Value::as_str)
        .unwrap_or_default()
}
