//! Projects, assets and idempotency keys.

use super::{
    DynamoStore,
    body::again_where_replaced,
    client::{Refused, failed},
    leases::is_refused,
    sessions::put,
    table::{self, Item, KEY, META, PROJECTS_INDEX, Read, built, key, n, s},
};
use aws_sdk_dynamodb::{
    error::SdkError,
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::{Delete, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem},
};
use jiff::Timestamp;
use koda_domain::{
    AssetId, ProjectId, TenantId,
    asset::Asset,
    project::{Document, Project},
    store::{KeyAnswer, Page, StoreError},
};
use std::time::Duration;
use ulid::Ulid;

/// How long a request may run before its key is taken to be abandoned.
const ABANDONED: Duration = Duration::from_secs(60);
/// How long answers are kept.
const KEPT: Duration = Duration::from_secs(2 * 24 * 3600);

/// Times as text of one length, so that they sort as times; then the id, so that no two are the same.
fn place(project: &Project) -> String {
    format!("{:.6}~{}", project.updated_at, project.id)
}

fn place_of(cursor: &str) -> Result<ProjectId, StoreError> {
    let (time, id) = cursor.split_once('~').ok_or(StoreError::BadCursor)?;
    time.parse::<Timestamp>()
        .map_err(|_| StoreError::BadCursor)?;
    id.parse().map_err(|_| StoreError::BadCursor)
}

fn read_project(item: &Item, tenant: &TenantId, document: Document) -> Result<Project, StoreError> {
    let damaged = || StoreError::Corrupt("a project's place".into());
    let (updated_at, id) = item.text("updated")?.split_once('~').ok_or_else(damaged)?;
    Ok(Project {
        id: id.parse().map_err(|_| damaged())?,
        tenant: tenant.clone(),
        name: item.text("title")?.to_owned(),
        revision: item.number("revision")?,
        created_at: item.parsed("created")?,
        updated_at: updated_at.parse().map_err(|_| damaged())?,
        document,
    })
}

/// Whether a write that was refused finds itself: it was carried out, its answer was lost, and the client tried it again.
pub(super) fn is_own(found: Option<&Item>, write: &str) -> bool {
    found.is_some_and(|item| item.text("stamp") == Ok(write))
}

fn key_of(tenant: &TenantId, name: &str) -> String {
    format!("K#{tenant}#{name}")
}

