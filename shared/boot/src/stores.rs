//! Opening the stores: DynamoDB or SQLite, a bucket or a folder.

#[cfg(feature = "server")]
use crate::absolute;
use crate::config::{Bucket, Config, Dynamo};
#[cfg(feature = "server")]
use anyhow::Context;
use anyhow::Result;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use koda_domain::{
    Clock, TenantId,
    objects::{DownloadTerms, ObjectKey, ObjectStore, SignedObjectGateway},
    store::SessionStore,
};
use koda_objects::{S3Objects, s3};
use koda_store::{DynamoStore, dynamo};
use std::{sync::Arc, time::Duration};

/// Where everything is kept.
pub(crate) struct Stores {
    pub sessions: Arc<dyn SessionStore>,
    pub objects: Arc<dyn ObjectStore>,
    /// What answers signed addresses of this server, where it keeps the files itself.
    pub gateway: Option<Arc<dyn SignedObjectGateway>>,
    /// Scheme and host of signed addresses, where they are not this server's.
    pub origin: Option<String>,
}

/// Opens the stores that are configured.
pub(crate) async fn open(
    config: &Config,
    secret: &[u8],
    clock: &Arc<dyn Clock>,
    shared: Option<&SdkConfig>,
) -> Result<Stores> {
    let (objects, gateway): Files = match (&config.bucket, shared) {
        (Some(bucket), Some(aws)) => (Arc::new(in_bucket(bucket, aws)), None),
        _ => in_folder(config, secret, clock)?,
    };
    let sessions: Arc<dyn SessionStore> = match (&config.dynamo, shared) {
        (Some(dynamo), Some(aws)) => Arc::new(in_table(dynamo, aws, objects.clone())),
        _ => in_file(config)?,
    };
    let origin = origin_of(objects.as_ref()).await;
    Ok(Stores {
        sessions,
        objects,
        gateway,
        origin,
    })
}

/// Files, and what answers their signed addresses where that is not somebody else.
type Files = (Arc<dyn ObjectStore>, Option<Arc<dyn SignedObjectGateway>>);

#[cfg(feature = "server")]
fn in_folder(config: &Config, secret: &[u8], clock: &Arc<dyn Clock>) -> Result<Files> {
    let folder = absolute(&config.data_dir)?.join("objects");
    let folder = koda_objects::LocalObjects::new(folder, secret, clock.clone());
    let folder = Arc::new(folder.context("the folder of files cannot be opened")?);
    Ok((folder.clone(), Some(folder)))
}

#[cfg(not(feature = "server"))]
fn in_folder(_: &Config, _: &[u8], _: &Arc<dyn Clock>) -> Result<Files> {
    anyhow::bail!("S3_BUCKET is not set, and there is no other store in a function of Lambda's")
}

#[cfg(feature = "server")]
fn in_file(config: &Config) -> Result<Arc<dyn SessionStore>> {
    let file = absolute(&config.data_dir)?.join("koda.db");
    let file = koda_store::SqliteStore::open(&file);
    Ok(Arc::new(file.context("the database cannot be opened")?))
}

#[cfg(not(feature = "server"))]
fn in_file(_: &Config) -> Result<Arc<dyn SessionStore>> {
    anyhow::bail!(
        "DYNAMODB_TABLE is not set, and there is no other store in a function of Lambda's"
    )
}

/// Makes the table that is configured, where it is not there.
#[cfg(feature = "server")]
pub(crate) async fn create_table(config: &Config) -> Result<()> {
    let table = config
        .dynamo
        .as_ref()
        .context("DYNAMODB_TABLE is not set")?;
    let bucket = config.bucket.as_ref().context("S3_BUCKET is not set")?;
    let aws = aws().await;
    let store = in_table(table, &aws, Arc::new(in_bucket(bucket, &aws)));
    store.create_table().await?;
    tracing::info!("The table {} is there", table.table);
    Ok(())
}

/// Region and credentials as AWS's own tools find them.
#[cfg(feature = "server")]
pub(crate) async fn aws() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http())
        .load()
        .await
}

/// Region and credentials as Lambda gives them. The other places where AWS's tools look are left out: they are a tenth of a
/// function's program, and of its start.
#[cfg(feature = "lambda")]
pub(crate) fn aws_of_lambda(config: &Config) -> SdkConfig {
    let credentials = aws_config::environment::EnvironmentVariableCredentialsProvider::new();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(config.aws_region.clone().map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http())
        .build()
}

fn http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https()
}

/// With an address of its own a service seldom cares about its region, which the signature needs all the same.
fn at(aws: &SdkConfig, endpoint: Option<&str>, region: Option<&str>) -> SdkConfig {
    let mut config = aws.to_builder();
    if let Some(region) = region {
        config = config.region(Region::new(region.to_owned()));
    } else if endpoint.is_some() && aws.region().is_none() {
        config = config.region(Region::new("us-east-1"));
    }
    if let Some(endpoint) = endpoint {
        config = config.endpoint_url(endpoint);
    }
    config.build()
}

fn in_table(dynamo: &Dynamo, aws: &SdkConfig, objects: Arc<dyn ObjectStore>) -> DynamoStore {
    let config = at(aws, dynamo.endpoint.as_deref(), None);
    DynamoStore::new(dynamo::connect(&config), &dynamo.table, objects)
}

fn in_bucket(bucket: &Bucket, aws: &SdkConfig) -> S3Objects {
    let mut config = at(aws, bucket.endpoint.as_deref(), bucket.region.as_deref());
    if let Some((key, secret)) = &bucket.keys {
        let keys = Credentials::new(key.expose(), secret.expose(), None, None, "configuration");
        let provider = SharedCredentialsProvider::new(keys);
        config = config.to_builder().credentials_provider(provider).build();
    }
    S3Objects::new(
        s3::connect(&config, bucket.endpoint.is_some()),
        &bucket.name,
    )
}

/// Where signed addresses lead, found by signing one.
async fn origin_of(objects: &dyn ObjectStore) -> Option<String> {
    let key = ObjectKey::record(&TenantId::single(), "origin");
    let terms = DownloadTerms {
        expires_in: Duration::from_secs(60),
        attachment: None,
    };
    let url = objects.presign_get(&key, &terms).await.ok()?.url;
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next()?;
    Some(format!("{scheme}://{host}"))
}
