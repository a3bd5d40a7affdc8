//! What every object store does.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use koda_domain::{
    AssetId, BlobId, TenantId,
    objects::{
        DownloadTerms, ObjectError, ObjectKey, ObjectStore, SignedUrl, UploadTerms, read_all,
    },
};
use std::{sync::Arc, time::Duration};
use ulid::Ulid;

/// Uses signed URLs as a client without any other permission would.
#[async_trait]
pub trait SignedClient: Send + Sync {
    /// Puts a body; whether it was accepted.
    async fn put(&self, url: &SignedUrl, media_type: &str, body: Bytes) -> bool;
    /// Gets an object; its bytes and media type where it was given.
    async fn get(&self, url: &SignedUrl) -> Option<(Bytes, String)>;
    /// Lets this much time pass for whoever checks the URLs.
    async fn wait(&self, time: Duration);
}

/// A store under test, and a client of its URLs.
pub struct Bench {
    /// The store.
    pub store: Arc<dyn ObjectStore>,
    /// The client.
    pub client: Arc<dyn SignedClient>,
}

const MINUTE: Duration = Duration::from_secs(60);

fn key() -> ObjectKey {
    ObjectKey::upload(&TenantId::single(), AssetId::new(Ulid::generate()))
}

/// What is put is got, byte for byte, with its type, and can be replaced.
pub async fn what_is_put_is_got(bench: Bench) {
    let (store, key) = (bench.store, key());
    for bytes in [vec![], vec![0, 255, 10, 13], vec![7; 1 << 20]] {
        store
            .put(&key, "image/png", bytes.clone().into())
            .await
            .unwrap();
        let meta = store.head(&key).await.unwrap().unwrap();
        assert_eq!(
            (meta.size, meta.media_type.as_str()),
            (bytes.len() as u64, "image/png")
        );
        assert!(read_all(&*store, &key, 2 << 20).await.unwrap() == bytes);
    }
    assert!(matches!(
        read_all(&*store, &key, 10).await,
        Err(ObjectError::Mismatch(_))
    ));
}

/// What is not there is told apart; removing it succeeds.
pub async fn what_is_not_there_is_not_found(bench: Bench) {
    let (store, key) = (bench.store, key());
    assert_eq!(store.head(&key).await.unwrap(), None);
    assert!(matches!(
        store.get(&key, None).await,
        Err(ObjectError::NotFound)
    ));
    store
        .put(&key, "text/plain", Bytes::from_static(b"x"))
        .await
        .unwrap();
    store.delete(&key).await.unwrap();
    store.delete(&key).await.unwrap();
    assert_eq!(store.head(&key).await.unwrap(), None);
}

/// Ranges are half-open and end with the object.
pub async fn ranges_are_read(bench: Bench) {
    let (store, key) = (bench.store, key());
    store
        .put(&key, "text/plain", Bytes::from_static(b"0123456789"))
        .await
        .unwrap();
    for (range, want) in [
        (0..3, "012"),
        (7..10, "789"),
        (8..100, "89"),
        (0..u64::MAX, "0123456789"),
    ] {
        let body = store.get(&key, Some(range.clone())).await.unwrap();
        assert_eq!(body.meta.size, 10);
        let got: Vec<Bytes> = body.stream.try_collect().await.unwrap();
        assert_eq!(got.concat(), want.as_bytes(), "{range:?}");
    }
    #[expect(
        clippy::reversed_empty_ranges,
        reason = "what is asked may be nonsense"
    )]
    for bad in [10..11, 5..5, 6..2] {
        assert!(matches!(
            store.get(&key, Some(bad)).await,
            Err(ObjectError::BadRange)
        ));
    }
}

/// A stream becomes an object only when it is whole.
pub async fn a_stream_is_kept_whole_or_not_at_all(bench: Bench) {
    let (store, key) = (bench.store, key());
    let broken = stream::iter([
        Ok(Bytes::from(vec![1; 100_000])),
        Err(ObjectError::Unavailable("cut".into())),
    ]);
    assert!(
        store
            .put_stream(&key, "video/mp4", broken.boxed())
            .await
            .is_err()
    );
    assert_eq!(store.head(&key).await.unwrap(), None);
    let pieces = stream::iter((0..50_u8).map(|n| Ok(Bytes::from(vec![n; 10_000]))));
    let meta = store
        .put_stream(&key, "video/mp4", pieces.boxed())
        .await
        .unwrap();
    assert_eq!(meta.size, 500_000);
    let read = read_all(&*store, &key, 1 << 20).await.unwrap();
    assert!(read.len() == 500_000 && read[499_999] == 49);
}

