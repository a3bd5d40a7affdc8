//! Tools for files. They read and write the store; the sandbox follows.

use super::{Reply, Tool, guards, matching, may_build, or_refuse, parse};
use crate::turn::{Interrupted, Job};
use async_trait::async_trait;
use koda_domain::{
    EventBody, SessionState, WorkPath, limits, store::SessionHead, version::FileEntry,
};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) struct ListFiles;
pub(super) struct ReadFile;
pub(super) struct SearchFiles;
pub(super) struct WriteFile;
pub(super) struct EditFile;
pub(super) struct DeleteFile;

/// The longest text that one read gives; longer files are read in ranges.
const READ_BYTES: usize = 64 * 1024;
/// The most hits that a search gives.
const HITS: usize = 100;

fn path_schema() -> Value {
    json!({"type": "string", "description": "below /app, such as src/Composition.tsx"})
}

fn has_files(state: &SessionState) -> bool {
    may_build(state) || !state.files.0.is_empty()
}

fn writable(text: &str) -> Result<WorkPath, Reply> {
    WorkPath::parse_writable(text).map_err(|error| Reply::refused(format!("{text}: {error}.")))
}

/// A text file of the workspace, or why there is none.
pub(super) async fn text_of(
    job: &Job<'_>,
    head: &SessionHead,
    path: &str,
) -> Result<Result<String, Reply>, Interrupted> {
    let entry = WorkPath::parse(path)
        .ok()
        .and_then(|p| head.state.files.0.get(&p));
    let Some(entry) = entry else {
        let engine = head.state.engine();
        let own = engine.and_then(|e| crate::scaffold(e).into_iter().find(|(p, _)| p == path));
        if let Some((_, bytes)) = own {
            return Ok(Ok(String::from_utf8_lossy(&bytes).into_owned()));
        }
        let there: Vec<_> = head
            .state
            .files
            .0
            .keys()
            .map(WorkPath::as_str)
            .take(60)
            .collect();
        return Ok(Err(Reply::refused(format!(
            "There is no {path}. There are: {}.",
            there.join(", ")
        ))));
    };
    let bytes = job.studio.read_blob(&head.tenant, &entry.blob).await?;
    Ok(String::from_utf8(bytes.to_vec())
        .map_err(|_| Reply::refused(format!("{path} is not text."))))
}

/// The event of a file with this content.
pub(super) async fn written(
    job: &Job<'_>,
    head: &SessionHead,
    path: WorkPath,
    text: String,
) -> Result<EventBody, Interrupted> {
    let size = text.len() as u64;
    let stored = job.studio.put_blob(&head.tenant, text.into()).await;
    let blob = stored.map_err(|error| Interrupted::from(crate::StudioError::from(error)))?;
    Ok(EventBody::FileWritten {
        path,
        entry: FileEntry { blob, size },
    })
}

#[async_trait]
impl Tool for ListFiles {
    fn name(&self) -> &'static str {
        "list_files"
    }

    fn description(&self) -> &'static str {
        "List the animation's files with their sizes."
    }

    fn schema(&self) -> Value {
        json!({"type": "object", "additionalProperties": false, "properties": {}})
    }

    fn offered(&self, state: &SessionState) -> bool {
        has_files(state)
    }

    fn title(&self, _: &Value) -> String {
        "Listing files".into()
    }

    async fn run(&self, _: &Job<'_>, head: &SessionHead, _: Value) -> Result<Reply, Interrupted> {
        let files = &head.state.files.0;
        let lines: Vec<_> = files
            .iter()
            .map(|(path, f)| format!("{path}  {} bytes", f.size))
            .collect();
        Ok(Reply::ok(
            lines.join("\n"),
            format!("{} files", files.len()),
        ))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    path: String,
    from: Option<usize>,
    to: Option<usize>,
}

