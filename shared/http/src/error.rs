//! Errors at the door: a closed code, a sentence for people, and a source that stays in the log.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use koda_agent::StudioError;
use koda_domain::{
    objects::ObjectError, path::BadPath, sandbox::SandboxError, settings::FieldError,
    store::StoreError,
};
use serde::Serialize;
use std::time::Duration;
use strum::{EnumIter, IntoStaticStr};
use utoipa::ToSchema;

/// Every code that an error can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, EnumIter, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Code {
    /// Malformed JSON, id, header or query.
    BadRequest,
    /// A file path that breaks the rules.
    InvalidPath,
    /// A foreign origin, or a wrong preview address.
    Forbidden,
    /// Unknown, or another tenant's.
    NotFound,
    /// A revision, plan hash or idempotency key that does not fit the state.
    Conflict,
    /// A link that has expired.
    Gone,
    /// Too many bytes.
    TooLarge,
    /// Another media type than is accepted.
    UnsupportedMediaType,
    /// A range outside of a file.
    RangeNotSatisfiable,
    /// Unknown Host.
    Misdirected,
    /// Fails a rule.
    Invalid,
    /// Over a limit.
    RateLimited,
    /// Ours; retrying does not help.
    Internal,
    /// Storage, sandbox or model; retrying may help.
    Unavailable,
    /// The preview's sandbox does not answer.
    SandboxUnreachable,
}

impl Code {
    /// The status that goes with it.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest | Self::InvalidPath => StatusCode::BAD_REQUEST,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Gone => StatusCode::GONE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::SandboxUnreachable => StatusCode::BAD_GATEWAY,
        }
    }
}

/// The pause before a retry where nothing says better, in seconds.
const RETRY_AFTER: u64 = 5;

/// Whole seconds, and not fewer than that.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// An error on its way to a client.
#[derive(Debug)]
pub struct ApiError {
    code: Code,
    message: String,
    details: Vec<FieldError>,
    source: Option<String>,
    retry_after: Option<Duration>,
}

/// What handlers return.
pub type ApiResult<T> = Result<T, ApiError>;

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorDetail,
}

/// An error as a client sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorDetail {
    /// Of a closed list.
    pub code: Code,
    /// A sentence that says what to do.
    pub message: String,
    /// Names the request in the log.
    pub request_id: String,
    /// Fields that break rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<FieldError>,
}

impl ApiError {
    /// An error with this code and sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Vec::new(),
            source: None,
            retry_after: None,
        }
    }

    /// Something that does not exist, or that the caller may not see.
    pub(crate) fn not_found() -> Self {
        Self::new(
            Code::NotFound,
            "There is nothing here. It may have been deleted.",
        )
    }

    /// Fields that break rules.
    pub(crate) fn invalid(details: Vec<FieldError>) -> Self {
        let message = match details.as_slice() {
            [one] => one.message.clone(),
            _ => "Some fields break rules; see the details.".to_owned(),
        };
        Self {
            details,
            ..Self::new(Code::Invalid, message)
        }
    }

    /// One field that breaks a rule.
    pub(crate) fn field(field: &str, message: &str) -> Self {
        Self::invalid(vec![FieldError {
            field: field.into(),
            message: message.into(),
        }])
    }

    fn source(mut self, source: impl std::fmt::Display) -> Self {
        self.source = Some(source.to_string());
        self
    }

    /// The body, for a place where no response can be made any more.
    pub(crate) fn body(&self, request_id: &str) -> ErrorBody {
        ErrorBody {
            error: ErrorDetail {
                code: self.code,
                message: self.message.clone(),
                request_id: request_id.to_owned(),
                details: self.details.clone(),
            },
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let request_id = crate::guard::request_id();
        let status = self.code.status();
        if status.is_server_error() {
            let source = self.source.as_deref().unwrap_or("no source");
            tracing::error!(request.id = %request_id, code = ?self.code, "Request {request_id} failed: {source}");
        }
        let mut response = (status, Json(self.body(&request_id))).into_response();
        if matches!(
            self.code,
            Code::RateLimited | Code::Unavailable | Code::SandboxUnreachable
        ) {
            let wait = self.retry_after.map_or(RETRY_AFTER, seconds);
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::not_found(),
            StoreError::Conflict | StoreError::Exists | StoreError::Fenced => Self::new(
                Code::Conflict,
                "Somebody else changed this meanwhile; load it again.",
            ),
            StoreError::BadCursor => Self::new(
                Code::BadRequest,
                "The cursor is not one of ours; start from the beginning.",
            ),
            StoreError::Corrupt(_) => Self::new(
                Code::Internal,
                "A stored record is damaged; see the server's log.",
            )
            .source(error),
            StoreError::Unavailable(_) => Self::new(
                Code::Unavailable,
                "The store does not answer; try again in a moment.",
            )
            .source(error),
        }
    }
}

impl From<ObjectError> for ApiError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::NotFound => Self::not_found(),
            ObjectError::BadSignature => Self::new(
                Code::Gone,
                "This link has expired; load the page again for a new one.",
            ),
            ObjectError::BadRange => Self::new(
                Code::RangeNotSatisfiable,
                "The range lies outside of the file.",
            ),
            ObjectError::Mismatch(why) => Self::new(
                Code::Invalid,
                format!("The upload is not what was announced: {why}."),
            ),
            ObjectError::Full => Self::new(
                Code::Unavailable,
                "Storage is full; delete exports or assets.",
            )
            .source(error),
            ObjectError::Unavailable(_) => Self::new(
                Code::Unavailable,
                "Storage does not answer; try again in a moment.",
            )
            .source(error),
        }
    }
}

impl From<SandboxError> for ApiError {
    fn from(error: SandboxError) -> Self {
        let message = match &error {
            SandboxError::Rejected(why) | SandboxError::OverLimit(why) => why.clone(),
            _ => "The sandbox does not answer; try again in a moment.".to_owned(),
        };
        Self::new(Code::Unavailable, message).source(error)
    }
}

impl From<StudioError> for ApiError {
    fn from(error: StudioError) -> Self {
        match error {
            StudioError::NotFound => Self::not_found(),
            StudioError::Invalid(details) => Self::invalid(details),
            StudioError::Conflict(why) => Self::new(Code::Conflict, why),
            StudioError::TooMany(why) => Self::new(Code::RateLimited, why),
            StudioError::TooOften { what, most, wait } => {
                let (plural, seconds) = (what.plural(), seconds(wait));
                let why =
                    format!("At most {most} {plural} in a minute; try again in {seconds} seconds.");
                Self {
                    retry_after: Some(wait),
                    ..Self::new(Code::RateLimited, why)
                }
            }
            StudioError::Store(error) => error.into(),
            StudioError::Objects(error) => error.into(),
            StudioError::Sandbox(error) => error.into(),
        }
    }
}

impl From<BadPath> for ApiError {
    fn from(error: BadPath) -> Self {
        Self::new(
            Code::InvalidPath,
            format!("This is not a path of a workspace: {error}."),
        )
    }
}
