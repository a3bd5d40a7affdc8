//! Where sessions and files are kept.

use super::read::{Reader, Secret};

/// A DynamoDB table.
#[derive(Debug, Clone)]
pub struct Dynamo {
    /// Its name.
    pub table: String,
    /// Address of the service, when it is not AWS's.
    pub endpoint: Option<String>,
}

impl Dynamo {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let endpoint = reader.address("DYNAMODB_ENDPOINT");
        let table = reader.optional("DYNAMODB_TABLE")?;
        Some(Self { table, endpoint })
    }
}

/// A bucket at S3, or at what speaks its protocol.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Address of the service, when it is not AWS's.
    pub endpoint: Option<String>,
    /// Its region, when it is not that of everything else.
    pub region: Option<String>,
    /// Access key and its secret, when they are not found as AWS's own tools find them.
    pub keys: Option<(Secret, Secret)>,
}

impl Bucket {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let provider = reader.one_of("STORAGE_PROVIDER", &["auto", "local", "s3", "r2"]);
        let (s3, r2) = (Self::s3(reader), Self::r2(reader));
        match (provider.as_str(), s3, r2) {
            ("local", ..) => None,
            ("s3", None, _) => {
                reader.problem("S3_BUCKET", "is needed where STORAGE_PROVIDER is s3");
                None
            }
            ("r2", _, None) => {
                reader.problem("R2_BUCKET_NAME", "is needed where STORAGE_PROVIDER is r2");
                None
            }
            ("s3", s3, _) => s3,
            ("r2", _, r2) => r2,
            (_, Some(_), Some(_)) => {
                reader.problem(
                    "STORAGE_PROVIDER",
                    "must be s3 or r2 where buckets of both are set",
                );
                None
            }
            (_, s3, r2) => s3.or(r2),
        }
    }

    fn s3(reader: &mut Reader) -> Option<Self> {
        let (endpoint, region) = (reader.address("S3_ENDPOINT"), reader.optional("S3_REGION"));
        let keys = reader.pair("S3_ACCESS_KEY", "S3_SECRET_KEY");
        let name = reader.optional("S3_BUCKET")?;
        Some(Self {
            name,
            endpoint,
            region,
            keys,
        })
    }

    fn r2(reader: &mut Reader) -> Option<Self> {
        let account = reader.optional("R2_ACCOUNT_ID");
        let keys = reader.pair("R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY");
        let name = reader.optional("R2_BUCKET_NAME")?;
        if account.is_none() {
            reader.problem("R2_ACCOUNT_ID", "is needed for a bucket at R2");
        }
        if keys.is_none() {
            reader.problem("R2_ACCESS_KEY_ID", "is needed for a bucket at R2");
        }
        let account = account.unwrap_or_default();
        Some(Self {
            name,
            endpoint: Some(format!("https://{account}.r2.cloudflarestorage.com")),
            region: Some("auto".into()),
            keys,
        })
    }
}
