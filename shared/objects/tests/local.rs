//! The local folder, held to what every object store does, and to surviving crashes.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use koda_domain::objects::{ObjectStore, SignedObjectGateway, SignedUrl};
use koda_objects::LocalObjects;
use koda_testkit::{
    TestClock,
    conformance::object_store::{Bench, SignedClient},
};
use std::{sync::Arc, time::Duration};

struct Gateway {
    objects: Arc<LocalObjects>,
    clock: Arc<TestClock>,
}

fn split(url: &SignedUrl) -> (String, String) {
    let (path, query) = url.url.split_once('?').unwrap();
    (
        path.strip_prefix("/objects/").unwrap().to_owned(),
        query.to_owned(),
    )
}

#[async_trait]
impl SignedClient for Gateway {
    async fn put(&self, url: &SignedUrl, media_type: &str, body: Bytes) -> bool {
        let (key, query) = split(url);
        let body = stream::iter(
            body.chunks(3)
                .map(|c| Ok(Bytes::copy_from_slice(c)))
                .collect::<Vec<_>>(),
        );
        SignedObjectGateway::put(&*self.objects, &key, &query, Some(media_type), body.boxed())
            .await
            .is_ok()
    }

    async fn get(&self, url: &SignedUrl) -> Option<(Bytes, String)> {
        let (key, query) = split(url);
        let (body, _) = SignedObjectGateway::get(&*self.objects, &key, &query, None)
            .await
            .ok()?;
        let bytes: Vec<Bytes> = body.stream.try_collect().await.ok()?;
        Some((bytes.concat().into(), body.meta.media_type))
    }

    async fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }
}

async fn bench() -> Bench {
    let clock = Arc::new(TestClock::default());
    let dir = tempfile::tempdir().unwrap().keep();
    let objects = Arc::new(LocalObjects::new(dir, &[9; 32], clock.clone()).unwrap());
    Bench {
        store: objects.clone(),
        client: Arc::new(Gateway { objects, clock }),
    }
}

koda_testkit::object_store_conformance!(bench);

#[tokio::test]
async fn what_a_crash_left_unfinished_is_cleared_when_it_is_old() {
    let dir = tempfile::tempdir().unwrap();
    let unfinished = dir.path().join(".unfinished");
    std::fs::create_dir_all(&unfinished).unwrap();
    for name in ["old", "young"] {
        std::fs::write(unfinished.join(name), "half").unwrap();
    }
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(7200);
    std::fs::File::options()
        .write(true)
        .open(unfinished.join("old"))
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    LocalObjects::new(dir.path().into(), &[9; 32], Arc::new(TestClock::default())).unwrap();
    assert!(!unfinished.join("old").exists() && unfinished.join("young").exists());
}

#[tokio::test]
async fn another_secret_does_not_open_a_link() {
    let clock = Arc::new(TestClock::default());
    let dir = tempfile::tempdir().unwrap();
    let ours = LocalObjects::new(dir.path().into(), &[1; 32], clock.clone()).unwrap();
    let theirs = LocalObjects::new(dir.path().into(), &[2; 32], clock).unwrap();
    let key = koda_domain::objects::ObjectKey::parse("local/blobs/x").unwrap();
    ObjectStore::put(&ours, &key, "text/plain", Bytes::from_static(b"x"))
        .await
        .unwrap();
    let terms = koda_domain::objects::DownloadTerms {
        expires_in: Duration::from_secs(60),
        attachment: None,
    };
    let (key, query) = split(&ours.presign_get(&key, &terms).await.unwrap());
    assert!(
        SignedObjectGateway::get(&ours, &key, &query, None)
            .await
            .is_ok()
    );
    assert!(
        SignedObjectGateway::get(&theirs, &key, &query, None)
            .await
            .is_err()
    );
}
