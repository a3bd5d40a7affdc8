//! What an endpoint can do, found out by asking it.

use futures_util::StreamExt;
use koda_domain::{
    BlobId, TenantId,
    message::{Content, Message, Speaker},
    model::{LanguageModel, ModelAnswer, ModelError, ModelEvent, ModelRequest, Role, ToolSpec},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// One thing that was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was tried.
    pub what: &'static str,
    /// Whether it works.
    pub works: bool,
    /// What was seen, in words.
    pub detail: String,
}

/// How long an answer to a toy question may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A red square, which a model that sees can name; to be put where the model's pictures are.
pub const PICTURE: &[u8] = include_bytes!("probe.png");

/// Asks a model for words, for a tool call, for two at once, and for the colour of [`PICTURE`], and says what came. Costs about a
/// thousand tokens.
pub async fn probe(model: &dyn LanguageModel, role: Role) -> Vec<Finding> {
    let plain = ask(
        model,
        request(role, "Answer with the one word: ready", vec![]),
    )
    .await;
    let words = match &plain {
        Ok(seen) => finding(
            "words",
            !seen.text.is_empty(),
            format!(
                "{:?} from {}, after {} ms",
                seen.text.chars().take(40).collect::<String>(),
                seen.answer.model,
                seen.first.as_millis()
            ),
        ),
        Err(error) => finding("words", false, error.to_string()),
    };
    if plain.is_err() {
        return vec![words];
    }
    let usage = plain.as_ref().map(|s| s.answer.usage).unwrap_or_default();
    let counted = usage.input_tokens + usage.cached_tokens + usage.cache_write_tokens > 0;
    let tokens = finding(
        "usage",
        counted,
        if counted {
            format!(
                "{} tokens read, {} written",
                usage.input_tokens, usage.output_tokens
            )
        } else {
            "it does not say how many tokens it used: budgets and costs stay at 0".into()
        },
    );
    let tool = ToolSpec {
        name: "set_colour".into(),
        description: "Set the colour.".into(),
        input_schema: json!({"type": "object", "required": ["colour"], "properties": {"colour": {"type": "string"}}}),
    };
    let asked = request(
        role,
        "Call set_colour with the colour #ff8800. Say nothing else.",
        vec![tool.clone()],
    );
    let tools = match ask(model, asked).await {
        Ok(seen) => {
            let call = seen.answer.tool_calls().find(|c| c.name == "set_colour");
            let right = call.is_some_and(|c| {
                c.input["colour"]
                    .as_str()
                    .is_some_and(|v| v.to_lowercase().contains("ff8800"))
            });
            finding("tools", right, match call {
                Some(call) => format!("called with {}", call.input),
                None => "it did not call the tool that it was told to call: it cannot do Koda's work".into(),
            })
        }
        Err(error) => finding("tools", false, error.to_string()),
    };
    vec![
        words,
        tokens,
        tools,
        several(model, role, tool).await,
        sees(model, role).await,
    ]
}

/// Whether it makes several calls in one answer. One at a time works too, and takes longer.
async fn several(model: &dyn LanguageModel, role: Role, tool: ToolSpec) -> Finding {
    let words = "Call set_colour twice in this one answer: with #111111, and with #222222. Say nothing else.";
    match ask(model, request(role, words, vec![tool])).await {
        Ok(seen) => {
            let colours: Vec<_> = seen
                .answer
                .tool_calls()
                .filter_map(|c| c.input["colour"].as_str())
                .collect();
            let right = colours.contains(&"#111111") && colours.contains(&"#222222");
            let detail = if right {
                "two calls came in one answer".into()
            } else {
                format!(
                    "{} of two calls came: it works step by step, which takes longer",
                    colours.len()
                )
            };
            finding("several calls", right, detail)
        }
        Err(error) => finding("several calls", false, error.to_string()),
    }
}

/// Whether it sees pictures. Without, it works by what the check says in words.
async fn sees(model: &dyn LanguageModel, role: Role) -> Finding {
    let mut asked = request(
        role,
        "Which colour has the square in the picture? Answer with one English word.",
        vec![],
    );
    let picture = Content::Image {
        blob: BlobId::of(PICTURE),
        media_type: "image/png".into(),
    };
    asked.messages[0].content.insert(0, picture);
    match ask(model, asked).await {
        Ok(seen) if seen.text.to_lowercase().contains("red") => {
            finding("pictures", true, "it named the colour of a square".into())
        }
        Ok(seen) => finding(
            "pictures",
            false,
            format!(
                "it said {:?} of a red square: it works by words alone",
                seen.text.chars().take(40).collect::<String>()
            ),
        ),
        Err(error) => finding("pictures", false, error.to_string()),
    }
}

const fn finding(what: &'static str, works: bool, detail: String) -> Finding {
    Finding {
        what,
        works,
        detail,
    }
}

struct Seen {
    text: String,
    first: Duration,
    answer: ModelAnswer,
}

async fn ask(model: &dyn LanguageModel, request: ModelRequest) -> Result<Seen, ModelError> {
    let began = Instant::now();
    let asked = async {
        let mut stream = model.stream(request).await?;
        let (mut text, mut first) = (String::new(), None);
        while let Some(event) = stream.next().await {
            first.get_or_insert_with(|| began.elapsed());
            match event? {
                ModelEvent::Text(piece) => text.push_str(&piece),
                ModelEvent::Finished(answer) => {
                    return Ok(Seen {
                        text,
                        first: first.unwrap_or_default(),
                        answer,
                    });
                }
                _ => {}
            }
        }
        Err(ModelError::Unavailable("the answer broke off".into()))
    };
    let late = || {
        Err(ModelError::Unavailable(format!(
            "no answer within {} s",
            PATIENCE.as_secs()
        )))
    };
    tokio::time::timeout(PATIENCE, asked)
        .await
        .unwrap_or_else(|_| late())
}

fn request(role: Role, words: &str, tools: Vec<ToolSpec>) -> ModelRequest {
    ModelRequest {
        tenant: TenantId::single(),
        role,
        system: vec!["You do exactly what you are asked to do.".into()],
        pinned: Value::Null,
        messages: vec![Message {
            speaker: Speaker::User,
            content: vec![Content::Text { text: words.into() }],
        }],
        tools,
        max_output_tokens: 500,
    }
}
