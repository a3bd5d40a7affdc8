//! Gate `types`: the workspace's own TypeScript.

use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::diagnostic::{Diagnostic, Gate, Place};
use super::lint::MOST;
use crate::process::{Group, command};

const WITHIN: Duration = Duration::from_secs(120);

/// Type-checks the workspace.
pub async fn run(app: &Path) -> Vec<Diagnostic> {
    let broken = |message: String| vec![Diagnostic::error(Gate::Types, "types_failed", message)];
    let compiler = "node_modules/typescript/bin/tsc";
    if !app.join(compiler).is_file() {
        return broken("TypeScript is not installed in the workspace".to_owned());
    }
    let mut command = command("node");
    command
        .args([compiler, "--noEmit", "--pretty", "false"])
        .current_dir(app);
    let mut group = match Group::spawn(command) {
        Ok(group) => group,
        Err(error) => return broken(format!("node cannot be started: {error}")),
    };
    let (stdout, stderr) = (group.child().stdout.take(), group.child().stderr.take());
    let read = async { tokio::join!(read(stdout), read(stderr), group.child().wait()) };
    let Ok((said, complained, status)) = timeout(WITHIN, read).await else {
        return broken("the type check took too long".to_owned());
    };
    let mut found = parse(&said);
    if found.is_empty() && !status.is_ok_and(|status| status.success()) {
        let said = format!("{said}\n{complained}");
        let tail: String = said.trim().chars().take(600).collect();
        return broken(format!("the type check failed: {tail}"));
    }
    found.truncate(MOST);
    found
}

async fn read(pipe: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What could be read of it is better than nothing.
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut pipe, &mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads `file(line,column): error TS1234: message`, with lines that are indented belonging to the one before.
fn parse(text: &str) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for line in text.lines() {
        if let Some(diagnostic) = head(line) {
            found.push(diagnostic);
        } else if line.starts_with(' ')
            && let Some(last) = found.last_mut()
            && last.message.len() < 600
        {
            last.message.push('\n');
            last.message.push_str(line.trim_end());
        }
    }
    found
}

fn head(line: &str) -> Option<Diagnostic> {
    let (place, rest) = match line.split_once("): error ") {
        Some((place, rest)) => (Some(place), rest),
        None => (None, line.strip_prefix("error ")?),
    };
    let (code, message) = rest.split_once(": ")?;
    if !code.starts_with("TS") {
        return None;
    }
    let place = match place {
        Some(place) => {
            let (file, position) = place.rsplit_once('(')?;
            let (line, column) = position.split_once(',')?;
            Place::new(file, line.parse().ok()?, column.parse().ok()?)
        }
        None => Place::default(),
    };
    let mut diagnostic = Diagnostic::error(Gate::Types, code, message).at(place);
    if diagnostic
        .place
        .file
        .as_deref()
        .is_some_and(|file| file.starts_with("src/koda/"))
    {
        diagnostic.hint = Some("the template's own files are read-only: the cause is in what the composition hands to them".to_owned());
    }
    Some(diagnostic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_with_their_place_and_all_their_lines() {
        let found = parse(
            "src/a.tsx(12,7): error TS2322: Type 'x' is not assignable.\n  Types of 'y' differ.\nerror TS5023: Unknown option.\n",
        );
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].code.as_str(), &found[0].place),
            ("TS2322", &Place::new("src/a.tsx", 12, 7))
        );
        assert_eq!(
            found[0].message,
            "Type 'x' is not assignable.\n  Types of 'y' differ."
        );
        assert_eq!(found[1].place, Place::default());
    }
}