impl DynamoStore {
    pub(super) async fn put_project(&self, project: &Project) -> Result<(), StoreError> {
        let body = self.store_body(&project.tenant, &project.document).await?;
        let write = Ulid::generate().to_string();
        let stored = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(key(table::project(project.id), META)))
            .item("tenant", s(&project.tenant.0))
            .item("tenant_key", s(table::owner(&project.tenant)))
            .item("updated", s(place(project)))
            .item("title", s(&project.name))
            .item("revision", n(1))
            .item("created", s(format!("{:.6}", project.created_at)))
            .item("body", body.clone())
            .item("stamp", s(&write))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match stored {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(e))
                    if is_own(e.item(), &write) =>
                {
                    Ok(())
                }
                Some(PutItemError::ConditionalCheckFailedException(_)) => {
                    self.drop_body(Some(&body)).await;
                    Err(StoreError::Exists)
                }
                _ => Err(failed(&error)),
            },
        }
    }

    /// A project's own item, if it is this tenant's.
    pub(super) async fn owned_project(
        &self,
        tenant: &TenantId,
        id: ProjectId,
    ) -> Result<Item, StoreError> {
        let meta = self.get(&table::project(id), META).await?;
        meta.filter(|meta| !meta.contains_key("gone") && meta.text("tenant") == Ok(&tenant.0))
            .ok_or(StoreError::NotFound)
    }

    pub(super) async fn get_project(
        &self,
        tenant: &TenantId,
        id: ProjectId,
    ) -> Result<Project, StoreError> {
        again_where_replaced(|| async {
            let meta = self.owned_project(tenant, id).await?;
            let document = self.load_body(meta.bytes("body")?).await?;
            read_project(&meta, tenant, document)
        })
        .await
    }

    pub(super) async fn list_projects(
        &self,
        tenant: &TenantId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Project>, StoreError> {
        let owner = table::owner(tenant);
        let from = match cursor {
            None => None,
            Some(cursor) => {
                let mut from = key(table::project(place_of(cursor)?), META);
                from.insert("tenant_key".into(), s(&owner));
                from.insert("updated".into(), s(cursor));
                Some(from)
            }
        };
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(PROJECTS_INDEX)
            .key_condition_expression("tenant_key = :owner")
            .expression_attribute_values(":owner", s(owner))
            .scan_index_forward(false)
            .set_exclusive_start_key(from)
            .limit(i32::try_from(limit + 1).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|e| failed(&e))?;
        let mut found = page.items.unwrap_or_default();
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more);
        let next = next.map(|item| item.text("updated").map(str::to_owned));
        let items = found
            .iter()
            .map(|item| read_project(item, tenant, Document::default()));
        Ok(Page {
            items: items.collect::<Result<_, _>>()?,
            next: next.transpose()?,
        })
    }

    pub(super) async fn replace_project(
        &self,
        project: &Project,
        expected: u64,
    ) -> Result<u64, StoreError> {
        let body = self.store_body(&project.tenant, &project.document).await?;
        let write = Ulid::generate().to_string();
        let replaced = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(table::project(project.id), META)))
            .update_expression(
                "SET title = :title, body = :body, updated = :updated, revision = :next, stamp = :stamp",
            )
            .condition_expression(
                "tenant = :tenant AND revision = :expected AND attribute_not_exists(gone)",
            )
            .expression_attribute_values(":title", s(&project.name))
            .expression_attribute_values(":body", body.clone())
            .expression_attribute_values(":updated", s(place(project)))
            .expression_attribute_values(":stamp", s(&write))
            .expression_attribute_values(":next", n(expected + 1))
            .expression_attribute_values(":expected", n(expected))
            .expression_attribute_values(":tenant", s(&project.tenant.0))
            .return_values(ReturnValue::UpdatedOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match replaced {
            Ok(answer) => {
                let before = answer.attributes.unwrap_or_default();
                self.drop_body(before.get("body")).await;
                return Ok(expected + 1);
            }
            Err(error) => error,
        };
        if let Some(UpdateItemError::ConditionalCheckFailedException(refused)) =
            error.as_service_error()
        {
            let stored = refused.item().filter(|item| {
                !item.contains_key("gone") && item.text("tenant") == Ok(&project.tenant.0)
            });
            return match stored {
                Some(item) if is_own(Some(item), &write) => Ok(expected + 1),
                Some(_) => {
                    self.drop_body(Some(&body)).await;
                    Err(StoreError::Conflict)
                }
                None => {
                    self.drop_body(Some(&body)).await;
                    Err(StoreError::NotFound)
                }
            };
        }
        Err(failed(&error))
    }

    pub(super) async fn write_asset(
        &self,
        tenant: &TenantId,
        asset: &Asset,
    ) -> Result<(), StoreError> {
        let (own, project) = (table::asset(asset.id), table::project(asset.project_id));
        let body = self.store_body(tenant, asset).await?;
        let item = |pk: &str, sk: &str| {
            let mut item = key(pk, sk);
            item.insert("tenant".into(), s(&tenant.0));
            item.insert("project".into(), s(asset.project_id.to_string()));
            item.insert("body".into(), body.clone());
            let put_item = Put::builder()
                .table_name(&self.table)
                .set_item(Some(item))
                .condition_expression("attribute_not_exists(pk) OR tenant = :tenant")
                .expression_attribute_values(":tenant", s(&tenant.0));
            put(put_item)
        };
        let items = vec![
            self.project_is_there(tenant, asset.project_id)?,
            item(&own, META)?,
            item(&project, &own)?,
        ];
        match self.transact(items).await {
            Ok(()) => Ok(()),
            Err(Refused::Conditions(_)) => Err(StoreError::NotFound),
            Err(Refused::Unknown(error)) => Err(error),
        }
    }

    async fn asset_item(&self, tenant: &TenantId, id: AssetId) -> Result<Option<Item>, StoreError> {
        let item = self.get(&table::asset(id), META).await?;
        Ok(item.filter(|item| item.text("tenant") == Ok(&tenant.0)))
    }

    pub(super) async fn read_asset(
        &self,
        tenant: &TenantId,
        id: AssetId,
    ) -> Result<Asset, StoreError> {
        let item = self.asset_item(tenant, id).await?;
        let item = item.ok_or(StoreError::NotFound)?;
        self.load_body(item.bytes("body")?).await
    }

    pub(super) async fn list_assets(
        &self,
        tenant: &TenantId,
        project: ProjectId,
    ) -> Result<Vec<Asset>, StoreError> {
        self.owned_project(tenant, project).await?;
        let mut assets = Vec::new();
        for item in self.below(table::project(project), "A#").await? {
            assets.push(self.load_body(item.bytes("body")?).await?);
        }
        Ok(assets)
    }

    pub(super) async fn remove_asset(
        &self,
        tenant: &TenantId,
        id: AssetId,
    ) -> Result<(), StoreError> {
        let Some(item) = self.asset_item(tenant, id).await? else {
            return Ok(());
        };
        let own = table::asset(id);
        let project = table::project(item.parsed("project")?);
        let delete = |pk: &str, sk: &str| {
            let delete = Delete::builder()
                .table_name(&self.table)
                .set_key(Some(key(pk, sk)));
            built(delete.build()).map(|delete| TransactWriteItem::builder().delete(delete).build())
        };
        let items = vec![delete(&own, META)?, delete(&project, &own)?];
        self.transact(items).await.map_err(Refused::otherwise)
    }

    pub(super) async fn open_key(
        &self,
        tenant: &TenantId,
        name: &str,
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<Option<KeyAnswer>, StoreError> {
        let before = |age: Duration| {
            now.checked_sub(age)
                .unwrap_or(Timestamp::MIN)
                .as_millisecond()
        };
        let write = Ulid::generate().to_string();
        let ttl = now.checked_add(KEPT).unwrap_or(Timestamp::MAX).as_second();
        let opened = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(key(key_of(tenant, name), KEY)))
            .item("fingerprint", s(fingerprint))
            .item("begun", n(now.as_millisecond()))
            .item("stamp", s(&write))
            .item("ttl", n(ttl))
            .condition_expression(
                "attribute_not_exists(pk) OR begun < :forgotten OR \
                 (attribute_not_exists(body) AND fingerprint = :fingerprint AND begun <= :abandoned)",
            )
            .expression_attribute_values(":forgotten", n(before(KEPT)))
            .expression_attribute_values(":abandoned", n(before(ABANDONED)))
            .expression_attribute_values(":fingerprint", s(fingerprint))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match opened {
            Ok(_) => return Ok(None),
            Err(error) => error,
        };
        let Some(PutItemError::ConditionalCheckFailedException(known)) = error.as_service_error()
        else {
            return Err(failed(&error));
        };
        if is_own(known.item(), &write) {
            return Ok(None);
        }
        let known = known.item().cloned().unwrap_or_default();
        if known.text("fingerprint")? != fingerprint {
            return Err(StoreError::Conflict);
        }
        match known.get("body") {
            Some(_) => self.load_body(known.bytes("body")?).await.map(Some),
            None => Ok(Some(KeyAnswer::Running)),
        }
    }

    pub(super) async fn answer_key(
        &self,
        tenant: &TenantId,
        name: &str,
        answer: &KeyAnswer,
    ) -> Result<(), StoreError> {
        let body = self.store_body(tenant, answer).await?;
        let answered = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(key_of(tenant, name), KEY)))
            .update_expression("SET body = :body")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":body", body)
            .send()
            .await;
        match answered {
            Ok(_) => Ok(()),
            Err(error) if is_refused(error.as_service_error()) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }

    pub(super) async fn free_key(&self, tenant: &TenantId, name: &str) -> Result<(), StoreError> {
        let freed = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key(key_of(tenant, name), KEY)))
            .condition_expression("attribute_not_exists(body)")
            .send()
            .await;
        match freed {
            Ok(_) => Ok(()),
            Err(error @ SdkError::ServiceError(_))
                if error
                    .as_service_error()
                    .is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Ok(())
            }
            Err(error) => Err(failed(&error)),
        }
    }
}
