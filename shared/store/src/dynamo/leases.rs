//! Leases. An item outlives its lease for [`KEPT`], so that a fence never comes back.

use super::{
    DynamoStore,
    client::failed,
    table::{self, LEASE, Read, built, n, s},
};
use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{ConditionCheck, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem},
};
use jiff::Timestamp;
use koda_domain::store::{Lease, StoreError};
use std::time::Duration;

/// How long an unused lease is remembered.
const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
/// The lease is held by who says so.
const HELD: &str = "holder = :holder AND fence = :fence";

fn pk(key: &str) -> String {
    format!("L#{key}")
}

fn later(now: Timestamp, life: Duration) -> Timestamp {
    now.checked_add(life).unwrap_or(Timestamp::MAX)
}

impl DynamoStore {
    /// In a transaction: the lease is still held.
    pub(super) fn lease_is_held(&self, lease: &Lease) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(table::key(pk(&lease.key), LEASE)))
            .condition_expression(HELD)
            .expression_attribute_values(":holder", s(&lease.owner))
            .expression_attribute_values(":fence", n(lease.fence))
            .build();
        Ok(TransactWriteItem::builder()
            .condition_check(built(check)?)
            .build())
    }

    pub(super) async fn take_lease(
        &self,
        key: &str,
        owner: &str,
        now: Timestamp,
        life: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let expires_at = later(now, life);
        let taken = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(table::key(pk(key), LEASE)))
            .update_expression(
                "SET holder = :holder, expires = :expires, #ttl = :ttl, fence = if_not_exists(fence, :none) + :one",
            )
            .condition_expression("attribute_not_exists(holder) OR expires <= :now")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":holder", s(owner))
            .expression_attribute_values(":expires", n(expires_at.as_millisecond()))
            .expression_attribute_values(":ttl", n(later(expires_at, KEPT).as_second()))
            .expression_attribute_values(":now", n(now.as_millisecond()))
            .expression_attribute_values(":none", n(0))
            .expression_attribute_values(":one", n(1))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let lease = |fence| Lease {
            key: key.to_owned(),
            owner: owner.to_owned(),
            fence,
            expires_at,
        };
        match taken {
            Ok(answer) => {
                let fence = answer.attributes.unwrap_or_default().number("fence")?;
                Ok(Some(lease(fence)))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    let item = refused.item().cloned().unwrap_or_default();
                    if item.text("holder").ok() != Some(owner) {
                        return Ok(None);
                    }
                    // It is one's own: also where the answer to taking it was lost.
                    let own = lease(item.number("fence")?);
                    match self.renew_lease(&own, now, life).await {
                        Ok(lease) => Ok(Some(lease)),
                        Err(StoreError::Fenced) => Ok(None),
                        Err(error) => Err(error),
                    }
                }
                _ => Err(failed(&error)),
            },
        }
    }

    pub(super) async fn renew_lease(
        &self,
        lease: &Lease,
        now: Timestamp,
        life: Duration,
    ) -> Result<Lease, StoreError> {
        let expires_at = later(now, life);
        let renewed = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(table::key(pk(&lease.key), LEASE)))
            .update_expression("SET expires = :expires, #ttl = :ttl")
            .condition_expression(HELD)
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":holder", s(&lease.owner))
            .expression_attribute_values(":fence", n(lease.fence))
            .expression_attribute_values(":expires", n(expires_at.as_millisecond()))
            .expression_attribute_values(":ttl", n(later(expires_at, KEPT).as_second()))
            .send()
            .await;
        match renewed {
            Ok(_) => Ok(Lease {
                expires_at,
                ..lease.clone()
            }),
            Err(error) if is_refused(error.as_service_error()) => Err(StoreError::Fenced),
            Err(error) => Err(failed(&error)),
        }
    }

    pub(super) async fn release_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        let released = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(table::key(pk(&lease.key), LEASE)))
            .update_expression("REMOVE holder")
            .condition_expression(HELD)
            .expression_attribute_values(":holder", s(&lease.owner))
            .expression_attribute_values(":fence", n(lease.fence))
            .send()
            .await;
        match released {
            Ok(_) => Ok(()),
            Err(error) if is_refused(error.as_service_error()) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }
}

/// Whether an update was refused by its condition.
pub(super) fn is_refused(error: Option<&UpdateItemError>) -> bool {
    matches!(
        error,
        Some(UpdateItemError::ConditionalCheckFailedException(_))
    )
}
