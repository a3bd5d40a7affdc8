//! URLs that carry their own permission: every term is in the query, and an HMAC over all of it ends the query.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use koda_domain::{
    BlobId,
    objects::{DownloadTerms, ObjectError, ObjectKey, UploadTerms},
};
use sha2::Sha256;
use std::{fmt::Write as _, time::Duration};
use subtle::ConstantTimeEq;

/// Names and decoded values of a query.
type Pairs<'q> = Vec<(&'q str, String)>;

pub(crate) struct Signer {
    secret: Vec<u8>,
}

impl Signer {
    pub fn new(secret: &[u8]) -> Self {
        Self {
            secret: secret.to_vec(),
        }
    }

    pub fn put_url(&self, key: &ObjectKey, terms: &UploadTerms, now: Timestamp) -> String {
        let mut query = format!(
            "exp={}&size={}&type={}",
            expiry(now, terms.expires_in),
            terms.size,
            encode(&terms.media_type)
        );
        if let Some(sha256) = &terms.sha256 {
            let _ = write!(query, "&sha256={sha256}");
        }
        self.url("PUT", key, query)
    }

    pub fn get_url(&self, key: &ObjectKey, terms: &DownloadTerms, now: Timestamp) -> String {
        let mut query = format!("exp={}", expiry(now, terms.expires_in));
        if let Some(name) = &terms.attachment {
            let _ = write!(query, "&as={}", encode(name));
        }
        self.url("GET", key, query)
    }

    fn url(&self, method: &str, key: &ObjectKey, query: String) -> String {
        let signature = self.signature(method, key.as_str(), &query);
        format!("/objects/{key}?{query}&sig={signature}")
    }

    fn signature(&self, method: &str, key: &str, query: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret)
            .expect("an HMAC takes a key of any length");
        mac.update(format!("{method}\n{key}\n{query}").as_bytes());
        HEXLOWER.encode(&mac.finalize().into_bytes())
    }

    /// The key and the query's terms, if the signature is ours and the time is not over.
    fn verified<'q>(
        &self,
        method: &str,
        key: &str,
        query: &'q str,
        now: Timestamp,
    ) -> Result<(ObjectKey, Pairs<'q>), ObjectError> {
        let (terms, signature) = query
            .rsplit_once("&sig=")
            .ok_or(ObjectError::BadSignature)?;
        let expected = self.signature(method, key, terms);
        if !bool::from(expected.as_bytes().ct_eq(signature.as_bytes())) {
            return Err(ObjectError::BadSignature);
        }
        let pairs: Option<Vec<_>> = terms
            .split('&')
            .map(|pair| {
                pair.split_once('=')
                    .and_then(|(name, value)| Some((name, decode(value)?)))
            })
            .collect();
        let pairs = pairs.ok_or(ObjectError::BadSignature)?;
        let expiry: i64 = value(&pairs, "exp")
            .and_then(|v| v.parse().ok())
            .ok_or(ObjectError::BadSignature)?;
        if now.as_second() >= expiry {
            return Err(ObjectError::BadSignature);
        }
        Ok((
            ObjectKey::parse(key).ok_or(ObjectError::BadSignature)?,
            pairs,
        ))
    }

    pub fn verify_put(
        &self,
        key: &str,
        query: &str,
        now: Timestamp,
    ) -> Result<(ObjectKey, UploadTerms), ObjectError> {
        let (key, pairs) = self.verified("PUT", key, query, now)?;
        let size = value(&pairs, "size")
            .and_then(|v| v.parse().ok())
            .ok_or(ObjectError::BadSignature)?;
        let sha256 = match value(&pairs, "sha256") {
            Some(text) => Some(
                text.parse::<BlobId>()
                    .map_err(|_| ObjectError::BadSignature)?,
            ),
            None => None,
        };
        let media_type = value(&pairs, "type")
            .ok_or(ObjectError::BadSignature)?
            .to_owned();
        Ok((
            key,
            UploadTerms {
                size,
                media_type,
                sha256,
                expires_in: Duration::ZERO,
            },
        ))
    }

    pub fn verify_get(
        &self,
        key: &str,
        query: &str,
        now: Timestamp,
    ) -> Result<(ObjectKey, DownloadTerms), ObjectError> {
        let (key, pairs) = self.verified("GET", key, query, now)?;
        let attachment = value(&pairs, "as").map(str::to_owned);
        Ok((
            key,
            DownloadTerms {
                expires_in: Duration::ZERO,
                attachment,
            },
        ))
    }
}

fn value<'a>(pairs: &'a [(&str, String)], name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, value)| value.as_str())
}

fn expiry(now: Timestamp, life: Duration) -> i64 {
    now.as_second()
        .saturating_add(i64::try_from(life.as_secs()).unwrap_or(i64::MAX))
}

/// Percent-encodes everything but unreserved characters (RFC 3986).
fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn decode(text: &str) -> Option<String> {
    let decoded = percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .ok()?;
    Some(decoded.into_owned())
}
