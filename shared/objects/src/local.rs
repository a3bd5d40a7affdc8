//! A folder as an object store: `root/tenant/kind/name`, with the media type in a file beside it.

use crate::sign::Signer;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use koda_domain::{
    Clock,
    objects::{
        DownloadTerms, ObjectBody, ObjectError, ObjectKey, ObjectMeta, ObjectStore,
        SignedObjectGateway, SignedUrl, UploadTerms,
    },
};
use sha2::{Digest, Sha256};
use std::{io, ops::Range, path::PathBuf, sync::Arc, time::Duration};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;

/// How old an unfinished file is when nobody can be writing it any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Objects in a folder of this machine.
pub struct LocalObjects {
    root: PathBuf,
    signer: Signer,
    clock: Arc<dyn Clock>,
}

impl LocalObjects {
    /// Opens a folder, making it if it is not there, and clears what crashes left unfinished in it.
    ///
    /// # Errors
    /// Where the folder cannot be made or written.
    pub fn new(root: PathBuf, secret: &[u8], clock: Arc<dyn Clock>) -> Result<Self, ObjectError> {
        let unfinished = root.join(".unfinished");
        std::fs::create_dir_all(&unfinished).map_err(failed)?;
        for entry in std::fs::read_dir(&unfinished).map_err(failed)?.flatten() {
            let age = entry
                .metadata()
                .and_then(|m| m.modified())
                .ok()
                .and_then(|m| m.elapsed().ok());
            if age.is_some_and(|age| age > ABANDONED) {
                // Gone already is as good.
                let _ = std::fs::remove_file(entry.path());
            }
        }
        Ok(Self {
            root,
            signer: Signer::new(secret),
            clock,
        })
    }

    fn path(&self, key: &ObjectKey) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// Where the media type is. No key has a component that begins with a dot.
    fn type_path(&self, key: &ObjectKey) -> PathBuf {
        let path = self.path(key);
        let name = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        path.with_file_name(format!(".{name}.type"))
    }

    async fn meta(&self, key: &ObjectKey) -> Result<ObjectMeta, ObjectError> {
        let size = tokio::fs::metadata(self.path(key))
            .await
            .map_err(failed)?
            .len();
        let media_type = tokio::fs::read_to_string(self.type_path(key))
            .await
            .map_err(failed)?;
        Ok(ObjectMeta { size, media_type })
    }

    /// Receives a stream into a file that nobody sees, checks it, and gives it its name.
    async fn receive(
        &self,
        key: &ObjectKey,
        media_type: &str,
        mut stream: BoxStream<'static, Result<Bytes, ObjectError>>,
        terms: Option<&UploadTerms>,
    ) -> Result<ObjectMeta, ObjectError> {
        let unfinished = self.root.join(".unfinished");
        let (file, temporary) = NamedTempFile::new_in(unfinished)
            .map_err(failed)?
            .into_parts();
        let mut file = tokio::fs::File::from_std(file);
        let (mut size, mut hash) = (0_u64, Sha256::new());
        while let Some(chunk) = stream.next().await {
            let chunk = chunk?;
            size += chunk.len() as u64;
            if let Some(terms) = terms
                && size > terms.size
            {
                return Err(ObjectError::Mismatch(format!(
                    "more than the announced {} bytes",
                    terms.size
                )));
            }
            if terms.is_some_and(|t| t.sha256.is_some()) {
                hash.update(&chunk);
            }
            file.write_all(&chunk).await.map_err(failed)?;
        }
        if let Some(terms) = terms {
            if size != terms.size {
                return Err(ObjectError::Mismatch(format!(
                    "{size} bytes instead of the announced {}",
                    terms.size
                )));
            }
            let got = data_encoding::HEXLOWER.encode(&hash.finalize());
            if terms
                .sha256
                .as_ref()
                .is_some_and(|want| want.as_str() != got)
            {
                return Err(ObjectError::Mismatch(
                    "another SHA-256 than announced".into(),
                ));
            }
        }
        file.flush().await.map_err(failed)?;
        file.sync_all().await.map_err(failed)?;
        let (path, type_path) = (self.path(key), self.type_path(key));
        let kind = media_type.to_owned();
        // Name and type appear before the content does: an object without a type is never seen.
        tokio::task::spawn_blocking(move || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(type_path, kind)?;
            temporary.persist(path).map_err(|error| error.error)
        })
        .await
        .map_err(|error| ObjectError::Unavailable(error.to_string()))?
        .map_err(failed)?;
        Ok(ObjectMeta {
            size,
            media_type: media_type.to_owned(),
        })
    }
}

