//! One model call: streamed, coalesced into events, retried only before anything was seen.

use super::{Interrupted, Job, conversation, pinned, window};
use crate::tools;
use futures_util::StreamExt;
use koda_domain::{
    EventBody,
    model::{ModelAnswer, ModelError, ModelEvent, ModelRequest, Role},
    store::SessionHead,
};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{Instrument, info_span};

/// How often a call that failed before its first word is tried.
const TRIES: u32 = 3;
/// The longest pause before another try where the provider does not say how long.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// The longest pause that a provider may ask for. Whom it tells to come back later, a person is told so at once.
const LONGEST_WAIT: Duration = Duration::from_secs(150);
/// The most tokens of one answer: as many as the largest file that a call may write. Adapters ask for fewer of a model that gives
/// fewer.
pub(crate) const ANSWER_TOKENS: u32 = 32_000;

/// A model that cannot be shown this much of a conversation cannot work, in bytes.
const LEAST_SHOWN: usize = 8 * 1024;

/// Text that streams, gathered until it is worth an event.
#[derive(Default)]
struct Pending {
    text: String,
    thinking: String,
}

impl Pending {
    fn take(&mut self, step: u32) -> Vec<EventBody> {
        let mut events = Vec::new();
        if !self.thinking.is_empty() {
            events.push(EventBody::ThinkingDelta {
                step,
                text: std::mem::take(&mut self.thinking),
            });
        }
        if !self.text.is_empty() {
            events.push(EventBody::TextDelta {
                step,
                text: std::mem::take(&mut self.text),
            });
        }
        events
    }
}

impl Job<'_> {
    /// Asks the model for the next step and records its answer as a checkpoint.
    pub(super) async fn call_model(&self, head: &SessionHead) -> Result<SessionHead, Interrupted> {
        let step = head.state.turn.as_ref().map_or(0, |t| t.steps) + 1;
        let mut shown = window::SHOWN;
        let mut request = self.request(head, shown).await?;
        let label = self.studio.model().describe(Role::Orchestrator);
        self.tell(vec![EventBody::ModelStarted { step, model: label }])
            .await?;
        let began = self.studio.clock().now();
        let mut tries = 0;
        loop {
            tries += 1;
            let mut seen = false;
            let streamed = self
                .stream(step, request.clone(), &mut seen)
                .instrument(info_span!("model", step, tries));
            let Some(result) = self.cancel.run_until_cancelled(streamed).await else {
                return Err(Interrupted::Cancelled);
            };
            match result {
                Ok((mut events, answer)) => {
                    let seconds = self.studio.seconds_since(began);
                    events.push(EventBody::ModelFinished {
                        step,
                        answer,
                        seconds,
                    });
                    return self.tell(events).await;
                }
                Err(Failure::Interrupted(reason)) => return Err(reason),
                Err(Failure::Model(error)) if !seen && may_pass(&error, tries) => {
                    let pause = tokio::time::sleep(pause(&error, tries));
                    self.cancel
                        .run_until_cancelled(pause)
                        .await
                        .ok_or(Interrupted::Cancelled)?;
                }
                // The model holds less than most: it is shown less of what was said.
                Err(Failure::Model(ModelError::TooLong)) if !seen && shown > LEAST_SHOWN => {
                    tries = 0;
                    shown /= 4;
                    request = self.request(head, shown).await?;
                }
                Err(Failure::Model(error)) => return Err(model_failure(&error)),
            }
        }
    }

    async fn request(&self, head: &SessionHead, shown: usize) -> Result<ModelRequest, Interrupted> {
        let given = self.studio.given(head).await;
        let talk = {
            let mut log = self.log.lock().await;
            let events = log.read_on(self.studio.store(), self.session).await?;
            conversation::build(events, &given)
        };
        let mut facts = pinned::facts(head, &given, &talk);
        let said = talk.said();
        let (messages, left_out) = talk.shown(shown);
        if left_out {
            facts["all_requests"] = json!(said);
        }
        Ok(ModelRequest {
            tenant: head.tenant.clone(),
            role: Role::Orchestrator,
            system: pinned::system(head.state.engine()),
            pinned: facts,
            messages,
            tools: tools::offered(&head.state),
            max_output_tokens: ANSWER_TOKENS,
        })
    }

    async fn stream(
        &self,
        step: u32,
        request: ModelRequest,
        seen: &mut bool,
    ) -> Result<(Vec<EventBody>, ModelAnswer), Failure> {
        let mut stream = self.studio.model().stream(request).await?;
        let mut pending = Pending::default();
        let mut flush_at: Option<Instant> = None;
        loop {
            let due = async {
                match flush_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let event = tokio::select! {
                event = stream.next() => event,
                () = due => {
                    flush_at = None;
                    self.tell(pending.take(step)).await?;
                    continue;
                }
            };
            match event {
                Some(Ok(ModelEvent::Text(piece))) => pending.text.push_str(&piece),
                Some(Ok(ModelEvent::Thinking(piece))) => pending.thinking.push_str(&piece),
                // Nobody has seen anything of it: a call that breaks off here can be made again.
                Some(Ok(ModelEvent::ToolCallStarted { .. })) => continue,
                Some(Ok(ModelEvent::Finished(answer))) => return Ok((pending.take(step), answer)),
                Some(Err(error)) => {
                    self.tell(pending.take(step)).await?;
                    return Err(error.into());
                }
                None => return Err(ModelError::Unavailable("the answer broke off".into()).into()),
            }
            *seen = true;
            if flush_at.is_none() {
                flush_at = Some(Instant::now() + self.studio.options().coalesce);
            }
        }
    }
}

