//! Gate `lint`: rules over the syntax tree, in milliseconds.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use oxc_allocator::Allocator;
use oxc_ast_visit::Visit as _;
use oxc_parser::Parser;
use oxc_span::SourceType;
use serde_json::Value;

use super::design;
use super::diagnostic::{Diagnostic, Gate, Place};
use super::policy::{Policy, network_address};
use super::sources::{self, Source};
use super::unfit;

/// Most findings of one gate: more do not help who repairs them.
pub const MOST: usize = 20;

const COMPOSITION: &str = "src/Composition.tsx";
const RESOLVED: &[&str] = &[
    "",
    ".ts",
    ".tsx",
    ".js",
    ".jsx",
    ".mjs",
    ".mts",
    ".json",
    ".css",
    "/index.ts",
    "/index.tsx",
    "/index.js",
];

/// Runs the rules over every file of the composition.
pub fn run(app: &Path) -> Vec<Diagnostic> {
    let sources = sources::read(app);
    let packages = packages(app);
    let mut found = Vec::new();
    if !sources.iter().any(|source| source.path == COMPOSITION) {
        found.push(
            Diagnostic::error(Gate::Lint, "missing_composition", "src/Composition.tsx is missing")
                .at(Place::file(COMPOSITION))
                .hint("write src/Composition.tsx with a default export: the component that draws the composition"),
        );
    }
    let mut uses_design = false;
    for source in &sources {
        if source.is_script() {
            uses_design |= script(app, source, &packages, &mut found);
        } else if source.is_style() {
            style(app, source, &mut found);
        }
    }
    found.extend(design::run(&sources, uses_design));
    found.truncate(MOST);
    found
}

fn packages(app: &Path) -> Option<HashSet<String>> {
    let text = std::fs::read_to_string(app.join("package.json")).ok()?;
    let package: Value = serde_json::from_str(&text).ok()?;
    let names = ["dependencies", "devDependencies"]
        .into_iter()
        .filter_map(|field| package[field].as_object());
    Some(names.flat_map(|names| names.keys().cloned()).collect())
}

/// True where it imports the design, or cannot be read.
fn script(
    app: &Path,
    source: &Source,
    packages: &Option<HashSet<String>>,
    found: &mut Vec<Diagnostic>,
) -> bool {
    let allocator = Allocator::default();
    let kind = SourceType::from_path(&source.path).unwrap_or_else(|_| SourceType::tsx());
    let parsed = Parser::new(&allocator, &source.text, kind).parse();
    let at = |offset: u32| {
        let (line, column) = source.position(offset as usize);
        Place::new(source.path.clone(), line, column)
    };
    if parsed.panicked || parsed.diagnostics.has_errors() {
        for error in parsed.diagnostics.iter().take(5) {
            let offset = error.labels.first().map_or(0, |label| label.offset());
            let mut diagnostic =
                Diagnostic::error(Gate::Lint, "syntax", error.message.to_string()).at(at(offset));
            diagnostic.hint = error.help.as_ref().map(ToString::to_string);
            found.push(diagnostic);
        }
        // What follows would be about a tree that is not the author's.
        return true;
    }
    let mut policy = Policy::default();
    policy.visit_program(&parsed.program);
    if source.path == COMPOSITION && !policy.exports_default {
        found.push(
            Diagnostic::error(
                Gate::Lint,
                "missing_default_export",
                "src/Composition.tsx has no default export",
            )
            .at(at(0))
            .hint("export default function Composition() { … }"),
        );
    }
    for import in &policy.imports {
        if let Some(diagnostic) = imported(app, source, &import.name, import.types_only, packages) {
            found.push(diagnostic.at(at(import.offset)));
        }
    }
    for asset in &policy.assets {
        let path = asset.name.trim_start_matches('/');
        if !app
            .join("public")
            .join(path.split(['?', '#']).next().unwrap_or(path))
            .is_file()
        {
            let message = format!("public/{path} does not exist");
            let hint = "list the assets of the workspace and use one of them, or draw it in code";
            found.push(
                Diagnostic::error(Gate::Lint, "missing_asset", message)
                    .at(at(asset.offset))
                    .hint(hint),
            );
        }
    }
    found.extend(
        policy
            .found
            .into_iter()
            .map(|(offset, diagnostic)| diagnostic.at(at(offset))),
    );
    policy.imports.iter().any(|import| {
        let path = import.name.trim_end_matches(".ts").trim_end_matches(".js");
        path.starts_with(['.', '/'])
            && path.rsplit('/').next() == Some("design")
            && !path.contains("koda/")
    })
}

