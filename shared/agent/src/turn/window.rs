//! How much of a conversation a model is shown. The last turns are shown as they were; of those before them the person's words,
//! what the model said last, and what came of it; of the oldest only the beginnings of words.
//!
//! What is shortened is decided by replaying the conversation from its beginning, in large steps: between two steps what a
//! model is shown only grows at its end, so that the provider's prompt cache holds the rest.

use koda_domain::message::{Content, Message, Speaker, ToolOutput};
use serde_json::Value;

/// Bytes of conversation that a model is shown at most: some sixty thousand tokens.
pub(super) const SHOWN: usize = 240 * 1024;
/// What a picture counts as, in bytes: some fifteen hundred tokens.
const PICTURE: usize = 6 * 1024;
/// The longest words of the oldest turns, in characters.
const BEGINNING: usize = 200;
/// Results shorter than this are always shown, in bytes.
const SHORT: usize = 1024;

/// Arguments of a call above this are shown shortened, in bytes: more than the largest file that a call may write, so that
/// what is shortened was refused.
const LONGEST_ARGUMENTS: usize = koda_domain::limits::CODE_FILE_BYTES + 28 * 1024;

/// In which order turns are shortened: by which step, and how many of the last are spared.
const PASSES: [(usize, usize); 6] = [(0, 4), (0, 2), (1, 4), (0, 1), (1, 1), (2, 1)];

/// One turn of a conversation.
#[derive(Debug, Default)]
pub(super) struct Chapter {
    /// As it was.
    pub messages: Vec<Message>,
    /// What the person said.
    pub words: String,
    /// What the model said last.
    pub answer: String,
    /// What was done, in lines for people.
    pub done: Vec<String>,
}

impl Chapter {
    fn short(&self) -> Vec<Message> {
        let mut parts = vec![message(Speaker::User, &self.words)];
        parts.push(message(Speaker::Assistant, &self.answer));
        if !self.done.is_empty() {
            let note = format!("(What you did then: {}.)", self.done.join("; "));
            parts.push(message(Speaker::User, &note));
        }
        parts.retain(|m| !m.content.is_empty());
        parts
    }

    fn beginning(&self) -> Vec<Message> {
        let words = cut(&self.words, BEGINNING);
        let mut parts = vec![message(Speaker::User, &words)];
        parts.retain(|m| !m.content.is_empty());
        parts
    }
}

/// At most so many characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn message(speaker: Speaker, text: &str) -> Message {
    let content = match text {
        "" => Vec::new(),
        text => vec![Content::Text { text: text.into() }],
    };
    Message { speaker, content }
}

fn output_size(output: &[ToolOutput]) -> usize {
    let sizes = output.iter().map(|piece| match piece {
        ToolOutput::Text { text } => text.len(),
        ToolOutput::Image { .. } => PICTURE,
    });
    sizes.sum()
}

fn size(messages: &[Message]) -> usize {
    let pieces = messages.iter().flat_map(|m| &m.content);
    pieces
        .map(|piece| match piece {
            Content::Text { text } | Content::Thinking { text, .. } => text.len(),
            Content::HiddenThinking { data } => data.len(),
            Content::ToolCall(call) => call.input.to_string().len(),
            Content::ToolResult { output, .. } => output_size(output),
            Content::Image { .. } => PICTURE,
        })
        .sum()
}

