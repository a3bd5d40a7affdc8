//! The seam to object storage.

use crate::{BlobId, TenantId};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use std::{fmt, ops::Range, time::Duration};

/// Names an object. Made by us, never by a client: `tenant/kind/name`, each of `[a-z0-9._-]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Content-addressed bytes of a workspace or an asset.
    #[must_use]
    pub fn blob(tenant: &TenantId, blob: &BlobId) -> Self {
        Self(format!("{tenant}/blobs/{blob}"))
    }

    /// Bytes that a client uploads before they are checked.
    #[must_use]
    pub fn upload(tenant: &TenantId, asset: crate::AssetId) -> Self {
        Self(format!("{tenant}/uploads/{asset}"))
    }

    /// A file that a render made.
    #[must_use]
    pub fn render(tenant: &TenantId, render: crate::RenderId, name: &str) -> Self {
        Self(format!("{tenant}/renders/{render}.{name}"))
    }

    /// A part of a session store's record that the store itself cannot hold.
    #[must_use]
    pub fn record(tenant: &TenantId, name: &str) -> Self {
        Self(format!("{tenant}/records/{}", name.to_ascii_lowercase()))
    }

    /// Reads a key that [`fmt::Display`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<_> = text.split('/').collect();
        let plain = |part: &&str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.len() <= 120
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
        };
        (parts.len() == 3 && parts.iter().all(plain)).then(|| Self(text.to_owned()))
    }

    /// `tenant/kind/name`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is known about an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Bytes.
    pub size: u64,
    /// Media type that it was stored with.
    pub media_type: String,
}

/// An object being read.
pub struct ObjectBody {
    /// Of the whole object.
    pub meta: ObjectMeta,
    /// What `stream` holds.
    pub range: Range<u64>,
    /// The bytes.
    pub stream: BoxStream<'static, Result<Bytes, ObjectError>>,
}

impl fmt::Debug for ObjectBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectBody")
            .field("meta", &self.meta)
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

/// What an upload must be. Signed, so that nothing else is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadTerms {
    /// Exact bytes.
    pub size: u64,
    /// Exact media type.
    pub media_type: String,
    /// SHA-256, hex, where the client knows it beforehand.
    pub sha256: Option<BlobId>,
    /// How long the URL works.
    pub expires_in: Duration,
}

/// How a download is presented to a browser.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DownloadTerms {
    /// How long the URL works.
    pub expires_in: Duration,
    /// Save under this name instead of showing.
    pub attachment: Option<String>,
}

/// A URL that carries its own permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedUrl {
    /// Absolute, or beginning with `/` where this server itself answers it.
    pub url: String,
    /// Headers that must be sent with it.
    pub headers: Vec<(String, String)>,
}

/// Why object storage failed.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// No such object.
    #[error("no such object")]
    NotFound,
    /// What was sent differs from what was announced.
    #[error("the content does not match: {0}")]
    Mismatch(String),
    /// The range lies outside of the object.
    #[error("the range lies outside of the object")]
    BadRange,
    /// Storage is full.
    #[error("storage is full")]
    Full,
    /// A signature that is wrong, or whose time is over.
    #[error("the link is not valid or has expired")]
    BadSignature,
    /// Storage cannot be reached; may pass.
    #[error("storage is unavailable: {0}")]
    Unavailable(String),
}

/// A place for bytes: S3-compatible, or a folder.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// Stores bytes under a key, replacing what was there.
    async fn put(&self, key: &ObjectKey, media_type: &str, bytes: Bytes)
    -> Result<(), ObjectError>;

    /// Stores a stream of unknown length without holding it in memory. Nothing is visible until it is whole.
    async fn put_stream(
        &self,
        key: &ObjectKey,
        media_type: &str,
        stream: BoxStream<'static, Result<Bytes, ObjectError>>,
    ) -> Result<ObjectMeta, ObjectError>;

    /// Reads an object, or a part: `range` is half-open and is cut at the object's end.
    async fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
    ) -> Result<ObjectBody, ObjectError>;

    /// What is known about an object; `None` where there is none.
    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectMeta>, ObjectError>;

    /// Removes an object; removing nothing succeeds.
    async fn delete(&self, key: &ObjectKey) -> Result<(), ObjectError>;

    /// A URL with which a client may put exactly what the terms say.
    async fn presign_put(
        &self,
        key: &ObjectKey,
        terms: &UploadTerms,
    ) -> Result<SignedUrl, ObjectError>;

    /// A URL with which a client may get the object, in ranges too.
    async fn presign_get(
        &self,
        key: &ObjectKey,
        terms: &DownloadTerms,
    ) -> Result<SignedUrl, ObjectError>;

    /// Whether storage answers.
    async fn ready(&self) -> Result<(), ObjectError>;
}

/// What answers signed URLs that begin with `/objects/`: storage that is part of this server.
#[async_trait]
pub trait SignedObjectGateway: Send + Sync {
    /// Stores a body under the terms that the URL's query carries. Nothing is stored where it breaks one.
    ///
    /// # Errors
    /// [`ObjectError::BadSignature`] for a query that is forged or expired, [`ObjectError::Mismatch`] for a body that is
    /// not what was announced.
    async fn put(
        &self,
        key: &str,
        query: &str,
        media_type: Option<&str>,
        body: BoxStream<'static, Result<Bytes, ObjectError>>,
    ) -> Result<(), ObjectError>;

    /// Reads an object, or a part, under the terms that the URL's query carries.
    ///
    /// # Errors
    /// [`ObjectError::BadSignature`] for a query that is forged or expired, or as [`ObjectStore::get`].
    async fn get(
        &self,
        key: &str,
        query: &str,
        range: Option<Range<u64>>,
    ) -> Result<(ObjectBody, DownloadTerms), ObjectError>;
}

/// Reads a whole object of at most `max` bytes.
///
/// # Errors
/// As [`ObjectStore::get`]; [`ObjectError::Mismatch`] where it is larger.
pub async fn read_all(
    store: &dyn ObjectStore,
    key: &ObjectKey,
    max: u64,
) -> Result<Bytes, ObjectError> {
    use futures_util::TryStreamExt;
    let body = store.get(key, None).await?;
    if body.meta.size > max {
        return Err(ObjectError::Mismatch(format!(
            "{} bytes, at most {max} allowed",
            body.meta.size
        )));
    }
    let chunks: Vec<Bytes> = body.stream.try_collect().await?;
    Ok(chunks.concat().into())
}
