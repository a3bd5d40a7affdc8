//! Choosing colours that go together: a curated palette by mood, bent towards the colours that a person names.

use super::{
    color::{Hsl, READABLE, Rgb},
    design::{
        ByRole,
        ColorRole::{self, Accent, Background, Primary, Text},
        Palette,
    },
    lexicon::{NamedPalette, PALETTES, contains_phrase},
    text::hash,
};

/// Large shapes and titles are told from the background at this contrast (WCAG 2.2, success criterion 1.4.11).
const VISIBLE: f64 = 3.0;
/// What text gets where nobody chose its colour.
const COMFORTABLE: f64 = 7.0;

/// The palette that most of these words ask for.
pub(crate) fn by_words(words: &[String]) -> Option<&'static NamedPalette> {
    let asked = |palette: &NamedPalette| {
        let own = contains_phrase(words, &palette.name);
        palette
            .words
            .iter()
            .filter(|w| contains_phrase(words, w))
            .count()
            + if own { 2 } else { 0 }
    };
    PALETTES
        .iter()
        .rev()
        .map(|p| (asked(p), p))
        .filter(|(n, _)| *n > 0)
        .max_by_key(|(n, _)| *n)
        .map(|(_, p)| p)
}

/// A palette for a request that asks for none: always the same one for the same words.
pub(crate) fn by_chance(seed: &str) -> &'static NamedPalette {
    let all: Vec<&NamedPalette> = PALETTES.iter().filter(|p| !p.only_asked).collect();
    let n = usize::try_from(hash(seed) % all.len() as u64).unwrap_or_default();
    #[expect(
        clippy::indexing_slicing,
        reason = "a remainder is within the list, which tests hold to be full"
    )]
    all[n]
}

/// Whether words ask for a dark background (true) or a light one, without naming a colour: `teal on dark`, `light mode`.
pub(crate) fn shade(words: &[String]) -> Option<bool> {
    let asked = |shade: &str| {
        ["background", "backdrop", "ground", "mode", "theme"]
            .iter()
            .any(|thing| contains_phrase(words, &format!("{shade} {thing}")))
            || contains_phrase(words, &format!("on {shade}"))
    };
    match (asked("dark"), asked("light") || asked("bright")) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

/// A background of that shade, which goes with the palette, or with the main colour where one is given.
pub(crate) fn shaded(base: &Palette, main: Option<Rgb>, dark: bool) -> Rgb {
    let own = base.get(Background);
    match main {
        None if own.is_dark() == dark => own,
        main => ground(main.unwrap_or_else(|| base.get(Primary)).hsl(), dark),
    }
}

/// The palette that goes best with a background.
pub(crate) fn around(background: Rgb) -> &'static NamedPalette {
    let nearest = PALETTES
        .iter()
        .filter(|p| !p.only_asked)
        .min_by_key(|p| p.colors.get(Background).distance(background));
    nearest.unwrap_or_else(|| by_chance(""))
}

/// Another palette than this one.
pub(crate) fn other_than(colors: &Palette, seed: &str) -> &'static NamedPalette {
    let first = by_chance(seed);
    if first.colors == *colors {
        by_chance(&format!("{seed}, again"))
    } else {
        first
    }
}

/// Bends a palette to colours that must be in it, and keeps it readable.
pub(crate) fn with(base: &Palette, given: &[(ColorRole, Rgb)]) -> Palette {
    let given = |role| {
        given
            .iter()
            .rev()
            .find(|(r, _)| *r == role)
            .map(|(_, c)| *c)
    };
    let mut next = base.clone();
    let background = given(Background).unwrap_or_else(|| {
        let base = base.get(Background);
        let fits = |b: Rgb| {
            given(Text).is_none_or(|t| t.contrast(b) >= READABLE)
                && given(Primary).is_none_or(|p| p.contrast(b) >= VISIBLE)
        };
        let hue = given(Primary).map(Rgb::hsl);
        let same = hue.map_or(base, |hue| ground(hue, base.is_dark()));
        let other = ground(hue.unwrap_or_else(|| base.hsl()), !base.is_dark());
        match (given(Text), given(Primary)) {
            _ if fits(same) => same,
            _ if fits(other) => other,
            (Some(text), _) => ground(hue.unwrap_or_else(|| base.hsl()), !text.is_dark()),
            (None, Some(primary)) if other.contrast(primary) > same.contrast(primary) => other,
            _ => same,
        }
    });
    next.set(Background, background);
    let primary = given(Primary).unwrap_or_else(|| {
        let own = base.get(Primary);
        let apart = if own.distance(background) < 6_000 {
            base.get(Accent)
        } else {
            own
        };
        apart.readable_on(background, VISIBLE)
    });
    next.set(Primary, primary);
    let accent = given(Accent).unwrap_or_else(|| {
        if given(Primary).is_some() {
            beside(primary)
        } else {
            base.get(Accent)
        }
        .readable_on(background, VISIBLE)
    });
    next.set(Accent, accent);
    let text = given(Text).unwrap_or_else(|| {
        let own = base.get(Text);
        if own.contrast(background) >= COMFORTABLE && given(Primary).is_none() {
            own
        } else {
            ink(background, primary)
        }
    });
    next.set(Text, text);
    next
}