/// What to wait before a call is made again that failed for the so manieth time.
pub(crate) fn pause(error: &ModelError, tries: u32) -> Duration {
    match error {
        ModelError::Busy { after: Some(after) } => (*after).min(LONGEST_WAIT),
        _ => Duration::from_millis(400 << tries).min(LONGEST_PAUSE),
    }
}

/// Whether a call that failed for the so manieth time is made again.
pub(crate) fn may_pass(error: &ModelError, tries: u32) -> bool {
    let soon = !matches!(error, ModelError::Busy { after: Some(after) } if *after > LONGEST_WAIT);
    error.is_retryable() && soon && tries < TRIES
}

enum Failure {
    Model(ModelError),
    Interrupted(Interrupted),
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl From<Interrupted> for Failure {
    fn from(reason: Interrupted) -> Self {
        Self::Interrupted(reason)
    }
}

fn model_failure(error: &ModelError) -> Interrupted {
    if let ModelError::Busy { after: Some(after) } = error {
        let minutes = after.as_secs().div_ceil(60).max(1);
        return Interrupted::Failed {
            code: "model_busy",
            message: format!(
                "The model provider lets no more through for now. Send the message again in {minutes} min."
            ),
        };
    }
    let (code, message) = match error {
        ModelError::Busy { .. } => (
            "model_busy",
            "The model is busy. Send the message again in a minute.",
        ),
        ModelError::Unavailable(_) => (
            "model_unavailable",
            "The model cannot be reached. Try again in a moment.",
        ),
        ModelError::Unauthorized => (
            "model_unauthorized",
            "The model provider refused the key; check the configuration.",
        ),
        ModelError::OutOfCredit => (
            "model_out_of_credit",
            "The account at the model provider has no credit left. Add some there, then send the message again.",
        ),
        ModelError::UnknownModel(_) => (
            "model_unknown",
            "The model provider does not have the model that is configured, or not for this key; check the configuration.",
        ),
        ModelError::TooLong => (
            "conversation_too_long",
            "The conversation has become too long for the model. Say what is missing in a new animation node, or attach less.",
        ),
        ModelError::Rejected(_) => (
            "model_rejected",
            "The model refused the request. Try to say it in another way.",
        ),
    };
    Interrupted::Failed {
        code,
        message: message.into(),
    }
}
