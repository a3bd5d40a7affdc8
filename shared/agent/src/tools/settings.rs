//! Tools that change the session itself: format, title, versions.

use super::{Reply, Tool, may_build, or_refuse, parse};
use crate::turn::{Interrupted, Job};
use async_trait::async_trait;
use koda_domain::{
    EventBody, SessionState, SettingsPatch, event::Actor, format, store::SessionHead,
};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) struct UpdateSettings;
pub(super) struct RestoreVersion;
pub(super) struct SetTitle;

/// JSON Schema of the settings that a model may set.
pub(super) fn schema() -> Value {
    json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "aspect": {"enum": ["16:9", "9:16", "1:1", "4:3", "21:9"]},
            "duration_seconds": {"type": "number", "minimum": 1, "maximum": 120},
            "fps": {"enum": format::Fps::ALL},
            "resolution": {"enum": ["720p", "1080p", "4k"]}
        }
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    settings: SettingsPatch,
}

#[async_trait]
impl Tool for UpdateSettings {
    fn name(&self) -> &'static str {
        "update_settings"
    }

    fn description(&self) -> &'static str {
        "Change the format: aspect, duration, fps, resolution. Only what the person asked for; the manifest follows."
    }

    fn schema(&self) -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["settings"],
            "properties": {"settings": schema()}
        })
    }

    fn offered(&self, state: &SessionState) -> bool {
        may_build(state)
    }

    fn title(&self, _: &Value) -> String {
        "Changing the format".into()
    }

    async fn run(
        &self,
        _: &Job<'_>,
        head: &SessionHead,
        input: Value,
    ) -> Result<Reply, Interrupted> {
        let Patch { settings: patch } = or_refuse!(parse(input));
        if patch.engine.is_some() || patch.auto_approve.is_some() || patch.logo.is_some() {
            return Ok(Reply::refused(
                "Only aspect, duration_seconds, fps and resolution can be set here.",
            ));
        }
        let before = &head.state.settings;
        let settings = match before.patched(&patch) {
            Ok(mut settings) => {
                settings.duration_fixed = before.duration_fixed;
                settings
            }
            Err(problems) => {
                let lines: Vec<_> = problems
                    .iter()
                    .map(|p| format!("{}: {}", p.field, p.message))
                    .collect();
                return Ok(Reply::refused(lines.join("\n")));
            }
        };
        let now = format!(
            "{}, {} s, {} fps",
            settings.aspect,
            settings.duration_seconds,
            settings.fps.get()
        );
        let frames = settings.duration_in_frames();
        let reply = Reply::ok(
            format!("Now {now}: {frames} frames."),
            format!("Format: {now}"),
        );
        Ok(reply.with([EventBody::SettingsChanged {
            settings,
            by: Actor::Agent,
        }]))
    }
}

#[derive(Deserialize)]
struct Number {
    number: u32,
}

#[async_trait]
impl Tool for RestoreVersion {
    fn name(&self) -> &'static str {
        "restore_version"
    }

    fn description(&self) -> &'static str {
        "Take the files and the format of an earlier version, by its number."
    }

    fn schema(&self) -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["number"],
            "properties": {"number": {"type": "integer", "minimum": 1}}
        })
    }

    fn offered(&self, state: &SessionState) -> bool {
        may_build(state) && !state.versions.is_empty()
    }

    fn title(&self, input: &Value) -> String {
        format!("Restoring version {}", input["number"])
    }

    async fn run(
        &self,
        job: &Job<'_>,
        head: &SessionHead,
        input: Value,
    ) -> Result<Reply, Interrupted> {
        let Number { number } = or_refuse!(parse(input));
        let Some(found) = head.state.versions.iter().find(|v| v.number == number) else {
            return Ok(Reply::refused(format!("There is no version {number}.")));
        };
        let version = job.studio.version_of(head, found.id).await?;
        let engine = head.state.engine();
        if engine.is_some_and(|engine| engine != version.engine) {
            return Ok(Reply::refused(
                "That version was made with another engine; the person can restore it.",
            ));
        }
        let restored = EventBody::FilesRestored {
            version_id: version.id,
            files: version.files,
            settings: version.settings,
        };
        let line = format!("Restored the files of version {number}");
        Ok(Reply::ok(format!("{line}."), line).with([restored]))
    }
}

#[derive(Deserialize)]
struct Title {
    title: String,
}

#[async_trait]
impl Tool for SetTitle {
    fn name(&self) -> &'static str {
        "set_title"
    }

    fn description(&self) -> &'static str {
        "Rename the animation. This is its name in lists and file names; words on screen are in src/design.ts."
    }

    fn schema(&self) -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["title"],
            "properties": {"title": {"type": "string"}}
        })
    }

    fn offered(&self, state: &SessionState) -> bool {
        may_build(state)
    }

    fn title(&self, _: &Value) -> String {
        "Renaming the animation".into()
    }

    async fn run(&self, _: &Job<'_>, _: &SessionHead, input: Value) -> Result<Reply, Interrupted> {
        let Title { title } = or_refuse!(parse(input));
        let title = title.trim().to_owned();
        if title.is_empty() || title.chars().count() > 120 {
            return Ok(Reply::refused("A title has 1 to 120 characters."));
        }
        let line = format!("Renamed to “{title}”");
        Ok(Reply::ok(format!("{line}."), line).with([EventBody::TitleChanged { title }]))
    }
}