/// Sets one role and mends only what can no longer be read.
pub(crate) fn set(base: &Palette, given: &[(ColorRole, Rgb)]) -> Palette {
    let fixed = |role| given.iter().any(|(r, _)| *r == role);
    let mut next = base.clone();
    for (role, color) in given {
        next.set(*role, *color);
    }
    // Words in a colour that cannot be read where they stand get another ground.
    let text = next.get(Text);
    if fixed(Text) && !fixed(Background) && text.contrast(next.get(Background)) < READABLE {
        next.set(
            Background,
            ground(base.get(Background).hsl(), !text.is_dark()),
        );
    }
    let background = next.get(Background);
    for (role, least) in [(Text, READABLE), (Primary, VISIBLE), (Accent, VISIBLE)] {
        // What could not be seen before is as the person wants it.
        let was_fine = base.get(role).contrast(base.get(Background)) >= least;
        if !fixed(role) && (was_fine || role == Text) && next.get(role).contrast(background) < least
        {
            let mended = if role == Text {
                ink(background, next.get(Primary))
            } else {
                next.get(role).readable_on(background, least)
            };
            next.set(role, mended);
        }
    }
    next
}

/// A background in a hue.
pub(crate) fn ground(hue: Hsl, dark: bool) -> Rgb {
    let s = if hue.s < 0.08 {
        hue.s
    } else {
        (hue.s * 0.5).clamp(0.18, 0.45)
    };
    let l = if dark { 0.075 } else { 0.965 };
    Hsl { h: hue.h, s, l }.into()
}

/// Text that is easy to read on a background, tinted with the main colour.
fn ink(background: Rgb, primary: Rgb) -> Rgb {
    let hue = primary.hsl();
    let s = if hue.s < 0.08 { 0.0 } else { 0.35 };
    let l = if background.is_dark() { 0.96 } else { 0.11 };
    let tinted = Rgb::from(Hsl { h: hue.h, s, l });
    if tinted.contrast(background) >= READABLE {
        return tinted;
    }
    if Rgb::BLACK.contrast(background) >= Rgb::WHITE.contrast(background) {
        Rgb::BLACK
    } else {
        Rgb::WHITE
    }
}

/// A second colour beside a first: a neighbour on the wheel of another lightness; of a grey, another grey.
fn beside(primary: Rgb) -> Rgb {
    let hsl = primary.hsl();
    if hsl.s < 0.08 {
        return Hsl {
            l: if hsl.l > 0.5 { 0.62 } else { 0.45 },
            ..hsl
        }
        .into();
    }
    let l = if hsl.l > 0.55 {
        hsl.l - 0.08
    } else {
        hsl.l + 0.14
    };
    // Beyond yellow lies lime, which makes gold look cheap: yellows go towards orange.
    let turn = if (28.0..75.0).contains(&hsl.h) {
        -26.0
    } else {
        38.0
    };
    Hsl {
        h: hsl.h + turn,
        s: hsl.s.max(0.55),
        l: l.clamp(0.3, 0.75),
    }
    .into()
}

/// Mends what cannot be read any more, except in fixed roles.
pub(crate) fn repaired(colors: &Palette, fixed: &[(ColorRole, Rgb)]) -> Palette {
    let mut next = colors.clone();
    let background = next.get(Background);
    for (role, least) in [(Text, READABLE), (Primary, VISIBLE), (Accent, VISIBLE)] {
        if fixed.iter().all(|(r, _)| *r != role) && next.get(role).contrast(background) < least {
            let mended = if role == Text {
                ink(background, next.get(Primary))
            } else {
                next.get(role).readable_on(background, least)
            };
            next.set(role, mended);
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{lexicon::COLORS, text::words};

    fn readable(colors: &Palette) -> bool {
        colors.get(Text).contrast(colors.get(Background)) >= READABLE
    }

    #[test]
    fn any_one_colour_makes_a_readable_palette_on_any_base() {
        for base in PALETTES.iter() {
            for (name, hex) in &COLORS.names {
                let color = Rgb::parse(hex).unwrap();
                for role in [Background, Primary, Accent] {
                    let colors = with(&base.colors, &[(role, color)]);
                    assert_eq!(
                        colors.get(role),
                        color,
                        "{name} as {role:?} of {}",
                        base.name
                    );
                    assert!(
                        readable(&colors),
                        "{name} as {role:?} of {}: {colors:?}",
                        base.name
                    );
                    assert!(
                        readable(&set(&base.colors, &[(role, color)])),
                        "{name} set as {role:?} of {}",
                        base.name
                    );
                    let seen = |r| colors.get(r).contrast(colors.get(Background));
                    assert!(
                        role == Accent || seen(Primary) >= 2.4,
                        "{name} as {role:?} of {}: {colors:?}",
                        base.name
                    );
                }
            }
        }
    }

    #[test]
    fn setting_one_role_leaves_the_others_where_they_can_be_read() {
        let base = &PALETTES[0].colors;
        let next = set(base, &[(Accent, Rgb::parse("#ffff00").unwrap())]);
        assert_eq!(
            (&next.background, &next.primary, &next.text),
            (&base.background, &base.primary, &base.text)
        );
    }

    #[test]
    fn moods_choose_and_silence_is_left_to_a_stable_chance() {
        assert_eq!(by_words(&words("a neon club night")).unwrap().name, "neon");
        assert_eq!(by_words(&words("a calm podcast")).unwrap().name, "dusk");
        assert!(by_words(&words("hello")).is_none());
        assert_eq!(by_chance("hello").name, by_chance("hello").name);
        let kinds: std::collections::BTreeSet<_> = (0..200)
            .map(|n| by_chance(&n.to_string()).name.as_str())
            .collect();
        assert!(kinds.len() > 12);
    }
}
