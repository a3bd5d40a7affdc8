//! The conversation as a model sees it: rebuilt from the log for every step.

use super::window::{self, Chapter};
use koda_domain::{
    AssetId, Event, EventBody, MessageId, SessionId,
    asset::Asset,
    event::{TurnInput, TurnOutcome},
    limits::EVENTS_PAGE,
    message::{Content, Message, Speaker, ToolCall, ToolOutput},
    model::StopReason,
    plan::Plan,
    store::{SessionStore, StoreError},
};
use std::collections::HashMap;

/// The newest words of the person that are told in full, and how long the older ones may be, in characters.
const FULLY_TOLD: usize = 20;
const TOLD_OF_OLDER: usize = 160;
/// The most of the person's words that are told, and how long each may be, in characters.
const TOLD: usize = 150;
const LONGEST_TOLD: usize = 2_000;
/// Pictures that providers take, how large each may be, in bytes, and how many of one message are shown.
const SEEN: [&str; 4] = ["image/png", "image/jpeg", "image/webp", "image/gif"];
const SEEN_BYTES: u64 = 3 << 20;
const SEEN_AT_ONCE: usize = 4;

/// What was said, and by the person in particular.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    chapters: Vec<Chapter>,
    /// The person's own words, oldest first.
    said: Vec<String>,
    /// What the running turn answers, in words.
    pub request: String,
    /// Assets that came with it.
    pub attachments: Vec<AssetId>,
}

impl Talk {
    /// The person's own words, oldest first, older ones shortened.
    pub fn said(&self) -> Vec<String> {
        let skipped = self.said.len().saturating_sub(TOLD);
        let older = self.said.len().saturating_sub(FULLY_TOLD);
        let told = self.said.iter().enumerate().skip(skipped);
        told.map(|(n, words)| {
            let most = if n < older {
                TOLD_OF_OLDER
            } else {
                LONGEST_TOLD
            };
            window::cut(words, most)
        })
        .collect()
    }

    /// The conversation within so many bytes, oldest first, and whether something of it is left out.
    pub fn shown(self, most: usize) -> (Vec<Message>, bool) {
        window::shown(self.chapters, most)
    }
}

/// Everything of the log that a conversation is made of, as far as it was read: what is there does not change, and a turn reads
/// only what has come since its last step.
#[derive(Default)]
pub(crate) struct Log {
    events: Vec<Event>,
    after: u64,
}

impl Log {
    /// Reads to the log's end.
    pub async fn read_on(
        &mut self,
        store: &dyn SessionStore,
        session: SessionId,
    ) -> Result<&[Event], StoreError> {
        loop {
            let page = store.events(session, self.after, EVENTS_PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(&self.events);
            };
            self.after = last.seq;
            let whole = page.len() == EVENTS_PAGE;
            self.events.extend(page.into_iter().filter(|event| {
                !matches!(
                    event.body,
                    EventBody::TextDelta { .. }
                        | EventBody::ThinkingDelta { .. }
                        | EventBody::RenderProgressed { .. }
                )
            }));
            if !whole {
                return Ok(&self.events);
            }
        }
    }
}

/// Rebuilds the conversation. Pictures among the assets are shown with the messages that they came with.
pub(crate) fn build(log: &[Event], given: &[Asset]) -> Talk {
    let mut builder = Builder {
        pictures: given.iter().filter_map(picture).collect(),
        ..Builder::default()
    };
    for event in log {
        builder.take(&event.body);
    }
    builder.talk
}

/// A picture as models take it.
fn picture(asset: &Asset) -> Option<(AssetId, Content)> {
    let media_type = &asset.media_type;
    if !SEEN.contains(&media_type.as_str()) || asset.size > SEEN_BYTES {
        return None;
    }
    let content = Content::Image {
        blob: asset.blob.clone()?,
        media_type: media_type.clone(),
    };
    Some((asset.id, content))
}

