//! S3, held to what every object store does, by a server that checks signatures.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedAsyncSleep, SharedCredentialsProvider};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, body::Incoming};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use koda_domain::{
    AssetId, TenantId,
    objects::{ObjectError, ObjectKey, ObjectStore, SignedUrl, UploadTerms},
};
use koda_objects::{S3Objects, s3};
use koda_testkit::{
    aws::{BUCKET, KEYS, emulators},
    conformance::object_store::{Bench, SignedClient},
    faults::{Fault, proxy, watched},
};
use std::{sync::Arc, time::Duration};
use ulid::Ulid;

/// A browser, which knows a URL and nothing else.
struct Browser;

async fn send(
    method: Method,
    url: &SignedUrl,
    media_type: Option<&str>,
    body: Bytes,
) -> Response<Incoming> {
    let mut request = Request::builder().method(method).uri(&url.url);
    for (name, value) in &url.headers {
        if media_type.is_none() || name != "content-type" {
            request = request.header(name, value);
        }
    }
    if let Some(media_type) = media_type {
        request = request.header("content-type", media_type);
    }
    let request = request.body(Full::new(body)).unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    client.request(request).await.unwrap()
}

#[async_trait]
impl SignedClient for Browser {
    async fn put(&self, url: &SignedUrl, media_type: &str, body: Bytes) -> bool {
        let answer = send(Method::PUT, url, Some(media_type), body).await;
        answer.status().is_success()
    }

    async fn get(&self, url: &SignedUrl) -> Option<(Bytes, String)> {
        let answer = send(Method::GET, url, None, Bytes::new()).await;
        if !answer.status().is_success() {
            return None;
        }
        let kind = answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        Some((answer.into_body().collect().await.unwrap().to_bytes(), kind))
    }