fn imported(
    app: &Path,
    source: &Source,
    name: &str,
    types_only: bool,
    packages: &Option<HashSet<String>>,
) -> Option<Diagnostic> {
    if network_address(name) {
        let message =
            format!("{name} is imported from the network, which compositions do not have");
        return Some(
            Diagnostic::error(Gate::Lint, "network_url", message)
                .hint("use an installed package or a file of the workspace"),
        );
    }
    let path = name.split(['?', '#']).next().unwrap_or(name);
    if path.starts_with('.') || path.starts_with("/src/") {
        let folder = Path::new(&source.path).parent().unwrap_or(Path::new(""));
        let target = if let Some(rooted) = path.strip_prefix('/') {
            PathBuf::from(rooted)
        } else {
            folder.join(path)
        };
        let target = app.join(target);
        let exists = RESOLVED.iter().any(|ending| {
            let mut candidate = target.clone().into_os_string();
            candidate.push(ending);
            Path::new(&candidate).is_file()
        });
        // TypeScript allows the ending that the compiled file would have.
        let renamed = path.strip_suffix(".js").is_some()
            && ["ts", "tsx"]
                .iter()
                .any(|ending| target.with_extension(ending).is_file());
        if exists || renamed {
            return None;
        }
        let message = format!("{name} does not resolve to a file");
        return Some(
            Diagnostic::error(Gate::Lint, "missing_import", message)
                .hint("create the file, or correct the path"),
        );
    }
    if path.starts_with('/') {
        let exists = app
            .join("public")
            .join(path.trim_start_matches('/'))
            .is_file();
        return (!exists).then(|| {
            Diagnostic::error(
                Gate::Lint,
                "missing_asset",
                format!("public{path} does not exist"),
            )
        });
    }
    let mut parts = path.split('/');
    let first = parts.next().unwrap_or(path);
    let package = if first.starts_with('@') {
        parts
            .next()
            .map_or(first.to_owned(), |second| format!("{first}/{second}"))
    } else {
        first.to_owned()
    };
    let packages = packages.as_ref()?;
    let typed = types_only
        && packages.contains(&format!(
            "@types/{}",
            package.trim_start_matches('@').replace('/', "__")
        ));
    if packages.contains(&package) || typed {
        return None;
    }
    let mut names: Vec<&str> = packages
        .iter()
        .map(String::as_str)
        .filter(|name| !name.starts_with("@types/") && !name.contains("fontsource"))
        .collect();
    names.sort_unstable();
    let hint = format!(
        "nothing is installed at run time; there are: {}",
        names.join(", ")
    );
    Some(
        Diagnostic::error(
            Gate::Lint,
            "unknown_package",
            format!("the package {package} is not available"),
        )
        .hint(hint),
    )
}

/// `url(…)`, `@import` and sizes of the window in a style sheet.
fn style(app: &Path, source: &Source, found: &mut Vec<Diagnostic>) {
    if let Some(size) = unfit::in_style_sheet(&source.text) {
        // It is a part of that text.
        let offset = size.as_ptr() as usize - source.text.as_ptr() as usize;
        let (line, column) = source.position(offset);
        let place = Place::new(source.path.clone(), line, column);
        found.push(unfit::window_size(size).at(place));
    }
    for opening in ["url(", "@import "] {
        for (offset, _) in source.text.match_indices(opening) {
            let rest = source.text[offset + opening.len()..].trim_start_matches(['"', '\'', ' ']);
            let address = rest
                .split(['"', '\'', ')', ';', '\n'])
                .next()
                .unwrap_or_default()
                .trim();
            let (line, column) = source.position(offset);
            let place = Place::new(source.path.clone(), line, column);
            if network_address(address) {
                let message =
                    format!("{address} is loaded from the network, which compositions do not have");
                let hint = "use an installed font package or a file below public";
                found.push(
                    Diagnostic::error(Gate::Lint, "network_url", message)
                        .at(place)
                        .hint(hint),
                );
            } else if address.starts_with("./") || address.starts_with("../") {
                let folder = Path::new(&source.path).parent().unwrap_or(Path::new(""));
                let path = address.split(['?', '#']).next().unwrap_or(address);
                if !app.join(folder).join(path).is_file() {
                    let message = format!("{address} does not resolve to a file");
                    found.push(Diagnostic::error(Gate::Lint, "missing_import", message).at(place));
                }
            } else if let Some(path) = address.strip_prefix("/assets/")
                && !app.join("public/assets").join(path).is_file()
            {
                found.push(
                    Diagnostic::error(
                        Gate::Lint,
                        "missing_asset",
                        format!("public/assets/{path} does not exist"),
                    )
                    .at(place),
                );
            }
        }
    }
}