#[async_trait]
impl Tool for ReadFile {
    fn name(&self) -> &'static str {
        "read_file"
    }

    fn description(&self) -> &'static str {
        "Read a file exactly, whole or lines `from` to `to` (from 1, inclusive). Nothing is ever cut silently."
    }

    fn schema(&self) -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["path"],
            "properties": {
                "path": path_schema(),
                "from": {"type": "integer", "minimum": 1}, "to": {"type": "integer", "minimum": 1}
            }
        })
    }

    fn offered(&self, state: &SessionState) -> bool {
        has_files(state)
    }

    fn title(&self, input: &Value) -> String {
        format!("Reading {}", input["path"].as_str().unwrap_or("a file"))
    }

    async fn run(
        &self,
        job: &Job<'_>,
        head: &SessionHead,
        input: Value,
    ) -> Result<Reply, Interrupted> {
        let Read { path, from, to } = or_refuse!(parse(input));
        let text = or_refuse!(text_of(job, head, &path).await?);
        let lines = text.lines().count();
        let text = match (from, to) {
            (None, None) => text,
            (from, to) => {
                let from = from.unwrap_or(1).max(1);
                let take = to.unwrap_or(lines).saturating_sub(from - 1);
                text.split_inclusive('\n')
                    .skip(from - 1)
                    .take(take)
                    .collect()
            }
        };
        if text.len() > READ_BYTES {
            return Ok(Reply::refused(format!(
                "{path} has {lines} lines, over 64 KB; read it in ranges."
            )));
        }
        Ok(Reply::ok(text, format!("Read {path} ({lines} lines)")))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    query: String,
}

#[async_trait]
impl Tool for SearchFiles {
    fn name(&self) -> &'static str {
        "search_files"
    }

    fn description(&self) -> &'static str {
        "Find a text, ignoring case, in all text files; gives path, line and the line's text."
    }

    fn schema(&self) -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["query"],
            "properties": {"query": {"type": "string", "minLength": 1}}
        })
    }

    fn offered(&self, state: &SessionState) -> bool {
        has_files(state)
    }

    fn title(&self, input: &Value) -> String {
        format!("Searching for {}", input["query"])
    }

    async fn run(
        &self,
        job: &Job<'_>,
        head: &SessionHead,
        input: Value,
    ) -> Result<Reply, Interrupted> {
        let Search { query } = or_refuse!(parse(input));
        let needle = query.to_lowercase();
        let mut hits = Vec::new();
        for path in head
            .state
            .files
            .0
            .keys()
            .filter(|p| p.as_str().starts_with("src/"))
        {
            let Ok(text) = text_of(job, head, path.as_str()).await? else {
                continue;
            };
            let found = text
                .lines()
                .enumerate()
                .filter(|(_, line)| line.to_lowercase().contains(&needle));
            hits.extend(found.map(|(n, line)| format!("{path}:{}: {}", n + 1, line.trim())));
        }
        let count = hits.len();
        if count > HITS {
            hits.truncate(HITS);
            hits.push(format!("… {} more", count - HITS));
        }
        Ok(Reply::ok(
            hits.join("\n"),
            format!("{count} hits for {query:?}"),
        ))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Write {
    path: String,
    content: String,
    #[serde(default)]
    allow_shrink: bool,
}

#[async_trait]
impl Tool for WriteFile {
    fn name(&self) -> &'static str {
        "write_file"
    }

    fn description(&self) -> &'static str {
        "Write a whole file below src/ (not src/koda/) or a text file below public/. Use edit_file for small changes. A \
         file that would lose exports or much of its length is refused, unless allow_shrink says that this is meant."
    }

    fn schema(&self) -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["path", "content"],
            "properties": {
                "path": path_schema(), "content": {"type": "string"}, "allow_shrink": {"type": "boolean"}
            }
        })
    }

    fn offered(&self, state: &SessionState) -> bool {
        may_build(state)
    }

    fn title(&self, input: &Value) -> String {
        format!("Writing {}", input["path"].as_str().unwrap_or("a file"))
    }

    async fn run(
        &self,
        job: &Job<'_>,
        head: &SessionHead,
        input: Value,
    ) -> Result<Reply, Interrupted> {
        let Write {
            path,
            content,
            allow_shrink,
        } = or_refuse!(parse(input));
        let path = or_refuse!(writable(&path));
        let content = guards::unfenced(&content).to_owned();
        let refusal =
            guards::too_long(&path, &content).or_else(|| guards::left_out(&path, &content));
        if let Some(why) = refusal {
            return Ok(Reply::refused(why));
        }
        let known = head.state.files.0.contains_key(&path);
        if !known && head.state.files.0.len() >= limits::WORKSPACE_FILES {
            return Ok(Reply::refused("The workspace holds at most 400 files."));
        }
        if !allow_shrink
            && known
            && let Ok(old) = text_of(job, head, path.as_str()).await?
            && let Some(why) = guards::loss(&path, &old, &content)
        {
            return Ok(Reply::refused(why));
        }
        let lines = content.lines().count();
        let event = written(job, head, path.clone(), content).await?;
        let verb = if known { "Rewrote" } else { "Wrote" };
        Ok(Reply::ok("Written.", format!("{verb} {path} ({lines} lines)")).with([event]))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    path: String,
    old: String,
    new: String,
}

