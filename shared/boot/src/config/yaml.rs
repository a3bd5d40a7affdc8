//! `koda.config.yaml`: the same variables in a tree.

use super::{ConfigError, VARIABLES};
use serde_json::Value;

const FILE: &str = "koda.config.yaml";

/// The variables that the text sets, by their environment names. `${NAME}` is looked up outside.
pub(super) fn values(
    text: &str,
    outside: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<(String, String)>, Vec<ConfigError>> {
    let tree: Value = serde_saphyr::from_str(text).map_err(|error| {
        // The parser's message may quote the file, which may hold secrets; its place does not.
        let place = error
            .to_string()
            .split("at ")
            .last()
            .map(|p| p.chars().take(40).collect::<String>());
        vec![ConfigError::new(
            FILE,
            format!("is not valid YAML near {}", place.unwrap_or_default()),
        )]
    })?;
    let mut leaves = Vec::new();
    flatten("", &tree, &mut leaves);
    let (mut values, mut problems) = (Vec::new(), Vec::new());
    for (path, value) in leaves {
        if path == "version" {
            continue;
        }
        let Some(variable) = VARIABLES
            .iter()
            .find(|v| v.yaml == path && !v.yaml.is_empty())
        else {
            problems.push(ConfigError::new(
                FILE,
                format!("has an unknown entry {path}"),
            ));
            continue;
        };
        match expand(&value, outside) {
            Ok(value) if value.is_empty() => {}
            Ok(value) => values.push((variable.name.to_owned(), value)),
            Err(name) => problems.push(ConfigError::new(
                FILE,
                format!("names ${{{name}}}, which is not set"),
            )),
        }
    }
    if problems.is_empty() {
        Ok(values)
    } else {
        Err(problems)
    }
}

fn flatten(path: &str, value: &Value, leaves: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                flatten(&path, value, leaves);
            }
        }
        Value::Null => {}
        Value::String(text) => leaves.push((path.to_owned(), text.clone())),
        other => leaves.push((path.to_owned(), other.to_string())),
    }
}

fn expand(text: &str, outside: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(end) = rest[start..].find('}') else {
            break;
        };
        let name = &rest[start + 2..start + end];
        out.push_str(&rest[..start]);
        out.push_str(&outside(name).ok_or_else(|| name.to_owned())?);
        rest = &rest[start + end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}