fn terms(body: &[u8]) -> UploadTerms {
    UploadTerms {
        size: body.len() as u64,
        media_type: "image/png".into(),
        sha256: Some(BlobId::of(body)),
        expires_in: MINUTE,
    }
}

/// An upload is what its URL was signed for, or it is refused and nothing is kept.
pub async fn an_upload_is_what_was_signed(bench: Bench) {
    let key = key();
    let url = bench
        .store
        .presign_put(&key, &terms(b"picture"))
        .await
        .unwrap();
    for (kind, body) in [
        ("image/png", "pictur"),
        ("image/png", "pictures"),
        ("image/png", "PICTURE"),
        ("text/html", "picture"),
    ] {
        assert!(
            !bench.client.put(&url, kind, Bytes::from(body)).await,
            "{kind} {body:?} was accepted"
        );
        assert_eq!(bench.store.head(&key).await.unwrap(), None);
    }
    assert!(
        bench
            .client
            .put(&url, "image/png", Bytes::from_static(b"picture"))
            .await
    );
    let meta = bench.store.head(&key).await.unwrap().unwrap();
    assert_eq!((meta.size, meta.media_type.as_str()), (7, "image/png"));
}

fn tampered(url: &SignedUrl, from: &str, to: &str) -> SignedUrl {
    assert!(url.url.contains(from), "{} has no {from}", url.url);
    SignedUrl {
        url: url.url.replacen(from, to, 1),
        headers: url.headers.clone(),
    }
}

/// A URL gives its object, for its time, and nothing when it was changed.
pub async fn a_signed_url_cannot_be_changed(bench: Bench) {
    let (one, two) = (key(), key());
    for (key, text) in [(&one, "one"), (&two, "two")] {
        bench
            .store
            .put(key, "text/plain", Bytes::from(text))
            .await
            .unwrap();
    }
    let terms = DownloadTerms {
        expires_in: MINUTE,
        attachment: Some("ä \"b\".txt".into()),
    };
    let url = bench.store.presign_get(&one, &terms).await.unwrap();
    assert_eq!(
        bench.client.get(&url).await,
        Some((Bytes::from_static(b"one"), "text/plain".into()))
    );
    let name = |key: &ObjectKey| key.as_str().rsplit('/').next().unwrap().to_owned();
    assert_eq!(
        bench
            .client
            .get(&tampered(&url, &name(&one), &name(&two)))
            .await,
        None,
        "another object was given"
    );
    let last = url.url.chars().last().unwrap();
    let flipped = SignedUrl {
        url: format!(
            "{}{}",
            &url.url[..url.url.len() - 1],
            if last == '0' { '1' } else { '0' }
        ),
        headers: vec![],
    };
    assert_eq!(
        bench.client.get(&flipped).await,
        None,
        "a changed signature was accepted"
    );
    let put = bench
        .store
        .presign_put(&one, &self::terms(b"x"))
        .await
        .unwrap();
    assert_eq!(
        bench.client.get(&put).await,
        None,
        "a URL for putting was good for getting"
    );
    assert!(
        !bench
            .client
            .put(&url, "text/plain", Bytes::from_static(b"x"))
            .await,
        "a URL for getting was good for putting"
    );
}

/// A URL's time ends.
pub async fn a_signed_url_expires(bench: Bench) {
    let key = key();
    bench
        .store
        .put(&key, "text/plain", Bytes::from_static(b"x"))
        .await
        .unwrap();
    let short = DownloadTerms {
        expires_in: Duration::from_secs(2),
        attachment: None,
    };
    let get = bench.store.presign_get(&key, &short).await.unwrap();
    let put = UploadTerms {
        expires_in: Duration::from_secs(2),
        ..terms(b"x")
    };
    let put = bench.store.presign_put(&key, &put).await.unwrap();
    assert!(bench.client.get(&get).await.is_some());
    bench.client.wait(Duration::from_secs(3)).await;
    assert_eq!(bench.client.get(&get).await, None);
    assert!(
        !bench
            .client
            .put(&put, "image/png", Bytes::from_static(b"x"))
            .await
    );
}

/// Makes each case a test: `object_store_conformance!(make)`, where `make()` gives a [`Bench`].
#[macro_export]
macro_rules! object_store_conformance {
    ($make:expr) => {
        $crate::object_store_conformance!(@cases $make;
            what_is_put_is_got, what_is_not_there_is_not_found, ranges_are_read,
            a_stream_is_kept_whole_or_not_at_all, an_upload_is_what_was_signed, a_signed_url_cannot_be_changed,
            a_signed_url_expires,
        );
    };
    (@cases $make:expr; $($case:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::conformance::object_store::$case($make().await).await;
        }
    )*};
}
