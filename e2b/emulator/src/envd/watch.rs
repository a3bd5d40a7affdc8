//! Watching folders: as a stream, or by asking again and again.

use super::{
    Envd,
    connect::{self, Call, Code, Pace, RpcError},
    entry::entry,
    filesystem::{addressed, nothing},
    proto::{FilesystemEvent, PathRequest, WatchResponse, WatcherEvents, WatcherRequest},
};
use axum::{
    extract::{Request, State},
    response::Response,
};
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{ModifyKind, RenameMode},
};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::mpsc;

/// Someone who watches; dropping it ends that.
pub struct Watching {
    _watcher: RecommendedWatcher,
    events: mpsc::UnboundedReceiver<FilesystemEvent>,
}

fn kinds(kind: EventKind) -> Option<&'static str> {
    match kind {
        EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => {
            Some("EVENT_TYPE_CREATE")
        }
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Some("EVENT_TYPE_RENAME"),
        EventKind::Modify(ModifyKind::Metadata(_)) => Some("EVENT_TYPE_CHMOD"),
        EventKind::Modify(ModifyKind::Data(_)) => Some("EVENT_TYPE_WRITE"),
        EventKind::Remove(_) => Some("EVENT_TYPE_REMOVE"),
        _ => None,
    }
}

fn told(event: &Event, root: &Path, include_entry: bool) -> Vec<FilesystemEvent> {
    let Some(kind) = kinds(event.kind) else {
        return vec![];
    };
    let gone = matches!(kind, "EVENT_TYPE_REMOVE" | "EVENT_TYPE_RENAME");
    let named = event.paths.iter().filter_map(|path| {
        let name = path.strip_prefix(root).ok()?.to_string_lossy().into_owned();
        Some(FilesystemEvent {
            name: if name.is_empty() { ".".into() } else { name },
            kind,
            entry: (include_entry && !gone).then(|| entry(path).ok()).flatten(),
        })
    });
    named.collect()
}

fn watch(envd: &Envd, call: &Call, query: &PathRequest) -> Result<Watching, RpcError> {
    let (_, path) = addressed(envd, call, &query.path)?;
    let shown = path.display();
    match std::fs::metadata(&path) {
        Ok(meta) if meta.is_dir() => {}
        Ok(_) => {
            let message = format!("path {shown} not a directory: %!w(<nil>)");
            return Err(RpcError::new(Code::InvalidArgument, message));
        }
        Err(_) => {
            let message =
                format!("path {shown} not found: stat {shown}: no such file or directory");
            return Err(RpcError::new(Code::NotFound, message));
        }
    }
    let failed =
        |e: notify::Error| RpcError::new(Code::Internal, format!("error creating watcher: {e}"));
    let (sender, events) = mpsc::unbounded_channel();
    let (root, include): (PathBuf, bool) = (path.clone(), query.include_entry);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        for event in event.iter().flat_map(|e| told(e, &root, include)) {
            let _ = sender.send(event);
        }
    })
    .map_err(failed)?;
    let mode = if query.recursive {
        RecursiveMode::Recursive
    } else {
        RecursiveMode::NonRecursive
    };
    watcher.watch(&path, mode).map_err(failed)?;
    Ok(Watching {
        _watcher: watcher,
        events,
    })
}

pub async fn watch_dir(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::stream(request, async |call, query: PathRequest| {
        let watching = watch(&envd, &call, &query)?;
        let pace = Pace::of(&call)?;
        Ok(async_stream::try_stream! {
            // All of it: a part alone would leave the watcher behind.
            let mut watching = watching;
            yield WatchResponse::Start {};
            loop {
                match pace.next(watching.events.recv()).await? {
                    Some(Some(event)) => yield WatchResponse::Filesystem(Box::new(event)),
                    Some(None) => break,
                    None => yield WatchResponse::Keepalive {},
                }
            }
        })
    })
    .await
}

pub async fn create_watcher(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::unary(request, async |call, query: PathRequest| {
        let watching = watch(&envd, &call, &query)?;
        let id = format!("w{}", ulid::Ulid::generate().to_string().to_lowercase());
        envd.watchers().insert(id.clone(), watching);
        Ok(json!({"watcherId": id}))
    })
    .await
}

fn unknown(id: &str) -> RpcError {
    RpcError::new(Code::NotFound, format!("watcher with id {id} not found"))
}

pub async fn get_watcher_events(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::unary(request, async |_, query: WatcherRequest| {
        let mut watchers = envd.watchers();
        let watching = watchers
            .get_mut(&query.watcher_id)
            .ok_or_else(|| unknown(&query.watcher_id))?;
        let mut events = Vec::new();
        while let Ok(event) = watching.events.try_recv() {
            events.push(event);
        }
        Ok(WatcherEvents { events })
    })
    .await
}

pub async fn remove_watcher(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::unary(request, async |_, query: WatcherRequest| {
        match envd.watchers().remove(&query.watcher_id) {
            Some(_) => Ok(nothing()),
            None => Err(unknown(&query.watcher_id)),
        }
    })
    .await
}
