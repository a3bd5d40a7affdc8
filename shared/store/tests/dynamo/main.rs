//! DynamoDB, held to what every session store does: by an emulator that starts at once, and by AWS's own.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

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

async fn table_at(url: &str) -> Table {
    let client = dynamo::connect(&config(url));
    let name = format!("koda-{}", Ulid::generate());
    let objects = tempfile::tempdir().unwrap().keep();
    let files: Arc<dyn ObjectStore> =
        Arc::new(LocalObjects::new(objects.clone(), b"secret", Arc::new(Wall)).unwrap());
    let store = DynamoStore::new(client.clone(), &name, files);
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

/// The same over a network that resets, loses answers and is slow, to a service that throttles and fails: what works does
/// the same, once.
mod faulty {
    use super::*;
    use koda_testkit::faults::{Fault, proxy};

    const THROTTLED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}"#;
    const CONFLICT: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionInProgressException","message":"in progress"}"#;
    const FAILED: &str =
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"failed"}"#;

    fn plan(number: usize) -> Fault {
        match number % 17 {
            3 => Fault::LostAnswer,
            6 => Fault::Answer(400, THROTTLED),
            9 => Fault::Reset,
            11 => Fault::Answer(500, FAILED),
            13 => Fault::Late(20),
            15 if number > 40 => Fault::LostAnswer,
            16 if number > 40 => Fault::Answer(400, CONFLICT),
            _ => Fault::None,
        }
    }

    async fn empty() -> Arc<dyn SessionStore> {
        let url = proxy(&emulators().dynamodb, plan).await;
        table_at(&url).await.store
    }

    koda_testkit::session_store_conformance!(empty);
}
