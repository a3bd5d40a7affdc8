//! Files of a sandbox.

use crate::{
    Error, Missing, Sandbox, Watch,
    connect::unary,
    http::{Again, broken},
    watch,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use jiff::Timestamp;
use reqwest::{
    Body, Method,
    multipart::{Form, Part},
};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};

/// The most bytes of one upload: proxies on the way do not take any size.
const BATCH: usize = 32 << 20;
/// Bytes a second, below which an upload counts as stuck.
const SLOWEST: usize = 128 << 10;

/// What something in a file system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A plain file, or a link to one.
    File,
    /// A folder, or a link to one.
    Directory,
    /// A link that is told as such, whatever it leads to.
    Symlink,
    /// Something else, such as a link that leads nowhere.
    Other,
}

impl<'de> Deserialize<'de> for EntryKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(match name.as_str() {
            "FILE_TYPE_FILE" | "file" => Self::File,
            "FILE_TYPE_DIRECTORY" | "dir" => Self::Directory,
            "FILE_TYPE_SYMLINK" => Self::Symlink,
            _ => Self::Other,
        })
    }
}

fn other() -> EntryKind {
    EntryKind::Other
}

/// 64-bit numbers are text in proto3's JSON.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

/// A file, folder or link.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryInfo {
    /// The last part of its path.
    pub name: String,
    /// What it is, or what it leads to.
    #[serde(rename = "type", default = "other")]
    pub kind: EntryKind,
    /// From the root.
    pub path: String,
    /// Bytes.
    #[serde(default, deserialize_with = "number")]
    pub size: u64,
    /// Permission bits.
    #[serde(default)]
    pub mode: u32,
    /// The same as letters.
    #[serde(default)]
    pub permissions: String,
    /// Its user.
    #[serde(default)]
    pub owner: String,
    /// Its group.
    #[serde(default)]
    pub group: String,
    /// When it was last changed.
    #[serde(default)]
    pub modified_time: Option<Timestamp>,
    /// Where it leads, of a link.
    #[serde(default)]
    pub symlink_target: Option<String>,
    /// What was said about it when it was uploaded.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WrittenFile {
    /// The last part of its path.
    pub name: String,
    /// From the root.
    pub path: String,
}

#[derive(Deserialize)]
struct EntryAnswer {
    entry: EntryInfo,
}

#[derive(Deserialize)]
struct ListAnswer {
    #[serde(default)]
    entries: Vec<EntryInfo>,
}

/// Files of a sandbox, as one of its users. A path that is not absolute begins at the user's home.
#[derive(Debug, Clone)]
pub struct Files {
    sandbox: Sandbox,
    user: Option<String>,
}

impl Files {
    pub(crate) fn new(sandbox: Sandbox) -> Self {
        Self {
            sandbox,
            user: None,
        }
    }

