//! Whole files in: one, or many in one form.

use super::{FileError, FileQuery, Uploaded, allowed, caller, located};
use crate::envd::{
    Envd,
    entry::{metadata, set_metadata},
    users::{User, ensure_folders},
};
use axum::{
    Json,
    body::Body,
    extract::{FromRequest, Multipart, Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{Stream, StreamExt, TryStreamExt};
use percent_encoding::percent_decode_str;
use std::{collections::BTreeMap, io, os::unix::fs::fchown, path::Path, pin::pin, sync::Arc};
use tokio::io::AsyncWriteExt;

/// `POST /files`.
pub async fn upload(
    State(envd): State<Arc<Envd>>,
    Query(query): Query<FileQuery>,
    request: Request,
) -> Result<Response, FileError> {
    allowed(&envd, request.headers(), &query, "write")?;
    let user = caller(&envd, &query)?;
    let said = said_of(request.headers())?;
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let request = unpacked(request)?;
    let uploaded = if kind.starts_with("application/octet-stream") {
        let path = query.path.as_deref().ok_or_else(|| {
            let message = "path query parameter is required for raw body upload";
            FileError::new(StatusCode::BAD_REQUEST, message)
        })?;
        let path = located(&envd, path, &user)?;
        let body = request
            .into_body()
            .into_data_stream()
            .map_err(io::Error::other);
        vec![store(&path, &user, &said, body).await?]
    } else if kind.starts_with("multipart/") {
        parts(&envd, &query, &user, &said, request).await?
    } else {
        let message = format!(
            "unsupported content type: {kind}, expected multipart/form-data or application/octet-stream"
        );
        return Err(FileError::new(StatusCode::BAD_REQUEST, message));
    };
    Ok(Json(uploaded).into_response())
}

/// A body that came packed.
fn unpacked(request: Request) -> Result<Request, FileError> {
    let encoding = request.headers().get(header::CONTENT_ENCODING).cloned();
    match encoding.as_ref().and_then(|v| v.to_str().ok()) {
        None | Some("" | "identity") => Ok(request),
        Some("gzip") => {
            let (mut parts, body) = request.into_parts();
            parts.headers.remove(header::CONTENT_ENCODING);
            parts.headers.remove(header::CONTENT_LENGTH);
            let stream = async_stream::try_stream! {
                use std::io::Write;
                let mut decoder = flate2::write::GzDecoder::new(Vec::new());
                let mut body = body.into_data_stream();
                while let Some(chunk) = body.next().await {
                    decoder.write_all(&chunk.map_err(io::Error::other)?)?;
                    yield std::mem::take(decoder.get_mut());
                }
                yield decoder.finish()?;
            };
            let stream: std::pin::Pin<Box<dyn Stream<Item = io::Result<Vec<u8>>> + Send>> =
                Box::pin(stream);
            Ok(Request::from_parts(parts, Body::from_stream(stream)))
        }
        Some(other) => Err(FileError::new(
            StatusCode::BAD_REQUEST,
            format!(
                "error decompressing request body: unsupported Content-Encoding: {other}, supported: [identity, gzip]"
            ),
        )),
    }
}

/// What the `X-Metadata-` headers say.
fn said_of(headers: &HeaderMap) -> Result<BTreeMap<String, String>, FileError> {
    let mut said = BTreeMap::new();
    for (name, value) in headers {
        let Some(key) = name.as_str().strip_prefix("x-metadata-") else {
            continue;
        };
        let value = value.as_bytes();
        let plain = value.iter().all(|b| (0x20..=0x7e).contains(b));
        if key.is_empty() || key.len() > 246 || !plain {
            let message = format!(
                "invalid metadata: metadata value for key \"{key}\" contains invalid characters"
            );
            return Err(FileError::new(StatusCode::BAD_REQUEST, message));
        }
        said.entry(key.to_owned())
            .or_insert_with(|| String::from_utf8_lossy(value).into_owned());
    }
    Ok(said)
}

async fn parts(
    envd: &Envd,
    query: &FileQuery,
    user: &User,
    said: &BTreeMap<String, String>,
    request: Request,
) -> Result<Vec<Uploaded>, FileError> {
    let unread = |e: &dyn std::fmt::Display| {
        FileError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("error reading form: {e}"),
        )
    };
    let (request, read) = read_to_its_end(request);
    let mut form = Multipart::from_request(request, &()).await.map_err(|e| {
        FileError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("error parsing multipart form: {e}"),
        )
    })?;
    let mut uploaded: Vec<Uploaded> = Vec::new();
    while let Some(part) = form.next_field().await.map_err(|e| unread(&e))? {
        if part.name() != Some("file") {
            continue;
        }
        let name = match &query.path {
            Some(path) => path.clone(),
            None => part_name(part.file_name().unwrap_or_default()),
        };
        let path = located(envd, &name, user)?;
        let shown = path.to_string_lossy();
        if uploaded.iter().any(|u| u.path == shown) {
            let message = format!(
                "you cannot upload multiple files to the same path '{shown}' in one upload request, only the first specified file was uploaded"
            );
            return Err(FileError::new(StatusCode::BAD_REQUEST, message));
        }
        let body = part.map_err(io::Error::other);
        uploaded.push(store(&path, user, said, body).await?);
    }
    drop(form);
    let _ = read.await;
    Ok(uploaded)
}

