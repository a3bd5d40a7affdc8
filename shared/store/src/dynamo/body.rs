//! Values inside of items: JSON, smaller where that helps, and in the object store where an item cannot hold them.

use super::{DynamoStore, table};
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use koda_domain::{
    TenantId,
    objects::{ObjectError, ObjectKey, read_all},
    store::StoreError,
};
use serde::{Serialize, de::DeserializeOwned};
use std::io::{Read as _, Write as _};
use ulid::Ulid;

/// An item may have 400 KB, names included; the rest of ours is far below the difference.
const FITS: usize = 380 * 1024;
/// Below this, compressing saves no unit: they are counted by the kilobyte.
const SMALL: usize = 700;
/// More than anything that was ever written.
const LARGEST: u64 = 256 << 20;

/// How often a record is read that is replaced each time.
const READS: usize = 4;

const PLAIN: u8 = b'j';
const DEFLATED: u8 = b'z';
const ELSEWHERE: u8 = b'o';

fn damaged(error: impl ToString) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

fn unavailable(error: ObjectError) -> StoreError {
    match error {
        ObjectError::NotFound => StoreError::Conflict,
        other => StoreError::Unavailable(other.to_string()),
    }
}

/// Reads a record again whose part in the object store was gone, because it was replaced between the two reads.
pub(super) async fn again_where_replaced<T, F: Future<Output = Result<T, StoreError>>>(
    read: impl Fn() -> F,
) -> Result<T, StoreError> {
    for _ in 0..READS {
        match read().await {
            Err(StoreError::Conflict) => {}
            other => return other,
        }
    }
    Err(StoreError::Corrupt("a part of a record is gone".into()))
}

/// A value as bytes of an item. None where it is too large for one.
pub(super) enum Packed {
    Inside(AttributeValue),
    TooLarge(Vec<u8>),
}

/// Makes bytes of a value.
pub(super) fn pack(value: &impl Serialize) -> Result<Packed, StoreError> {
    let json = serde_json::to_vec(value).map_err(damaged)?;
    let mut bytes = if json.len() <= SMALL {
        [&[PLAIN], json.as_slice()].concat()
    } else {
        let mut deflate = DeflateEncoder::new(vec![DEFLATED], Compression::fast());
        deflate.write_all(&json).map_err(damaged)?;
        deflate.finish().map_err(damaged)?
    };
    if bytes.len() <= FITS {
        return Ok(Packed::Inside(table::b(bytes)));
    }
    bytes.shrink_to_fit();
    Ok(Packed::TooLarge(bytes))
}

fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&PLAIN, json)) => serde_json::from_slice(json).map_err(damaged),
        Some((&DEFLATED, deflated)) => {
            let mut json = Vec::new();
            let mut inflate = DeflateDecoder::new(deflated).take(LARGEST);
            inflate.read_to_end(&mut json).map_err(damaged)?;
            serde_json::from_slice(&json).map_err(damaged)
        }
        _ => Err(damaged("a record of an unknown form")),
    }
}

/// Where a record's bytes are, if they are in the object store.
pub(super) fn elsewhere(bytes: &[u8]) -> Option<ObjectKey> {
    let (&ELSEWHERE, key) = bytes.split_first()? else {
        return None;
    };
    ObjectKey::parse(std::str::from_utf8(key).ok()?)
}

impl DynamoStore {
    /// A value as an attribute. What is too large goes to the object store first, under a key of its own.
    pub(super) async fn store_body(
        &self,
        tenant: &TenantId,
        value: &impl Serialize,
    ) -> Result<AttributeValue, StoreError> {
        match pack(value)? {
            Packed::Inside(value) => Ok(value),
            Packed::TooLarge(bytes) => self.store_elsewhere(tenant, bytes).await,
        }
    }

    /// Stores what an item cannot hold, and gives what the item holds instead.
    pub(super) async fn store_elsewhere(
        &self,
        tenant: &TenantId,
        bytes: Vec<u8>,
    ) -> Result<AttributeValue, StoreError> {
        let key = ObjectKey::record(tenant, &Ulid::generate().to_string());
        self.objects
            .put(&key, "application/octet-stream", Bytes::from(bytes))
            .await
            .map_err(unavailable)?;
        Ok(table::b([&[ELSEWHERE], key.as_str().as_bytes()].concat()))
    }

    /// The value of an attribute that [`Self::store_body`] made.
    pub(super) async fn load_body<T: DeserializeOwned>(
        &self,
        bytes: &[u8],
    ) -> Result<T, StoreError> {
        match elsewhere(bytes) {
            None => unpack(bytes),
            Some(key) => {
                let bytes = read_all(self.objects.as_ref(), &key, LARGEST).await;
                unpack(&bytes.map_err(unavailable)?)
            }
        }
    }

    /// Removes what a record had in the object store. Best effort: the lifecycle of the bucket cannot tell it from the rest.
    pub(super) async fn drop_body(&self, bytes: Option<&AttributeValue>) {
        let key = bytes
            .and_then(|value| value.as_b().ok())
            .and_then(|bytes| elsewhere(bytes.as_ref()));
        if let Some(key) = key
            && let Err(error) = self.objects.delete(&key).await
        {
            tracing::warn!(%error, "Could not delete a part of a record: {error}");
        }
    }
}