    /// The same as another user.
    #[must_use]
    pub fn as_user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    fn query(&self, path: Option<&str>) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        query.extend(path.map(|p| ("path", p.to_owned())));
        query.extend(self.user.clone().map(|u| ("username", u)));
        query
    }

    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.sandbox
            .request(Method::GET, "/files")
            // Exact bytes, and their number.
            .header("Accept-Encoding", "identity")
            .query(&self.query(Some(path)))
    }

    /// The whole content of a file.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InvalidArgument`] of a folder.
    pub async fn read(&self, path: &str) -> Result<Bytes, Error> {
        let timeout = self.sandbox.client.config().request_timeout;
        let request = || Ok(self.get(path).timeout(timeout));
        let response = self.sandbox.send_whole(Again::Safe, request).await?;
        response.bytes().await.map_err(|e| broken(&e))
    }

    /// The content of a file of any size, in pieces, and how many bytes it has where that is said.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_stream(
        &self,
        path: &str,
    ) -> Result<(Option<u64>, BoxStream<'static, Result<Bytes, Error>>), Error> {
        let request = || Ok(self.get(path));
        let response = self.sandbox.send(Again::Safe, request).await?;
        let length = response.content_length();
        let sandbox = self.sandbox.clone();
        let silence = sandbox.client.config().request_timeout;
        let pieces = async_stream::try_stream! {
            let mut pieces = response.bytes_stream();
            loop {
                match tokio::time::timeout(silence, pieces.next()).await {
                    Ok(Some(Ok(piece))) => yield piece,
                    Ok(None) => return,
                    Ok(Some(Err(error))) => Err(match broken(&error) {
                        Error::ConnectionLost(why) => sandbox.lost(why).await,
                        error => error,
                    })?,
                    Err(_) => Err(Error::TimedOut("nothing more comes of the file".into()))?,
                }
            }
        };
        Ok((length, pieces.boxed()))
    }

    /// How long sending so many bytes may take.
    fn patience(&self, bytes: usize) -> Duration {
        let seconds = u64::try_from(bytes / SLOWEST).unwrap_or(u64::MAX);
        self.sandbox.client.config().request_timeout + Duration::from_secs(seconds)
    }

    /// Writes a file, its folders made where they are missing.
    ///
    /// # Errors
    /// [`Error::NoSpace`]; [`Error::InvalidArgument`] of a folder.
    pub async fn write(&self, path: &str, bytes: impl Into<Bytes>) -> Result<WrittenFile, Error> {
        let written = self
            .write_many(vec![(path.to_owned(), bytes.into())])
            .await?;
        written
            .into_iter()
            .next()
            .ok_or_else(|| Error::Protocol("no file was written".into()))
    }

    /// Writes many files in one request, or a few where they are large.
    ///
    /// # Errors
    /// As [`Self::write`]; files before the one that failed are written.
    pub async fn write_many(&self, files: Vec<(String, Bytes)>) -> Result<Vec<WrittenFile>, Error> {
        let mut written = Vec::with_capacity(files.len());
        let mut batch: Vec<(String, Bytes)> = Vec::new();
        let mut size = 0;
        for file in files {
            // A part's name cannot hold these, whatever the escape: such a file goes by itself.
            if file.0.contains(['"', '\\', '\r', '\n', '%']) {
                written.push(self.write_raw(&file.0, file.1).await?);
                continue;
            }
            if !batch.is_empty() && size + file.1.len() > BATCH {
                written.extend(self.write_batch(std::mem::take(&mut batch)).await?);
                size = 0;
            }
            size += file.1.len();
            batch.push(file);
        }
        if !batch.is_empty() {
            written.extend(self.write_batch(batch).await?);
        }
        Ok(written)
    }

    async fn write_raw(&self, path: &str, bytes: Bytes) -> Result<WrittenFile, Error> {
        let query = self.query(Some(path));
        let request = || {
            Ok(self
                .sandbox
                .request(Method::POST, "/files")
                .header("Content-Type", "application/octet-stream")
                .timeout(self.patience(bytes.len()))
                .query(&query)
                .body(bytes.clone()))
        };
        let response = self.sandbox.send_whole(Again::Safe, request).await?;
        let written: Vec<WrittenFile> = crate::client::read(response).await?;
        written
            .into_iter()
            .next()
            .ok_or_else(|| Error::Protocol("no file was written".into()))
    }

    async fn write_batch(&self, files: Vec<(String, Bytes)>) -> Result<Vec<WrittenFile>, Error> {
        let query = self.query(None);
        let patience = self.patience(files.iter().map(|(_, bytes)| bytes.len()).sum());
        let request = || {
            let mut form = Form::new().percent_encode_noop();
            for (path, bytes) in &files {
                let length = bytes.len() as u64;
                let part = Part::stream_with_length(Body::from(bytes.clone()), length);
                form = form.part("file", part.file_name(path.clone()));
            }
            Ok(self
                .sandbox
                .request(Method::POST, "/files")
                .timeout(patience)
                .query(&query)
                .multipart(form))
        };
        // Writing the same once more changes nothing.
        crate::client::read(self.sandbox.send_whole(Again::Safe, request).await?).await
    }

    async fn entry(&self, method: &str, query: serde_json::Value) -> Result<EntryInfo, Error> {
        let answer: EntryAnswer =
            unary(&self.sandbox, Again::Safe, method, self.user(), &query).await?;
        Ok(answer.entry)
    }

    /// What is known of a file, folder or link.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn stat(&self, path: &str) -> Result<EntryInfo, Error> {
        self.entry("/filesystem.Filesystem/Stat", json!({"path": path}))
            .await
    }

    /// Whether there is something.
    ///
    /// # Errors
    /// Where the sandbox cannot be asked.
    pub async fn exists(&self, path: &str) -> Result<bool, Error> {
        match self.stat(path).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound {
                what: Missing::File,
                ..
            }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What is in a folder, `depth` levels deep; 1 is the folder alone.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InvalidArgument`] of what is no folder.
    pub async fn list(&self, path: &str, depth: u32) -> Result<Vec<EntryInfo>, Error> {
        let query = json!({"path": path, "depth": depth});
        let method = "/filesystem.Filesystem/ListDir";
        let answer: ListAnswer =
            unary(&self.sandbox, Again::Safe, method, self.user(), &query).await?;
        Ok(answer.entries)
    }

    /// Makes a folder, and those above it. False where it was there.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] where there is something else.
    pub async fn make_dir(&self, path: &str) -> Result<bool, Error> {
        let made = self
            .entry("/filesystem.Filesystem/MakeDir", json!({"path": path}))
            .await;
        match made {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Moves a file or folder.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn rename(&self, from: &str, to: &str) -> Result<EntryInfo, Error> {
        let query = json!({"source": from, "destination": to});
        let method = "/filesystem.Filesystem/Move";
        let answer: EntryAnswer =
            unary(&self.sandbox, Again::Unsent, method, self.user(), &query).await?;
        Ok(answer.entry)
    }

    /// Removes a file, or a folder and what is in it; removing nothing succeeds.
    ///
    /// # Errors
    /// Where the sandbox cannot be asked.
    pub async fn remove(&self, path: &str) -> Result<(), Error> {
        let method = "/filesystem.Filesystem/Remove";
        let query = json!({"path": path});
        let _: serde_json::Value =
            unary(&self.sandbox, Again::Safe, method, self.user(), &query).await?;
        Ok(())
    }

    /// Watches a folder from now on.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InvalidArgument`] of what is no folder.
    pub async fn watch(&self, path: &str, recursive: bool) -> Result<Watch, Error> {
        watch::begin(&self.sandbox, self.user(), path, recursive).await
    }
}
