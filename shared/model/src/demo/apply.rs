//! Making a change: to words, looks and format.

use super::{
    apply_text,
    design::{ByRole, ColorRole},
    draft::{Draft, Tools, shows_logo},
    lexicon::PALETTES,
    ops::{FontRole, Op},
    palette, tone,
};
use koda_domain::settings::{MAX_SECONDS, MIN_SECONDS};

/// Makes one change. Says what changed, or why nothing did.
pub(crate) fn apply(op: &Op, draft: &mut Draft, tools: Tools<'_>) -> Result<String, String> {
    match op {
        Op::Title(_) | Op::Subtitle(_) | Op::Replace { .. } | Op::Case(_) => {
            apply_text::words(op, draft)
        }
        Op::Lines(_) | Op::AddLine(_) | Op::SetLine(..) | Op::RemoveLine(_) => {
            apply_text::lines(op, draft, tools)
        }
        Op::SetData(..) | Op::SetValues(_) | Op::SetDatum(_) | Op::RemoveDatum(_) => {
            apply_text::data(op, draft)
        }
        Op::Recolor(_) | Op::Colors(_) | Op::SwapColor { .. } | Op::Tone(..) | Op::Palette(_) => {
            look(op, draft)
        }
        Op::Font { family, role } => font(family, *role, draft, tools),
        Op::NoFont(name) => Err(format!(
            "the font {name} is not at hand; there are {}",
            tools.fonts_of(&draft.recipe).list()
        )),
        Op::Seconds(_)
        | Op::AddSeconds(_)
        | Op::Stretch(_)
        | Op::Fps(_)
        | Op::Aspect(_)
        | Op::Resolution(_) => format(op, draft),
        Op::Logo(path) => {
            draft.design.logo = Some(path.clone());
            let shown = tools.recipes.get(&draft.recipe).is_some_and(shows_logo);
            let name = path.rsplit('/').next().unwrap_or(path);
            if shown {
                Ok(format!("the logo is now {name}"))
            } else {
                Ok(format!(
                    "the logo {name} is kept for the design; the “logo reveal” recipe is the one that shows it"
                ))
            }
        }
        Op::RemoveLogo => match draft.design.logo.take() {
            Some(_) => Ok("the logo is gone".into()),
            None => Err("there is no logo to remove".into()),
        },
        Op::Recipe(name) => match tools.recipes.get(name) {
            Some(recipe) if draft.recipe == *name => {
                Err(format!("this already is the “{}” recipe", recipe.title))
            }
            Some(recipe) => {
                draft.recast(recipe, tools);
                Ok(format!("it now uses the “{}” recipe", recipe.title))
            }
            None => Err(format!("there is no recipe {name}")),
        },
        Op::Style(style) => match draft.design.more.get_mut("style") {
            Some(old) if old.as_str() == Some(style) => {
                Err(format!("it is drawn as {style} already"))
            }
            Some(old) => {
                *old = style.clone().into();
                Ok(format!(
                    "it is drawn as {}",
                    if style == "line" { "a line" } else { style }
                ))
            }
            None => Err("this recipe is drawn in one way only".into()),
        },
        Op::Cannot(why) => Err(why.clone()),
    }
}

