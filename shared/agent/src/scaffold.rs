//! The templates' own files, carried in the binary, so that any handler can make a workspace whole.

use koda_domain::Engine;
use rust_embed::RustEmbed;
use std::borrow::Cow;

#[derive(RustEmbed)]
#[folder = "../../templates/remotion"]
#[exclude = "node_modules/*"]
#[exclude = "dist/*"]
#[exclude = ".vite-cache/*"]
struct Remotion;

#[derive(RustEmbed)]
#[folder = "../../templates/theatre"]
#[exclude = "node_modules/*"]
#[exclude = "dist/*"]
#[exclude = ".vite-cache/*"]
struct Theatre;

/// Every file that the template of this engine gives a workspace, by path below its root.
#[must_use]
pub fn scaffold(engine: Engine) -> Vec<(String, Cow<'static, [u8]>)> {
    match engine {
        Engine::Remotion => files::<Remotion>(),
        Engine::Theatre => files::<Theatre>(),
    }
}

fn files<T: RustEmbed>() -> Vec<(String, Cow<'static, [u8]>)> {
    T::iter()
        .filter_map(|path| T::get(&path).map(|file| (path.into_owned(), file.data)))
        .collect()
}
