//! Design settings: state of the session, injected into the manifest and asserted, never only prompt text.

use crate::{
    AssetId,
    format::{Aspect, Engine, Fps, Resolution},
    timing::{self, Timing},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The shortest animation, in seconds.
pub const MIN_SECONDS: f64 = 1.0;
/// The longest animation, in seconds.
pub const MAX_SECONDS: f64 = 120.0;

/// What a person decided about the animation. What is `None` is the agent's to decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// What draws it; `null` lets the plan choose.
    pub engine: Option<Engine>,
    /// Shape of the picture.
    pub aspect: Aspect,
    /// Length in seconds, 1 to 120, as it is written; `timing` may play it longer or shorter.
    pub duration_seconds: f64,
    /// Whether the person chose the length; otherwise the plan may.
    pub duration_fixed: bool,
    /// Frames per second.
    pub fps: Fps,
    /// What exports default to.
    pub resolution: Resolution,
    /// A word for the look, such as `minimal` or `corporate`.
    pub style: Option<String>,
    /// A named palette and font pairing, such as `neon`.
    pub theme: Option<String>,
    /// Colours that the person chose.
    pub colors: Colors,
    /// Fonts that the person chose.
    pub fonts: Fonts,
    /// The logo to use.
    pub logo: Option<AssetId>,
    /// Techniques asked for, such as `kinetic-typography` or `particles`.
    pub techniques: Vec<String>,
    /// Whether plans are approved without asking.
    pub auto_approve: bool,
    /// Slower and faster stretches, and how long the last frame is held.
    pub timing: Timing,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: None,
            aspect: Aspect::default(),
            duration_seconds: 6.0,
            duration_fixed: false,
            fps: Fps::default(),
            resolution: Resolution::default(),
            style: None,
            theme: None,
            colors: Colors::default(),
            fonts: Fonts::default(),
            logo: None,
            techniques: Vec::new(),
            auto_approve: false,
            timing: Timing::default(),
        }
    }
}

/// Four roles of colour, each `#rrggbb` or left to the agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Colors {
    /// Behind everything.
    pub background: Option<String>,
    /// The main colour.
    pub primary: Option<String>,
    /// The second colour.
    pub accent: Option<String>,
    /// Of words.
    pub text: Option<String>,
}

/// Font families by role.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fonts {
    /// Of titles.
    pub title: Option<String>,
    /// Of everything else.
    pub body: Option<String>,
}

/// Changes to settings; what is left out stays. A `null` gives the choice back to the agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SettingsPatch {
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Engine>)]
    /// See [`Settings::engine`].
    pub engine: Option<Option<Engine>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// See [`Settings::aspect`].
    pub aspect: Option<Aspect>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// See [`Settings::duration_seconds`]; sets `duration_fixed`.
    pub duration_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// See [`Settings::fps`].
    pub fps: Option<Fps>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// See [`Settings::resolution`].
    pub resolution: Option<Resolution>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    /// See [`Settings::style`].
    pub style: Option<Option<String>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    /// See [`Settings::theme`].
    pub theme: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// Replaces all four colours.
    pub colors: Option<Colors>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// Replaces both fonts.
    pub fonts: Option<Fonts>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<AssetId>)]
    /// See [`Settings::logo`].
    pub logo: Option<Option<AssetId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// Replaces the list.
    pub techniques: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// See [`Settings::auto_approve`].
    pub auto_approve: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// Replaces all of it.
    pub timing: Option<Timing>,
}

/// Tells a `null` that was given from a field that was left out.
#[expect(
    clippy::option_option,
    reason = "left out, given back and given are three things"
)]
fn given<'de, D, T>(d: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(d).map(Some)
}

/// One field that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// Name of the field, dotted below the body's root.
    pub field: String,
    /// What it must be, as a sentence.
    pub message: String,
}

