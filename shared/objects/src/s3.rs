//! S3 and what speaks its protocol (R2, MinIO, s3s). Keys are `kind/tenant/name` in the bucket, so that rules of the bucket's
//! lifecycle can name a kind.

use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    config::{
        retry::{RetryConfig, RetryPartition, TokenBucket},
        timeout::TimeoutConfig,
    },
    error::{ProvideErrorMetadata, SdkError},
    operation::get_object::GetObjectError,
    presigning::{PresignedRequest, PresigningConfig},
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use bytes::{Bytes, BytesMut};
use data_encoding::{BASE64, HEXLOWER};
use futures_util::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use koda_domain::objects::{
    DownloadTerms, ObjectBody, ObjectError, ObjectKey, ObjectMeta, ObjectStore, SignedUrl,
    UploadTerms,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::{ops::Range, time::Duration};
use tokio_util::io::ReaderStream;

/// Bytes of one part of an upload of unknown length. S3 takes 10,000 parts of at least 5 MiB.
const PART: usize = 8 << 20;
/// Parts that are on their way at once.
const AT_ONCE: usize = 3;
/// What RFC 5987 lets stand in a file name as it is.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

/// Objects in one bucket.
pub struct S3Objects {
    client: Client,
    bucket: String,
}

/// A client that tries again what may pass. `path_style` puts the bucket into the path instead of the host, as most servers
/// other than AWS want it.
#[must_use]
pub fn connect(config: &aws_config::SdkConfig, path_style: bool) -> Client {
    let config = aws_sdk_s3::config::Builder::from(config)
        .force_path_style(path_style)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(6)
                .with_initial_backoff(Duration::from_millis(100))
                .with_max_backoff(Duration::from_secs(3)),
        )
        // A budget of the client's own for further tries, which fills up again as calls succeed.
        .retry_partition(
            RetryPartition::custom("koda")
                .token_bucket(TokenBucket::default())
                .build(),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(3))
                .read_timeout(Duration::from_secs(20))
                .build(),
        )
        // Checksums of AWS's own kind are not understood everywhere.
        .request_checksum_calculation(aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(aws_sdk_s3::config::ResponseChecksumValidation::WhenRequired)
        .build();
    Client::from_conf(config)
}

fn failed<E>(error: &SdkError<E>) -> ObjectError
where
    SdkError<E>: ProvideErrorMetadata,
{
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16());
    let why = match (error, error.code(), status) {
        (_, Some("NoSuchKey" | "NotFound"), _) | (_, None, Some(404)) => {
            return ObjectError::NotFound;
        }
        (_, Some("InvalidRange"), _) | (_, _, Some(416)) => return ObjectError::BadRange,
        (_, Some(code), _) => code.to_owned(),
        (SdkError::TimeoutError(_), ..) => "no answer in time".into(),
        (SdkError::DispatchFailure(_), ..) => "no connection".into(),
        _ => "no usable answer".into(),
    };
    ObjectError::Unavailable(format!("S3: {why}"))
}

fn size(length: Option<i64>) -> u64 {
    length
        .and_then(|n| u64::try_from(n).ok())
        .unwrap_or_default()
}

/// `bytes 3-9/10` as 3..10 of 10.
fn place(content_range: &str) -> Option<(Range<u64>, u64)> {
    let (range, whole) = content_range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((
        first.parse().ok()?..last.parse::<u64>().ok()? + 1,
        whole.parse().ok()?,
    ))
}