    async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

fn store_at(url: &str) -> Arc<S3Objects> {
    Arc::new(bucket_at(url, BUCKET))
}

fn bucket_at(url: &str, bucket: &str) -> S3Objects {
    let keys = Credentials::new(KEYS.0, KEYS.1, None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .sleep_impl(SharedAsyncSleep::new(
            aws_smithy_async::rt::sleep::TokioSleep::new(),
        ))
        .endpoint_url(url)
        .build();
    S3Objects::new(s3::connect(&config, true), bucket)
}

/// Every object store.
mod emulated {
    use super::*;

    async fn bench() -> Bench {
        let store = store_at(&emulators().s3);
        let client = Arc::new(Browser);
        Bench { store, client }
    }

    koda_testkit::object_store_conformance!(bench);
}

/// The same by a server that is slow, fails, and loses connections and answers.
mod faulty {
    use super::*;

    const SLOW_DOWN: &str =
        "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>";
    const FAILED: &str = "<Error><Code>InternalError</Code><Message>We failed.</Message></Error>";

    fn plan(number: usize) -> Fault {
        match number % 11 {
            2 => Fault::Answer(503, SLOW_DOWN),
            4 => Fault::LostAnswer,
            6 => Fault::Answer(500, FAILED),
            8 => Fault::Reset,
            _ => Fault::None,
        }
    }

    #[tokio::test]
    async fn nothing_is_lost_or_cut() {
        let store = store_at(&proxy(&emulators().s3, plan).await);
        let direct = store_at(&emulators().s3);
        for round in 0..12_u8 {
            let key = ObjectKey::upload(&TenantId::single(), AssetId::new(Ulid::generate()));
            let bytes = Bytes::from(vec![round; 200_000]);
            store.put(&key, "image/png", bytes.clone()).await.unwrap();
            assert_eq!(store.head(&key).await.unwrap().unwrap().size, 200_000);
            for store in [&store, &direct] {
                let read = koda_domain::objects::read_all(&**store, &key, 1 << 20).await;
                assert_eq!(read.unwrap(), bytes);
            }
            store.delete(&key).await.unwrap();
            assert_eq!(direct.head(&key).await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn a_long_video_arrives_whole_in_spite_of_it() {
        let (store, key) = (store_at(&proxy(&emulators().s3, plan).await), key());
        let meta = store.put_stream(&key, "video/mp4", pieces(20, false)).await;
        assert_eq!(meta.unwrap().size, 20_000_000);
        let body = store.get(&key, Some(8_388_606..8_388_610)).await.unwrap();
        let got: Vec<Bytes> = body.stream.try_collect().await.unwrap();
        assert_eq!(got.concat(), [8; 4]);
    }
}

fn key() -> ObjectKey {
    ObjectKey::upload(&TenantId::single(), AssetId::new(Ulid::generate()))
}

/// Pieces of 1 MB, each of one number, and an error after them.
fn pieces(count: u8, fails: bool) -> stream::BoxStream<'static, Result<Bytes, ObjectError>> {
    let whole = stream::iter((0..count).map(|n| Ok(Bytes::from(vec![n; 1_000_000]))));
    let end = fails.then(|| Err(ObjectError::Unavailable("cut".into())));
    whole.chain(stream::iter(end)).boxed()
}

#[tokio::test]
async fn a_long_video_goes_up_in_parts_and_is_read_in_ranges() {
    let (store, key) = (store_at(&emulators().s3), key());
    let meta = store.put_stream(&key, "video/mp4", pieces(37, false)).await;
    assert_eq!(meta.unwrap().size, 37_000_000);
    assert_eq!(
        store.head(&key).await.unwrap().unwrap().media_type,
        "video/mp4"
    );
    for at in [0, 8_388_607, 16_777_216, 36_999_999_u64] {
        let body = store.get(&key, Some(at..at + 1)).await.unwrap();
        let got: Vec<Bytes> = body.stream.try_collect().await.unwrap();
        assert_eq!(
            got.concat(),
            [u8::try_from(at / 1_000_000).unwrap()],
            "at {at}"
        );
    }
}

#[tokio::test]
async fn a_long_video_that_is_cut_off_leaves_nothing() {
    let (url, seen) = watched(&emulators().s3, |_| Fault::None).await;
    let (store, key) = (store_at(&url), key());
    let cut = store.put_stream(&key, "video/mp4", pieces(30, true)).await;
    assert!(cut.is_err());
    assert_eq!(store.head(&key).await.unwrap(), None);
    // Parts of an upload that nobody ends are kept, and paid for, until it is said that nobody will.
    let asked = seen.lock().unwrap().clone();
    let parts = asked.iter().filter(|it| it.contains("partNumber=")).count();
    let given_up = |it: &&String| it.starts_with("DELETE ") && it.contains("uploadId=");
    assert!(parts > 1, "{asked:?}");
    assert_eq!(asked.iter().filter(given_up).count(), 1, "{asked:?}");
}

#[tokio::test]
async fn a_long_video_that_nobody_waits_for_any_more_leaves_nothing() {
    let (url, seen) = watched(&emulators().s3, |_| Fault::None).await;
    let (store, key) = (store_at(&url), key());
    let endless = pieces(30, false).chain(stream::pending()).boxed();
    let asks = |what: fn(&str) -> bool| seen.lock().unwrap().iter().any(|it| what(it));
    let begun = async {
        while !asks(|it| it.contains("partNumber=")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        put = store.put_stream(&key, "video/mp4", endless) => panic!("{put:?}"),
        () = begun => {}
    }
    let given_up = async {
        while !asks(|it| it.starts_with("DELETE ") && it.contains("uploadId=")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let given_up = tokio::time::timeout(Duration::from_secs(5), given_up).await;
    assert!(given_up.is_ok(), "{:?}", seen.lock().unwrap());
    assert_eq!(store.head(&key).await.unwrap(), None);
}

#[tokio::test]
async fn an_upload_whose_content_is_not_known_beforehand_has_its_length_and_type_signed() {
    let (store, key) = (store_at(&emulators().s3), key());
    let terms = UploadTerms {
        size: 3,
        media_type: "image/png".into(),
        sha256: None,
        expires_in: Duration::from_secs(60),
    };
    let url = store.presign_put(&key, &terms).await.unwrap();
    assert!(
        !Browser
            .put(&url, "image/png", Bytes::from_static(b"four"))
            .await
    );
    assert!(
        !Browser
            .put(&url, "image/gif", Bytes::from_static(b"abc"))
            .await
    );
    assert!(
        Browser
            .put(&url, "image/png", Bytes::from_static(b"abc"))
            .await
    );
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_named() {
    let there = store_at(&emulators().s3);
    there.ready().await.unwrap();
    let store = bucket_at(&emulators().s3, "nowhere");
    let refused = store.ready().await.unwrap_err().to_string();
    assert!(refused.contains("nowhere"), "{refused}");
}
