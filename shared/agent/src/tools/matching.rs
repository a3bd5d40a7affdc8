//! Finding the text that a model wants to replace, although it rarely copies every blank right. Each rung of the ladder is
//! more lenient than the one before; a rung counts only where it finds exactly one place.

use std::collections::HashSet;
use std::fmt::Write as _;

/// Brings a line into a form in which two are the same that mean the same.
type Norm = fn(&str) -> String;

/// A place, and what stands there afterwards.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Edited {
    /// The whole text.
    pub text: String,
    /// The first line of the place, from 1.
    pub line: usize,
    /// What had to be overlooked to find it.
    pub overlooking: Option<&'static str>,
}

/// Replaces the one place in `text` that is `old`.
///
/// # Errors
/// What is wrong, for the model: the places where there are several, the closest region where there is none.
pub(super) fn replace(path: &str, text: &str, old: &str, new: &str) -> Result<Edited, String> {
    if old == new {
        return Err("`old` and `new` are the same: nothing would change.".to_owned());
    }
    // A file keeps its own ends of lines.
    let (old, new) = if text.contains("\r\n") {
        (with_crlf(old), with_crlf(new))
    } else {
        (old.replace("\r\n", "\n"), new.replace("\r\n", "\n"))
    };
    let whole = |at: usize, length: usize, overlooking| Edited {
        text: format!("{}{new}{}", &text[..at], &text[at + length..]),
        line: line_of(text, at),
        overlooking,
    };
    let exact: Vec<usize> = text.match_indices(&old).map(|(at, _)| at).collect();
    match exact[..] {
        [at] => return Ok(whole(at, old.len(), None)),
        [] => {}
        _ => return Err(several(path, text, &exact)),
    }
    let rungs: [(&str, Norm); 3] = [
        ("blanks at the ends of lines", |line| {
            line.trim_end().to_owned()
        }),
        ("indentation", |line| line.trim().to_owned()),
        (
            "indentation and kinds of quotes, dashes and blanks",
            |line| plain(line.trim()),
        ),
    ];
    for (overlooked, norm) in rungs {
        let hits = windows(text, &old, norm);
        match hits[..] {
            [(start, end)] => {
                let new = indented(&text[start..end], &old, &new);
                return Ok(Edited {
                    text: format!("{}{new}{}", &text[..start], &text[end..]),
                    line: line_of(text, start),
                    overlooking: Some(overlooked),
                });
            }
            [] => {}
            _ => {
                let places: Vec<usize> = hits.iter().map(|(start, _)| *start).collect();
                return Err(several(path, text, &places));
            }
        }
    }
    // Within a line.
    let hits = plain_hits(text, &old);
    match hits[..] {
        [(start, end)] => Ok(whole(
            start,
            end - start,
            Some("kinds of quotes, dashes and blanks"),
        )),
        [] => Err(nowhere(path, text, &old)),
        _ => {
            let places: Vec<usize> = hits.iter().map(|(start, _)| *start).collect();
            Err(several(path, text, &places))
        }
    }
}

fn with_crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The same in characters of a keyboard.
fn plain(text: &str) -> String {
    text.chars().map(plain_char).collect()
}

fn plain_char(c: char) -> char {
    match c {
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{2032}' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2033}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => ' ',
        other => other,
    }
}

/// Where `old` stands within `text`, both in characters of a keyboard.
fn plain_hits(text: &str, old: &str) -> Vec<(usize, usize)> {
    let mut at = Vec::new();
    let mut simple = String::new();
    for (place, c) in text.char_indices() {
        at.push((simple.len(), place));
        simple.push(plain_char(c));
    }
    at.push((simple.len(), text.len()));
    let back = |place: usize| {
        at.binary_search_by_key(&place, |(there, _)| *there)
            .ok()
            .map(|n| at[n].1)
    };
    let old = plain(old);
    simple
        .match_indices(&old)
        .filter_map(|(start, found)| Some((back(start)?, back(start + found.len())?)))
        .collect()
}

/// Each line of a text with where it begins and where it ends, without its end of line.
fn lines(text: &str) -> Vec<(usize, usize)> {
    let mut at = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let start = at;
            at += line.len();
            (start, start + line.trim_end_matches(['\n', '\r']).len())
        })
        .collect()
}

