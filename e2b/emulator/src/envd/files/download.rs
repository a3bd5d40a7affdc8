//! Whole files out, packed where the caller takes that.

use super::{FileError, FileQuery, allowed, caller, located};
use crate::envd::Envd;
use axum::{
    body::Body,
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::StreamExt;
use std::{io, sync::Arc};
use tower_http::services::ServeFile;

/// `GET /files`.
pub async fn download(
    State(envd): State<Arc<Envd>>,
    Query(query): Query<FileQuery>,
    request: Request,
) -> Result<Response, FileError> {
    allowed(&envd, request.headers(), &query, "read")?;
    let user = caller(&envd, &query)?;
    let path = located(&envd, query.path.as_deref().unwrap_or_default(), &user)?;
    let shown = path.display();
    match std::fs::metadata(&path) {
        Ok(meta) if meta.is_dir() => {
            let message = format!("path '{shown}' is a directory");
            return Err(FileError::new(StatusCode::BAD_REQUEST, message));
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let message = format!("path '{shown}' does not exist");
            return Err(FileError::new(StatusCode::NOT_FOUND, message));
        }
        Err(e) => {
            let message = format!("error checking if path exists '{shown}': {e}");
            return Err(FileError::new(StatusCode::INTERNAL_SERVER_ERROR, message));
        }
        Ok(_) => {}
    }
    let encoding = Encoding::of(request.headers())?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let disposition = format!("inline; filename=\"{}\"", name.replace(['"', '\\'], "_"));
    let served = ServeFile::new(&path).try_call(request).await;
    let mut response = served
        .map_err(|e| {
            FileError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("error opening file '{shown}': {e}"),
            )
        })?
        .map(Body::new);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if encoding == Encoding::Gzip && response.status() == StatusCode::OK {
        return Ok(gzipped(response));
    }
    Ok(response)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    /// What the caller takes: identity where nothing is said, as envd has it.
    fn of(headers: &HeaderMap) -> Result<Self, FileError> {
        let accepted = headers
            .get(header::ACCEPT_ENCODING)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let ranged = [
            header::RANGE,
            header::IF_NONE_MATCH,
            header::IF_MODIFIED_SINCE,
        ];
        let whole = !ranged.iter().any(|name| headers.contains_key(name));
        let takes = |name: &str| {
            accepted.split(',').any(|part| {
                let mut part = part.split(';').map(str::trim);
                part.next() == Some(name) && part.all(|q| q.replace(' ', "") != "q=0")
            })
        };
        if takes("gzip") && whole {
            return Ok(Self::Gzip);
        }
        let refused = accepted.split(',').any(|p| {
            let p = p.replace(' ', "");
            p == "identity;q=0" || p == "*;q=0"
        });
        if refused {
            let message = "error parsing Accept-Encoding: no acceptable encoding found, supported: [identity, gzip]";
            return Err(FileError::new(StatusCode::NOT_ACCEPTABLE, message));
        }
        Ok(Self::Identity)
    }
}

fn gzipped(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::ACCEPT_RANGES);
    parts
        .headers
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let stream = async_stream::stream! {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut body = body.into_data_stream();
        while let Some(chunk) = body.next().await {
            let written = chunk.map_err(io::Error::other).and_then(|c| encoder.write_all(&c));
            if let Err(e) = written {
                yield Err(e);
                return;
            }
            yield Ok(std::mem::take(encoder.get_mut()));
        }
        yield encoder.finish();
    };
    Response::from_parts(parts, Body::from_stream(stream))
}
