//! The control plane: sandboxes made, found, kept and ended.

use crate::{
    Config, Error, ListQuery, Metric, Missing, NewSandbox, Sandbox, SandboxInfo, Tokens, create,
    create::CREATE,
    http::{Again, Http, control_error},
    model::Handle,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::time::Duration;

/// What may stand in a part of a query's query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A client of one E2B account. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    pub(crate) http: Http,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Client").field(&self.http.config).finish()
    }
}

/// Seconds, rounded up: E2B knows no smaller unit, and a sandbox should not end early.
pub(crate) fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

impl Client {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Authentication`] where the key cannot be one.
    pub fn new(config: Config) -> Result<Self, Error> {
        Ok(Self {
            http: Http::new(config)?,
        })
    }

    /// How it reaches E2B.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.http.config
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let config = &self.http.config;
        self.http
            .client
            .request(method, format!("{}{path}", config.api()))
            .header("X-API-Key", &config.api_key)
            .timeout(config.request_timeout)
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
        again: Again,
    ) -> Result<Response, Error> {
        let request = || {
            let request = self.request(method.clone(), path);
            Ok(match body {
                Some(body) => request.json(body),
                None => request,
            })
        };
        let response = self.http.send_whole(again, request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        // What is not there when something is made is the template.
        let missing = match path {
            CREATE => Missing::Template,
            _ => Missing::Sandbox,
        };
        Err(control_error(response, missing).await)
    }

    /// Makes a sandbox: one, even where the answer is lost. An id of this call's own goes into the metadata; where no
    /// answer comes, the sandbox is looked for by it instead of being created again.
    ///
    /// # Errors
    /// [`Error::CreateUnknown`] where there was no answer and no sandbox is found; it may still appear, and ends by its
    /// timeout.
    pub async fn create(&self, new: &NewSandbox) -> Result<Sandbox, Error> {
        create::create(self, new).await
    }

    pub(crate) fn sandbox(&self, handle: Handle) -> Sandbox {
        let tokens = Tokens {
            envd: handle.envd_access_token,
            traffic: handle.traffic_access_token,
        };
        let domain = handle.domain.filter(|d| !d.is_empty());
        Sandbox::new(
            self.clone(),
            handle.sandbox_id,
            tokens,
            domain,
            Some(handle.envd_version),
        )
    }

    /// A sandbox whose tokens are known; nothing is sent.
    #[must_use]
    pub fn attach(&self, id: impl Into<String>, tokens: Tokens) -> Sandbox {
        Sandbox::new(self.clone(), id.into(), tokens, None, None)
    }

    /// A sandbox by its id, resumed where it is paused. It lives for `timeout` from now, and never shorter than before
    /// where it runs.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it has ended.
    pub async fn connect(&self, id: &str, timeout: Duration) -> Result<Sandbox, Error> {
        let path = format!("/v2/sandboxes/{}/connect", part(id)?);
        let body = json!({"timeout": seconds(timeout)});
        let response = self
            .call(Method::POST, &path, Some(&body), Again::Safe)
            .await?;
        Ok(self.sandbox(read(response).await?))
    }

    /// What is known of a sandbox.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it has ended.
    pub async fn get(&self, id: &str) -> Result<SandboxInfo, Error> {
        let path = format!("/sandboxes/{}", part(id)?);
        read(self.call(Method::GET, &path, None, Again::Safe).await?).await
    }

    /// Sandboxes, page by page, newest first.
    #[must_use]
    pub fn list_pages(&self, query: ListQuery) -> Pages {
        Pages {
            client: self.clone(),
            query,
            next: Some(String::new()),
        }
    }

    /// Every sandbox that is asked for. A new one may be missing for a moment.
    ///
    /// # Errors
    /// Where E2B cannot be asked.
    pub async fn list(&self, query: &ListQuery) -> Result<Vec<SandboxInfo>, Error> {
        let mut pages = self.list_pages(query.clone());
        let mut all = Vec::new();
        while let Some(page) = pages.next().await? {
            all.extend(page);
        }
        Ok(all)
    }

    /// Ends a sandbox. False where it had ended.
    ///
    /// # Errors
    /// Where E2B cannot be asked.
    pub async fn kill(&self, id: &str) -> Result<bool, Error> {
        let path = format!("/sandboxes/{}", part(id)?);
        match self.call(Method::DELETE, &path, None, Again::Safe).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lets a sandbox live for this long from now, longer or shorter than before.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it does not run.
    pub async fn set_timeout(&self, id: &str, timeout: Duration) -> Result<(), Error> {
        let path = format!("/sandboxes/{}/timeout", part(id)?);
        let body = json!({"timeout": seconds(timeout)});
        self.call(Method::POST, &path, Some(&body), Again::Safe)
            .await
            .map(drop)
    }

    /// Lets a sandbox live for at least this long from now.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it does not run.
    pub async fn refresh(&self, id: &str, duration: Duration) -> Result<(), Error> {
        let path = format!("/sandboxes/{}/refreshes", part(id)?);
        let body = json!({"duration": seconds(duration)});
        self.call(Method::POST, &path, Some(&body), Again::Safe)
            .await
            .map(drop)
    }

    /// Pauses a sandbox: its files and processes are kept, its connections drop. False where it was paused.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it has ended.
    pub async fn pause(&self, id: &str) -> Result<bool, Error> {
        let path = format!("/sandboxes/{}/pause", part(id)?);
        let body = json!({});
        match self
            .call(Method::POST, &path, Some(&body), Again::Safe)
            .await
        {
            Ok(_) => Ok(true),
            Err(Error::Conflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the account can use a template of this name.
    ///
    /// # Errors
    /// Where E2B cannot be asked.
    pub async fn template_exists(&self, name: &str) -> Result<bool, Error> {
        let alias = utf8_percent_encode(name, PLAIN);
        let path = format!("/templates/aliases/{alias}");
        match self.call(Method::GET, &path, None, Again::Safe).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What a sandbox used lately.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it has ended.
    pub async fn metrics(&self, id: &str) -> Result<Vec<Metric>, Error> {
        let path = format!("/sandboxes/{}/metrics", part(id)?);
        read(self.call(Method::GET, &path, None, Again::Safe).await?).await
    }
}

/// A part of a path: what cannot be an id must not reach another route.
fn part(id: &str) -> Result<&str, Error> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if id.is_empty() || !id.bytes().all(plain) {
        return Err(Error::InvalidArgument(format!("{id:?} is no sandbox id")));
    }
    Ok(id)
}

pub(crate) async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Error> {
    let bytes = response
        .bytes()
        .await
        .map_err(|e| crate::http::broken(&e))?;
    serde_json::from_slice(&bytes).map_err(|e| Error::Protocol(e.to_string()))
}

/// Pages of a list.
#[derive(Debug)]
pub struct Pages {
    client: Client,
    query: ListQuery,
    /// The token of the next page; empty for the first.
    next: Option<String>,
}

impl Pages {
    /// The next page; none after the last.
    ///
    /// # Errors
    /// Where E2B cannot be asked; the same page can be asked for again.
    pub async fn next(&mut self) -> Result<Option<Vec<SandboxInfo>>, Error> {
        let Some(token) = &self.next else {
            return Ok(None);
        };
        // Twice, besides what the query itself does: E2B unescapes the whole filter before it takes it apart, and then
        // each part (`parseFilters` of e2b-dev/infra's API); the official clients send it like this.
        let escaped = |text: &str| {
            let once = utf8_percent_encode(text, PLAIN).to_string();
            utf8_percent_encode(&once, PLAIN).to_string()
        };
        let mut query: Vec<(&str, String)> = Vec::new();
        if !self.query.metadata.is_empty() {
            let pairs = self.query.metadata.iter();
            let pairs: Vec<_> = pairs
                .map(|(k, v)| format!("{}={}", escaped(k), escaped(v)))
                .collect();
            query.push(("metadata", pairs.join("&")));
        }
        if !self.query.states.is_empty() {
            let states: Vec<_> = self.query.states.iter().map(|s| s.name()).collect();
            query.push(("state", states.join(",")));
        }
        if let Some(limit) = self.query.limit {
            query.push(("limit", limit.to_string()));
        }
        if !token.is_empty() {
            query.push(("nextToken", token.clone()));
        }
        let request = || {
            Ok(self
                .client
                .request(Method::GET, "/v2/sandboxes")
                .query(&query))
        };
        let response = self.client.http.send_whole(Again::Safe, request).await?;
        if response.status() != StatusCode::OK {
            return Err(control_error(response, Missing::Sandbox).await);
        }
        let next = response
            .headers()
            .get("x-next-token")
            .and_then(|v| v.to_str().ok())
            .filter(|t| !t.is_empty())
            .map(str::to_owned);
        let page = read(response).await?;
        self.next = next;
        Ok(Some(page))
    }
}
