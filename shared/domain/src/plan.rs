//! A plan: what the agent proposes, the person edits and approves, and the server holds the agent to.

use crate::{
    format::Engine,
    settings::{Colors, FieldError, Fonts, MAX_SECONDS, MIN_SECONDS, SettingsPatch},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most scenes a plan has.
pub const MAX_SCENES: usize = 24;

/// What will be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Name of the animation.
    pub title: String,
    /// What it will be and why, in a few sentences.
    pub summary: String,
    /// What draws it.
    pub engine: Engine,
    /// In order.
    pub scenes: Vec<Scene>,
    /// Colours and fonts.
    pub design: PlanDesign,
    /// What was taken for granted where the request was silent.
    #[serde(default)]
    pub assumptions: Vec<String>,
    /// Format that the request asked for in words (aspect, fps, …); applied when the plan is approved.
    #[serde(default)]
    pub settings: SettingsPatch,
}

/// One stretch of the animation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// Its name.
    pub title: String,
    /// What is seen.
    pub description: String,
    /// How long, in seconds.
    pub duration_seconds: f64,
}

/// The look of a plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlanDesign {
    /// Colours by role.
    pub colors: Colors,
    /// Fonts by role.
    pub fonts: Fonts,
    /// The mood, in a few words.
    pub mood: String,
}

impl Plan {
    /// SHA-256 of the plan's JSON with sorted keys: what an approval names.
    #[must_use]
    pub fn hash(&self) -> String {
        // `Value` keeps keys sorted, so equal plans have equal text.
        let value = serde_json::to_value(self).unwrap_or_default();
        crate::BlobId::of(value.to_string().as_bytes())
            .as_str()
            .to_owned()
    }

    /// Length of all scenes, in seconds.
    #[must_use]
    pub fn duration_seconds(&self) -> f64 {
        self.scenes.iter().map(|scene| scene.duration_seconds).sum()
    }

    /// Every field that breaks a rule.
    #[must_use]
    pub fn problems(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut bad = |field: String, message: &str| {
            errors.push(FieldError {
                field,
                message: message.into(),
            });
        };
        if self.title.trim().is_empty() || self.title.chars().count() > 120 {
            bad("title".into(), "The title has 1 to 120 characters.");
        }
        if self.summary.chars().count() > 2_000 {
            bad("summary".into(), "The summary has at most 2000 characters.");
        }
        if self.scenes.is_empty() || self.scenes.len() > MAX_SCENES {
            bad("scenes".into(), "A plan has 1 to 24 scenes.");
        }
        for (n, scene) in self.scenes.iter().enumerate() {
            if !(0.1..=MAX_SECONDS).contains(&scene.duration_seconds) {
                bad(
                    format!("scenes.{n}.duration_seconds"),
                    "A scene lasts 0.1 to 120 seconds.",
                );
            }
            if scene.title.trim().is_empty() || scene.title.chars().count() > 120 {
                bad(
                    format!("scenes.{n}.title"),
                    "A scene's title has 1 to 120 characters.",
                );
            }
            if scene.description.chars().count() > 2_000 {
                bad(
                    format!("scenes.{n}.description"),
                    "A description has at most 2000 characters.",
                );
            }
        }
        if !(MIN_SECONDS..=MAX_SECONDS + 0.001).contains(&self.duration_seconds()) {
            bad(
                "scenes".into(),
                "The scenes must last 1 to 120 seconds together.",
            );
        }
        if let Err(more) = crate::Settings::default().patched(&SettingsPatch {
            colors: Some(self.design.colors.clone()),
            fonts: Some(self.design.fonts.clone()),
            ..self.settings.clone()
        }) {
            errors.extend(more.into_iter().map(|e| FieldError {
                field: format!("design.{}", e.field),
                ..e
            }));
        }
        errors
    }

    /// Scales the scenes so that they last this long together, in hundredths of a second.
    #[must_use]
    pub fn scaled_to(mut self, seconds: f64) -> Self {
        let total = self.duration_seconds();
        let Some(last) = self.scenes.len().checked_sub(1) else {
            return self;
        };
        if total <= 0.0 {
            return self;
        }
        let mut left = seconds;
        for (n, scene) in self.scenes.iter_mut().enumerate() {
            let share = (scene.duration_seconds * seconds / total * 100.0).round() / 100.0;
            scene.duration_seconds = if n == last {
                (left * 100.0).round() / 100.0
            } else {
                share.max(0.1)
            };
            left -= scene.duration_seconds;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seconds: &[f64]) -> Plan {
        Plan {
            title: "A".into(),
            summary: String::new(),
            engine: Engine::Remotion,
            scenes: seconds
                .iter()
                .map(|s| Scene {
                    title: "s".into(),
                    description: String::new(),
                    duration_seconds: *s,
                })
                .collect(),
            design: PlanDesign::default(),
            assumptions: vec![],
            settings: SettingsPatch::default(),
        }
    }

    #[test]
    fn scaling_keeps_the_order_and_meets_the_length_exactly() {
        let scaled = plan(&[1.0, 3.0, 1.0]).scaled_to(7.5);
        assert!((scaled.duration_seconds() - 7.5).abs() < 1e-9);
        assert!((scaled.scenes[1].duration_seconds - 4.5).abs() < 1e-9);
    }

    #[test]
    fn any_edit_changes_the_hash() {
        let one = plan(&[2.0]);
        let mut two = one.clone();
        assert_eq!(one.hash(), two.hash());
        two.scenes[0].title.push('!');
        assert_ne!(one.hash(), two.hash());
    }

    #[test]
    fn a_plan_without_scenes_or_with_endless_ones_is_refused() {
        assert!(!plan(&[]).problems().is_empty());
        assert!(!plan(&[1e9]).problems().is_empty());
        assert!(plan(&[2.0, 3.0]).problems().is_empty());
    }
}