/// What is asked for, without empty lines around it.
fn asked(old: &str) -> Vec<&str> {
    let lines: Vec<&str> = old.lines().collect();
    let first = lines.iter().position(|line| !line.trim().is_empty());
    let last = lines.iter().rposition(|line| !line.trim().is_empty());
    match (first, last) {
        (Some(first), Some(last)) => lines[first..=last].to_vec(),
        _ => Vec::new(),
    }
}

/// Whole lines that are the same as those of `old` once each is brought into a common form.
fn windows(text: &str, old: &str, norm: Norm) -> Vec<(usize, usize)> {
    let wanted: Vec<String> = asked(old).into_iter().map(norm).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let there = lines(text);
    let normal: Vec<String> = there.iter().map(|(s, e)| norm(&text[*s..*e])).collect();
    normal
        .windows(wanted.len())
        .enumerate()
        .filter(|(_, window)| *window == wanted)
        .map(|(n, _)| (there[n].0, there[n + wanted.len() - 1].1))
        .collect()
}

/// The new lines, moved as far as the file's lines stand away from those that were asked for.
fn indented(found: &str, old: &str, new: &str) -> String {
    let indent = |line: &str| line[..line.len() - line.trim_start().len()].to_owned();
    let is = indent(found.lines().next().unwrap_or_default());
    let was = indent(asked(old).first().copied().unwrap_or_default());
    let new = new.trim_matches(['\n', '\r']);
    if is == was {
        return new.to_owned();
    }
    new.split('\n')
        .map(|line| match line.strip_prefix(&was) {
            Some(rest) if !rest.trim().is_empty() => format!("{is}{rest}"),
            _ => line.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn several(path: &str, text: &str, places: &[usize]) -> String {
    let lines: Vec<_> = places
        .iter()
        .map(|at| line_of(text, *at).to_string())
        .collect();
    format!(
        "The text stands in {path} {} times, at lines {}; give more of what is around the one that you mean.",
        places.len(),
        lines.join(", ")
    )
}

/// Three letters in a row, each.
fn triples(line: &str) -> HashSet<[char; 3]> {
    let letters: Vec<char> = line.trim().chars().collect();
    letters.windows(3).map(|w| [w[0], w[1], w[2]]).collect()
}

#[allow(
    clippy::cast_precision_loss,
    reason = "lines have far fewer letters than would matter"
)]
fn alike(a: &HashSet<[char; 3]>, b: &HashSet<[char; 3]>) -> f64 {
    match a.len() + b.len() {
        0 => 0.0,
        all => 2.0 * a.intersection(b).count() as f64 / all as f64,
    }
}

/// What to say where the text is nowhere: what comes closest, and where it begins to differ.
fn nowhere(path: &str, text: &str, old: &str) -> String {
    let mut message = format!("The text does not stand in {path}.");
    let wanted = asked(old);
    let there: Vec<&str> = text.lines().collect();
    let sets: Vec<_> = there.iter().map(|line| triples(line)).collect();
    let own: Vec<_> = wanted.iter().map(|line| triples(line)).collect();
    let score = |start: usize| -> f64 {
        let pairs = own.iter().zip(&sets[start..]);
        pairs.map(|(a, b)| alike(a, b)).sum()
    };
    let last = there.len().saturating_sub(wanted.len());
    let best = (0..=last)
        .map(|start| (start, score(start)))
        .max_by(|a, b| a.1.total_cmp(&b.1));
    // Below a third nothing is alike.
    if let Some((start, score)) = best
        && score * 3.0 >= f64::from(u32::try_from(own.len()).unwrap_or(u32::MAX))
        && !own.is_empty()
    {
        let end = (start + wanted.len()).min(there.len());
        let _ = writeln!(
            message,
            " Closest to it are the lines {} to {end}:",
            start + 1
        );
        for (n, line) in there[start..end].iter().enumerate().take(40) {
            let _ = writeln!(message, "{:>5}| {line}", start + n + 1);
        }
        let differs = wanted
            .iter()
            .zip(&there[start..end])
            .position(|(a, b)| plain(a.trim()) != plain(b.trim()));
        if let Some(n) = differs {
            let _ = writeln!(
                message,
                "They differ first at line {}, where you have: {}",
                start + n + 1,
                wanted[n].trim()
            );
        }
        message.push_str("Copy what you mean from there.");
    } else {
        message.push_str(" Read the file, and copy from it.");
    }
    message.push_str(" Where that fails again, write the whole file with write_file.");
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "import x from \"y\";\n\nexport const A = () => {\n  const big = 1;  \n  return big;\n};\n\nexport const B = () => {\n  const big = 2;\n  return big;\n};\n";

    fn ok(text: &str, old: &str, new: &str) -> (String, Option<&'static str>) {
        let edited = replace("src/a.tsx", text, old, new).unwrap();
        (edited.text, edited.overlooking)
    }

    #[test]
    fn what_stands_there_once_is_replaced_and_a_dollar_is_a_dollar() {
        let (text, overlooked) = ok(FILE, "const big = 2;", "const cost = \"$1 $&\";");
        assert_eq!(
            text,
            FILE.replace("const big = 2;", "const cost = \"$1 $&\";")
        );
        assert_eq!(overlooked, None);
    }

    #[test]
    fn blanks_at_the_ends_of_lines_are_overlooked() {
        let (text, overlooked) = ok(FILE, "  const big = 1;\n  return big;", "  return 1;");
        assert!(text.contains("=> {\n  return 1;\n};"), "{text}");
        assert!(overlooked.unwrap().contains("ends of lines"));
    }

    #[test]
    fn indentation_is_overlooked_and_given_to_what_is_new() {
        let old = "const big = 2;\nreturn big;";
        let new = "if (x) {\n  return 3;\n}\n\nreturn 2;";
        let (text, _) = ok(FILE, old, new);
        assert!(
            text.contains("=> {\n  if (x) {\n    return 3;\n  }\n\n  return 2;\n};"),
            "{text}"
        );
    }

    #[test]
    fn quotes_of_a_typographer_are_those_of_a_keyboard() {
        let file = "const say = \"It’s — now\";\nconst other = 1;\n";
        let (text, overlooked) = ok(file, "It's - now", "Later");
        assert_eq!(text, "const say = \"Later\";\nconst other = 1;\n");
        assert!(overlooked.is_some());
    }

    #[test]
    fn a_file_keeps_its_ends_of_lines() {
        let (text, _) = ok("a\r\nb\r\nc\r\n", "a\nb", "x\ny");
        assert_eq!(text, "x\r\ny\r\nc\r\n");
    }

    #[test]
    fn several_places_are_named_by_their_lines_on_every_rung() {
        let why = replace("src/a.tsx", FILE, "return big;", "return 1;").unwrap_err();
        assert!(why.contains("2 times, at lines 5, 10"), "{why}");
        let why = replace("src/a.tsx", FILE, "return big;\n   };", "x").unwrap_err();
        assert!(why.contains("2 times"), "{why}");
    }

    #[test]
    fn where_there_is_none_the_closest_region_is_shown_and_where_it_differs() {
        let old = "export const B = () => {\n  const big = 7;\n  return big;";
        let why = replace("src/a.tsx", FILE, old, "x").unwrap_err();
        assert!(why.contains("lines 8 to 10"), "{why}");
        assert!(why.contains("    9|   const big = 2;"), "{why}");
        assert!(
            why.contains("differ first at line 9, where you have: const big = 7;"),
            "{why}"
        );
    }

    #[test]
    fn what_is_like_nothing_in_the_file_is_told_without_a_region() {
        let why = replace("src/a.tsx", FILE, "completely unrelated words", "x").unwrap_err();
        assert!(!why.contains("Closest"), "{why}");
    }

    #[test]
    fn an_edit_that_changes_nothing_is_refused() {
        assert!(replace("a", "x", "x", "x").is_err());
    }

    #[test]
    fn texts_that_are_empty_or_blank_are_no_trouble() {
        assert!(replace("a", "", "x", "y").is_err());
        assert!(replace("a", "x\n", "\n\n", "y").is_err());
        assert!(replace("a", "x", "x\ny\nz", "y").is_err());
    }
}