fn signed(request: &PresignedRequest) -> SignedUrl {
    // A browser sets these itself, to what was signed or to what the signature forbids.
    let own = |name: &str| ["host", "content-length"].contains(&name);
    SignedUrl {
        url: request.uri().to_owned(),
        headers: request
            .headers()
            .filter(|(name, _)| !own(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    }
}

fn presigning(expires_in: Duration) -> Result<PresigningConfig, ObjectError> {
    PresigningConfig::expires_in(expires_in)
        .map_err(|error| ObjectError::Unavailable(error.to_string()))
}

impl S3Objects {
    /// Objects in a bucket that is there.
    #[must_use]
    pub fn new(client: Client, bucket: &str) -> Self {
        Self {
            client,
            bucket: bucket.to_owned(),
        }
    }

    fn key(key: &ObjectKey) -> String {
        let mut parts = key.as_str().splitn(3, '/');
        let (tenant, kind, name) = (parts.next(), parts.next(), parts.next());
        let part = |part: Option<&str>| part.unwrap_or_default().to_owned();
        format!("{}/{}/{}", part(kind), part(tenant), part(name))
    }

    async fn put_parts(
        &self,
        key: &str,
        upload: &str,
        parts: BoxStream<'_, Result<Bytes, ObjectError>>,
    ) -> Result<(u64, Vec<CompletedPart>), ObjectError> {
        let sent = parts.enumerate().map(|(place, bytes)| async move {
            let (bytes, number) = (bytes?, i32::try_from(place + 1).unwrap_or(i32::MAX));
            let length = bytes.len() as u64;
            let request = self.client.upload_part().bucket(&self.bucket).key(key);
            let sent = request
                .upload_id(upload)
                .part_number(number)
                .body(ByteStream::from(bytes))
                .send()
                .await
                .map_err(|e| failed(&e))?;
            let part = CompletedPart::builder()
                .part_number(number)
                .set_e_tag(sent.e_tag)
                .build();
            Ok::<_, ObjectError>((length, part))
        });
        let sent: Vec<_> = sent.buffered(AT_ONCE).try_collect().await?;
        let whole = sent.iter().map(|(length, _)| length).sum();
        Ok((whole, sent.into_iter().map(|(_, part)| part).collect()))
    }
}

/// An upload in parts, which takes room in the bucket until it is whole or aborted. Who puts a stream may leave that, and then it
/// is aborted all the same.
struct Unfinished {
    client: Client,
    bucket: String,
    key: String,
    upload: String,
    over: bool,
}

/// The lifecycle of the bucket removes what this does not.
fn abort(unfinished: &Unfinished) -> impl Future<Output = ()> + use<> {
    let abort = unfinished.client.abort_multipart_upload();
    let abort = abort.bucket(&unfinished.bucket).key(&unfinished.key);
    let abort = abort.upload_id(&unfinished.upload);
    async move {
        let _ = abort.send().await;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.over
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(abort(self));
        }
    }
}

/// Pieces of any size as parts of [`PART`] bytes; the last may be smaller.
fn in_parts(
    mut pieces: BoxStream<'static, Result<Bytes, ObjectError>>,
) -> BoxStream<'static, Result<Bytes, ObjectError>> {
    async_stream::try_stream! {
        let mut part = BytesMut::with_capacity(PART);
        while let Some(piece) = pieces.next().await {
            let mut piece = piece?;
            while part.len() + piece.len() >= PART {
                part.extend_from_slice(&piece.split_to(PART - part.len()));
                yield part.split().freeze();
            }
            part.extend_from_slice(&piece);
        }
        if !part.is_empty() {
            yield part.freeze();
        }
    }
    .boxed()
}