/// What a model is shown of these turns within so many bytes, oldest first, and whether words of the person are cut or left out.
/// The last turn is always shown as it was, but for results that are too much.
pub(super) fn shown(mut chapters: Vec<Chapter>, most: usize) -> (Vec<Message>, bool) {
    let messages = chapters.iter_mut().flat_map(|c| &mut c.messages);
    for piece in messages.flat_map(|message| &mut message.content) {
        if let Content::ToolCall(call) = piece
            && call.input.to_string().len() > LONGEST_ARGUMENTS
        {
            shorten(&mut call.input);
        }
    }
    let forms: Vec<[Vec<Message>; 2]> = chapters
        .iter()
        .map(|chapter| [chapter.short(), chapter.beginning()])
        .collect();
    let sizes: Vec<[usize; 4]> = chapters
        .iter()
        .zip(&forms)
        .map(|(chapter, [short, beginning])| {
            // A short form can be longer than a turn in which little was said.
            let whole = size(&chapter.messages);
            [whole, size(short).min(whole), size(beginning), 0]
        })
        .collect();
    // For each step of shortening, how many turns from the oldest on have taken it.
    let mut taken = [0_usize; 3];
    let total = |taken: &[usize; 3], until: usize| -> usize {
        let level = |n: usize| taken.iter().filter(|end| n < **end).count();
        (0..until).map(|n| sizes[n][level(n)]).sum()
    };
    for until in 1..=chapters.len() {
        if total(&taken, until) <= most {
            continue;
        }
        'shorten: for (step, kept) in PASSES {
            let before = step.checked_sub(1).map_or(until, |before| taken[before]);
            let end = before.min(until.saturating_sub(kept));
            while taken[step] < end {
                taken[step] += 1;
                if total(&taken, until) <= most / 2 {
                    break 'shorten;
                }
            }
        }
    }
    let left_out = taken[1] > 0;
    let mut messages = Vec::new();
    if taken[2] > 0 {
        let left = taken[2];
        let note = format!(
            "({left} earlier requests are left out here. The facts hold the plan and what became of them.)"
        );
        messages.push(message(Speaker::User, &note));
    }
    for (n, (chapter, [short, beginning])) in chapters.into_iter().zip(forms).enumerate() {
        let level = taken.iter().filter(|end| n < **end).count();
        let part = match level {
            0 => within(chapter.messages, most),
            1 if size(&short) < size(&chapter.messages) => short,
            1 => chapter.messages,
            2 => beginning,
            _ => continue,
        };
        messages.extend(part);
    }
    (joined(messages), left_out)
}

/// Keeps the beginnings of long texts.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > SHORT => {
            let bytes = text.len();
            *text = format!("{} ({bytes} bytes, left out here)", cut(text, BEGINNING));
        }
        Value::Array(values) => values.iter_mut().for_each(shorten),
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        _ => {}
    }
}

/// Results of a turn, the oldest of them left out where they are too much together.
fn within(mut messages: Vec<Message>, most: usize) -> Vec<Message> {
    let mut shown: std::collections::VecDeque<(usize, usize, usize)> = Default::default();
    let (mut total, mut left_out) = (0, Vec::new());
    for (n, message) in messages.iter().enumerate() {
        for (k, piece) in message.content.iter().enumerate() {
            let Content::ToolResult { output, .. } = piece else {
                continue;
            };
            let size = output_size(output);
            if size < SHORT {
                continue;
            }
            total += size;
            shown.push_back((n, k, size));
            if total > most {
                // The newest stays, however long it is.
                while total > most / 2 && shown.len() > 1 {
                    let (n, k, size) = shown.pop_front().unwrap_or_default();
                    total -= size;
                    left_out.push((n, k));
                }
            }
        }
    }
    for (n, k) in left_out {
        if let Content::ToolResult { output, .. } = &mut messages[n].content[k] {
            let text = "(Left out to save room. Call the tool again if you need it.)".into();
            *output = vec![ToolOutput::Text { text }];
        }
    }
    messages
}

