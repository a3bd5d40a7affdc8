//! envd's `filesystem.Filesystem` service, but for watching.

use super::{
    Envd,
    connect::{self, Call, Code, RpcError},
    entry::entry,
    proto::{EntryResponse, ListDirResponse, MoveRequest, PathRequest},
    users::{User, ensure_folders, resolve},
};
use axum::{
    extract::{Request, State},
    response::Response,
};
use serde_json::{Value, json};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use walkdir::WalkDir;

/// Who calls, and the path that is meant.
pub fn addressed(envd: &Envd, call: &Call, path: &str) -> Result<(User, PathBuf), RpcError> {
    let user = envd.users().caller(call.user())?;
    let path = resolve(path, &user, envd.workdir().as_deref())
        .map_err(|why| RpcError::new(Code::InvalidArgument, why))?;
    Ok((user, path))
}

fn internal(what: &str, error: &io::Error) -> RpcError {
    RpcError::new(Code::Internal, format!("{what}: {error}"))
}

pub async fn stat(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::unary(request, async |call, query: PathRequest| {
        let (_, path) = addressed(&envd, &call, &query.path)?;
        Ok(EntryResponse {
            entry: entry(&path)?,
        })
    })
    .await
}

pub async fn make_dir(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::unary(request, async |call, query: PathRequest| {
        let (user, path) = addressed(&envd, &call, &query.path)?;
        let shown = path.display();
        match std::fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => {
                let message = format!("directory already exists: {shown}");
                return Err(RpcError::new(Code::AlreadyExists, message));
            }
            Ok(_) => {
                let message = format!("path already exists but it is not a directory: {shown}");
                return Err(RpcError::new(Code::InvalidArgument, message));
            }
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(internal("error getting file info", &e));
            }
            Err(_) => {}
        }
        ensure_folders(&path, &user).map_err(|e| internal("error creating directory", &e))?;
        Ok(EntryResponse {
            entry: entry(&path)?,
        })
    })
    .await
}

pub async fn rename(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::unary(request, async |call, query: MoveRequest| {
        let (user, from) = addressed(&envd, &call, &query.source)?;
        let (_, to) = addressed(&envd, &call, &query.destination)?;
        if let Some(folder) = to.parent() {
            ensure_folders(folder, &user)
                .map_err(|e| internal("error ensuring directories", &e))?;
        }
        std::fs::rename(&from, &to).map_err(|e| {
            if e.kind() == io::ErrorKind::NotFound {
                let message = format!(
                    "source file not found: rename {} {}: no such file or directory",
                    from.display(),
                    to.display()
                );
                return RpcError::new(Code::NotFound, message);
            }
            internal("error renaming", &e)
        })?;
        Ok(EntryResponse { entry: entry(&to)? })
    })
    .await
}

pub async fn remove(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::unary(request, async |call, query: PathRequest| {
        let (_, path) = addressed(&envd, &call, &query.path)?;
        let removed = match std::fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => std::fs::remove_dir_all(&path),
            Ok(_) => std::fs::remove_file(&path),
            Err(e) => Err(e),
        };
        match removed {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(internal("error removing file or directory", &e))
            }
            _ => Ok(json!({})),
        }
    })
    .await
}

pub async fn list_dir(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::unary(request, async |call, query: PathRequest| {
        let (_, path) = addressed(&envd, &call, &query.path)?;
        let target = std::fs::canonicalize(&path).map_err(|e| unresolved(&path, &e))?;
        if !target.is_dir() {
            let message = format!("path is not a directory: {}", target.display());
            return Err(RpcError::new(Code::InvalidArgument, message));
        }
        listed(&path, &target, query.depth.max(1) as usize)
    })
    .await
}

fn unresolved(path: &Path, error: &io::Error) -> RpcError {
    let shown = path.display();
    if error.kind() == io::ErrorKind::NotFound {
        let message = format!("path not found: lstat {shown}: no such file or directory");
        return RpcError::new(Code::NotFound, message);
    }
    if error.raw_os_error() == Some(nix::errno::Errno::ELOOP as i32) {
        let message = format!("cyclic symlink or chain >255 links at \"{shown}\"");
        return RpcError::new(Code::FailedPrecondition, message);
    }
    internal("error resolving symlink", error)
}

/// Everything below `target` down to a depth, under the name that was asked for; links are not followed.
fn listed(asked: &Path, target: &Path, depth: usize) -> Result<ListDirResponse, RpcError> {
    let mut entries = Vec::new();
    for found in WalkDir::new(target)
        .min_depth(1)
        .max_depth(depth)
        .sort_by_file_name()
    {
        let found = found.map_err(|e| {
            RpcError::new(
                Code::Internal,
                format!("error reading directory {}: {e}", target.display()),
            )
        })?;
        // What is gone meanwhile is not listed.
        let Ok(mut info) = entry(found.path()) else {
            continue;
        };
        if let Ok(below) = found.path().strip_prefix(target) {
            info.path = asked.join(below).to_string_lossy().into_owned();
        }
        entries.push(info);
    }
    Ok(ListDirResponse { entries })
}

/// An answer without anything in it.
pub fn nothing() -> Value {
    json!({})
}