#[derive(Default)]
struct Builder {
    talk: Talk,
    pictures: HashMap<AssetId, Content>,
    posted: HashMap<MessageId, (String, Vec<AssetId>)>,
    plan: Option<Plan>,
    open: Vec<ToolCall>,
    /// Whether the last answer was cut off, and the model was not told yet.
    cut: bool,
    rejected: Option<String>,
}

impl Builder {
    fn chapter(&mut self) -> &mut Chapter {
        if self.talk.chapters.is_empty() {
            self.talk.chapters.push(Chapter::default());
        }
        let last = self.talk.chapters.len() - 1;
        &mut self.talk.chapters[last]
    }

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
                let text = answer.content.iter().filter_map(|piece| match piece {
                    Content::Text { text } => Some(text.as_str()),
                    _ => None,
                });
                let text = text.collect::<String>();
                if !text.trim().is_empty() {
                    self.chapter().answer = text;
                }
                if !answer.content.is_empty() {
                    self.push(Speaker::Assistant, answer.content.clone());
                }
                self.cut = answer.stop == StopReason::MaxTokens;
                self.tell_cut();
            }
            EventBody::ToolFinished {
                call_id,
                output,
                is_error,
                summary,
                ..
            } => {
                if !is_error && !summary.is_empty() {
                    self.chapter().done.push(summary.clone());
                }
                self.open.retain(|call| call.id != *call_id);
                self.result(call_id, output.clone(), *is_error);
                self.tell_cut();
            }
            EventBody::ModelTold { text, picture, .. } => {
                self.user(text);
                if let Some(blob) = picture.clone() {
                    let media_type = "image/png".to_owned();
                    self.push(Speaker::User, vec![Content::Image { blob, media_type }]);
                }
            }
            EventBody::VersionCreated { version } => {
                let number = version.number;
                self.chapter()
                    .done
                    .push(format!("it became version {number}"));
            }
            EventBody::TurnFinished { outcome } => self.turn_finished(outcome),
            _ => {}
        }
    }

    fn turn_started(&mut self, input: &TurnInput) {
        self.talk.chapters.push(Chapter::default());
        let rejected = self.rejected.take().map(|why| match why.as_str() {
            "" => "(I rejected the last plan.)\n".to_owned(),
            why => format!("(I rejected the last plan: {why})\n"),
        });
        match input {
            TurnInput::Message { message_id } => {
                let (words, attachments) = self.posted.get(message_id).cloned().unwrap_or_default();
                self.talk.said.push(words.clone());
                self.chapter().words.clone_from(&words);
                self.user(&format!("{}{words}", rejected.unwrap_or_default()));
                let seen: Vec<_> = attachments
                    .iter()
                    .filter_map(|id| self.pictures.get(id).cloned())
                    .take(SEEN_AT_ONCE)
                    .collect();
                if !seen.is_empty() {
                    self.push(Speaker::User, seen);
                }
                self.talk.request = words;
                self.talk.attachments = attachments;
            }
            TurnInput::Plan { .. } => {
                let text = "The plan is approved. Build it now, then finish.".to_owned();
                self.user(&text);
                self.chapter().words.clone_from(&text);
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
            TurnOutcome::CheckFailed {
                version_id: Some(_),
                ..
            } => {
                "(Your last changes did not pass the check and were taken back to the newest version.)"
            }
            TurnOutcome::CheckFailed { .. } => {
                "(What you made did not pass the check, and is still there.)"
            }
            _ => return,
        };
        self.user(note);
        self.chapter()
            .done
            .push(note.trim_matches(['(', ')', '.']).to_owned());
    }

    /// After the results of an answer that was cut off: what was not whole was dropped, and the model does not know.
    fn tell_cut(&mut self) {
        if self.cut && self.open.is_empty() {
            self.cut = false;
            self.user(
                "(Your answer was cut off because it was too long. What was not whole was dropped, with the call that you were \
                 writing. Go on from there in smaller pieces: several small files, or changes by edit_file.)",
            );
        }
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

    fn push(&mut self, speaker: Speaker, content: Vec<Content>) {
        self.chapter().messages.push(Message { speaker, content });
    }
}
