//! Making a change: to words, looks and format.

use super::{
    design::{ColorRole, Datum},
    draft::{Draft, Tools, shows_lines, shows_logo},
    lexicon::PALETTES,
    numbers::MAX_DATA,
    ops::{Case, FontRole, LineRef, Op},
    palette::{self, Tone},
    text::{pattern, shortened, title_case},
};
use koda_domain::settings::{MAX_SECONDS, MIN_SECONDS};

const MAX_LINES: usize = 12;

/// Makes one change. Says what changed, or why nothing did.
pub(crate) fn apply(op: &Op, draft: &mut Draft, tools: Tools<'_>) -> Result<String, String> {
    match op {
        Op::Title(_) | Op::Subtitle(_) | Op::Replace { .. } | Op::Case(_) => words(op, draft),
        Op::Lines(_) | Op::AddLine(_) | Op::SetLine(..) | Op::RemoveLine(_) => {
            lines(op, draft, tools)
        }
        Op::SetData(..) | Op::SetValues(_) | Op::SetDatum(_) | Op::RemoveDatum(_) => {
            data(op, draft)
        }
        Op::Recolor(_) | Op::Colors(_) | Op::SwapColor { .. } | Op::Tone(..) | Op::Palette(_) => {
            look(op, draft)
        }
        Op::Font { family, role } => Ok(font(family, *role, draft, tools)),
        Op::NoFont(name) => Err(format!(
            "the font {name} is not at hand; there are {}",
            tools.fonts.list()
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
                draft.recast(recipe);
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

fn words(op: &Op, draft: &mut Draft) -> Result<String, String> {
    let design = &mut draft.design;
    match op {
        Op::Title(title) => {
            design.title = shortened(title, 110);
            Ok(format!("the title is now “{}”", design.title))
        }
        Op::Subtitle(Some(subtitle)) => {
            design.subtitle.clone_from(subtitle);
            Ok(format!("the subtitle is now “{subtitle}”"))
        }
        Op::Subtitle(None) if design.subtitle.is_empty() => {
            Err("there is no subtitle to remove".into())
        }
        Op::Subtitle(None) => {
            design.subtitle.clear();
            Ok("the subtitle is gone".into())
        }
        Op::Replace { from, to } => {
            let what = pattern(&format!(
                r"(^|[^\p{{L}}\p{{N}}]){}($|[^\p{{L}}\p{{N}}])",
                regex::escape(from)
            ));
            let mut texts: Vec<&mut String> = vec![&mut design.title, &mut design.subtitle];
            texts.extend(design.lines.iter_mut());
            texts.extend(design.data.iter_mut().map(|d| &mut d.label));
            let mut count = 0;
            for text in texts.into_iter().filter(|t| what.is_match(t)) {
                let new = what.replace_all(text, |c: &regex::Captures<'_>| {
                    format!("{}{to}{}", &c[1], &c[2])
                });
                let new = new.split_whitespace().collect::<Vec<_>>().join(" ");
                if !new.is_empty() {
                    *text = new;
                    count += 1;
                }
            }
            match (count, to.is_empty()) {
                (0, _) => Err(format!("“{from}” is not among the words")),
                (_, true) => Ok(format!("“{from}” is gone")),
                (_, false) => Ok(format!("“{from}” is now “{to}”")),
            }
        }
        Op::Case(case) => {
            let (write, name): (fn(&str) -> String, _) = match case {
                Case::Upper => (str::to_uppercase, "capitals"),
                Case::Lower => (str::to_lowercase, "small letters"),
                Case::Title => (|t| title_case(&t.to_lowercase()), "title case"),
            };
            design.title = write(&design.title);
            Ok(format!("the title is in {name}"))
        }
        _ => Err(String::new()),
    }
}

fn lines(op: &Op, draft: &mut Draft, tools: Tools<'_>) -> Result<String, String> {
    if tools
        .recipes
        .get(&draft.recipe)
        .is_some_and(|r| !shows_lines(r))
    {
        return Err("this recipe shows a title and a subtitle, no further lines".into());
    }
    let lines = &mut draft.design.lines;
    let place = |line: &LineRef, lines: &[String]| match line {
        LineRef::Number(n) => n.checked_sub(1).filter(|n| *n < lines.len()),
        LineRef::Last => lines.len().checked_sub(1),
        LineRef::Words(words) => {
            let words = words.to_lowercase();
            lines.iter().position(|l| l.to_lowercase().contains(&words))
        }
    };
    match op {
        Op::Lines(new) if new.is_empty() => {
            lines.clear();
            Ok("the further lines are gone".into())
        }
        Op::Lines(new) => {
            *lines = new.iter().take(MAX_LINES).cloned().collect();
            Ok(format!("the lines are now {}", quoted(lines)))
        }
        Op::AddLine(_) if lines.len() >= MAX_LINES => {
            Err(format!("there are {MAX_LINES} lines already"))
        }
        Op::AddLine(line) => {
            lines.push(line.clone());
            Ok(format!("there is a line “{line}”"))
        }
        Op::SetLine(line, words) => match place(line, lines).and_then(|n| lines.get_mut(n)) {
            Some(old) => {
                old.clone_from(words);
                Ok(format!("that line is now “{words}”"))
            }
            None => Err(format!("there is no such line; there are {}", lines.len())),
        },
        Op::RemoveLine(line) => match place(line, lines) {
            Some(n) => Ok(format!("the line “{}” is gone", lines.remove(n))),
            None => Err("there is no such line".into()),
        },
        _ => Err(String::new()),
    }
}

fn quoted(texts: &[String]) -> String {
    texts
        .iter()
        .map(|t| format!("“{t}”"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn data(op: &Op, draft: &mut Draft) -> Result<String, String> {
    let design = &mut draft.design;
    match op {
        Op::SetData(data, affixes) => {
            design.data.clone_from(data);
            if let Some((prefix, suffix)) = affixes {
                for (key, text) in [("prefix", prefix), ("suffix", suffix)] {
                    if design.more.contains_key(key) || !text.is_empty() {
                        design.more.insert(key.into(), text.clone().into());
                    }
                }
            }
            Ok(format!("the numbers are now {}", listed(&design.data)))
        }
        Op::SetValues(values) => {
            let labels: Vec<String> = design.data.iter().map(|d| d.label.clone()).collect();
            let label = |n: usize| {
                labels
                    .get(n)
                    .cloned()
                    .unwrap_or_else(|| (n + 1).to_string())
            };
            design.data = values
                .iter()
                .take(MAX_DATA)
                .enumerate()
                .map(|(n, v)| Datum {
                    label: label(n),
                    value: *v,
                })
                .collect();
            Ok(format!("the numbers are now {}", listed(&design.data)))
        }
        Op::SetDatum(datum) => {
            let count = design.data.len();
            match design
                .data
                .iter_mut()
                .find(|d| d.label.to_lowercase() == datum.label.to_lowercase())
            {
                Some(old) => {
                    old.value = datum.value;
                    Ok(format!("{} is now {}", old.label, datum.value))
                }
                None if count >= MAX_DATA => Err(format!("there are {MAX_DATA} numbers already")),
                None => {
                    design.data.push(datum.clone());
                    Ok(format!("{} with {} is new", datum.label, datum.value))
                }
            }
        }
        Op::RemoveDatum(_) if design.data.len() <= 1 => Err("one number must stay".into()),
        Op::RemoveDatum(label) => {
            design.data.retain(|d| d.label != *label);
            Ok(format!("{label} is gone"))
        }
        _ => Err(String::new()),
    }
}

fn listed(data: &[Datum]) -> String {
    data.iter()
        .map(|d| format!("{} {}", d.label, d.value))
        .collect::<Vec<_>>()
        .join(", ")
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
            draft.design.colors = palette::toned(&before, *tone, *role);
            let what = role.map_or("the colours are".to_owned(), |r| {
                format!("the {} is", r.name())
            });
            format!("{what} {}", tone_name(*tone))
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

const fn tone_name(tone: Tone) -> &'static str {
    match tone {
        Tone::Darker => "darker",
        Tone::Lighter => "lighter",
        Tone::Brighter => "brighter",
        Tone::Warmer => "warmer",
        Tone::Cooler => "cooler",
        Tone::Vivid => "more vivid",
        Tone::Muted => "more muted",
        Tone::Contrast => "higher in contrast",
        Tone::DarkMode => "on a dark background",
        Tone::LightMode => "on a light background",
        Tone::Invert => "inverted",
    }
}

fn font(family: &str, role: FontRole, draft: &mut Draft, tools: Tools<'_>) -> String {
    let fonts = &mut draft.design.fonts;
    match role {
        FontRole::Title => family.clone_into(&mut fonts.title),
        FontRole::Body => family.clone_into(&mut fonts.body),
        FontRole::Both => *fonts = tools.fonts.pair(family),
    }
    let what = match role {
        FontRole::Title => "the title's font",
        FontRole::Body => "the font of the small text",
        FontRole::Both => "the font",
    };
    format!("{what} is {family}")
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
