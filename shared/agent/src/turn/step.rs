//! One model call: streamed, coalesced into events, retried only before anything was seen.

use super::{Interrupted, Job, conversation, pinned, window};
use crate::tools;
use futures_util::StreamExt;
use koda_domain::{
    EventBody,
    model::{ModelAnswer, ModelError, ModelEvent, ModelRequest, Role},
    store::SessionHead,
};
use std::time::Duration;
use tokio::time::Instant;
use tracing::{Instrument, info_span};

/// How often a call that failed before its first word is tried.
pub(crate) const TRIES: u32 = 3;
/// The longest pause before another try, whatever the provider asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// The most tokens of one answer.
const ANSWER_TOKENS: u32 = 16_000;

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
                Err(Failure::Model(error)) if error.is_retryable() && !seen && tries < TRIES => {
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
        let log = conversation::read(self.studio.store(), self.session).await?;
        let mut given = Vec::new();
        let logo = head.state.settings.logo;
        let unnamed = logo.filter(|id| !head.state.assets.contains(id));
        for id in head.state.assets.iter().chain(&unnamed) {
            // One that was deleted meanwhile is simply not there.
            given.extend(self.studio.store().asset(&head.tenant, *id).await.ok());
        }
        let talk = conversation::build(&log, &given);
        Ok(ModelRequest {
            tenant: head.tenant.clone(),
            role: Role::Orchestrator,
            system: pinned::system(head.state.engine()),
            pinned: pinned::facts(head, &given, &talk),
            messages: talk.shown(shown),
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
    let pause = match error {
        ModelError::Busy { after: Some(after) } => *after,
        _ => Duration::from_millis(400 << tries),
    };
    pause.min(LONGEST_PAUSE)
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