impl Settings {
    /// Takes the patch over these settings.
    ///
    /// # Errors
    /// Every field that breaks a rule; the settings are then as they were.
    pub fn patched(&self, patch: &SettingsPatch) -> Result<Self, Vec<FieldError>> {
        let mut next = self.clone();
        let p = patch.clone();
        if let Some(engine) = p.engine {
            next.engine = engine;
        }
        if let Some(aspect) = p.aspect {
            next.aspect = aspect;
        }
        if let Some(seconds) = p.duration_seconds {
            next.duration_seconds = seconds;
            next.duration_fixed = true;
        }
        if let Some(fps) = p.fps {
            next.fps = fps;
        }
        if let Some(resolution) = p.resolution {
            next.resolution = resolution;
        }
        if let Some(style) = p.style {
            next.style = style;
        }
        if let Some(theme) = p.theme {
            next.theme = theme;
        }
        if let Some(colors) = p.colors {
            next.colors = colors;
        }
        if let Some(fonts) = p.fonts {
            next.fonts = fonts;
        }
        if let Some(logo) = p.logo {
            next.logo = logo;
        }
        if let Some(techniques) = p.techniques {
            next.techniques = techniques;
        }
        if let Some(auto) = p.auto_approve {
            next.auto_approve = auto;
        }
        if let Some(timing) = p.timing {
            next.timing = timing;
        }
        let errors = next.problems();
        if errors.is_empty() {
            Ok(next)
        } else {
            Err(errors)
        }
    }

    /// Every field that breaks a rule.
    #[must_use]
    pub fn problems(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut bad = |field: &str, message: &str| {
            errors.push(FieldError {
                field: field.into(),
                message: message.into(),
            });
        };
        if !(MIN_SECONDS..=MAX_SECONDS).contains(&self.duration_seconds) {
            bad("duration_seconds", "The duration must be 1 to 120 seconds.");
        }
        for (name, color) in self.colors.all() {
            if color.is_some_and(|c| !is_hex_color(c)) {
                bad(&format!("colors.{name}"), "A colour is written #rrggbb.");
            }
        }
        let words = [
            ("style", &self.style),
            ("theme", &self.theme),
            ("fonts.title", &self.fonts.title),
            ("fonts.body", &self.fonts.body),
        ];
        for (name, word) in words {
            if word.as_ref().is_some_and(|w| !is_plain_word(w)) {
                bad(name, "Use at most 60 letters, digits, spaces and hyphens.");
            }
        }
        if self.techniques.len() > 10 || self.techniques.iter().any(|t| !is_plain_word(t)) {
            bad(
                "techniques",
                "Name at most 10 techniques, each at most 60 letters, digits and hyphens.",
            );
        }
        // A length that is wrong by itself is told once.
        let seconds = self.duration_seconds.clamp(MIN_SECONDS, MAX_SECONDS);
        errors.extend(self.timing.problems(seconds));
        errors
    }

    /// Frames in the whole film, as it is played; at least one.
    #[must_use]
    pub fn duration_in_frames(&self) -> u32 {
        timing::frames(self.film_seconds(), self.fps.get())
    }

    /// Length of the whole film, as it is played, in seconds.
    #[must_use]
    pub fn film_seconds(&self) -> f64 {
        self.timing.film_seconds(self.duration_seconds)
    }
}

impl Colors {
    /// The four roles with their names.
    #[must_use]
    pub fn all(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("background", self.background.as_deref()),
            ("primary", self.primary.as_deref()),
            ("accent", self.accent.as_deref()),
            ("text", self.text.as_deref()),
        ]
    }
}

/// Whether this is `#rrggbb`.
#[must_use]
pub fn is_hex_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_plain_word(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 60
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || c == ' ' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_that_breaks_rules_names_each_field_and_changes_nothing() {
        let settings = Settings::default();
        let patch = SettingsPatch {
            duration_seconds: Some(1e9),
            colors: Some(Colors {
                primary: Some("red".into()),
                ..Colors::default()
            }),
            ..SettingsPatch::default()
        };
        let fields: Vec<_> = settings
            .patched(&patch)
            .unwrap_err()
            .into_iter()
            .map(|e| e.field)
            .collect();
        assert_eq!(fields, ["duration_seconds", "colors.primary"]);
    }

    #[test]
    fn a_duration_that_is_not_a_number_is_refused() {
        for seconds in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            let patch = SettingsPatch {
                duration_seconds: Some(seconds),
                ..SettingsPatch::default()
            };
            assert!(Settings::default().patched(&patch).is_err());
        }
    }

    #[test]
    fn null_gives_a_choice_back_and_absence_keeps_it() {
        let chosen = Settings {
            style: Some("minimal".into()),
            ..Settings::default()
        };
        let keep: SettingsPatch = serde_json::from_str("{}").unwrap();
        let back: SettingsPatch = serde_json::from_str(r#"{"style":null}"#).unwrap();
        assert_eq!(
            chosen.patched(&keep).unwrap().style.as_deref(),
            Some("minimal")
        );
        assert_eq!(chosen.patched(&back).unwrap().style, None);
    }
}
