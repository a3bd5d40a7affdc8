//! Watching a folder.

use crate::{Error, Sandbox, connect};
use futures_util::{Stream, StreamExt, stream::BoxStream};
use serde::Deserialize;
use serde_json::json;
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum FileChangeKind {
    /// It appeared, or was moved here.
    #[serde(rename = "EVENT_TYPE_CREATE")]
    Created,
    /// It was written to.
    #[serde(rename = "EVENT_TYPE_WRITE")]
    Written,
    /// It was removed.
    #[serde(rename = "EVENT_TYPE_REMOVE")]
    Removed,
    /// It was moved away from here.
    #[serde(rename = "EVENT_TYPE_RENAME")]
    Renamed,
    /// Its permissions or owner changed.
    #[serde(rename = "EVENT_TYPE_CHMOD")]
    PermissionsChanged,
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

/// A change in a folder that is watched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FileChange {
    /// Which file, from the folder that is watched.
    pub name: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: FileChangeKind,
}

#[derive(Deserialize)]
struct Message {
    filesystem: Option<FileChange>,
    start: Option<serde_json::Value>,
}

/// Changes of a folder, as they happen; dropping it ends the watch.
pub struct Watch {
    changes: BoxStream<'static, Result<FileChange, Error>>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}

impl Stream for Watch {
    type Item = Result<FileChange, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.changes.poll_next_unpin(cx)
    }
}

/// Begins to watch; when it returns, changes are seen.
pub(crate) async fn begin(
    sandbox: &Sandbox,
    user: Option<&str>,
    path: &str,
    recursive: bool,
) -> Result<Watch, Error> {
    let query = json!({"path": path, "recursive": recursive});
    let method = "/filesystem.Filesystem/WatchDir";
    let messages = connect::stream::<_, Message>(sandbox, method, user, &query, None).await?;
    let mut messages = Box::pin(messages);
    loop {
        match messages.next().await {
            Some(Ok(Message { start: Some(_), .. })) => break,
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error),
            None => return Err(Error::Protocol("the watch ended before it began".into())),
        }
    }
    let changes = messages.filter_map(async |message| match message {
        Ok(message) => message.filesystem.map(Ok),
        Err(error) => Some(Err(error)),
    });
    Ok(Watch {
        changes: changes.boxed(),
    })
}