#[async_trait]
impl Tool for EditFile {
    fn name(&self) -> &'static str {
        "edit_file"
    }

    fn description(&self) -> &'static str {
        "Replace a text that stands in the file exactly once, with a few lines around what changes. Refused where it \
         stands there never or more than once; then you are shown what comes closest."
    }

    fn schema(&self) -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["path", "old", "new"],
            "properties": {"path": path_schema(), "old": {"type": "string", "minLength": 1}, "new": {"type": "string"}}
        })
    }

    fn offered(&self, state: &SessionState) -> bool {
        may_build(state)
    }

    fn title(&self, input: &Value) -> String {
        format!("Editing {}", input["path"].as_str().unwrap_or("a file"))
    }

    async fn run(
        &self,
        job: &Job<'_>,
        head: &SessionHead,
        input: Value,
    ) -> Result<Reply, Interrupted> {
        let Edit { path, old, new } = or_refuse!(parse(input));
        let path = or_refuse!(writable(&path));
        let text = or_refuse!(text_of(job, head, path.as_str()).await?);
        let edited =
            or_refuse!(matching::replace(path.as_str(), &text, &old, &new).map_err(Reply::refused));
        // A mark that was there before is not this edit's.
        let refusal =
            guards::left_out(&path, &new).or_else(|| guards::too_long(&path, &edited.text));
        if let Some(why) = refusal {
            return Ok(Reply::refused(why));
        }
        let event = written(job, head, path.clone(), edited.text).await?;
        let told = match edited.overlooking {
            None => "Edited.".to_owned(),
            Some(what) => format!("Edited, overlooking {what}."),
        };
        Ok(Reply::ok(told, format!("Edited {path} at line {}", edited.line)).with([event]))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delete {
    path: String,
}

#[async_trait]
impl Tool for DeleteFile {
    fn name(&self) -> &'static str {
        "delete_file"
    }

    fn description(&self) -> &'static str {
        "Delete a file of the animation."
    }

    fn schema(&self) -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["path"],
            "properties": {"path": path_schema()}
        })
    }

    fn offered(&self, state: &SessionState) -> bool {
        may_build(state)
    }

    fn title(&self, input: &Value) -> String {
        format!("Deleting {}", input["path"].as_str().unwrap_or("a file"))
    }

    async fn run(
        &self,
        _: &Job<'_>,
        head: &SessionHead,
        input: Value,
    ) -> Result<Reply, Interrupted> {
        let Delete { path } = or_refuse!(parse(input));
        let path = or_refuse!(writable(&path));
        if !head.state.files.0.contains_key(&path) {
            return Ok(Reply::refused(format!("There is no {path}.")));
        }
        Ok(
            Reply::ok("Deleted.", format!("Deleted {path}"))
                .with([EventBody::FileDeleted { path }]),
        )
    }
}
