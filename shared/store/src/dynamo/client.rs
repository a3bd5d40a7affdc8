//! Talking to DynamoDB: retries, what they cannot mend, and the calls that every part makes.

use super::{
    DynamoStore,
    flow::Bounded,
    table::{Item, key, s},
};
use aws_sdk_dynamodb::{
    Client,
    config::{
        retry::{RetryConfig, RetryPartition, TokenBucket},
        timeout::TimeoutConfig,
    },
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, CancellationReason, TransactWriteItem},
};
use aws_smithy_runtime_api::client::{
    interceptors::context::InterceptorContext,
    retries::classifiers::{ClassifyRetry, RetryAction},
};
use koda_domain::store::StoreError;
use std::time::Duration;

/// A client that tries again what may pass, with growing pauses and jitter, for some seconds in all.
///
/// Further tries come out of a budget of the client's own, which fills up again as calls succeed: while the service is down,
/// a call is soon tried twice at most instead of seven times. Without a budget of its own, every client of the process
/// would take from one.
#[must_use]
pub fn connect(config: &aws_config::SdkConfig) -> Client {
    let http = config.http_client().map(Bounded::new);
    let mut config = aws_sdk_dynamodb::config::Builder::from(config)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(7)
                .with_initial_backoff(Duration::from_millis(60))
                .with_max_backoff(Duration::from_secs(2)),
        )
        .retry_partition(
            RetryPartition::custom("koda")
                .token_bucket(TokenBucket::default())
                .build(),
        )
        .retry_classifier(Contention)
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(2))
                .operation_attempt_timeout(Duration::from_secs(4))
                .operation_timeout(Duration::from_secs(12))
                .build(),
        );
    if let Some(http) = http {
        config = config.http_client(http);
    }
    Client::from_conf(config.build())
}

/// Transactions that met another, or were throttled, may pass as they are. The SDK takes them for final.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
#[derive(Debug)]
struct Contention;

impl ClassifyRetry for Contention {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let cancelled = context
            .output_or_error()
            .and_then(Result::err)
            .and_then(|error| error.as_operation_error())
            .and_then(|error| error.downcast_ref::<TransactWriteItemsError>());
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = cancelled
        else {
            return RetryAction::NoActionIndicated;
        };
        let codes: Vec<&str> = cancelled
            .cancellation_reasons()
            .iter()
            .filter_map(CancellationReason::code)
            .filter(|code| *code != "None")
            .collect();
        if codes.contains(&"ConditionalCheckFailed") {
            RetryAction::RetryForbidden
        } else if codes.contains(&"TransactionConflict") {
            RetryAction::transient_error()
        } else if codes.contains(&"ThrottlingError")
            || codes.contains(&"ProvisionedThroughputExceeded")
        {
            RetryAction::throttling_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "contention in transactions"
    }
}

/// A failure that retries did not mend. What the service says names no data.
pub(super) fn failed<E>(error: &SdkError<E>) -> StoreError
where
    SdkError<E>: ProvideErrorMetadata,
{
    let why = match (error, error.code()) {
        (_, Some("ResourceNotFoundException")) => {
            "there is no such table (`koda-server create-table` makes it)".into()
        }
        (_, Some(code)) => code.to_owned(),
        (SdkError::TimeoutError(_), _) => "no answer in time".into(),
        (SdkError::DispatchFailure(_), _) => "no connection".into(),
        _ => "no usable answer".into(),
    };
    StoreError::Unavailable(format!("DynamoDB: {why}"))
}

/// Why a transaction was not carried out.
pub(super) enum Refused {
    /// Conditions did not hold; the reason of each item, in the order in which they were given.
    Conditions(Vec<CancellationReason>),
    /// It is not known whether it was carried out.
    Unknown(StoreError),
}

impl Refused {
    /// Whether the condition of the item at this place was one that did not hold.
    pub(super) fn at(&self, place: usize) -> bool {
        self.reason(place)
            .is_some_and(|reason| reason.code() == Some("ConditionalCheckFailed"))
    }

    /// The item at this place as it was found.
    pub(super) fn found(&self, place: usize) -> Option<&Item> {
        self.reason(place).and_then(CancellationReason::item)
    }

    fn reason(&self, place: usize) -> Option<&CancellationReason> {
        match self {
            Self::Conditions(reasons) => reasons.get(place),
            Self::Unknown(_) => None,
        }
    }

    /// What to say where no condition explains it.
    pub(super) fn otherwise(self) -> StoreError {
        match self {
            Self::Conditions(_) => StoreError::Conflict,
            Self::Unknown(error) => error,
        }
    }
}

/// Everything that a query finds is asked for in pages.
pub(super) struct Wanted {
    pub condition: &'static str,
    pub values: Vec<(&'static str, AttributeValue)>,
    pub index: Option<&'static str>,
    pub limit: usize,
}

impl DynamoStore {
    /// An item, as it is now.
    pub(super) async fn get(&self, pk: &str, sk: &str) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.table);
        let answer = request
            .set_key(Some(key(pk, sk)))
            .consistent_read(true)
            .send()
            .await;
        answer.map(|a| a.item).map_err(|e| failed(&e))
    }

    /// All of these or none.
    pub(super) async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<(), Refused> {
        let request = self.client.transact_write_items();
        match request.set_transact_items(Some(items)).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled))
                    if cancelled
                        .cancellation_reasons()
                        .iter()
                        .any(|r| r.code() == Some("ConditionalCheckFailed")) =>
                {
                    Err(Refused::Conditions(
                        cancelled.cancellation_reasons().to_vec(),
                    ))
                }
                _ => Err(Refused::Unknown(failed(&error))),
            },
        }
    }

    /// Items in the order of their sort key, as they are now; of an index, as they were a moment ago.
    pub(super) async fn query(&self, wanted: Wanted) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut from = None;
        while items.len() < wanted.limit {
            let mut request = self
                .client
                .query()
                .table_name(&self.table)
                .set_index_name(wanted.index.map(str::to_owned))
                .key_condition_expression(wanted.condition)
                .set_exclusive_start_key(from)
                .limit(i32::try_from(wanted.limit - items.len()).unwrap_or(i32::MAX));
            if wanted.index.is_none() {
                request = request.consistent_read(true);
            }
            for (name, value) in &wanted.values {
                request = request.expression_attribute_values(*name, value.clone());
            }
            let page = request.send().await.map_err(|e| failed(&e))?;
            items.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        Ok(items)
    }

    /// Items of a partition whose sort key begins with this.
    pub(super) async fn below(&self, pk: String, prefix: &str) -> Result<Vec<Item>, StoreError> {
        self.query(Wanted {
            condition: "pk = :pk AND begins_with(sk, :sk)",
            values: vec![(":pk", s(pk)), (":sk", s(prefix))],
            index: None,
            limit: usize::MAX,
        })
        .await
    }

    /// Removes an item; removing nothing succeeds.
    pub(super) async fn delete(&self, pk: &str, sk: &str) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.table);
        let answer = request.set_key(Some(key(pk, sk))).send().await;
        answer.map(drop).map_err(|e| failed(&e))
    }
}