/// One message for each change of speaker: results of parallel calls stand together.
fn joined(messages: Vec<Message>) -> Vec<Message> {
    let mut joined: Vec<Message> = Vec::new();
    for message in messages {
        match joined.last_mut() {
            Some(last) if last.speaker == message.speaker => last.content.extend(message.content),
            _ => joined.push(message),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chapter(n: usize, bytes: usize) -> Chapter {
        let result = Content::ToolResult {
            call_id: format!("c{n}"),
            output: vec![ToolOutput::Text {
                text: "x".repeat(bytes),
            }],
            is_error: false,
        };
        Chapter {
            messages: vec![
                message(Speaker::User, &format!("request {n}")),
                message(Speaker::Assistant, &format!("answer {n}")),
                Message {
                    speaker: Speaker::User,
                    content: vec![result],
                },
            ],
            words: format!("request {n}"),
            answer: format!("answer {n}"),
            done: vec![format!("did {n}")],
        }
    }

    fn talk(turns: usize, bytes: usize, most: usize) -> Vec<Message> {
        shown((0..turns).map(|n| chapter(n, bytes)).collect(), most).0
    }

    fn text(messages: &[Message]) -> String {
        serde_json::to_string(messages).unwrap()
    }

    #[test]
    fn a_short_conversation_is_shown_as_it_was() {
        let all = text(&talk(5, 10, 10_000));
        assert_eq!(all.matches("xxxxxxxxxx").count(), 5);
        assert!(!all.contains("What you did then"));
    }

    #[test]
    fn older_turns_keep_their_words_and_what_came_of_them() {
        let messages = talk(50, 1_000, 10_000);
        assert!(size(&messages) <= 10_000, "{}", size(&messages));
        let all = text(&messages);
        for n in 0..50 {
            assert!(all.contains(&format!("request {n}")), "{n}");
        }
        assert!(all.contains("(What you did then: did 3.)"));
        assert!(all.contains(&"x".repeat(1_000)));
    }

    #[test]
    fn of_very_many_the_newest_are_shown_and_it_is_said_that_others_are_left_out() {
        let messages = talk(2_000, 100, 4_000);
        assert!(size(&messages) <= 4_000, "{}", size(&messages));
        let all = text(&messages);
        assert!(all.contains("earlier requests are left out"));
        assert!(all.contains("request 1999") && !all.contains("request 10\""));
    }

    #[test]
    fn what_is_shown_only_grows_at_its_end_but_for_few_steps() {
        let mut rewritten = 0;
        for turns in 1..200 {
            let (before, after) = (talk(turns, 1_000, 40_000), talk(turns + 1, 1_000, 40_000));
            let (before, after) = (text(&before), text(&after));
            // Without the end of the last message and of the list.
            let common = before.trim_end_matches(['}', ']']);
            rewritten += usize::from(!after.starts_with(common));
        }
        assert!(rewritten < 20, "{rewritten}");
    }

    #[test]
    fn the_oldest_results_of_a_long_turn_are_left_out_and_the_newest_is_shown() {
        let messages: Vec<Message> = (0..20).flat_map(|n| chapter(n, 2_000).messages).collect();
        let turn = Chapter {
            messages,
            words: "request".into(),
            ..Chapter::default()
        };
        let (messages, _) = shown(vec![turn], 10_000);
        let all = text(&messages);
        assert!(all.contains("Left out to save room"));
        let last = text(&messages[messages.len() - 1..]);
        assert!(last.contains(&"x".repeat(2_000)));
        assert!(size(&messages) < 15_000, "{}", size(&messages));
    }

    #[test]
    fn arguments_that_were_too_much_are_not_sent_again_and_again() {
        let write = |bytes: usize| {
            let call = koda_domain::message::ToolCall {
                id: "c1".into(),
                name: "write_file".into(),
                input: serde_json::json!({"path": "src/a.ts", "content": "y".repeat(bytes)}),
            };
            let mut turn = chapter(1, 10);
            turn.messages.insert(
                2,
                Message {
                    speaker: Speaker::Assistant,
                    content: vec![Content::ToolCall(call)],
                },
            );
            text(&shown(vec![turn], SHOWN).0)
        };
        let long = write(5 << 20);
        assert!(long.len() < 2_000, "{}", long.len());
        assert!(long.contains("src/a.ts") && long.contains("5242880 bytes, left out here"));
        // What a call may write is shown as it was.
        assert!(write(koda_domain::limits::CODE_FILE_BYTES).contains(&"y".repeat(100 * 1024)));
    }

    #[test]
    fn every_call_that_is_shown_has_its_result() {
        let call = |n: usize| {
            let call = koda_domain::message::ToolCall {
                id: format!("c{n}"),
                name: "read_file".into(),
                input: serde_json::json!({}),
            };
            Message {
                speaker: Speaker::Assistant,
                content: vec![Content::ToolCall(call)],
            }
        };
        let chapters = (0..100).map(|n| {
            let mut chapter = chapter(n, 1_000);
            chapter.messages.insert(2, call(n));
            chapter
        });
        for most in [500, 5_000, 50_000, 500_000] {
            let (messages, _) = shown(chapters.clone().collect(), most);
            let ids = |wanted: bool| {
                let pieces = messages.iter().flat_map(|m| &m.content);
                let ids = pieces.filter_map(move |piece| match piece {
                    Content::ToolCall(call) if wanted => Some(call.id.clone()),
                    Content::ToolResult { call_id, .. } if !wanted => Some(call_id.clone()),
                    _ => None,
                });
                ids.collect::<Vec<_>>()
            };
            assert_eq!(ids(true), ids(false));
            assert_eq!(messages[0].speaker, Speaker::User);
        }
    }
}
