//! Tools that look at the animation.

use super::{Reply, Tool, may_build, or_refuse, parse};
use crate::turn::{Interrupted, Job, describe};
use async_trait::async_trait;
use koda_domain::{
    SessionState,
    asset::AssetRole,
    message::ToolOutput,
    sandbox::{Exec, ProcessName, run},
    store::SessionHead,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

pub(super) struct Check;
pub(super) struct Still;
pub(super) struct RunCommand;
pub(super) struct ListAssets;

/// The most stills at once.
const STILLS: usize = 6;
/// Programs that a model may run, all of them harmless within the sandbox and of use.
const ALLOWED: [&str; 8] = ["cat", "grep", "head", "ls", "node", "tail", "tsc", "wc"];

#[async_trait]
impl Tool for Check {
    fn name(&self) -> &'static str {
        "check"
    }

    fn description(&self) -> &'static str {
        "Type-check, bundle, load and shoot the animation as it is now. Gives what is wrong, first error first."
    }

    fn schema(&self) -> Value {
        json!({"type": "object", "additionalProperties": false, "properties": {}})
    }

    fn offered(&self, state: &SessionState) -> bool {
        may_build(state)
    }

    fn title(&self, _: &Value) -> String {
        "Checking the animation".into()
    }

    async fn run(&self, job: &Job<'_>, head: &SessionHead, _: Value) -> Result<Reply, Interrupted> {
        let head = job.check(head).await?;
        let Some(check) = &head.state.check else {
            return Err(Interrupted::Lost);
        };
        let found = describe(&check.diagnostics);
        if !check.ok {
            let first = found.lines().next().unwrap_or_default().to_owned();
            return Ok(Reply {
                summary: first,
                ..Reply::refused(found)
            });
        }
        let text = if found.is_empty() {
            "All gates passed.".to_owned()
        } else {
            format!("Passed.\n{found}")
        };
        let mut reply = Reply::ok(text, "The check passed");
        if let Some(blob) = &check.sheet {
            reply.output.push(ToolOutput::Image {
                blob: blob.clone(),
                media_type: "image/png".into(),
            });
        }
        Ok(reply)
    }
}

#[derive(Deserialize)]
struct Frames {
    frames: Vec<u32>,
}

#[async_trait]
impl Tool for Still {
    fn name(&self) -> &'static str {
        "still"
    }

    fn description(&self) -> &'static str {
        "Look at one to six frames, by number, as pictures."
    }

    fn schema(&self) -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["frames"],
            "properties": {"frames": {"type": "array", "minItems": 1, "maxItems": STILLS,
                "items": {"type": "integer", "minimum": 0}}}
        })
    }

    fn offered(&self, state: &SessionState) -> bool {
        may_build(state)
    }

    fn title(&self, input: &Value) -> String {
        format!("Looking at frames {}", input["frames"])
    }

    async fn run(
        &self,
        job: &Job<'_>,
        head: &SessionHead,
        input: Value,
    ) -> Result<Reply, Interrupted> {
        let Frames { frames } = or_refuse!(parse(input));
        let total = head.state.settings.duration_in_frames();
        if frames.is_empty() || frames.len() > STILLS || frames.iter().any(|f| *f >= total) {
            return Ok(Reply::refused(format!(
                "Name one to six frames below {total}."
            )));
        }
        let sandbox = job.studio.prepare_working(head).await?;
        let list = frames
            .iter()
            .map(u32::to_string)
            .collect::<Vec<_>>()
            .join(",");
        let size = head.state.settings.aspect.size(360);
        let (width, height) = (size.width.to_string(), size.height.to_string());
        let argv = [
            "koda-capture",
            "still",
            "--app",
            "/app",
            "--frames",
            &list,
            "--out",
            "/app/.koda/stills",
            "--width",
            &width,
            "--height",
            &height,
        ];
        let exec = Exec::new(ProcessName::new("still"), &argv, Duration::from_secs(90));
        let last = job.studio.capture(&sandbox, &exec, &job.cancel).await?;
        if last["type"] == "error" {
            return Ok(Reply::refused(
                last["message"]
                    .as_str()
                    .unwrap_or("The stills failed.")
                    .to_owned(),
            ));
        }
        let mut reply = Reply::ok(
            format!("Frames {list}:"),
            format!("Looked at frames {list}"),
        );
        for frame in &frames {
            let path = format!(".koda/stills/frame_{frame:05}.png");
            if let Some(blob) = job.studio.keep_picture(&head.tenant, &sandbox, &path).await {
                reply.output.push(ToolOutput::Image {
                    blob,
                    media_type: "image/png".into(),
                });
            }
        }
        Ok(reply)
    }
}

