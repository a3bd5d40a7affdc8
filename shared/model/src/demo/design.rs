//! Roles of colour in a design, as colours to reckon with.

use super::color::Rgb;

pub(crate) use koda_domain::design::{DESIGN_PATH, Datum, Design, DesignError, FontPair, Palette};

/// A role of colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ColorRole {
    Background,
    Primary,
    Accent,
    Text,
}

impl ColorRole {
    pub const ALL: [Self; 4] = [Self::Background, Self::Primary, Self::Accent, Self::Text];

    /// The role's name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Background => "background",
            Self::Primary => "main colour",
            Self::Accent => "accent",
            Self::Text => "text colour",
        }
    }
}

/// Colours by role.
pub(crate) trait ByRole {
    fn get(&self, role: ColorRole) -> Rgb;
    fn set(&mut self, role: ColorRole, color: Rgb);
}

impl ByRole for Palette {
    fn get(&self, role: ColorRole) -> Rgb {
        let (hex, fallback) = match role {
            ColorRole::Background => (&self.background, Rgb::BLACK),
            ColorRole::Primary => (&self.primary, Rgb::WHITE),
            ColorRole::Accent => (&self.accent, Rgb::WHITE),
            ColorRole::Text => (&self.text, Rgb::WHITE),
        };
        Rgb::parse(hex).unwrap_or(fallback)
    }

    fn set(&mut self, role: ColorRole, color: Rgb) {
        let place = match role {
            ColorRole::Background => &mut self.background,
            ColorRole::Primary => &mut self.primary,
            ColorRole::Accent => &mut self.accent,
            ColorRole::Text => &mut self.text,
        };
        *place = color.hex();
    }
}
