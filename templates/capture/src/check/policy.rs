//! What a composition's script may not do, read from its syntax tree.

use std::collections::HashSet;

use oxc_ast::ast::{
    Argument, CallExpression, ExportAllDeclaration, ExportDefaultDeclaration,
    ExportFromDeclaration, ExportSpecifier, Expression, ImportDeclaration,
    ImportDeclarationSpecifier, ImportExpression, ImportOrExportKind, JSXAttribute,
    JSXAttributeName, JSXAttributeValue, JSXElementName, JSXExpression, JSXMemberExpression,
    JSXMemberExpressionObject, JSXOpeningElement, NewExpression, StaticMemberExpression,
    StringLiteral, TemplateLiteral,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::GetSpan as _;

use super::diagnostic::{Diagnostic, Gate};
use super::unfit;

/// Attributes whose value is fetched.
const FETCHED: &[&str] = &[
    "src",
    "href",
    "xlinkHref",
    "poster",
    "font",
    "files",
    "path",
    "map",
    "url",
    "srcSet",
];
/// Functions whose argument is fetched.
const FETCHING: &[&str] = &[
    "fetch",
    "staticFile",
    "useLoader",
    "useTexture",
    "useGLTF",
    "useFont",
    "useEnvironment",
    "loadFont",
    "load",
    "loadAsync",
    "preload",
    "Audio",
    "Image",
    "Worker",
    "FontFace",
    "EventSource",
    "WebSocket",
    "Request",
    "URL",
    "delayRenderForImage",
    "prefetch",
];

/// Something named by a string.
#[derive(Debug)]
pub struct Named {
    /// The string.
    pub name: String,
    /// Where it is, in bytes.
    pub offset: u32,
    /// Whether an import is of types alone.
    pub types_only: bool,
}

/// Collects findings while a tree is visited.
#[derive(Default)]
pub struct Policy {
    /// What breaks a rule, by byte.
    pub found: Vec<(u32, Diagnostic)>,
    /// What is imported.
    pub imports: Vec<Named>,
    /// Files that must be below `public`.
    pub assets: Vec<Named>,
    /// Whether there is a default export.
    pub exports_default: bool,
    /// The first of what only Remotion's own renderer makes of it what it is meant to be.
    pub needs: Option<String>,
    /// Names of shapes that are imported, whose effects are drawn as those of `HtmlInCanvas`.
    shapes: HashSet<String>,
    /// What `three` and `@react-three/drei` are called where they are imported as a whole.
    scenery: HashSet<String>,
}

/// True where a string is an address outside the workspace.
pub fn network_address(text: &str) -> bool {
    let text = text.trim_start();
    let scheme = ["http://", "https://", "ws://", "wss://", "//"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    // Names of XML namespaces look like addresses and are never fetched.
    scheme && !text.contains("www.w3.org/")
}

impl Policy {
    fn report(&mut self, offset: u32, code: &str, message: String, hint: &str) {
        self.found.push((
            offset,
            Diagnostic::error(Gate::Lint, code, message).hint(hint),
        ));
    }

    fn network(&mut self, offset: u32, address: &str) {
        let shown: String = address.chars().take(120).collect();
        let message = format!("{shown} is loaded from the network, which compositions do not have");
        self.report(
            offset,
            "network_url",
            message,
            "use an asset of the workspace, an installed font, or draw it in code",
        );
    }

    fn import(&mut self, source: &StringLiteral<'_>, kind: ImportOrExportKind) {
        let types_only = kind == ImportOrExportKind::Type;
        self.imports.push(Named {
            name: source.value.to_string(),
            offset: source.span.start,
            types_only,
        });
    }

    /// What is imported of a module, where it is named.
    fn imported(&mut self, offset: u32, module: &str, name: Option<&str>) {
        if let Some((message, hint)) = unfit::import(module, name) {
            self.report(offset, "unfit_feature", message, hint);
        }
        if let Some(what) = unfit::drawn_by_renderer(module, name) {
            self.needs.get_or_insert_with(|| what.to_owned());
        }
    }

    /// What is taken of a module that was imported as a whole.
    fn member(&mut self, offset: u32, object: Option<&str>, name: &str) {
        if object.is_some_and(|object| self.scenery.contains(object))
            && let Some((message, hint)) = unfit::video(name)
        {
            self.report(offset, "unfit_feature", message, hint);
        }
        if matches!(name, "HtmlInCanvas" | "makeHtmlInCanvasPresentation") {
            self.needs.get_or_insert_with(|| name.to_owned());
        }
    }

    fn window_size(&mut self, offset: u32, what: &str) {
        self.needs.get_or_insert_with(|| what.to_owned());
        self.found.push((offset, unfit::window_size(what)));
    }

    fn called(&mut self, offset: u32, name: &str) {
        let random = "use random(seed) of the engine, or a generator seeded by a constant, so that a frame is always the same";
        let frame =
            "derive it from the current frame: useCurrentFrame() and the fps of the composition";
        match name {
            "Math.random" | "crypto.getRandomValues" | "crypto.randomUUID" => {
                self.report(
                    offset,
                    "unseeded_random",
                    format!("{name}() is different each time"),
                    random,
                );
            }
            "Date.now" | "performance.now" | "Date" => {
                let shown = if name == "Date" { "new Date()" } else { name };
                self.report(
                    offset,
                    "wall_clock",
                    format!("{shown} reads the wall clock, not the time of the composition"),
                    frame,
                );
            }
            "setTimeout" | "setInterval" | "requestAnimationFrame" | "requestIdleCallback" => {
                let message = format!(
                    "{name}() runs by the wall clock: what it draws is not tied to a frame"
                );
                self.report(offset, "timer", message, frame);
            }
            "matchMedia" => self.window_size(offset, "what matchMedia() tells"),
            _ => {}
        }
    }

    fn fetched(&mut self, arguments: &[Argument<'_>]) {
        for argument in arguments {
            match argument {
                Argument::StringLiteral(text) if network_address(&text.value) => {
                    self.network(text.span.start, &text.value)
                }
                Argument::TemplateLiteral(text) => {
                    if let Some(start) = text
                        .quasis
                        .first()
                        .filter(|start| network_address(&start.value.raw))
                    {
                        self.network(text.span.start, &start.value.raw);
                    }
                }
                Argument::ArrayExpression(list) => {
                    for element in &list.elements {
                        if let oxc_ast::ast::ArrayExpressionElement::StringLiteral(text) = element
                            && network_address(&text.value)
                        {
                            self.network(text.span.start, &text.value);
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

/// `name`, `object.name`, with `window.` and the like left out.
fn callee(expression: &Expression<'_>) -> Option<String> {
    match expression {
        Expression::Identifier(name) => Some(name.name.to_string()),
        Expression::StaticMemberExpression(member) => {
            let property = member.property.name.as_str();
            match callee(&member.object) {
                Some(object) if matches!(object.as_str(), "window" | "globalThis" | "self") => {
                    Some(property.to_owned())
                }
                Some(object) => Some(format!("{object}.{property}")),
                None => Some(format!(".{property}")),
            }
        }
        Expression::ParenthesizedExpression(inner) => callee(&inner.expression),
        _ => None,
    }
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

impl<'a> Visit<'a> for Policy {
    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        self.import(&it.source, it.import_kind);
        if it.import_kind == ImportOrExportKind::Type {
            return;
        }
        let specifiers = || it.specifiers.iter().flatten();
        let types = |specifier: &ImportDeclarationSpecifier<'a>| matches!(specifier, ImportDeclarationSpecifier::ImportSpecifier(named) if named.import_kind == ImportOrExportKind::Type);
        if specifiers().next().is_none() || !specifiers().all(types) {
            self.imported(it.span.start, &it.source.value, None);
        }
        for specifier in specifiers().filter(|specifier| !types(specifier)) {
            if let ImportDeclarationSpecifier::ImportNamespaceSpecifier(whole) = specifier
                && unfit::is_scenery(&it.source.value)
            {
                self.scenery.insert(whole.local.name.to_string());
            }
            if let ImportDeclarationSpecifier::ImportSpecifier(named) = specifier {
                let name = named.imported.name();
                self.imported(named.span.start, &it.source.value, Some(&name));
                if it.source.value == "@remotion/shapes" {
                    self.shapes.insert(named.local.name.to_string());
                }
            }
        }
    }

    fn visit_static_member_expression(&mut self, it: &StaticMemberExpression<'a>) {
        let object = match &it.object {
            // callee() leaves these out.
            Expression::Identifier(name) => Some(name.name.to_string()),
            object => callee(object),
        };
        let property = it.property.name.as_str();
        self.member(it.span.start, object.as_deref(), property);
        if let Some(object) = object.filter(|object| unfit::measures_window(object, property)) {
            self.window_size(it.span.start, &format!("{object}.{property}"));
        }
        walk::walk_static_member_expression(self, it);
    }

    fn visit_export_all_declaration(&mut self, it: &ExportAllDeclaration<'a>) {
        self.import(&it.source, it.export_kind);
        if it.export_kind == ImportOrExportKind::Type {
            return;
        }
        self.imported(it.span.start, &it.source.value, None);
    }

    fn visit_export_from_declaration(&mut self, it: &ExportFromDeclaration<'a>) {
        self.import(&it.source, it.export_kind);
        if it.export_kind == ImportOrExportKind::Value {
            self.imported(it.span.start, &it.source.value, None);
            for specifier in &it.specifiers {
                let name = specifier.local.name();
                self.imported(specifier.span.start, &it.source.value, Some(&name));
            }
        }
        walk::walk_export_from_declaration(self, it);
    }

    fn visit_export_default_declaration(&mut self, it: &ExportDefaultDeclaration<'a>) {
        self.exports_default = true;
        walk::walk_export_default_declaration(self, it);
    }

    fn visit_export_specifier(&mut self, it: &ExportSpecifier<'a>) {
        self.exports_default |= it.exported.name() == "default";
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        if let Expression::StringLiteral(source) = &it.source {
            self.import(source, ImportOrExportKind::Value);
            self.imported(source.span.start, &source.value, None);
        } else {
            walk::walk_import_expression(self, it);
        }
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        if let Some(name) = callee(&it.callee) {
            // Date() without new is the time as text.
            self.called(it.span.start, &name);
            if FETCHING.contains(&last(&name)) {
                self.fetched(&it.arguments);
            }
            if last(&name) == "staticFile"
                && let Some(Argument::StringLiteral(path)) = it.arguments.first()
                && !network_address(&path.value)
            {
                self.assets.push(Named {
                    name: path.value.to_string(),
                    offset: path.span.start,
                    types_only: false,
                });
                return;
            }
        }
        walk::walk_call_expression(self, it);
    }

    fn visit_new_expression(&mut self, it: &NewExpression<'a>) {
        if let Some(name) = callee(&it.callee) {
            if it.arguments.is_empty() {
                self.called(it.span.start, &name);
            }
            if matches!(last(&name), "Worker" | "SharedWorker") {
                let message = "a worker has a clock and chance of its own: what it says is not tied to a frame";
                let hint = "work it out where it is drawn";
                self.report(it.span.start, "worker", message.to_owned(), hint);
            }
            if FETCHING.contains(&last(&name)) {
                self.fetched(&it.arguments);
            }
        }
        walk::walk_new_expression(self, it);
    }

    fn visit_jsx_opening_element(&mut self, it: &JSXOpeningElement<'a>) {
        let environment = matches!(&it.name, JSXElementName::IdentifierReference(name) if name.name == "Environment");
        let preset = it.attributes.iter().filter_map(|attribute| attribute.as_attribute()).find(
            |attribute| matches!(&attribute.name, JSXAttributeName::Identifier(name) if name.name == "preset"),
        );
        if environment && let Some(preset) = preset {
            let message = "<Environment preset> downloads its picture from the network, which compositions do not have".to_owned();
            let hint =
                "light the scene with lights, or put <Lightformer> elements inside <Environment>";
            self.report(preset.span.start, "network_url", message, hint);
        }
        if let JSXElementName::Identifier(name) = &it.name
            && let Some((message, hint)) = unfit::video(&name.name)
        {
            self.report(name.span.start, "unfit_feature", message, hint);
        }
        let shape = matches!(&it.name, JSXElementName::IdentifierReference(name) if self.shapes.contains(name.name.as_str()));
        let effects = it.attributes.iter().filter_map(|attribute| attribute.as_attribute()).any(
            |attribute| matches!(&attribute.name, JSXAttributeName::Identifier(name) if name.name == "effects"),
        );
        if shape && effects {
            self.needs
                .get_or_insert_with(|| "a shape with effects".to_owned());
        }
        walk::walk_jsx_opening_element(self, it);
    }

    fn visit_jsx_member_expression(&mut self, it: &JSXMemberExpression<'a>) {
        let object = match &it.object {
            JSXMemberExpressionObject::IdentifierReference(name) => Some(name.name.as_str()),
            _ => None,
        };
        self.member(it.property.span.start, object, it.property.name.as_str());
        walk::walk_jsx_member_expression(self, it);
    }

    fn visit_jsx_attribute(&mut self, it: &JSXAttribute<'a>) {
        if let JSXAttributeName::Identifier(name) = &it.name
            && FETCHED.contains(&name.name.as_str())
        {
            let text = match &it.value {
                Some(JSXAttributeValue::StringLiteral(text)) => {
                    Some((text.span.start, text.value.as_str()))
                }
                Some(JSXAttributeValue::ExpressionContainer(container)) => {
                    match &container.expression {
                        JSXExpression::StringLiteral(text) => {
                            Some((text.span.start, text.value.as_str()))
                        }
                        JSXExpression::TemplateLiteral(text) => text
                            .quasis
                            .first()
                            .map(|start| (text.span.start, start.value.raw.as_str())),
                        _ => None,
                    }
                }
                _ => None,
            };
            if let Some((offset, text)) = text.filter(|(_, text)| network_address(text)) {
                self.network(offset, text);
            }
        }
        walk::walk_jsx_attribute(self, it);
    }

    fn visit_string_literal(&mut self, it: &StringLiteral<'a>) {
        self.styled(it.span.start, &it.value);
        if let Some(length) = unfit::window_length(&it.value) {
            self.window_size(it.span.start, length);
        }
        let asset = it.value.starts_with("/assets/") || it.value.starts_with("assets/");
        if asset
            && it
                .value
                .rsplit('/')
                .next()
                .is_some_and(|file| file.contains('.'))
        {
            self.assets.push(Named {
                name: it.value.to_string(),
                offset: it.span.start,
                types_only: false,
            });
        }
    }

    fn visit_template_literal(&mut self, it: &TemplateLiteral<'a>) {
        for (index, part) in it.quasis.iter().enumerate() {
            self.styled(part.span().start, &part.value.raw);
            // `${share}vw` is a length too.
            let raw = part.value.raw.as_str();
            let goes_on = raw.starts_with(|first: char| first.is_ascii_alphabetic());
            let whole = if index > 0 && goes_on {
                format!("0{raw}")
            } else {
                raw.to_owned()
            };
            if let Some(length) = unfit::window_length(&whole) {
                self.window_size(part.span().start, length);
            }
        }
        walk::walk_template_literal(self, it);
    }
}

impl Policy {
    /// `url(https://…)` within a style.
    fn styled(&mut self, offset: u32, text: &str) {
        for (at, _) in text.match_indices("url(") {
            let address = text[at + 4..].trim_start_matches(['"', '\'', ' ']);
            if network_address(address) {
                let end = address.find(['"', '\'', ')']).unwrap_or(address.len());
                self.network(offset, &address[..end]);
            }
        }
    }
}
