//! Files joined into one.

use super::{FileError, FileQuery, Uploaded, caller, located};
use crate::envd::{Envd, users::ensure_folders};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::{collections::BTreeMap, io, os::unix::fs::fchown, sync::Arc};

#[derive(Debug, Deserialize)]
pub struct ComposeRequest {
    #[serde(default)]
    source_paths: Vec<String>,
    #[serde(default)]
    destination: String,
    username: Option<String>,
}

/// `POST /files/compose`: joins files into one, and removes them.
pub async fn compose(
    State(envd): State<Arc<Envd>>,
    Json(query): Json<ComposeRequest>,
) -> Result<Response, FileError> {
    let bad = |why: String| FileError::new(StatusCode::BAD_REQUEST, why);
    let wrong = |e: io::Error| FileError::new(StatusCode::INTERNAL_SERVER_ERROR, e.to_string());
    if query.source_paths.is_empty() {
        return Err(bad("source_paths must not be empty".into()));
    }
    if query.destination.is_empty() {
        return Err(bad("destination is required".into()));
    }
    let named = FileQuery {
        path: None,
        username: query.username.clone(),
        signature: None,
        signature_expiration: None,
    };
    let user = caller(&envd, &named)?;
    let to = located(&envd, &query.destination, &user)?;
    let mut sources = Vec::new();
    for source in &query.source_paths {
        let path = located(&envd, source, &user)?;
        if path == to {
            return Err(bad(format!(
                "source path \"{source}\" cannot be the same as destination"
            )));
        }
        match std::fs::metadata(&path) {
            Ok(meta) if meta.is_file() => sources.push(path),
            Ok(_) => {
                return Err(bad(format!(
                    "source path is not a regular file: {}",
                    path.display()
                )));
            }
            Err(_) => {
                let message = format!("source file not found: {}", path.display());
                return Err(FileError::new(StatusCode::NOT_FOUND, message));
            }
        }
    }
    let part = to.with_extension("compose-part");
    if let Some(folder) = to.parent() {
        ensure_folders(folder, &user).map_err(wrong)?;
    }
    let mut file = std::fs::File::create(&part).map_err(wrong)?;
    for source in &sources {
        io::copy(&mut std::fs::File::open(source).map_err(wrong)?, &mut file).map_err(wrong)?;
    }
    fchown(&file, Some(user.uid), Some(user.gid)).map_err(wrong)?;
    std::fs::rename(&part, &to).map_err(wrong)?;
    for source in sources {
        std::fs::remove_file(source).map_err(wrong)?;
    }
    let uploaded = Uploaded {
        name: to
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        path: to.to_string_lossy().into_owned(),
        kind: "file",
        metadata: BTreeMap::new(),
    };
    Ok(Json(uploaded).into_response())
}
