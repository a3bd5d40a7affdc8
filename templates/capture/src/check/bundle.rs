//! Gate `bundle`: Vite transforms every module of the composition, and says what it cannot.

use std::collections::{HashSet, VecDeque};

use oxc_allocator::Allocator;
use oxc_parser::Parser;
use oxc_span::SourceType;
use serde_json::Value;

use super::diagnostic::{Diagnostic, Gate, Place};
use crate::error::Result;
use crate::server::Server;

/// Most modules that are asked for.
const MOST_MODULES: usize = 400;

/// Asks the server for every module that the composition reaches.
///
/// # Errors
/// `page_failed` where the server does not answer.
pub async fn run(server: &Server) -> Result<Vec<Diagnostic>> {
    let mut found = Vec::new();
    let mut waiting = VecDeque::from(["/src/Composition.tsx".to_owned()]);
    let mut seen: HashSet<String> = waiting.iter().cloned().collect();
    while let Some(path) = waiting.pop_front() {
        let answer = server.get(&path).await?;
        if answer.status >= 400 {
            found.push(explain(&path, answer.status, &answer.body));
            continue;
        }
        for import in imports(&answer.body) {
            let own = import.starts_with("/src/") && !import.starts_with("/src/koda/");
            if own && seen.len() < MOST_MODULES && seen.insert(import.clone()) {
                waiting.push_back(import);
            }
        }
    }
    Ok(found)
}

/// What a transformed module imports.
fn imports(module: &str) -> Vec<String> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, module, SourceType::mjs()).parse();
    let fixed = parsed
        .module_record
        .requested_modules
        .keys()
        .map(|name| name.to_string());
    let dynamic = parsed
        .module_record
        .dynamic_imports
        .iter()
        .filter_map(|import| {
            let (start, end) = (
                import.module_request.start as usize,
                import.module_request.end as usize,
            );
            module
                .get(start..end)
                .map(|text| text.trim_matches(['"', '\'', '`']).to_owned())
        });
    fixed.chain(dynamic).collect()
}

/// Reads the error that Vite writes into the page it answers with.
fn explain(path: &str, status: u16, body: &str) -> Diagnostic {
    let file = path
        .trim_start_matches('/')
        .split('?')
        .next()
        .unwrap_or(path);
    let error: Value = body
        .lines()
        .find_map(|line| line.trim().strip_prefix("const error = "))
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or(Value::Null);
    let text = error["message"].as_str().unwrap_or_default();
    let drawn =
        drawn_place(text).or_else(|| drawn_place(error["frame"].as_str().unwrap_or_default()));
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    let named = error["loc"]["file"].as_str().or(error["id"].as_str());
    let named = named
        .and_then(below_workspace)
        .unwrap_or_else(|| file.to_owned());
    let place = match (
        number(&error["loc"]["line"]),
        number(&error["loc"]["column"]),
    ) {
        (Some(line), column) => Place::new(named, line, column.map_or(1, |column| column + 1)),
        (None, _) => drawn.unwrap_or_else(|| Place::file(named)),
    };
    let message = if text.is_empty() {
        format!("{file} cannot be loaded: the server answers {status}")
    } else {
        sentence(text)
    };
    Diagnostic::error(Gate::Bundle, "transform", message).at(place)
}

/// The path below the workspace of an absolute one.
fn below_workspace(path: &str) -> Option<String> {
    let path = path.split('?').next().unwrap_or(path);
    let start = path.rfind("/src/").or_else(|| path.rfind("/public/"))?;
    path.get(start + 1..).map(str::to_owned)
}

/// The place in `╭─[ src/Composition.tsx:3:7 ]`, as the bundler draws it.
fn drawn_place(text: &str) -> Option<Place> {
    let inside = text.split_once('[').map(|(_, rest)| rest)?;
    inside.split(']').find_map(|part| {
        let part = part.rsplit('[').next().unwrap_or(part).trim();
        let (rest, column) = part.rsplit_once(':')?;
        let (file, line) = rest.rsplit_once(':')?;
        Some(Place::new(
            below_workspace(file).unwrap_or_else(|| file.to_owned()),
            line.parse().ok()?,
            column.parse().ok()?,
        ))
    })
}

/// The line of a compiler's message that says what is wrong.
fn sentence(text: &str) -> String {
    let empty = ["Transform failed", "Build failed", "Parse failure"];
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !empty.iter().any(|start| line.starts_with(start)));
    let line = line.unwrap_or(text);
    let line = line
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "))
        .map_or(line, |(_, rest)| rest);
    line.trim_start_matches("Error: ")
        .trim_start_matches("SyntaxError: ")
        .chars()
        .take(600)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundlers_error_is_read_with_its_place() {
        let body = "<script type=\"module\">\n const error = {\"message\":\"Failed to resolve import \\\"./no\\\"\",\"id\":\"/w/app/src/a.tsx\",\"loc\":{\"file\":\"/w/app/src/a.tsx\",\"line\":3,\"column\":9}}\n";
        let found = explain("/src/Composition.tsx", 500, body);
        assert_eq!(found.place, Place::new("src/a.tsx", 3, 10));
        assert!(found.message.contains("./no"), "{}", found.message);
        let drawn = "const error = {\"message\":\"Transform failed with 1 error:\\n\\n[PARSE_ERROR] Unexpected token\\n  ╭─[ src/b.tsx:5:2 ]\"}";
        let found = explain("/src/b.tsx", 500, drawn);
        assert_eq!(found.place, Place::new("src/b.tsx", 5, 2));
        assert_eq!(found.message, "Unexpected token");
    }

    #[test]
    fn imports_of_a_module_are_found_static_and_dynamic() {
        let mut found = imports(
            "import a from '/src/a.ts'; export * from '/src/b.ts'; const c = () => import('/src/c.ts');",
        );
        found.sort();
        assert_eq!(found, ["/src/a.ts", "/src/b.ts", "/src/c.ts"]);
    }
}