#[derive(Deserialize)]
struct Command {
    argv: Vec<String>,
}

#[async_trait]
impl Tool for RunCommand {
    fn name(&self) -> &'static str {
        "run_command"
    }

    fn description(&self) -> &'static str {
        "Run one of cat, grep, head, ls, node, tail, tsc, wc in /app, as a list of arguments without a shell, for up to \
         a minute. There is no network and nothing can be installed. Files that it writes are not kept."
    }

    fn schema(&self) -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["argv"],
            "properties": {"argv": {"type": "array", "minItems": 1, "maxItems": 40, "items": {"type": "string"}}}
        })
    }

    fn offered(&self, state: &SessionState) -> bool {
        may_build(state)
    }

    fn title(&self, input: &Value) -> String {
        format!(
            "Running {}",
            input["argv"][0].as_str().unwrap_or("a command")
        )
    }

    async fn run(
        &self,
        job: &Job<'_>,
        head: &SessionHead,
        input: Value,
    ) -> Result<Reply, Interrupted> {
        let Command { mut argv } = or_refuse!(parse(input));
        let Some(program) = argv.first_mut() else {
            return Ok(Reply::refused("Name a program."));
        };
        if !ALLOWED.contains(&program.as_str()) {
            return Ok(Reply::refused(format!(
                "Only these can be run: {}.",
                ALLOWED.join(", ")
            )));
        }
        if program == "tsc" {
            "node_modules/.bin/tsc".clone_into(program);
        }
        let sandbox = job.studio.prepare_working(head).await?;
        let args: Vec<&str> = argv.iter().map(String::as_str).collect();
        let mut exec = Exec::new(ProcessName::new("command"), &args, Duration::from_secs(60));
        exec.output_cap = 16 * 1024;
        job.studio
            .sandboxes()
            .kill(&sandbox, &exec.name, Duration::ZERO)
            .await
            .map_err(crate::StudioError::from)?;
        let out = run(job.studio.sandboxes(), &sandbox, &exec)
            .await
            .map_err(crate::StudioError::from)?;
        let (stdout, stderr) = (
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr),
        );
        let cut = if out.status.truncated {
            "\n(more output was dropped)"
        } else {
            ""
        };
        let text = format!("exit code {}\n{stdout}{stderr}{cut}", out.status.code);
        let mut reply = Reply::ok(text, format!("{} ended with {}", argv[0], out.status.code));
        reply.is_error = out.status.code != 0;
        Ok(reply)
    }
}

#[async_trait]
impl Tool for ListAssets {
    fn name(&self) -> &'static str {
        "list_assets"
    }

    fn description(&self) -> &'static str {
        "List the pictures, videos, sounds and fonts that the person gave, with their paths and sizes."
    }

    fn schema(&self) -> Value {
        json!({"type": "object", "additionalProperties": false, "properties": {}})
    }

    fn offered(&self, _: &SessionState) -> bool {
        true
    }

    fn title(&self, _: &Value) -> String {
        "Listing assets".into()
    }

    async fn run(&self, job: &Job<'_>, head: &SessionHead, _: Value) -> Result<Reply, Interrupted> {
        let mut lines = Vec::new();
        for asset in job.studio.given(head).await {
            let mut line = json!(asset);
            if asset.role == Some(AssetRole::Reference) {
                // It is to be looked at, and no file of the workspace.
                line["path"] = Value::Null;
            }
            lines.push(line.to_string());
        }
        Ok(Reply::ok(
            lines.join("\n"),
            format!("{} assets", lines.len()),
        ))
    }
}
