//! envd's plain HTTP: whole files up and down, for whoever has the token or a signature.

mod compose;
mod download;
mod upload;

pub use compose::compose;
pub use download::download;
pub use upload::upload;

use crate::envd::{
    Envd,
    users::{User, resolve},
};
use axum::{
    Json,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

/// An error of envd's HTTP side.
pub struct FileError(StatusCode, String);

impl FileError {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self(status, message.into())
    }
}

impl IntoResponse for FileError {
    fn into_response(self) -> Response {
        let body = Json(json!({"code": self.0.as_u16(), "message": self.1}));
        (self.0, body).into_response()
    }
}

/// What a file is asked for with.
#[derive(Debug, Deserialize)]
pub struct FileQuery {
    path: Option<String>,
    username: Option<String>,
    signature: Option<String>,
    signature_expiration: Option<i64>,
}

#[derive(Debug, Serialize)]
struct Uploaded {
    name: String,
    path: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
}

/// Whoever has no token needs a signature that was made with it.
fn allowed(
    envd: &Envd,
    headers: &HeaderMap,
    query: &FileQuery,
    operation: &str,
) -> Result<(), FileError> {
    let refused = |why: &str| FileError::new(StatusCode::UNAUTHORIZED, why);
    let Some(token) = envd.token() else {
        return Ok(());
    };
    if let Some(sent) = headers.get("x-access-token").filter(|t| !t.is_empty()) {
        return if sent == token.as_str() {
            Ok(())
        } else {
            Err(refused("access token present in header but does not match"))
        };
    }
    let signature = query
        .signature
        .as_deref()
        .ok_or_else(|| refused("missing signature query parameter"))?;
    let path = query.path.as_deref().unwrap_or_default();
    let user = query.username.as_deref().unwrap_or_default();
    let mut signed = format!("{path}:{operation}:{user}:{token}");
    if let Some(expiration) = query.signature_expiration {
        signed = format!("{signed}:{expiration}");
    }
    use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
    let expected = format!(
        "v1_{}",
        STANDARD_NO_PAD.encode(Sha256::digest(signed.as_bytes()))
    );
    if expected != signature {
        return Err(refused("invalid signature"));
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX));
    if query.signature_expiration.is_some_and(|at| at < now) {
        return Err(refused("signature is already expired"));
    }
    Ok(())
}

fn caller(envd: &Envd, query: &FileQuery) -> Result<User, FileError> {
    let users = envd.users();
    let name = query.username.as_deref().unwrap_or(&users.default);
    users.find(name).ok_or_else(|| {
        FileError::new(
            StatusCode::UNAUTHORIZED,
            format!("error looking up user '{name}': user: unknown user {name}"),
        )
    })
}

fn located(envd: &Envd, path: &str, user: &User) -> Result<PathBuf, FileError> {
    resolve(path, user, envd.workdir().as_deref()).map_err(|why| {
        FileError::new(
            StatusCode::BAD_REQUEST,
            format!("error resolving path: {why}"),
        )
    })
}