/// A form's reader stops at its last mark; what the sender still has to say after that must be taken too, or it finds the
/// connection closed.
fn read_to_its_end(request: Request) -> (Request, tokio::task::JoinHandle<()>) {
    let (head, body) = request.into_parts();
    let (sender, pieces) = tokio::sync::mpsc::channel(16);
    let read = tokio::spawn(async move {
        let mut body = body.into_data_stream();
        while let Some(piece) = body.next().await {
            let _ = sender.send(piece).await;
        }
    });
    let pieces = tokio_stream::wrappers::ReceiverStream::new(pieces);
    (Request::from_parts(head, Body::from_stream(pieces)), read)
}

/// Browsers and clients escape quotes and line ends in a part's name.
fn part_name(name: &str) -> String {
    let escaped = ["%22", "%0D", "%0A", "%0d", "%0a"];
    if escaped.iter().any(|e| name.contains(e)) {
        return percent_decode_str(name).decode_utf8_lossy().into_owned();
    }
    name.to_owned()
}

/// Writes a file as it comes, its folders made and given to the user.
async fn store(
    path: &Path,
    user: &User,
    said: &BTreeMap<String, String>,
    body: impl Stream<Item = io::Result<bytes::Bytes>>,
) -> Result<Uploaded, FileError> {
    let failed = |what: &str, e: &io::Error| {
        let status = match e.raw_os_error() {
            Some(libc_enospc) if libc_enospc == nix::errno::Errno::ENOSPC as i32 => {
                StatusCode::INSUFFICIENT_STORAGE
            }
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let message = if status == StatusCode::INSUFFICIENT_STORAGE {
            "not enough disk space available".to_owned()
        } else {
            format!("{what}: {e}")
        };
        FileError::new(status, message)
    };
    if let Some(folder) = path.parent() {
        ensure_folders(folder, user).map_err(|e| failed("error ensuring directories", &e))?;
    }
    if path.is_dir() {
        let message = format!("path is a directory: {}", path.display());
        return Err(FileError::new(StatusCode::BAD_REQUEST, message));
    }
    let mut file = tokio::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .await
        .map_err(|e| failed("error opening file", &e))?;
    fchown(&file, Some(user.uid), Some(user.gid))
        .map_err(|e| failed("error changing file ownership", &e))?;
    let mut body = pin!(body);
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|e| failed("error writing file", &e))?;
        file.write_all(&chunk)
            .await
            .map_err(|e| failed("error writing file", &e))?;
    }
    file.flush()
        .await
        .map_err(|e| failed("error writing file", &e))?;
    set_metadata(path, said);
    Ok(Uploaded {
        name: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        path: path.to_string_lossy().into_owned(),
        kind: "file",
        metadata: metadata(path),
    })
}
