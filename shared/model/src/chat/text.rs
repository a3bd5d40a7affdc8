//! Tools in words, for endpoints that have none: the model writes each call as a fenced block.

use koda_domain::{message::ToolCall, model::ToolSpec};
use serde_json::{Value, json};
use std::fmt::Write as _;

const PROTOCOL: &str = include_str!("text_protocol.md");

/// What a model is told about tools.
pub fn instructions(tools: &[ToolSpec]) -> String {
    let mut text = PROTOCOL.trim_end().to_owned();
    for tool in tools {
        let _ = write!(
            text,
            "\n\n{}: {}\n{}",
            tool.name, tool.description, tool.input_schema
        );
    }
    text
}

/// A call as the model would have written it.
pub fn call(call: &ToolCall) -> String {
    let of = |name: &str| call.input[name].as_str();
    let (head, body) = match (call.name.as_str(), of("path")) {
        ("write_file", Some(path)) => (
            format!("file {path}"),
            of("content").unwrap_or_default().to_owned(),
        ),
        ("edit_file", Some(path)) => {
            let (old, new) = (of("old").unwrap_or_default(), of("new").unwrap_or_default());
            (
                format!("edit {path}"),
                format!("{SEARCH}\n{old}\n{DIVIDER}\n{new}\n{REPLACE}"),
            )
        }
        (name, _) => (format!("tool {name}"), call.input.to_string()),
    };
    // Longer than any fence inside.
    let longest = body
        .lines()
        .map(|l| l.trim_start().bytes().take_while(|b| *b == b'`').count())
        .max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    format!("{fence}{head}\n{}\n{fence}", body.trim_end_matches('\n'))
}

const SEARCH: &str = "<<<<<<< SEARCH";
const DIVIDER: &str = "=======";
const REPLACE: &str = ">>>>>>> REPLACE";

/// A line that begins a call: its fence, and what kind of which name it is.
fn opening(line: &str) -> Option<(&str, &str, &str)> {
    let fence = line.len() - line.trim_start_matches('`').len();
    let (kind, name) = line.get(fence..)?.trim().split_once(' ')?;
    let known = fence >= 3 && matches!(kind, "tool" | "file" | "edit");
    known.then(|| (&line[..fence], kind, name.trim()))
}

/// The words and the calls of an answer, as name and arguments. A last call without an end is kept, unless the answer was cut off.
pub fn read(text: &str, cut: bool) -> (String, Vec<(String, String)>) {
    let mut words = Vec::new();
    let mut calls = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some((fence, kind, name)) = opening(line.trim()) else {
            words.push(line);
            continue;
        };
        let mut body = Vec::new();
        let mut ended = false;
        for line in lines.by_ref() {
            ended = line.trim() == fence;
            if ended {
                break;
            }
            body.push(line);
        }
        if ended || !cut {
            calls.extend(understood(kind, name, &body));
        }
    }
    (words.join("\n").trim().to_owned(), calls)
}

fn understood(kind: &str, name: &str, body: &[&str]) -> Vec<(String, String)> {
    match kind {
        "file" => {
            let content = format!("{}\n", body.join("\n"));
            vec![(
                "write_file".into(),
                json!({"path": name, "content": content}).to_string(),
            )]
        }
        "edit" => edits(name, body),
        _ => vec![(name.to_owned(), body.join("\n"))],
    }
}

/// Each search with its replacement; a block that is none is a call that the tool will refuse with its reason.
fn edits(path: &str, body: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut parts: Option<(Vec<&str>, Option<Vec<&str>>)> = None;
    for line in body {
        match (line.trim_end(), &mut parts) {
            (SEARCH, _) => parts = Some((vec![], None)),
            (DIVIDER, Some((_, new @ None))) => *new = Some(vec![]),
            (REPLACE, Some((old, Some(new)))) => {
                found.push(json!({"path": path, "old": old.join("\n"), "new": new.join("\n")}));
                parts = None;
            }
            (_, Some((_, Some(new)))) => new.push(line),
            (_, Some((old, None))) => old.push(line),
            (_, None) => {}
        }
    }
    if found.is_empty() {
        found.push(Value::String(body.join("\n")));
    }
    found
        .into_iter()
        .map(|input| ("edit_file".to_owned(), input.to_string()))
        .collect()
}

/// Keeps calls out of the text that is shown while it comes.
#[derive(Debug, Default)]
pub struct Split {
    line: String,
    fence: Option<String>,
}

impl Split {
    /// What of the text so far can be shown.
    pub fn push(&mut self, piece: &str) -> String {
        let mut shown = String::new();
        self.line.push_str(piece);
        while let Some(end) = self.line.find('\n') {
            let line: String = self.line.drain(..=end).collect();
            self.whole_line(&line, &mut shown);
        }
        // A line that cannot become a fence any more is shown as it comes.
        if self.fence.is_none()
            && !self.line.trim_start().is_empty()
            && !self.line.trim_start().starts_with('`')
        {
            shown.push_str(&self.line);
            self.line.clear();
        }
        shown
    }

    fn whole_line(&mut self, line: &str, shown: &mut String) {
        match (&self.fence, opening(line.trim())) {
            (Some(fence), _) if line.trim() == fence => self.fence = None,
            (Some(_), _) => {}
            (None, Some((fence, ..))) => self.fence = Some(fence.to_owned()),
            (None, None) => shown.push_str(line),
        }
    }

    /// What is left at the end.
    pub fn rest(&mut self) -> String {
        let line = std::mem::take(&mut self.line);
        let hidden = self.fence.is_some() || opening(line.trim()).is_some();
        if hidden { String::new() } else { line }
    }
}
