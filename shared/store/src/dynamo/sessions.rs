//! Sessions and their logs.

use super::{
    DynamoStore,
    body::{Packed, again_where_replaced, pack},
    client::{Refused, Wanted, failed},
    leases::is_refused,
    table::{self, Item, META, Read, STATE, WORK_INDEX, batch, built, key, n, s},
};
use aws_sdk_dynamodb::{
    error::SdkError,
    types::{
        AttributeValue, ConditionCheck, Put, ReturnValue, ReturnValuesOnConditionCheckFailure,
        TransactWriteItem, Update,
    },
};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use koda_domain::{
    Event, EventBody, ProjectId, SessionId, SessionState, TenantId, TurnId,
    store::{Append, SessionHead, StoreError},
};
use serde::Serialize;
use ulid::Ulid;

/// How many events are folded at most when a session is read, unless one batch has more.
pub(super) const SNAPSHOT_EVERY: u64 = 32;
/// In the index of what has work: sessions.
const WORK: &str = "session";
/// Heads that are read at once.
const AT_ONCE: usize = 8;

pub(super) fn put(
    put: aws_sdk_dynamodb::types::builders::PutBuilder,
) -> Result<TransactWriteItem, StoreError> {
    Ok(TransactWriteItem::builder()
        .put(built(put.build())?)
        .build())
}

/// Events that are added together.
struct Batch<'a> {
    session: SessionId,
    first: u64,
    at: Timestamp,
    turn: Option<TurnId>,
    events: &'a [EventBody],
}

impl Batch<'_> {
    fn last(&self) -> u64 {
        self.first + self.events.len() as u64 - 1
    }

    fn item(&self, body: AttributeValue, write: &str) -> Item {
        let mut item = key(table::session(self.session), batch(self.last()));
        item.insert("since".into(), n(self.first));
        item.insert("moment".into(), s(self.at.to_string()));
        item.insert("stamp".into(), s(write));
        item.insert("body".into(), body);
        if let Some(turn) = self.turn {
            item.insert("turn".into(), s(turn.to_string()));
        }
        item
    }
}

