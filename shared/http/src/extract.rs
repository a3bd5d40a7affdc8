//! Extractors: they parse, load and authorise, so that handlers need not.

use crate::{AppState, Code, error::ApiError};
use axum::{
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, header, request::Parts},
};
use koda_domain::{
    SessionId, TenantId, limits::BODY_BYTES, settings::FieldError, store::SessionHead,
};
use serde::de::DeserializeOwned;

/// Whose request this is. Without sign-in there is one tenant.
#[derive(Debug, Clone)]
pub(crate) struct Tenant(pub TenantId);

impl FromRequestParts<AppState> for Tenant {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let tenant = TenantId::single();
        tracing::Span::current().record("tenant", tracing::field::display(&tenant));
        Ok(Self(tenant))
    }
}

/// Ids in the path.
#[derive(Debug)]
pub(crate) struct At<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<AppState> for At<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(ids)) => Ok(Self(ids)),
            Err(_) => Err(ApiError::new(
                Code::BadRequest,
                "An id in the address is not one; ids look like ses_ and 26 characters.",
            )),
        }
    }
}

/// The query.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<AppState> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(error) => Err(ApiError::new(
                Code::BadRequest,
                format!("The query cannot be read: {}.", error.body_text()),
            )),
        }
    }
}

/// A session of this tenant, named by the first id of the path.
#[derive(Debug)]
pub(crate) struct OwnedSession {
    pub tenant: TenantId,
    pub head: SessionHead,
}

impl OwnedSession {
    pub fn id(&self) -> SessionId {
        self.head.id
    }
}

impl FromRequestParts<AppState> for OwnedSession {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Tenant(tenant) = Tenant::from_request_parts(parts, state).await?;
        let At(ids) =
            At::<std::collections::HashMap<String, String>>::from_request_parts(parts, state)
                .await?;
        let id = ids.get("session").and_then(|id| id.parse().ok());
        let id = id.ok_or_else(|| {
            ApiError::new(
                Code::BadRequest,
                "This is not a session's id: ses_ and 26 characters.",
            )
        })?;
        tracing::Span::current().record("session.id", tracing::field::display(id));
        let head = state.studio.store().session(&tenant, id).await?;
        Ok(Self { tenant, head })
    }
}

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::new(
                Code::UnsupportedMediaType,
                "Send JSON, with the content type application/json.",
            ));
        }
        let bytes = axum::body::to_bytes(request.into_body(), BODY_BYTES)
            .await
            .map_err(|_| {
                ApiError::new(
                    Code::TooLarge,
                    "The body is over 2 MB; upload large things as assets.",
                )
            })?;
        let is_object = bytes
            .trim_ascii_start()
            .first()
            .is_none_or(|first| *first == b'{');
        if !is_object && serde_json::from_slice::<serde_json::Value>(&bytes).is_ok() {
            return Err(ApiError::new(
                Code::BadRequest,
                "Send a JSON object, in braces.",
            ));
        }
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        match serde_path_to_error::deserialize(&mut reader) {
            Ok(value) => {
                reader.end().map_err(|_| {
                    ApiError::new(Code::BadRequest, "There is something behind the JSON.")
                })?;
                Ok(Self(value))
            }
            Err(error) if error.inner().is_data() => Err(ApiError::invalid(vec![FieldError {
                field: error.path().to_string(),
                message: sentence(&error.inner().to_string()),
            }])),
            Err(error) => {
                let place = format!(
                    "line {}, column {}",
                    error.inner().line(),
                    error.inner().column()
                );
                Err(ApiError::new(
                    Code::BadRequest,
                    format!("The body is not valid JSON at {place}."),
                ))
            }
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// serde's words as a sentence, without the place, which the field's name says better.
fn sentence(words: &str) -> String {
    let words = words.split(" at line ").next().unwrap_or(words);
    // Names of Rust's types say nothing to others.
    let words = ["u8", "u16", "u32", "u64", "usize"]
        .iter()
        .fold(words.to_owned(), |words, kind| {
            words.replace(&format!("expected {kind}"), "expected a whole number")
        })
        .replace("expected f64", "expected a number");
    let mut letters = words.chars();
    let first = letters
        .next()
        .map(|c| c.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
