//! Tools that change the session itself: format, title, versions.

use super::{Reply, Tool, may_build, or_refuse, parse};
use crate::turn::{Interrupted, Job};
use async_trait::async_trait;
use koda_domain::{
    EventBody, SessionState, SettingsPatch,
    event::Actor,
    format,
    store::SessionHead,
    timing::{Stretch, Timing},
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
    #[serde(default)]
    settings: SettingsPatch,
    #[serde(default)]
    scene_speeds: Vec<SceneSpeed>,
    hold_last_frame_seconds: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SceneSpeed {
    /// From 1.
    scene: usize,
    speed: f64,
}

impl Patch {
    /// The pace that is asked for, over the one there is; none where nothing was said of it.
    fn timing(&self, state: &SessionState) -> Result<Option<Timing>, String> {
        if self.scene_speeds.is_empty() && self.hold_last_frame_seconds.is_none() {
            return Ok(None);
        }
        let scenes = state.approved.as_ref().map_or(&[][..], |plan| &plan.scenes);
        let mut timing = state.settings.timing.clone();
        let now = |n: usize| timing.stretches.get(n).map_or(1.0, |it| it.speed);
        let mut stretches: Vec<Stretch> = scenes
            .iter()
            .enumerate()
            .map(|(n, scene)| Stretch {
                seconds: scene.duration_seconds,
                speed: now(n),
            })
            .collect();
        for asked in &self.scene_speeds {
            let count = stretches.len();
            let stretch = asked
                .scene
                .checked_sub(1)
                .and_then(|n| stretches.get_mut(n));
            let stretch = stretch.ok_or(format!(
                "scene_speeds: there is no scene {}; the plan has 1 to {count}.",
                asked.scene
            ))?;
            stretch.speed = asked.speed;
        }
        timing.stretches = stretches;
        if let Some(seconds) = self.hold_last_frame_seconds {
            timing.hold_seconds = seconds;
        }
        Ok(Some(timing))
    }
}

#[async_trait]
impl Tool for UpdateSettings {
    fn name(&self) -> &'static str {
        "update_settings"
    }

    fn description(&self) -> &'static str {
        "Change the format (aspect, duration, fps, resolution), the speed at which scenes are played (1 as written, 0.25 to 4), or how \
         long the last frame is held. Only what the person asked for; the manifest follows, and no code has to change."
    }

    fn schema(&self) -> Value {
        json!({
            "type": "object", "additionalProperties": false,
            "properties": {
                "settings": schema(),
                "scene_speeds": {"type": "array", "items": {
                    "type": "object", "additionalProperties": false, "required": ["scene", "speed"],
                    "properties": {
                        "scene": {"type": "integer", "minimum": 1, "description": "of the plan, from 1"},
                        "speed": {"type": "number", "minimum": 0.25, "maximum": 4}
                    }
                }},
                "hold_last_frame_seconds": {"type": "number", "minimum": 0, "maximum": 30}
            }
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
        let asked: Patch = or_refuse!(parse(input));
        let timing = match asked.timing(&head.state) {
            Ok(timing) => timing,
            Err(why) => return Ok(Reply::refused(why)),
        };
        let mut patch = asked.settings;
        if patch.timing.is_some()
            || patch.engine.is_some()
            || patch.auto_approve.is_some()
            || patch.logo.is_some()
        {
            return Ok(Reply::refused(
                "Only aspect, duration_seconds, fps and resolution can be set here.",
            ));
        }
        patch.timing = timing;
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
            (settings.film_seconds() * 100.0).round() / 100.0,
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
