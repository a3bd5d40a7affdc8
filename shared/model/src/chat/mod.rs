//! OpenAI-compatible chat completions: OpenAI, OpenRouter, Ollama, vLLM and others by their address.
//! <https://platform.openai.com/docs/api-reference/chat>
//!
//! What an endpoint can do is not known beforehand: what it refuses is left out, and remembered for the life of the process.

mod answer;
mod request;
mod text;

use crate::{
    abilities::limit_in,
    endpoint::Endpoint,
    prices::priced,
    wire::{
        arrange::{Pictures, with_facts},
        http::{self, Refused},
    },
};
use answer::{Answer, Said};
use async_trait::async_trait;
use futures_util::StreamExt;
use koda_domain::{
    model::{
        LanguageModel, ModelAnswer, ModelError, ModelEvent, ModelLabel, ModelRequest, ModelStream,
        Role,
    },
    objects::ObjectStore,
};
use reqwest::Response;
use std::sync::{Arc, Mutex, PoisonError};

/// How an endpoint is given tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolMode {
    /// As calls that are streamed.
    Stream,
    /// As calls in an answer that comes in one piece, where streamed ones get lost.
    Whole,
    /// As words: the model writes its calls into its text.
    Text,
}

/// What is known of an endpoint so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    tools: ToolMode,
    /// Whether the limit of tokens has its newer name.
    completion_tokens: bool,
    usage: bool,
    pictures: bool,
    /// The most tokens of an answer, where it is known.
    most_output: Option<u32>,
}

/// How often a request is sent again without what was refused: once for each thing that can be left out.
const LESSONS: usize = 6;

/// A model behind an OpenAI-compatible endpoint.
#[derive(Clone)]
pub struct Chat {
    client: reqwest::Client,
    endpoint: Endpoint,
    objects: Arc<dyn ObjectStore>,
    known: Arc<Mutex<Known>>,
}

impl Chat {
    /// A model at an endpoint, whose address ends with what stands before `/chat/completions`.
    ///
    /// # Errors
    /// Where the system has no certificates.
    pub fn new(
        endpoint: Endpoint,
        tools: Option<ToolMode>,
        objects: Arc<dyn ObjectStore>,
    ) -> Result<Self, ModelError> {
        let at = |part: &str| endpoint.base_url.contains(part);
        // Ollama and LM Studio lose calls that they stream.
        let loses = at(":11434") || at(":1234");
        let known = Known {
            tools: tools.unwrap_or(if loses {
                ToolMode::Whole
            } else {
                ToolMode::Stream
            }),
            completion_tokens: at("//api.openai.com"),
            usage: true,
            pictures: true,
            most_output: endpoint.most_output,
        };
        let client = http::client()?;
        Ok(Self {
            client,
            endpoint,
            objects,
            known: Arc::new(Mutex::new(known)),
        })
    }

