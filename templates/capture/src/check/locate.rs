//! From a position in a served module to the line that its author wrote.

use std::collections::HashMap;
use std::path::Path;

use sourcemap::{DecodedMap, decode_data_url};

use super::diagnostic::Place;
use super::sources::{self, Source};
use crate::server::Server;

/// Finds authors' lines. Remembers the maps that it read.
pub struct Locator<'a> {
    server: &'a Server,
    maps: HashMap<String, Option<DecodedMap>>,
    sources: Vec<Source>,
}

impl<'a> Locator<'a> {
    /// A locator over a workspace and what serves it.
    pub fn new(app: &Path, server: &'a Server) -> Self {
        Self {
            server,
            maps: HashMap::new(),
            sources: sources::read(app),
        }
    }

    /// The first line of a stack that is the composition's own.
    pub async fn stack(&mut self, stack: &str) -> Place {
        for line in stack.lines() {
            if let Some((url, line, column)) = position(line) {
                let place = self.position(&url, line, column).await;
                if place.file.is_some() {
                    return place;
                }
            }
        }
        Place::default()
    }

    /// The author's line for a position, line from 1 and column from 1, of a served module.
    pub async fn position(&mut self, url: &str, line: u32, column: u32) -> Place {
        let Some(path) = self.own(url) else {
            return Place::default();
        };
        let file = path
            .trim_start_matches('/')
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned();
        if !self.maps.contains_key(&path) {
            let map = match self.server.get(&path).await {
                Ok(answer) => map_of(&answer.body),
                Err(_) => None,
            };
            self.maps.insert(path.clone(), map);
        }
        let Some(Some(map)) = self.maps.get(&path) else {
            return Place::new(file, line, column);
        };
        match map.lookup_token(line.saturating_sub(1), column.saturating_sub(1)) {
            Some(token) => Place::new(file, token.get_src_line() + 1, token.get_src_col() + 1),
            None => Place::file(file),
        }
    }

    /// The path of a module of the composition, none where it is the template's or a package's.
    fn own(&self, url: &str) -> Option<String> {
        let path = format!("/{}", url.strip_prefix(&self.server.base())?);
        (path.starts_with("/src/") && !path.starts_with("/src/koda/")).then_some(path)
    }

    /// The first line that holds a text, for what has no position of its own.
    pub fn text(&self, wanted: &str) -> Place {
        if wanted.len() < 2 {
            return Place::default();
        }
        let found = self
            .sources
            .iter()
            .find_map(|source| source.text.find(wanted).map(|offset| (source, offset)));
        found.map_or_else(Place::default, |(source, offset)| {
            let (line, column) = source.position(offset);
            Place::new(source.path.clone(), line, column)
        })
    }
}

/// `at name (http://…:line:column)` and `name@http://…:line:column`.
fn position(line: &str) -> Option<(String, u32, u32)> {
    let start = line.find("http://").or_else(|| line.find("https://"))?;
    let place = line[start..].trim_end().trim_end_matches(')');
    let (rest, column) = place.rsplit_once(':')?;
    let (url, line) = rest.rsplit_once(':')?;
    Some((url.to_owned(), line.parse().ok()?, column.parse().ok()?))
}

fn map_of(module: &str) -> Option<DecodedMap> {
    let start = module.rfind("//# sourceMappingURL=data:")?;
    let url = module[start..]
        .lines()
        .next()?
        .trim_start_matches("//# sourceMappingURL=")
        .trim();
    decode_data_url(url).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_from_lines_of_a_stack() {
        let read = position("    at Title (http://127.0.0.1:5173/src/Composition.tsx?t=17:40:11)")
            .unwrap();
        assert_eq!(
            read,
            (
                "http://127.0.0.1:5173/src/Composition.tsx?t=17".to_owned(),
                40,
                11
            )
        );
        assert!(position("    at <anonymous>").is_none());
    }
}
