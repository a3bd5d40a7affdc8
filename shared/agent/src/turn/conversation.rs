//! The conversation as a model sees it: rebuilt from the log, every time.

use koda_domain::{
    AssetId, Event, EventBody, MessageId, SessionId,
    event::{TurnInput, TurnOutcome},
    limits::EVENTS_PAGE,
    message::{Content, Message, Speaker, ToolCall, ToolOutput},
    plan::Plan,
    store::{SessionStore, StoreError},
};
use std::collections::HashMap;

/// What was said, and by the person in particular.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    /// For the model, oldest first.
    pub messages: Vec<Message>,
    /// The person's own words, oldest first.
    pub said: Vec<String>,
    /// What the running turn answers, in words.
    pub request: String,
    /// Assets that came with it.
    pub attachments: Vec<AssetId>,
}

/// Everything of the log that a conversation is made of.
pub(crate) async fn read(
    store: &dyn SessionStore,
    session: SessionId,
) -> Result<Vec<Event>, StoreError> {
    let (mut log, mut after) = (Vec::new(), 0);
    loop {
        let page = store.events(session, after, EVENTS_PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(log);
        };
        after = last.seq;
        let whole = page.len() == EVENTS_PAGE;
        log.extend(page.into_iter().filter(|event| {
            !matches!(
                event.body,
                EventBody::TextDelta { .. }
                    | EventBody::ThinkingDelta { .. }
                    | EventBody::RenderProgressed { .. }
            )
        }));
        if !whole {
            return Ok(log);
        }
    }
}

/// Rebuilds the conversation.
pub(crate) fn build(log: &[Event]) -> Talk {
    let mut builder = Builder::default();
    for event in log {
        builder.take(&event.body);
    }
    builder.talk
}

#[derive(Default)]
struct Builder {
    talk: Talk,
    posted: HashMap<MessageId, (String, Vec<AssetId>)>,
    plan: Option<Plan>,
    open: Vec<ToolCall>,
    rejected: Option<String>,
}

impl Builder {
    fn take(&mut self, body: &EventBody) {
        match body {
            EventBody::MessagePosted {
                message_id,
                text,
                attachments,
                context,
                ..
            } => {
                let words = context
                    .iter()
                    .map(|c| format!("{c}\n"))
                    .chain([text.clone()])
                    .collect::<String>();
                self.posted
                    .insert(*message_id, (words.trim().to_owned(), attachments.clone()));
            }
            EventBody::TurnStarted { input } => self.turn_started(input),
            EventBody::PlanApproved { plan, .. } => self.plan = Some(plan.clone()),
            EventBody::PlanRejected { reason, .. } => {
                self.rejected = Some(reason.clone().unwrap_or_default());
            }
            EventBody::ModelFinished { answer, .. } => {
                self.open = answer.tool_calls().cloned().collect();
                if !answer.content.is_empty() {
                    self.push(Speaker::Assistant, answer.content.clone());
                }
            }
            EventBody::ToolFinished {
                call_id,
                output,
                is_error,
                ..
            } => {
                self.open.retain(|call| call.id != *call_id);
                self.result(call_id, output.clone(), *is_error);
            }
            EventBody::ModelTold { text } => self.user(text),
            EventBody::TurnFinished { outcome } => self.turn_finished(outcome),
            _ => {}
        }
    }

    fn turn_started(&mut self, input: &TurnInput) {
        let rejected = self.rejected.take().map(|why| match why.as_str() {
            "" => "(I rejected the last plan.)\n".to_owned(),
            why => format!("(I rejected the last plan: {why})\n"),
        });
        match input {
            TurnInput::Message { message_id } => {
                let (words, attachments) = self.posted.get(message_id).cloned().unwrap_or_default();
                self.talk.said.push(words.clone());
                self.user(&format!("{}{words}", rejected.unwrap_or_default()));
                self.talk.request = words;
                self.talk.attachments = attachments;
            }
            TurnInput::Plan { .. } => {
                let text = "The plan is approved. Build it now, then finish.".to_owned();
                self.user(&text);
                self.talk.request = text;
                self.talk.attachments.clear();
            }
            TurnInput::Settings {} => {}
        }
    }

    fn turn_finished(&mut self, outcome: &TurnOutcome) {
        // Every tool call must have an answer, whatever became of the turn.
        for call in std::mem::take(&mut self.open) {
            let text = "Not run: the turn ended before.".to_owned();
            self.result(&call.id, vec![ToolOutput::Text { text }], true);
        }
        let note = match outcome {
            TurnOutcome::Stopped => "(I stopped you there.)",
            TurnOutcome::CheckFailed { .. } => {
                "(Your changes did not pass the check and were taken back.)"
            }
            _ => return,
        };
        self.user(note);
    }

    fn user(&mut self, text: &str) {
        self.push(
            Speaker::User,
            vec![Content::Text {
                text: text.to_owned(),
            }],
        );
    }

    fn result(&mut self, call_id: &str, output: Vec<ToolOutput>, is_error: bool) {
        self.push(
            Speaker::User,
            vec![Content::ToolResult {
                call_id: call_id.to_owned(),
                output,
                is_error,
            }],
        );
    }

    /// One message for each change of speaker: results of parallel calls stand together.
    fn push(&mut self, speaker: Speaker, content: Vec<Content>) {
        match self.talk.messages.last_mut() {
            Some(last) if last.speaker == speaker => last.content.extend(content),
            _ => self.talk.messages.push(Message { speaker, content }),
        }
    }
}
