//! Colours in another tone: darker, warmer, inverted.

use super::{
    color::{Hsl, Rgb},
    design::{
        ByRole,
        ColorRole::{self, Background, Primary, Text},
        Palette,
    },
    palette::{ground, repaired},
};

/// A change of tone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Darker,
    Lighter,
    Brighter,
    Warmer,
    Cooler,
    Vivid,
    Muted,
    Contrast,
    DarkMode,
    LightMode,
    Invert,
}

impl Tone {
    /// What the colours are then.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Darker => "darker",
            Self::Lighter => "lighter",
            Self::Brighter => "brighter",
            Self::Warmer => "warmer",
            Self::Cooler => "cooler",
            Self::Vivid => "more vivid",
            Self::Muted => "more muted",
            Self::Contrast => "higher in contrast",
            Self::DarkMode => "on a dark background",
            Self::LightMode => "on a light background",
            Self::Invert => "inverted",
        }
    }
}

/// The palette in another tone; of one role only, where one is named.
pub(crate) fn toned(base: &Palette, tone: Tone, role: Option<ColorRole>) -> Palette {
    let mut next = base.clone();
    let only = |r: ColorRole| role.is_none_or(|role| role == r);
    let dark = base.get(Background).is_dark();
    match tone {
        Tone::Invert => {
            next.background.clone_from(&base.text);
            next.text.clone_from(&base.background);
        }
        Tone::DarkMode if !dark => next.set(Background, ground(base.get(Primary).hsl(), true)),
        Tone::LightMode if dark => next.set(Background, ground(base.get(Primary).hsl(), false)),
        Tone::DarkMode | Tone::LightMode => {}
        Tone::Contrast => {
            next.set(
                Background,
                shifted(base.get(Background), if dark { -0.5 } else { 0.6 }),
            );
            next.set(Text, if dark { Rgb::WHITE } else { Rgb::BLACK });
        }
        Tone::Darker | Tone::Lighter => {
            let by = if tone == Tone::Darker { -0.35 } else { 0.35 };
            for r in ColorRole::ALL
                .into_iter()
                .filter(|r| only(*r) && (role.is_some() || *r != Text))
            {
                next.set(r, shifted(base.get(r), by));
            }
        }
        Tone::Brighter | Tone::Vivid | Tone::Muted | Tone::Warmer | Tone::Cooler => {
            for r in ColorRole::ALL
                .into_iter()
                .filter(|r| only(*r) && (role.is_some() || *r != Text))
            {
                next.set(r, recoloured(base.get(r), tone, r == Background));
            }
        }
    }
    let fixed: Vec<_> = role.map(|r| (r, next.get(r))).into_iter().collect();
    repaired(&next, &fixed)
}

/// Towards black by a share below zero, towards white by one above.
fn shifted(color: Rgb, by: f32) -> Rgb {
    let hsl = color.hsl();
    let l = if by < 0.0 {
        hsl.l * (1.0 + by)
    } else {
        hsl.l + (1.0 - hsl.l) * by * 0.5
    };
    Hsl { l, ..hsl }.into()
}

fn recoloured(color: Rgb, tone: Tone, background: bool) -> Rgb {
    let mut hsl = color.hsl();
    let toward = |h: f32, goal: f32| h + ((goal - h + 540.0).rem_euclid(360.0) - 180.0) * 0.3;
    match tone {
        Tone::Brighter => {
            hsl.s = (hsl.s * 1.2).min(1.0);
            hsl.l += (1.0 - hsl.l) * if background { 0.08 } else { 0.2 };
        }
        Tone::Vivid => hsl.s = (hsl.s * 1.35 + 0.08).min(1.0),
        Tone::Muted => hsl.s *= 0.6,
        Tone::Warmer => hsl.h = toward(hsl.h, 28.0),
        Tone::Cooler => hsl.h = toward(hsl.h, 212.0),
        _ => {}
    }
    // White and black have no hue to turn: a tint is what makes them warmer.
    if matches!(tone, Tone::Warmer | Tone::Cooler) && hsl.s < 0.1 {
        hsl.s = 0.12;
        hsl.h = if tone == Tone::Warmer { 28.0 } else { 212.0 };
        hsl.l = hsl.l.clamp(0.05, 0.95);
    }
    hsl.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{color::READABLE, lexicon::PALETTES};

    fn readable(colors: &Palette) -> bool {
        colors.get(Text).contrast(colors.get(Background)) >= READABLE
    }

    #[test]
    fn every_tone_stays_readable_and_changes_something() {
        for base in PALETTES.iter() {
            for tone in [
                Tone::Darker,
                Tone::Lighter,
                Tone::Brighter,
                Tone::Warmer,
                Tone::Cooler,
                Tone::Vivid,
                Tone::Muted,
                Tone::Invert,
            ] {
                let colors = toned(&base.colors, tone, None);
                assert!(readable(&colors), "{tone:?} of {}", base.name);
                // Greys cannot be more muted.
                assert!(
                    colors != base.colors || (tone, base.name.as_str()) == (Tone::Muted, "noir"),
                    "{tone:?} of {}",
                    base.name
                );
            }
            assert!(
                toned(&base.colors, Tone::DarkMode, None)
                    .get(Background)
                    .is_dark()
            );
            assert!(
                !toned(&base.colors, Tone::LightMode, None)
                    .get(Background)
                    .is_dark()
            );
        }
    }
}