fn failed(error: io::Error) -> ObjectError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ObjectError::NotFound,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ObjectError::Full,
        _ => ObjectError::Unavailable(error.to_string()),
    }
}

#[async_trait]
impl ObjectStore for LocalObjects {
    async fn put(
        &self,
        key: &ObjectKey,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<(), ObjectError> {
        let stream = futures_util::stream::once(async { Ok(bytes) }).boxed();
        self.receive(key, media_type, stream, None)
            .await
            .map(|_| ())
    }

    async fn put_stream(
        &self,
        key: &ObjectKey,
        media_type: &str,
        stream: BoxStream<'static, Result<Bytes, ObjectError>>,
    ) -> Result<ObjectMeta, ObjectError> {
        self.receive(key, media_type, stream, None).await
    }

    async fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
    ) -> Result<ObjectBody, ObjectError> {
        let meta = self.meta(key).await?;
        let range = match range {
            None => 0..meta.size,
            Some(range) if range.start < range.end && range.start < meta.size => {
                range.start..range.end.min(meta.size)
            }
            Some(_) => return Err(ObjectError::BadRange),
        };
        let mut file = tokio::fs::File::open(self.path(key))
            .await
            .map_err(failed)?;
        file.seek(io::SeekFrom::Start(range.start))
            .await
            .map_err(failed)?;
        let part = file.take(range.end - range.start);
        let stream = ReaderStream::with_capacity(part, 64 * 1024)
            .map(|chunk| chunk.map_err(failed))
            .boxed();
        Ok(ObjectBody {
            meta,
            range,
            stream,
        })
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectMeta>, ObjectError> {
        match self.meta(key).await {
            Ok(meta) => Ok(Some(meta)),
            Err(ObjectError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), ObjectError> {
        for path in [self.path(key), self.type_path(key)] {
            match tokio::fs::remove_file(path).await.map_err(failed) {
                Ok(()) | Err(ObjectError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn presign_put(
        &self,
        key: &ObjectKey,
        terms: &UploadTerms,
    ) -> Result<SignedUrl, ObjectError> {
        let url = self.signer.put_url(key, terms, self.clock.now());
        Ok(SignedUrl {
            url,
            headers: vec![("content-type".into(), terms.media_type.clone())],
        })
    }

    async fn presign_get(
        &self,
        key: &ObjectKey,
        terms: &DownloadTerms,
    ) -> Result<SignedUrl, ObjectError> {
        let url = self.signer.get_url(key, terms, self.clock.now());
        Ok(SignedUrl {
            url,
            headers: Vec::new(),
        })
    }

    async fn ready(&self) -> Result<(), ObjectError> {
        let unfinished = self.root.join(".unfinished");
        tokio::task::spawn_blocking(move || NamedTempFile::new_in(unfinished).map(|_| ()))
            .await
            .map_err(|error| ObjectError::Unavailable(error.to_string()))?
            .map_err(failed)
    }
}

#[async_trait]
impl SignedObjectGateway for LocalObjects {
    async fn put(
        &self,
        key: &str,
        query: &str,
        media_type: Option<&str>,
        body: BoxStream<'static, Result<Bytes, ObjectError>>,
    ) -> Result<(), ObjectError> {
        let (key, terms) = self.signer.verify_put(key, query, self.clock.now())?;
        if media_type != Some(terms.media_type.as_str()) {
            return Err(ObjectError::Mismatch(format!(
                "the content type must be {}",
                terms.media_type
            )));
        }
        self.receive(&key, &terms.media_type, body, Some(&terms))
            .await
            .map(|_| ())
    }

    async fn get(
        &self,
        key: &str,
        query: &str,
        range: Option<Range<u64>>,
    ) -> Result<(ObjectBody, DownloadTerms), ObjectError> {
        let (key, terms) = self.signer.verify_get(key, query, self.clock.now())?;
        Ok((ObjectStore::get(self, &key, range).await?, terms))
    }
}
