//! Whether a composition needs Remotion's own renderer, as its sources say.

use std::path::Path;

use oxc_allocator::Allocator;
use oxc_ast_visit::Visit as _;
use oxc_parser::Parser;
use oxc_span::SourceType;

use super::policy::Policy;
use super::sources::{self, Source};
use super::unfit;

/// The first thing in a composition that only Remotion's own renderer makes of it what it is meant to be, as a sentence.
pub fn remotions_renderer(app: &Path) -> Option<String> {
    sources::read(app).iter().find_map(|source| {
        let what = of(source)?;
        Some(format!(
            "{what} in {} is for Remotion's own renderer",
            source.path
        ))
    })
}

fn of(source: &Source) -> Option<String> {
    if source.is_style() {
        return unfit::in_style_sheet(&source.text).map(ToOwned::to_owned);
    }
    if !source.is_script() {
        return None;
    }
    let allocator = Allocator::default();
    let kind = SourceType::from_path(&source.path).unwrap_or_else(|_| SourceType::tsx());
    let parsed = Parser::new(&allocator, &source.text, kind).parse();
    let mut policy = Policy::default();
    policy.visit_program(&parsed.program);
    policy.needs
}