fn look(op: &Op, draft: &mut Draft) -> Result<String, String> {
    let before = draft.design.colors.clone();
    let said = match op {
        Op::Recolor(named) => {
            let given: Vec<_> = named
                .iter()
                .map(|(role, color, _)| (*role, *color))
                .collect();
            draft.design.colors = palette::with(&before, &given);
            note_named(draft, &given.iter().map(|(r, _)| *r).collect::<Vec<_>>());
            format!(
                "the colours follow {}",
                joined(&named.iter().map(|(.., w)| w.as_str()).collect::<Vec<_>>())
            )
        }
        Op::Colors(named) => {
            let given: Vec<_> = named
                .iter()
                .map(|(role, color, _)| (*role, *color))
                .collect();
            draft.design.colors = palette::set(&before, &given);
            note_named(draft, &given.iter().map(|(r, _)| *r).collect::<Vec<_>>());
            let parts: Vec<String> = named
                .iter()
                .map(|(role, _, words)| format!("the {} is {words}", role.name()))
                .collect();
            let said = joined(&parts.iter().map(String::as_str).collect::<Vec<_>>());
            let moved = draft.design.colors.background != before.background;
            if moved
                && !named
                    .iter()
                    .any(|(role, ..)| *role == ColorRole::Background)
            {
                format!("{said}, on another background so that it can be read")
            } else {
                said
            }
        }
        Op::SwapColor { from, to, words } => {
            let nearest = ColorRole::ALL
                .into_iter()
                .min_by_key(|role| before.get(*role).distance(*from))
                .unwrap_or(ColorRole::Primary);
            draft.design.colors = palette::set(&before, &[(nearest, *to)]);
            note_named(draft, &[nearest]);
            format!("the {} is {words}", nearest.name())
        }
        Op::Tone(tone, role) => {
            draft.design.colors = tone::toned(&before, *tone, *role);
            let what = role.map_or("the colours are".to_owned(), |r| {
                format!("the {} is", r.name())
            });
            format!("{what} {}", tone.name())
        }
        Op::Palette(name) => {
            let named = name
                .as_ref()
                .and_then(|name| PALETTES.iter().find(|p| p.name == *name));
            let seed = format!(
                "{}{}{}",
                before.background, before.primary, draft.design.title
            );
            let palette = named.unwrap_or_else(|| palette::other_than(&before, &seed));
            draft.design.colors = palette.colors.clone();
            draft.named.clear();
            draft.mood.clone_from(&palette.mood);
            format!(
                "the colours are those of the “{}” palette ({})",
                palette.name, palette.mood
            )
        }
        _ => return Err(String::new()),
    };
    if draft.design.colors == before {
        return Err("the colours are like that already".into());
    }
    Ok(said)
}

fn note_named(draft: &mut Draft, roles: &[ColorRole]) {
    for role in roles {
        if !draft.named.contains(role) {
            draft.named.push(*role);
        }
    }
}

fn joined(parts: &[&str]) -> String {
    match parts {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn font(
    family: &str,
    role: FontRole,
    draft: &mut Draft,
    tools: Tools<'_>,
) -> Result<String, String> {
    let able = tools.fonts_of(&draft.recipe);
    if able.named(family).is_none() {
        return Err(format!(
            "the font {family} is not at hand in 3D; there are {}",
            able.list()
        ));
    }
    let fonts = &mut draft.design.fonts;
    match role {
        FontRole::Title => family.clone_into(&mut fonts.title),
        FontRole::Body => family.clone_into(&mut fonts.body),
        FontRole::Both => *fonts = able.pair(family),
    }
    let what = match role {
        FontRole::Title => "the title's font",
        FontRole::Body => "the font of the small text",
        FontRole::Both => "the font",
    };
    Ok(format!("{what} is {family}"))
}

fn format(op: &Op, draft: &mut Draft) -> Result<String, String> {
    match op {
        Op::Seconds(_) | Op::AddSeconds(_) | Op::Stretch(_) => {
            let wanted = match op {
                Op::Seconds(seconds) => *seconds,
                Op::AddSeconds(more) => draft.seconds + more,
                Op::Stretch(factor) => draft.seconds * factor,
                _ => draft.seconds,
            };
            let kept = (wanted.clamp(MIN_SECONDS, MAX_SECONDS) * 10.0).round() / 10.0;
            if (kept - draft.seconds).abs() < f64::EPSILON {
                return Err(format!(
                    "it lasts {kept} seconds already, and 1 to 120 is what there is"
                ));
            }
            draft.seconds = kept;
            draft.timed = true;
            Ok(match op {
                Op::Stretch(f) if *f > 1.0 => format!("it is slower and lasts {kept} seconds"),
                Op::Stretch(_) => format!("it is faster and lasts {kept} seconds"),
                _ => format!("it lasts {kept} seconds"),
            })
        }
        Op::Fps(fps) if draft.fps == *fps => Err(format!("it has {} fps already", fps.get())),
        Op::Fps(fps) => {
            draft.fps = *fps;
            Ok(format!("it has {} fps", fps.get()))
        }
        Op::Aspect(aspect) if draft.aspect == *aspect => Err(format!("it is {aspect} already")),
        Op::Aspect(aspect) => {
            draft.aspect = *aspect;
            Ok(format!("it is {aspect}"))
        }
        Op::Resolution(resolution) if draft.resolution == *resolution => {
            Err(format!("exports are {resolution} already"))
        }
        Op::Resolution(resolution) => {
            draft.resolution = *resolution;
            Ok(format!("exports default to {resolution}"))
        }
        _ => Err(String::new()),
    }
}
