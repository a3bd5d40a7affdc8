//! The recipes: compositions that are shipped with Koda and filled in by the demo model.

use super::design::{DESIGN_PATH, Design, DesignError};
use koda_domain::format::Engine;
use rust_embed::RustEmbed;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(RustEmbed)]
#[folder = "../../templates/recipes"]
#[include = "*/recipe.json"]
#[include = "*/src/*"]
#[exclude = "*.test.*"]
#[exclude = "*/node_modules/*"]
#[exclude = "*/src/koda/*"]
struct Shipped;

/// Why the demo model cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// None is shipped.
    #[error("no recipe is shipped with this build")]
    None,
    /// A recipe's description cannot be read.
    #[error("recipe {name}: recipe.json: {source}")]
    Manifest {
        /// The recipe.
        name: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A recipe lacks a file, or has one that is not text.
    #[error("recipe {name}: {path} is missing or is not UTF-8")]
    File {
        /// The recipe.
        name: String,
        /// The file.
        path: String,
    },
    /// A recipe's design cannot be read.
    #[error("recipe {name}: src/design.ts: {why}")]
    Design {
        /// The recipe.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// A recipe's description breaks a rule.
    #[error("recipe {name}: {why}")]
    Rule {
        /// The recipe.
        name: String,
        /// Which.
        why: &'static str,
    },
}

/// A composition to be filled in.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Recipe {
    /// Its folder's name.
    pub name: String,
    pub engine: Engine,
    /// For people.
    pub title: String,
    pub description: String,
    pub keywords: Vec<String>,
    pub duration_seconds: f64,
    pub scenes: Vec<SceneShare>,
    /// As shipped in `src/design.ts`.
    #[serde(skip, default = "nothing")]
    pub design: Design,
    /// Text by path below the workspace's root.
    #[serde(skip)]
    pub files: BTreeMap<String, String>,
}

/// A scene, as a share of the whole.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SceneShare {
    pub title: String,
    pub description: String,
    pub share: f64,
}

/// Every recipe that is shipped, by name.
#[derive(Debug, Clone)]
pub(crate) struct Recipes(BTreeMap<String, Recipe>);

fn nothing() -> Design {
    let color = String::from("#000000");
    Design {
        title: String::new(),
        subtitle: String::new(),
        colors: super::design::Palette {
            background: color.clone(),
            primary: color.clone(),
            accent: color.clone(),
            text: color,
        },
        fonts: super::design::FontPair {
            title: String::new(),
            body: String::new(),
        },
        lines: Vec::new(),
        data: Vec::new(),
        logo: None,
        more: serde_json::Map::new(),
    }
}

impl Recipes {
    /// Reads what this build carries.
    pub fn shipped() -> Result<Self, RecipeError> {
        let files = Shipped::iter().filter_map(|path| {
            let bytes = Shipped::get(&path)?.data.into_owned();
            Some((path.into_owned(), bytes))
        });
        Self::from_files(files)
    }

    /// Reads recipes from files by path: `<recipe>/recipe.json`, `<recipe>/src/…`.
    pub fn from_files(files: impl Iterator<Item = (String, Vec<u8>)>) -> Result<Self, RecipeError> {
        let mut folders: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (path, bytes) in files {
            let Some((name, inner)) = path.split_once('/') else {
                continue;
            };
            let missing = || RecipeError::File {
                name: name.into(),
                path: inner.into(),
            };
            let text = String::from_utf8(bytes).map_err(|_| missing())?;
            folders
                .entry(name.into())
                .or_default()
                .insert(inner.into(), text);
        }
        let recipes = folders
            .into_iter()
            .map(|(name, files)| read(name, files))
            .collect::<Result<Vec<_>, _>>()?;
        if recipes.is_empty() {
            return Err(RecipeError::None);
        }
        Ok(Self(
            recipes.into_iter().map(|r| (r.name.clone(), r)).collect(),
        ))
    }

    pub fn get(&self, name: &str) -> Option<&Recipe> {
        self.0.get(name)
    }

    /// In the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Recipe> {
        self.0.values()
    }
}

