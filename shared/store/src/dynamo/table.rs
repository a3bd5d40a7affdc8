//! The table: keys, attributes, indexes, and reading items.

use super::client;
use aws_sdk_dynamodb::{
    Client,
    operation::create_table::CreateTableError,
    primitives::Blob,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
        KeyType, Projection, ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
    },
};
use koda_domain::{AssetId, ProjectId, SessionId, TenantId, store::StoreError};
use serde_json::{Value, json};
use std::{collections::HashMap, str::FromStr};

/// An item.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Sort key of the item that a partition is named after.
pub(super) const META: &str = "META";
/// Sort key of a saved state.
pub(super) const STATE: &str = "STATE";
/// Sort key of a lease.
pub(super) const LEASE: &str = "LEASE";
/// Sort key of an idempotency key.
pub(super) const KEY: &str = "KEY";
/// Index of what has work: sessions with something to do, and removals that are not over. Sparse: `todo`, then `pk`.
pub(super) const WORK_INDEX: &str = "work-index";
/// Index of a tenant's projects by time: `tenant_key`, then `updated`.
pub(super) const PROJECTS_INDEX: &str = "projects-index";
/// Attribute with the second, since 1970, after which DynamoDB may remove an item.
const TTL: &str = "ttl";
/// What a list of projects shows.
const LISTED: [&str; 3] = ["title", "revision", "created"];

pub(super) fn session(id: SessionId) -> String {
    format!("S#{id}")
}

pub(super) fn project(id: ProjectId) -> String {
    format!("P#{id}")
}

pub(super) fn asset(id: AssetId) -> String {
    format!("A#{id}")
}

pub(super) fn owner(tenant: &TenantId) -> String {
    format!("T#{tenant}")
}

/// The session that a key of the table names.
pub(super) fn session_of(key: &str) -> Result<SessionId, StoreError> {
    let name = key.strip_prefix("S#").and_then(|name| name.parse().ok());
    name.ok_or_else(|| StoreError::Corrupt("a session's key".into()))
}

/// Sort key of the batch whose last event has this number.
pub(super) fn batch(last: u64) -> String {
    format!("E#{last:020}")
}

pub(super) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn b(bytes: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// The key of an item.
pub(super) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    HashMap::from([("pk".into(), s(pk)), ("sk".into(), s(sk))])
}

fn corrupt(name: &str) -> StoreError {
    StoreError::Corrupt(format!("an item has no {name}"))
}

/// Reading attributes.
pub(super) trait Read {
    fn text(&self, name: &str) -> Result<&str, StoreError>;
    fn number(&self, name: &str) -> Result<u64, StoreError>;
    fn bytes(&self, name: &str) -> Result<&[u8], StoreError>;
    fn parsed<T: FromStr>(&self, name: &str) -> Result<T, StoreError> {
        self.text(name)?.parse().map_err(|_| corrupt(name))
    }
}

impl Read for Item {
    fn text(&self, name: &str) -> Result<&str, StoreError> {
        let value = self.get(name).and_then(|v| v.as_s().ok());
        value.map(String::as_str).ok_or_else(|| corrupt(name))
    }

    fn number(&self, name: &str) -> Result<u64, StoreError> {
        let value = self.get(name).and_then(|v| v.as_n().ok());
        value
            .and_then(|n| n.parse().ok())
            .ok_or_else(|| corrupt(name))
    }

    fn bytes(&self, name: &str) -> Result<&[u8], StoreError> {
        let value = self.get(name).and_then(|v| v.as_b().ok());
        value.map(AsRef::as_ref).ok_or_else(|| corrupt(name))
    }
}

/// The table as CloudFormation's `AWS::DynamoDB::Table` describes one, for whoever makes it.
pub(super) fn definition() -> Value {
    let schema = |hash: &str, range: &str| json!([{ "AttributeName": hash, "KeyType": "HASH" }, { "AttributeName": range, "KeyType": "RANGE" }]);
    let attributes = ["pk", "sk", "tenant_key", "todo", "updated"];
    let attributes: Vec<_> = attributes
        .iter()
        .map(|name| json!({ "AttributeName": name, "AttributeType": "S" }))
        .collect();
    json!({
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes,
        "KeySchema": schema("pk", "sk"),
        "GlobalSecondaryIndexes": [
            { "IndexName": PROJECTS_INDEX, "KeySchema": schema("tenant_key", "updated"), "Projection": { "ProjectionType": "INCLUDE", "NonKeyAttributes": LISTED } },
            { "IndexName": WORK_INDEX, "KeySchema": schema("todo", "pk"), "Projection": { "ProjectionType": "KEYS_ONLY" } },
        ],
        "TimeToLiveSpecification": { "AttributeName": TTL, "Enabled": true },
    })
}

/// What a builder made. It refuses only where a field was forgotten.
pub(super) fn built<T>(
    result: Result<T, aws_sdk_dynamodb::error::BuildError>,
) -> Result<T, StoreError> {
    result.map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// Makes the table of [`definition`], where it is not there.
pub(super) async fn create(client: &Client, table: &str) -> Result<(), StoreError> {
    let definition = definition();
    let name = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let schema = |value: &Value| -> Result<Vec<KeySchemaElement>, StoreError> {
        let elements = value["KeySchema"].as_array().into_iter().flatten();
        let element = |e: &Value| {
            let kind = KeyType::from(name(e, "KeyType").as_str());
            built(
                KeySchemaElement::builder()
                    .attribute_name(name(e, "AttributeName"))
                    .key_type(kind)
                    .build(),
            )
        };
        elements.map(element).collect()
    };
    let mut request = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(schema(&definition)?));
    for attribute in definition["AttributeDefinitions"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name(attribute, "AttributeName"))
            .attribute_type(ScalarAttributeType::S);
        request = request.attribute_definitions(built(attribute.build())?);
    }
    for index in definition["GlobalSecondaryIndexes"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let projection = &index["Projection"];
        let attributes = projection["NonKeyAttributes"].as_array().map(|all| {
            let names = all.iter().filter_map(Value::as_str);
            names.map(str::to_owned).collect()
        });
        let projection = Projection::builder()
            .projection_type(ProjectionType::from(
                name(projection, "ProjectionType").as_str(),
            ))
            .set_non_key_attributes(attributes)
            .build();
        let index = GlobalSecondaryIndex::builder()
            .index_name(name(index, "IndexName"))
            .set_key_schema(Some(schema(index)?))
            .projection(projection);
        request = request.global_secondary_indexes(built(index.build())?);
    }
    match request.send().await {
        Ok(_) => {}
        Err(error)
            if matches!(
                error.as_service_error(),
                Some(CreateTableError::ResourceInUseException(_))
            ) =>
        {
            return Ok(());
        }
        Err(error) => return Err(client::failed(&error)),
    }
    let ttl = TimeToLiveSpecification::builder()
        .attribute_name(TTL)
        .enabled(true);
    client
        .update_time_to_live()
        .table_name(table)
        .time_to_live_specification(built(ttl.build())?)
        .send()
        .await
        .map(drop)
        .map_err(|error| client::failed(&error))
}
