//! Ids: a prefix that says what is named, and 26 characters of lower-case Crockford base32 (a ULID).
//!
//! A wrong id is visible (`ses_…` where a `rnd_…` belongs) and refused before any store is asked.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};
use ulid::Ulid;

/// A text that is not an id of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id: expected {expected}")]
pub struct BadId {
    /// What was expected, in words.
    pub expected: String,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Ulid);

        impl $name {
            /// The prefix of this kind of id, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Names something by a fresh ULID from [`crate::Ids`].
            #[must_use]
            pub const fn new(ulid: Ulid) -> Self {
                Self(ulid)
            }

            /// The ULID without its prefix.
            #[must_use]
            pub const fn ulid(self) -> Ulid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, self.0.to_string().to_ascii_lowercase())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                parse($prefix, text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "_[0-9a-hjkmnp-tv-z]{26}$")))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    )*};
}

ids! {
    /// Names a project: one canvas document.
    ProjectId = "prj";
    /// Names a session: one animation node's conversation and workspace.
    SessionId = "ses";
    /// Names a turn: one run of the agent.
    TurnId = "trn";
    /// Names a message that a person posted.
    MessageId = "msg";
    /// Names a version: an immutable snapshot of a workspace.
    VersionId = "ver";
    /// Names a render: a job and its output.
    RenderId = "rnd";
    /// Names an asset: an uploaded picture, video, sound or font.
    AssetId = "ast";
}

fn parse(prefix: &'static str, text: &str) -> Result<Ulid, BadId> {
    let bad = BadId {
        expected: format!("{prefix}_ and 26 characters"),
    };
    let tail = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .ok_or(bad.clone())?;
    if tail.len() != 26 || tail.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(bad);
    }
    let ulid = Ulid::from_string(&tail.to_ascii_uppercase()).map_err(|_| bad.clone())?;
    // Crockford decoding forgives look-alikes (`o` for `0`); an id has exactly one spelling.
    if ulid.to_string().to_ascii_lowercase() == tail {
        Ok(ulid)
    } else {
        Err(bad)
    }
}

/// Names a sandbox in its provider's own words. Opaque outside the provider.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct SandboxId(pub String);

impl fmt::Display for SandboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whose data this is. A deployment without sign-in has one tenant, [`TenantId::single`].
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct TenantId(pub String);

impl TenantId {
    /// The tenant of a deployment without sign-in.
    #[must_use]
    pub fn single() -> Self {
        Self("local".to_owned())
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names content by its SHA-256, in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
pub struct BlobId(String);

impl BlobId {
    /// The id of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest;
        Self(data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(bytes)))
    }

    /// 64 lower-case hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BlobId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == 64 && text.bytes().all(hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadId {
                expected: "64 hexadecimal digits in lower case".into(),
            })
        }
    }
}

impl<'de> Deserialize<'de> for BlobId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form() {
        let id = SessionId::new(Ulid::from_parts(1_700_000_000_000, 42));
        assert_eq!(id.to_string().parse::<SessionId>(), Ok(id));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let id = SessionId::new(Ulid::from_parts(1, 2)).to_string();
        assert!(id.parse::<RenderId>().is_err());
    }

    #[test]
    fn an_id_has_exactly_one_spelling() {
        let good = SessionId::new(Ulid::from_parts(1, 2)).to_string();
        for bad in [
            good.to_ascii_uppercase(),
            good.replacen('0', "o", 1),
            format!("{good} "),
            "ses_".into(),
            String::new(),
            "ses_zzzzzzzzzzzzzzzzzzzzzzzzzz".into(),
        ] {
            assert!(bad.parse::<SessionId>().is_err(), "{bad} was accepted");
        }
    }
}