fn read(name: String, mut files: BTreeMap<String, String>) -> Result<Recipe, RecipeError> {
    let file = |path: &str| RecipeError::File {
        name: name.clone(),
        path: path.into(),
    };
    let rule = |why| RecipeError::Rule {
        name: name.clone(),
        why,
    };
    let manifest = files
        .remove("recipe.json")
        .ok_or_else(|| file("recipe.json"))?;
    let mut recipe: Recipe =
        serde_json::from_str(&manifest).map_err(|source| RecipeError::Manifest {
            name: name.clone(),
            source,
        })?;
    if recipe.name != name {
        return Err(rule("its name differs from its folder's"));
    }
    if recipe.scenes.is_empty() || recipe.scenes.iter().any(|s| s.share <= 0.0) {
        return Err(rule("it needs scenes, each with a share above 0"));
    }
    if !(1.0..=120.0).contains(&recipe.duration_seconds) {
        return Err(rule("its duration must be 1 to 120 seconds"));
    }
    for path in ["src/Composition.tsx", DESIGN_PATH] {
        if !files.contains_key(path) {
            return Err(file(path));
        }
    }
    let source = files
        .get(DESIGN_PATH)
        .map(String::as_str)
        .unwrap_or_default();
    recipe.design = Design::read(source).map_err(|why: DesignError| RecipeError::Design {
        name: name.clone(),
        why: why.to_string(),
    })?;
    recipe.files = files;
    Ok(recipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"name":"one","engine":"remotion","title":"One","description":"","keywords":[],"duration_seconds":6,
        "scenes":[{"title":"a","description":"","share":1}]}"#;

    type Listed = Vec<(String, String)>;

    fn read_one(change: impl Fn(&mut Listed)) -> Result<Recipes, RecipeError> {
        let design = r##"export const design = {"title":"A","colors":{"background":"#000000","primary":"#ffffff","accent":"#ffffff",
            "text":"#ffffff"},"fonts":{"title":"Inter","body":"Inter"}} satisfies Design;"##;
        let mut files = vec![
            ("one/recipe.json".to_owned(), JSON.to_owned()),
            (
                "one/src/Composition.tsx".to_owned(),
                "export default 1".to_owned(),
            ),
            ("one/src/design.ts".to_owned(), design.to_owned()),
        ];
        change(&mut files);
        Recipes::from_files(
            files
                .into_iter()
                .map(|(path, text)| (path, text.into_bytes())),
        )
    }

    #[test]
    fn a_recipe_that_breaks_a_rule_is_refused_by_its_name() {
        assert!(read_one(|_| {}).is_ok());
        let broken: [fn(&mut Listed); 5] = [
            |f| f[0].1 = JSON.replace("\"one\"", "\"other\""),
            |f| f[0].1 = JSON.replace("\"share\":1", "\"share\":0"),
            |f| f[0].1 = JSON.replace("remotion", "paper"),
            |f| f[2].1 = "export const design = { title: 'A' } satisfies Design;".into(),
            |f| {
                f.remove(1);
            },
        ];
        for change in broken {
            let error = read_one(change).unwrap_err().to_string();
            assert!(error.starts_with("recipe one: "), "{error}");
        }
        assert!(matches!(read_one(Vec::clear), Err(RecipeError::None)));
    }

    #[test]
    fn every_source_of_every_shipped_recipe_is_carried() {
        let root = std::path::Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../templates/recipes"
        ));
        let recipes = Recipes::shipped().unwrap();
        let folders: Vec<_> = std::fs::read_dir(root)
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| p.is_dir())
            .collect();
        assert_eq!(folders.len(), recipes.iter().count());
        for folder in folders {
            let recipe = recipes
                .get(folder.file_name().unwrap().to_str().unwrap())
                .unwrap();
            let mut waiting = vec![folder.join("src")];
            let mut count = 0;
            while let Some(path) = waiting.pop() {
                if path.is_dir() {
                    waiting.extend(std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()));
                } else {
                    let inner = path.strip_prefix(&folder).unwrap().to_str().unwrap();
                    assert_eq!(
                        recipe.files.get(inner),
                        std::fs::read_to_string(&path).ok().as_ref(),
                        "{inner}"
                    );
                    count += 1;
                }
            }
            assert_eq!(recipe.files.len(), count, "{}", recipe.name);
        }
    }
}
