//! Counts of what may be done so often in a minute.

use super::{
    DynamoStore,
    client::failed,
    table::{Read, key, n},
};
use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError, types::ReturnValuesOnConditionCheckFailure,
};
use koda_domain::{
    TenantId,
    rate::{Costly, Window},
    store::StoreError,
};
use std::time::Duration;

impl DynamoStore {
    /// One read of the minute before, which changes no more, and one addition, which contends with nobody.
    pub(super) async fn add_use(
        &self,
        tenant: &TenantId,
        what: Costly,
        most: u32,
        window: Window,
    ) -> Result<Option<Duration>, StoreError> {
        let pk = format!("U#{tenant}#{}", what.name());
        let before = match self.get(&pk, &minute(window.number - 1)).await? {
            Some(item) => u32::try_from(item.number("used")?).unwrap_or(u32::MAX),
            None => 0,
        };
        let room = window.room(most, before);
        if room == 0 {
            return Ok(Some(window.wait(most, before, 0)));
        }
        let added = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&pk, minute(window.number))))
            .update_expression("ADD used :one SET #ttl = :ttl")
            .condition_expression("attribute_not_exists(used) OR used < :room")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":ttl", n(window.forgotten()))
            .expression_attribute_values(":room", n(room))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match added {
            Ok(_) => return Ok(None),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(full)) => {
                let used = full.item().and_then(|item| item.number("used").ok());
                let used = used.and_then(|used| u32::try_from(used).ok());
                Ok(Some(window.wait(most, before, used.unwrap_or(room))))
            }
            _ => Err(failed(&error)),
        }
    }
}

/// Sort key of a minute.
fn minute(number: i64) -> String {
    format!("{number:012}")
}