impl DynamoStore {
    /// In a transaction: a project of this tenant is there.
    pub(super) fn project_is_there(
        &self,
        tenant: &TenantId,
        project: ProjectId,
    ) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(key(table::project(project), META)))
            .condition_expression("tenant = :tenant AND attribute_not_exists(gone)")
            .expression_attribute_values(":tenant", s(&tenant.0));
        let check = built(check.build())?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    pub(super) async fn put_session(
        &self,
        head: &SessionHead,
        at: Timestamp,
        events: &[EventBody],
    ) -> Result<(), StoreError> {
        let pk = table::session(head.id);
        let mut meta = key(&pk, META);
        meta.insert("tenant".into(), s(&head.tenant.0));
        meta.insert("project".into(), s(head.project_id.to_string()));
        meta.insert("seq".into(), n(head.seq));
        if head.state.has_work() {
            meta.insert("todo".into(), s(WORK));
        }
        let member = key(table::project(head.project_id), &pk);
        let mut state = key(&pk, STATE);
        state.insert("seq".into(), n(head.seq));
        state.insert(
            "body".into(),
            self.store_body(&head.tenant, &head.state).await?,
        );
        let new = |item: Item| {
            put(Put::builder()
                .table_name(&self.table)
                .set_item(Some(item))
                .condition_expression("attribute_not_exists(pk)"))
        };
        let mut items = vec![
            self.project_is_there(&head.tenant, head.project_id)?,
            new(meta)?,
            new(member)?,
            new(state)?,
        ];
        if !events.is_empty() {
            let batch = Batch {
                session: head.id,
                first: 1,
                at,
                turn: None,
                events,
            };
            let body = self.store_body(&head.tenant, &events).await?;
            items.push(new(batch.item(body, ""))?);
        }
        match self.transact(items).await {
            Ok(()) => Ok(()),
            Err(refused) if refused.at(0) => Err(StoreError::NotFound),
            Err(refused @ Refused::Conditions(_)) if refused.at(1) => Err(StoreError::Exists),
            Err(refused) => Err(refused.otherwise()),
        }
    }

    /// A session's own item.
    pub(super) async fn session_meta(&self, id: SessionId) -> Result<Item, StoreError> {
        let meta = self.get(&table::session(id), META).await?;
        meta.filter(|meta| !meta.contains_key("gone"))
            .ok_or(StoreError::NotFound)
    }

    pub(super) async fn head(&self, id: SessionId) -> Result<SessionHead, StoreError> {
        again_where_replaced(|| self.try_head(id)).await
    }

    async fn try_head(&self, id: SessionId) -> Result<SessionHead, StoreError> {
        let pk = table::session(id);
        let (meta, saved) = tokio::try_join!(self.session_meta(id), self.get(&pk, STATE))?;
        let saved = saved.ok_or_else(|| StoreError::Corrupt("a session has no state".into()))?;
        let mut seq = saved.number("seq")?;
        let mut state: SessionState = self.load_body(saved.bytes("body")?).await?;
        for item in self.batches(id, seq, usize::MAX).await? {
            for event in self.events_of(id, &item).await? {
                if event.seq > seq {
                    seq = event.seq;
                    state.apply(event.seq, event.at, event.turn_id, &event.body);
                }
            }
        }
        Ok(SessionHead {
            id,
            tenant: TenantId(meta.text("tenant")?.to_owned()),
            project_id: meta.parsed("project")?,
            seq,
            state,
        })
    }

    pub(super) async fn heads_of(
        &self,
        tenant: &TenantId,
        project: ProjectId,
    ) -> Result<Vec<SessionHead>, StoreError> {
        self.owned_project(tenant, project).await?;
        let members = self.below(table::project(project), "S#").await?;
        let heads = stream::iter(members).map(|member| async move {
            match self.head(table::session_of(member.text("sk")?)?).await {
                Ok(head) => Ok(Some(head)),
                // Removed meanwhile.
                Err(StoreError::NotFound) => Ok(None),
                Err(error) => Err(error),
            }
        });
        let heads: Vec<Option<SessionHead>> = heads.buffered(AT_ONCE).try_collect().await?;
        Ok(heads.into_iter().flatten().collect())
    }

    async fn batches(
        &self,
        id: SessionId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError> {
        self.query(Wanted {
            condition: "pk = :pk AND sk BETWEEN :from AND :to",
            values: vec![
                (":pk", s(table::session(id))),
                (":from", s(batch(after.saturating_add(1)))),
                (":to", s(batch(u64::MAX))),
            ],
            index: None,
            limit,
        })
        .await
    }

    async fn events_of(&self, id: SessionId, item: &Item) -> Result<Vec<Event>, StoreError> {
        let (first, at) = (item.number("since")?, item.parsed("moment")?);
        let turn_id = match item.get("turn") {
            Some(_) => Some(item.parsed("turn")?),
            None => None,
        };
        let bodies: Vec<EventBody> = self.load_body(item.bytes("body")?).await?;
        let event = |(seq, body)| Event {
            seq,
            at,
            session_id: id,
            turn_id,
            body,
        };
        Ok((first..).zip(bodies).map(event).collect())
    }

    pub(super) async fn events_after(
        &self,
        id: SessionId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        again_where_replaced(|| self.try_events_after(id, after, limit)).await
    }

    async fn try_events_after(
        &self,
        id: SessionId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let mut events = Vec::new();
        for item in self.batches(id, after, limit).await? {
            let batch = self.events_of(id, &item).await?;
            events.extend(batch.into_iter().filter(|event| event.seq > after));
            if events.len() >= limit {
                break;
            }
        }
        events.truncate(limit);
        if events.is_empty() {
            // An empty answer of a session that is not there would look like one with nothing new.
            self.session_meta(id).await?;
        }
        Ok(events)
    }

    pub(super) async fn add_events(&self, append: &Append) -> Result<u64, StoreError> {
        let pk = table::session(append.session);
        let last = append.expected_seq + append.events.len() as u64;
        let write = Ulid::generate().to_string();
        let mut items = vec![self.move_on(append, last)?];
        if let Some(lease) = &append.lease {
            items.push(self.lease_is_held(lease)?);
        }
        let mut stored = None;
        if !append.events.is_empty() {
            let batch = Batch {
                session: append.session,
                first: append.expected_seq + 1,
                at: append.at,
                turn: append.turn,
                events: &append.events,
            };
            let body = self.session_body(append.session, &append.events).await?;
            stored = Some(body.clone());
            items.push(put(Put::builder()
                .table_name(&self.table)
                .set_item(Some(batch.item(body, &write)))
                .condition_expression("attribute_not_exists(pk)"))?);
        }
        let refused = match self.transact(items).await {
            Ok(()) => None,
            // It may have been carried out although its answer was lost.
            Err(refused) if self.has_written(&pk, last, &write).await? => {
                drop(refused);
                None
            }
            Err(refused) => Some(refused),
        };
        if let Some(refused) = refused {
            if let Refused::Conditions(_) = refused {
                self.drop_body(stored.as_ref()).await;
            }
            let there = refused
                .found(0)
                .is_some_and(|meta| !meta.contains_key("gone"));
            return Err(match refused {
                refused if refused.at(0) && !there => StoreError::NotFound,
                refused if append.lease.is_some() && refused.at(1) => StoreError::Fenced,
                refused => refused.otherwise(),
            });
        }
        let crossed = last / SNAPSHOT_EVERY > append.expected_seq / SNAPSHOT_EVERY;
        if crossed || !append.state.has_work() {
            self.save_state(append, last).await;
        }
        Ok(last)
    }

    /// A value of a session as an attribute. Whose it is has to be asked only for what is stored elsewhere.
    async fn session_body(
        &self,
        session: SessionId,
        value: &impl Serialize,
    ) -> Result<AttributeValue, StoreError> {
        match pack(value)? {
            Packed::Inside(body) => Ok(body),
            Packed::TooLarge(bytes) => {
                let meta = self.session_meta(session).await?;
                let tenant = TenantId(meta.text("tenant")?.to_owned());
                self.store_elsewhere(&tenant, bytes).await
            }
        }
    }

    /// In a transaction: the last number was the expected one, and is this one now.
    fn move_on(&self, append: &Append, last: u64) -> Result<TransactWriteItem, StoreError> {
        let change = if append.state.has_work() {
            "SET seq = :last, todo = :work"
        } else {
            "SET seq = :last REMOVE todo"
        };
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(table::session(append.session), META)))
            .update_expression(change)
            .condition_expression("seq = :expected AND attribute_not_exists(gone)")
            .expression_attribute_values(":last", n(last))
            .expression_attribute_values(":expected", n(append.expected_seq))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if append.state.has_work() {
            update = update.expression_attribute_values(":work", s(WORK));
        }
        let update = built(update.build())?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    async fn has_written(&self, pk: &str, last: u64, write: &str) -> Result<bool, StoreError> {
        let batch = self.get(pk, &batch(last)).await?;
        Ok(batch.is_some_and(|item| item.text("stamp").ok() == Some(write)))
    }

    /// Saves the state, so that fewer events are folded when it is read. Best effort.
    async fn save_state(&self, append: &Append, last: u64) {
        if let Err(error) = self.try_save_state(append, last).await {
            tracing::debug!(session.id = %append.session, %error, "A state was not saved");
        }
    }

    async fn try_save_state(&self, append: &Append, last: u64) -> Result<(), StoreError> {
        let body = self.session_body(append.session, &append.state).await?;
        let saved = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(table::session(append.session), STATE)))
            .update_expression("SET seq = :seq, body = :body")
            // Not where another was faster, nor where the session is gone.
            .condition_expression("seq < :seq")
            .expression_attribute_values(":seq", n(last))
            .expression_attribute_values(":body", body.clone())
            .return_values(ReturnValue::UpdatedOld)
            .send()
            .await;
        match saved {
            Ok(saved) => {
                let before = saved.attributes.unwrap_or_default();
                self.drop_body(before.get("body")).await;
                Ok(())
            }
            Err(error) => {
                if let SdkError::ServiceError(_) = &error {
                    self.drop_body(Some(&body)).await;
                }
                if is_refused(error.as_service_error()) {
                    Ok(())
                } else {
                    Err(failed(&error))
                }
            }
        }
    }

    pub(super) async fn with_work(&self, limit: usize) -> Result<Vec<SessionId>, StoreError> {
        let found = self
            .query(Wanted {
                condition: "todo = :todo",
                values: vec![(":todo", s(WORK))],
                index: Some(WORK_INDEX),
                limit,
            })
            .await?;
        let ids = found.iter().map(|item| table::session_of(item.text("pk")?));
        ids.collect()
    }
}