#[async_trait]
impl ObjectStore for S3Objects {
    async fn put(
        &self,
        key: &ObjectKey,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<(), ObjectError> {
        let request = self.client.put_object().bucket(&self.bucket);
        request
            .key(Self::key(key))
            .content_type(media_type)
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map(drop)
            .map_err(|e| failed(&e))
    }

    async fn put_stream(
        &self,
        key: &ObjectKey,
        media_type: &str,
        stream: BoxStream<'static, Result<Bytes, ObjectError>>,
    ) -> Result<ObjectMeta, ObjectError> {
        let mut parts = in_parts(stream);
        let first = parts.next().await.transpose()?.unwrap_or_default();
        let media_type = media_type.to_owned();
        if first.len() < PART {
            let size = first.len() as u64;
            self.put(key, &media_type, first).await?;
            return Ok(ObjectMeta { size, media_type });
        }
        let key = Self::key(key);
        let begun = self.client.create_multipart_upload().bucket(&self.bucket);
        let begun = begun.key(&key).content_type(&media_type).send().await;
        let upload = begun.map_err(|e| failed(&e))?.upload_id.unwrap_or_default();
        let mut unfinished = Unfinished {
            client: self.client.clone(),
            bucket: self.bucket.clone(),
            key,
            upload,
            over: false,
        };
        let parts = stream::once(async { Ok(first) }).chain(parts).boxed();
        let done = async {
            let (key, upload) = (&unfinished.key, &unfinished.upload);
            let (size, parts) = self.put_parts(key, upload, parts).await?;
            let whole = CompletedMultipartUpload::builder()
                .set_parts(Some(parts))
                .build();
            let request = self.client.complete_multipart_upload().bucket(&self.bucket);
            let request = request.key(key).upload_id(upload).multipart_upload(whole);
            request.send().await.map_err(|e| failed(&e))?;
            Ok(size)
        };
        let done = done.await;
        unfinished.over = true;
        if done.is_err() {
            abort(&unfinished).await;
        }
        done.map(|size| ObjectMeta { size, media_type })
    }

    async fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
    ) -> Result<ObjectBody, ObjectError> {
        if range.as_ref().is_some_and(Range::is_empty) {
            return Err(ObjectError::BadRange);
        }
        let wanted = range.map(|range| match range.end {
            u64::MAX => format!("bytes={}-", range.start),
            end => format!("bytes={}-{}", range.start, end - 1),
        });
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(Self::key(key));
        let got = match request.set_range(wanted).send().await {
            Ok(got) => got,
            Err(error)
                if matches!(error.as_service_error(), Some(GetObjectError::NoSuchKey(_))) =>
            {
                return Err(ObjectError::NotFound);
            }
            Err(error) => return Err(failed(&error)),
        };
        let length = size(got.content_length);
        let (range, whole) = got
            .content_range
            .as_deref()
            .and_then(place)
            .unwrap_or((0..length, length));
        let stream = ReaderStream::new(got.body.into_async_read());
        Ok(ObjectBody {
            meta: ObjectMeta {
                size: whole,
                media_type: got.content_type.unwrap_or_default(),
            },
            range,
            stream: stream
                .map_err(|error| ObjectError::Unavailable(format!("S3: {error}")))
                .boxed(),
        })
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectMeta>, ObjectError> {
        let request = self.client.head_object().bucket(&self.bucket);
        match request.key(Self::key(key)).send().await {
            Ok(head) => Ok(Some(ObjectMeta {
                size: size(head.content_length),
                media_type: head.content_type.unwrap_or_default(),
            })),
            Err(error) => match failed(&error) {
                ObjectError::NotFound => Ok(None),
                error => Err(error),
            },
        }
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), ObjectError> {
        let request = self.client.delete_object().bucket(&self.bucket);
        match request.key(Self::key(key)).send().await {
            Ok(_) => Ok(()),
            Err(error) => match failed(&error) {
                ObjectError::NotFound => Ok(()),
                error => Err(error),
            },
        }
    }

    async fn presign_put(
        &self,
        key: &ObjectKey,
        terms: &UploadTerms,
    ) -> Result<SignedUrl, ObjectError> {
        let checksum = terms.sha256.as_ref().map(|sha256| {
            let bytes = HEXLOWER.decode(sha256.to_string().as_bytes());
            BASE64.encode(&bytes.unwrap_or_default())
        });
        let request = self.client.put_object().bucket(&self.bucket);
        let request = request
            .key(Self::key(key))
            .content_type(&terms.media_type)
            .content_length(i64::try_from(terms.size).unwrap_or(i64::MAX))
            .set_checksum_sha256(checksum)
            .presigned(presigning(terms.expires_in)?)
            .await
            .map_err(|e| failed(&e))?;
        Ok(signed(&request))
    }

    async fn presign_get(
        &self,
        key: &ObjectKey,
        terms: &DownloadTerms,
    ) -> Result<SignedUrl, ObjectError> {
        // RFC 6266: a name in UTF-8, percent-encoded.
        let disposition = terms.attachment.as_ref().map(|name| {
            let name = utf8_percent_encode(name, NAME);
            format!("attachment; filename*=UTF-8''{name}")
        });
        let request = self.client.get_object().bucket(&self.bucket);
        let request = request
            .key(Self::key(key))
            .set_response_content_disposition(disposition)
            .presigned(presigning(terms.expires_in)?)
            .await
            .map_err(|e| failed(&e))?;
        Ok(signed(&request))
    }

    async fn ready(&self) -> Result<(), ObjectError> {
        let request = self.client.head_bucket().bucket(&self.bucket);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(match failed(&error) {
                ObjectError::NotFound => {
                    ObjectError::Unavailable(format!("there is no bucket {}", self.bucket))
                }
                error => error,
            }),
        }
    }
}
