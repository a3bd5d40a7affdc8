//! Guards on whole files: models leave things out, and mean well.

use koda_domain::{WorkPath, limits};
use std::collections::BTreeSet;

/// Files shorter than this may shrink as they like, in lines.
const SMALL: usize = 25;

/// The content that is meant: without the fence of a chat around it.
pub(super) fn unfenced(text: &str) -> &str {
    let trimmed = text.trim();
    let inner = trimmed
        .strip_prefix("```")
        .and_then(|rest| rest.strip_suffix("```"))
        .and_then(|rest| rest.split_once('\n'));
    match inner {
        Some((language, code)) if !language.contains('`') && !code.contains("\n```") => code,
        _ => text,
    }
}

/// Why a file of this length is refused.
pub(super) fn too_long(path: &WorkPath, text: &str) -> Option<String> {
    (text.len() > limits::CODE_FILE_BYTES)
        .then(|| format!("{path} would be over 100 KB; split it."))
}

/// Why what a model wrote is refused, whatever was there before.
pub(super) fn left_out(path: &WorkPath, text: &str) -> Option<String> {
    let (n, line) = text
        .lines()
        .enumerate()
        .find(|(_, line)| stands_for(line))?;
    Some(format!(
        "{path} has {:?} at line {}, which stands for code that is left out: write the whole file, or use edit_file.",
        line.trim(),
        n + 1
    ))
}

/// Whether a line says that code is left out.
fn stands_for(line: &str) -> bool {
    const LEFT_OUT: [&str; 8] = [
        "existing",
        "rest of",
        "remaining",
        "unchanged",
        "same as",
        "as before",
        "previous",
        "other code",
    ];
    let line = line.trim().to_lowercase();
    if line.contains("[redacted]") {
        return true;
    }
    let comment = ["//", "/*", "{/*", "#", "<!--"]
        .iter()
        .find_map(|mark| line.strip_prefix(mark));
    let Some(comment) = comment else {
        return line == "..." || line == "…";
    };
    let comment = comment.trim_start();
    let dots = comment.starts_with("...") || comment.starts_with('…');
    let said = comment.trim_end_matches(['*', '/', '}', ' ', '-', '>']);
    let trailing = said.ends_with("...") || said.ends_with('…');
    (dots || trailing) && LEFT_OUT.iter().any(|words| comment.contains(words))
        || comment.starts_with("rest of the")
        || (dots && said.trim_end_matches(['.', '…']).trim().is_empty())
}

/// What would be lost if this replaced what is there.
pub(super) fn loss(path: &WorkPath, old: &str, new: &str) -> Option<String> {
    let gone: Vec<String> = exports(old).difference(&exports(new)).cloned().collect();
    let how = "Put back what is missing; or, where it is meant to go, write it again with allow_shrink: true.";
    if !gone.is_empty() {
        return Some(format!(
            "{path} would no longer export {}. {how}",
            gone.join(", ")
        ));
    }
    let count = |text: &str| text.lines().filter(|l| !l.trim().is_empty()).count();
    let (before, after) = (count(old), count(new));
    (before >= SMALL && after * 10 < before * 6)
        .then(|| format!("{path} would shrink from {before} lines to {after}. {how}"))
}

/// Names that a module exports; `default` for its default.
fn exports(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let code: Vec<&str> = text.split("export ").skip(1).collect();
    for rest in code {
        let rest = rest.trim_start();
        if let Some(list) = rest.strip_prefix('{') {
            let list = list.split('}').next().unwrap_or_default();
            for item in list.split(',') {
                let name = item.split(" as ").last().unwrap_or_default().trim();
                let name = name.strip_prefix("type ").unwrap_or(name);
                names.extend((!name.is_empty()).then(|| name.to_owned()));
            }
            continue;
        }
        let mut words = rest.split(|c: char| !(c.is_alphanumeric() || "_$".contains(c)));
        let name = loop {
            match words.next() {
                Some(
                    "const" | "let" | "var" | "function" | "async" | "class" | "type" | "interface"
                    | "enum" | "abstract" | "declare" | "",
                ) => {}
                other => break other,
            }
        };
        names.extend(name.filter(|n| *n != "from").map(str::to_owned));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> WorkPath {
        WorkPath::parse_writable("src/a.tsx").unwrap()
    }

    #[test]
    fn comments_that_stand_for_code_are_refused_and_others_are_not() {
        for bad in [
            "// ... existing code ...",
            "  {/* ... rest of the scene unchanged ... */}",
            "// …remaining styles",
            "/* ... */",
            "// rest of the code stays",
            "const key = \"[REDACTED]\";",
            "// other code here...",
            "...",
        ] {
            assert!(
                left_out(&path(), &format!("a\n{bad}\nb")).is_some(),
                "{bad}"
            );
        }
        for good in [
            "// the existing logo fades",
            "const { a, ...rest } = props;",
            "<Text>Loading...</Text>",
            "// Wait for it...",
            "  ...style,",
            "/* The rest of the letters follow. */",
        ] {
            assert_eq!(left_out(&path(), good), None, "{good}");
        }
    }

    #[test]
    fn a_fence_around_the_whole_is_taken_off_and_one_within_is_not() {
        assert_eq!(unfenced("```tsx\nconst a = 1;\n```\n"), "const a = 1;\n");
        let within = "const a = `\n```\n`;";
        assert_eq!(unfenced(within), within);
    }

    #[test]
    fn names_that_are_no_longer_exported_are_named() {
        let old = "export const A = 1;\nexport default function Main() {}\nexport type T = A;\nconst b = 2;\nexport { b, b as c };\nexport async function load() {}";
        let all: Vec<_> = exports(old).into_iter().collect();
        assert_eq!(all, ["A", "T", "b", "c", "default", "load"]);
        let why = loss(
            &path(),
            old,
            "export const A = 2;\nexport default 1;\nexport { b, b as c };\nexport type T = 1;",
        )
        .unwrap();
        assert!(why.contains("no longer export load."), "{why}");
        assert_eq!(loss(&path(), old, old), None);
    }

    #[test]
    fn a_long_file_that_shrinks_much_is_refused_and_a_short_one_is_not() {
        let long = "line();\n".repeat(50);
        assert!(loss(&path(), &long, &"line();\n".repeat(20)).is_some());
        assert_eq!(loss(&path(), &long, &"line();\n".repeat(40)), None);
        assert_eq!(loss(&path(), &"line();\n".repeat(20), "line();"), None);
    }
}