    fn known(&self) -> Known {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, known: Known) {
        tracing::info!(
            model = self.endpoint.model,
            ?known,
            "Learned what an endpoint can do"
        );
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// How tools are given now.
    #[must_use]
    pub fn tool_mode(&self) -> ToolMode {
        self.known().tools
    }

    /// Sends a request, and again without what the endpoint says it does not know.
    async fn send(
        &self,
        request: &ModelRequest,
        pictures: &Pictures,
    ) -> Result<(Response, Known), ModelError> {
        let mut tried = Vec::new();
        loop {
            let known = self.known();
            tried.push(known);
            match self.post(request, pictures, known).await {
                Ok(sent) => return Ok(sent),
                Err(refused) => match known.without(&refused, request.max_output_tokens) {
                    Some(less) if !tried.contains(&less) && tried.len() <= LESSONS => {
                        self.learn(less);
                    }
                    _ => return Err(refused.error),
                },
            }
        }
    }

    async fn post(
        &self,
        request: &ModelRequest,
        pictures: &Pictures,
        known: Known,
    ) -> Result<(Response, Known), Refused> {
        let streaming = known.tools != ToolMode::Whole || request.tools.is_empty();
        let body = request::body(
            &self.endpoint,
            request,
            &with_facts(request),
            pictures,
            known,
            streaming,
        );
        let url = format!("{}/chat/completions", self.endpoint.base_url);
        let mut post = self.client.post(url).json(&body);
        if let Some(key) = &self.endpoint.key {
            post = post.bearer_auth(key.expose());
        }
        let response = http::send(post, streaming).await?;
        Ok((response, known))
    }

    async fn whole(
        &self,
        response: Response,
        request: &ModelRequest,
    ) -> Result<ModelAnswer, ModelError> {
        let body = response.bytes().await.map_err(|e| http::broken(&e))?;
        let mut answer = answer::whole(&body, &self.endpoint.model, answer::taken(request))?;
        self.price(&mut answer);
        Ok(answer)
    }

    fn price(&self, answer: &mut ModelAnswer) {
        // Some providers say themselves what an answer cost.
        if answer.usage.cost_micros == 0 {
            priced(&mut answer.usage, self.endpoint.price.as_ref());
        }
    }
}

impl Known {
    /// What is left of it when an endpoint has refused a part; `None` where that is not why it refused.
    fn without(self, refused: &Refused, asked: u32) -> Option<Self> {
        let status = refused.status?.as_u16();
        if !matches!(status, 400 | 404 | 415 | 422 | 500 | 501) {
            return None;
        }
        let words = refused.words.to_lowercase();
        let mut less = self;
        let asked = self.most_output.map_or(asked, |most| most.min(asked));
        if let Some(limit) = limit_in(&words, asked)
            && (words.contains("max_tokens")
                || words.contains("completion tokens")
                || words.contains("max_completion_tokens"))
        {
            less.most_output = Some(limit);
        } else if words.contains("max_completion_tokens")
            && !words.contains("use 'max_completion_tokens'")
        {
            less.completion_tokens = false;
        } else if words.contains("max_tokens") {
            less.completion_tokens = true;
        } else if words.contains("stream_options") || words.contains("include_usage") {
            less.usage = false;
        } else if no_tools(&words) {
            less.tools = ToolMode::Text;
        } else if ["image", "vision", "multimodal"]
            .iter()
            .any(|w| words.contains(w))
        {
            less.pictures = false;
        }
        (less != self).then_some(less)
    }
}

/// Whether an endpoint says that it has no tools at all, and not that something is wrong with one of them.
fn no_tools(words: &str) -> bool {
    let about = ["tool", "function call", "functions"]
        .iter()
        .any(|w| words.contains(w));
    let absent = [
        "support",
        "not available",
        "not enabled",
        "unknown",
        "unrecognized",
        "unexpected",
        "extra",
        "not permitted",
        "not allowed",
        "enable-auto-tool-choice",
    ];
    about && !words.contains("schema") && absent.iter().any(|w| words.contains(w))
}

#[async_trait]
impl LanguageModel for Chat {
    async fn stream(&self, request: ModelRequest) -> Result<ModelStream, ModelError> {
        let pictures = Pictures::load(&*self.objects, &request.tenant, &request.messages).await?;
        let (response, known) = self.send(&request, &pictures).await?;
        let chat = self.clone();
        let told = async_stream::try_stream! {
            if known.tools == ToolMode::Whole && !request.tools.is_empty() {
                let answer = chat.whole(response, &request).await?;
                for piece in answer::pieces(&answer) {
                    yield piece;
                }
                yield ModelEvent::Finished(answer);
                return;
            }
            let in_words = known.tools == ToolMode::Text && !request.tools.is_empty();
            let mut answer = Answer::new(&chat.endpoint.model, answer::taken(&request), in_words);
            let mut events = Box::pin(http::events(response));
            while let Some(data) = events.next().await {
                match answer.take(&data?)? {
                    Said::Pieces(pieces) => {
                        for piece in pieces {
                            yield piece;
                        }
                    }
                    Said::All => break,
                }
            }
            if let Some(piece) = answer.rest() {
                yield piece;
            }
            let (mut answer, lost) = answer.whole()?;
            chat.price(&mut answer);
            if lost && known.tools == ToolMode::Stream && !request.tools.is_empty() {
                let whole = Known { tools: ToolMode::Whole, ..known };
                let (response, _) = chat.post(&request, &pictures, whole).await.map_err(|refused| refused.error)?;
                let spent = answer.usage;
                answer = chat.whole(response, &request).await?;
                if answer.tool_calls().next().is_some() {
                    chat.learn(whole);
                }
                answer.usage += spent;
            }
            yield ModelEvent::Finished(answer);
        };
        Ok(told.boxed())
    }

    fn describe(&self, _: Role) -> ModelLabel {
        ModelLabel {
            provider: "openai".into(),
            model: self.endpoint.model.clone(),
            is_ai: true,
        }
    }
}
