//! envd's plain HTTP: whole files up and down.

use super::{
    Envd,
    entry::{metadata, set_metadata},
    users::{User, ensure_folders, resolve},
};
use axum::{
    Json,
    body::Body,
    extract::{FromRequest, Multipart, Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{Stream, StreamExt, TryStreamExt};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    io,
    os::unix::fs::fchown,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::io::AsyncWriteExt;
use tower_http::services::ServeFile;

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
