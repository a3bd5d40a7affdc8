//! Removing what has many items: it is gone at once for whoever looks, and its items go one after the other. A removal that
//! was cut off is in the index of what has work, and is finished by whoever looks there next.

use super::{
    DynamoStore,
    client::{Wanted, failed},
    records::is_own,
    table::{self, META, Read, WORK_INDEX, key, s},
};
use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError, types::ReturnValuesOnConditionCheckFailure,
};
use koda_domain::{ProjectId, SessionId, TenantId, store::StoreError};
use ulid::Ulid;

/// In the index of what has work: removals.
const REMOVAL: &str = "removal";
/// Removals that are finished at once.
const SOME: usize = 10;

impl DynamoStore {
    pub(super) async fn remove_session(
        &self,
        tenant: &TenantId,
        id: SessionId,
    ) -> Result<(), StoreError> {
        let pk = table::session(id);
        self.mark_gone(tenant, &pk).await?;
        self.clear_session(&pk).await
    }

    pub(super) async fn remove_project(
        &self,
        tenant: &TenantId,
        id: ProjectId,
    ) -> Result<(), StoreError> {
        let pk = table::project(id);
        self.mark_gone(tenant, &pk).await?;
        self.clear_project(&pk).await
    }

    /// From now on it is not there for anybody.
    async fn mark_gone(&self, tenant: &TenantId, pk: &str) -> Result<(), StoreError> {
        let write = Ulid::generate().to_string();
        let marked = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(pk, META)))
            // It leaves the tenant's list in the same moment.
            .update_expression("SET gone = :gone, stamp = :gone, todo = :removal REMOVE tenant_key")
            .condition_expression("tenant = :tenant AND attribute_not_exists(gone)")
            .expression_attribute_values(":tenant", s(&tenant.0))
            .expression_attribute_values(":gone", s(&write))
            .expression_attribute_values(":removal", s(REMOVAL))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = marked else { return Ok(()) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(e))
                if is_own(e.item(), &write) =>
            {
                Ok(())
            }
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Err(StoreError::NotFound),
            _ => Err(failed(&error)),
        }
    }

    async fn clear_session(&self, pk: &str) -> Result<(), StoreError> {
        let Some(meta) = self.get(pk, META).await? else {
            return Ok(());
        };
        for sort in ["E#", "STATE"] {
            for item in self.below(pk.to_owned(), sort).await? {
                self.drop_body(item.get("body")).await;
                self.delete(pk, item.text("sk")?).await?;
            }
        }
        self.delete(&table::project(meta.parsed("project")?), pk)
            .await?;
        self.delete(pk, META).await
    }

    async fn clear_project(&self, pk: &str) -> Result<(), StoreError> {
        let Some(meta) = self.get(pk, META).await? else {
            return Ok(());
        };
        let tenant = TenantId(meta.text("tenant")?.to_owned());
        for member in self.below(pk.to_owned(), "S#").await? {
            let session = member.text("sk")?;
            match self.mark_gone(&tenant, session).await {
                Ok(()) | Err(StoreError::NotFound) => self.clear_session(session).await?,
                Err(error) => return Err(error),
            }
            self.delete(pk, session).await?;
        }
        for asset in self.below(pk.to_owned(), "A#").await? {
            let name = asset.text("sk")?;
            self.delete(name, META).await?;
            self.delete(pk, name).await?;
        }
        self.drop_body(meta.get("body")).await;
        self.delete(pk, META).await
    }

    /// Finishes removals that were cut off. Best effort; two at once do no harm.
    pub(super) async fn finish_removals(&self) {
        let begun = self
            .query(Wanted {
                condition: "todo = :todo",
                values: vec![(":todo", s(REMOVAL))],
                index: Some(WORK_INDEX),
                limit: SOME,
            })
            .await;
        for item in begun.unwrap_or_default() {
            let Ok(pk) = item.text("pk") else { continue };
            let cleared = if pk.starts_with("S#") {
                self.clear_session(pk).await
            } else {
                self.clear_project(pk).await
            };
            if let Err(error) = cleared {
                tracing::warn!(%error, "A removal could not be finished: {error}");
            }
        }
    }
}
