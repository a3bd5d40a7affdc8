//! Making a change to words and numbers.

use super::{
    design::Datum,
    draft::{Draft, Tools, shows_lines},
    numbers::MAX_DATA,
    ops::{Case, LineRef, Op},
    text::{pattern, shortened, title_case},
};

const MAX_LINES: usize = 12;

/// Changes the title and what goes with it.
pub(crate) fn words(op: &Op, draft: &mut Draft) -> Result<String, String> {
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

/// Changes the further lines.
pub(crate) fn lines(op: &Op, draft: &mut Draft, tools: Tools<'_>) -> Result<String, String> {
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

/// Changes the numbers of a chart.
pub(crate) fn data(op: &Op, draft: &mut Draft) -> Result<String, String> {
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
