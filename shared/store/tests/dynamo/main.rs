//! DynamoDB, held to what every session store does: by an emulator that starts at once, and by AWS's own.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

mod lagging;
mod large;
mod removal;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use koda_domain::{objects::ObjectStore, store::SessionStore};
use koda_objects::LocalObjects;
use koda_store::{DynamoStore, dynamo};
use koda_testkit::aws::{KEYS, dynamodb_local, emulators};
use std::{path::PathBuf, sync::Arc};
use ulid::Ulid;

struct Wall;

impl koda_domain::Clock for Wall {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

/// A table of its own, with a folder for what is too large for it.
struct Table {
    store: Arc<DynamoStore>,
    client: aws_sdk_dynamodb::Client,
    name: String,
    objects: PathBuf,
}

fn config(url: &str) -> SdkConfig {
    let keys = Credentials::new(KEYS.0, KEYS.1, None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .sleep_impl(aws_sdk_dynamodb::config::SharedAsyncSleep::new(
            aws_smithy_async::rt::sleep::TokioSleep::new(),
        ))
        .endpoint_url(url)
        .build()
}

/// A store, and the folder for what is too large for its table.
fn store_at(client: aws_sdk_dynamodb::Client, table: &str) -> (DynamoStore, PathBuf) {
    let objects = tempfile::tempdir().unwrap().keep();
    let files: Arc<dyn ObjectStore> =
        Arc::new(LocalObjects::new(objects.clone(), b"secret", Arc::new(Wall)).unwrap());
    (DynamoStore::new(client, table, files), objects)
}

async fn table_at(url: &str) -> Table {
    let client = dynamo::connect(&config(url));
    let name = format!("koda-{}", Ulid::generate());
    let (store, objects) = store_at(client.clone(), &name);
    store.create_table().await.unwrap();
    Table {
        store: Arc::new(store),
        client,
        name,
        objects,
    }
}

/// Every session store.
mod emulated {
    use super::*;

    async fn empty() -> Arc<dyn SessionStore> {
        table_at(&emulators().dynamodb).await.store
    }

    koda_testkit::session_store_conformance!(empty);
}

/// The same, by AWS's own emulator.
mod amazons {
    use super::*;

    async fn empty() -> Arc<dyn SessionStore> {
        table_at(dynamodb_local()).await.store
    }

    koda_testkit::session_store_conformance!(empty);
}

/// The same over a network that resets, loses and cuts answers and is slow, to a service that throttles and fails: what works does
/// the same, once.
mod faulty {
    use super::*;
    use koda_domain::{SessionId, store::StoreError};
    use koda_testkit::faults::{Fault, proxy};
    use std::sync::atomic::{AtomicUsize, Ordering};

    const THROTTLED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}"#;
    const CONFLICT: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionInProgressException","message":"in progress"}"#;
    const FAILED: &str =
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"failed"}"#;

    // Many at the beginning, then one of nine: with many more for long, seven tries in a row fail by chance, or the budget of
    // tries is spent, which is right in an outage and not what is tested here.
    fn plan(number: usize) -> Fault {
        match number % 61 {
            3 => Fault::LostAnswer,
            6 => Fault::Answer(400, THROTTLED),
            9 => Fault::Reset,
            11 => Fault::Answer(500, FAILED),
            13 => Fault::Late(20),
            17 => Fault::CutAnswer,
            15 | 40 if number > 40 => Fault::LostAnswer,
            16 if number > 40 => Fault::Answer(400, CONFLICT),
            _ => Fault::None,
        }
    }

    async fn empty() -> Arc<dyn SessionStore> {
        let url = proxy(&emulators().dynamodb, plan).await;
        table_at(&url).await.store
    }

    koda_testkit::session_store_conformance!(empty);

    #[tokio::test]
    async fn an_outage_is_not_made_worse_by_further_tries() {
        let tries = Arc::new(AtomicUsize::new(0));
        let counted = tries.clone();
        let down = move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Fault::Answer(500, FAILED)
        };
        let url = proxy(&emulators().dynamodb, down).await;
        let store = store_at(dynamo::connect(&config(&url)), "koda").0;
        for _ in 0..200 {
            let answer = store.session_any(SessionId::new(Ulid::generate())).await;
            assert!(
                matches!(answer, Err(StoreError::Unavailable(_))),
                "{answer:?}"
            );
        }
        let tries = tries.load(Ordering::Relaxed);
        assert!((206..=500).contains(&tries), "{tries} tries for 200 calls");
    }
}
