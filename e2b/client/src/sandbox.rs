//! A sandbox: where it is reached, and what is known of it.

use crate::{
    Client, ENVD_PORT, Error, Files, Processes, SandboxState,
    http::{Again, broken, error_body},
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use sha2::{Digest, Sha256};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How long a sandbox may take to say that it lives.
const HEALTH: Duration = Duration::from_secs(5);

/// What a sandbox asks of its callers.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tokens {
    /// For envd: files and processes.
    pub envd: Option<String>,
    /// For every other port.
    pub traffic: Option<String>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |token: &Option<String>| token.as_ref().map(|_| "…");
        f.debug_struct("Tokens")
            .field("envd", &known(&self.envd))
            .field("traffic", &known(&self.traffic))
            .finish()
    }
}

/// Where a port of a sandbox is reached.
#[derive(Clone, PartialEq, Eq)]
pub struct Host {
    /// Scheme and host, such as `https://5173-abc.e2b.app`.
    pub origin: String,
    /// Headers that requests need.
    pub headers: Vec<(String, String)>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Host")
            .field("origin", &self.origin)
            .field("headers", &names)
            .finish()
    }
}

/// What a signed address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Getting a file.
    Read,
    /// Putting a file.
    Write,
}

struct Inner {
    id: String,
    tokens: Tokens,
    domain: Option<String>,
    envd_version: Option<String>,
}

/// A sandbox. Cheap to clone. Dropping it does nothing to what it names.
#[derive(Clone)]
pub struct Sandbox {
    pub(crate) client: Client,
    inner: Arc<Inner>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("id", &self.inner.id)
            .field("tokens", &self.inner.tokens)
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    pub(crate) fn new(
        client: Client,
        id: String,
        tokens: Tokens,
        domain: Option<String>,
        envd_version: Option<String>,
    ) -> Self {
        Self {
            client,
            inner: Arc::new(Inner {
                id,
                tokens,
                domain,
                envd_version,
            }),
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// What it asks of its callers.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.inner.tokens
    }

    /// The version of envd inside, where it was said.
    #[must_use]
    pub fn envd_version(&self) -> Option<&str> {
        self.inner.envd_version.as_deref()
    }

    /// The domain below which it is reached, where E2B named one for it.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.inner.domain.as_deref()
    }

    /// The same, reached below another domain than the configuration's: that which [`Self::domain`] gave when it was made.
    #[must_use]
    pub fn below(self, domain: impl Into<String>) -> Self {
        let inner = &self.inner;
        Self::new(
            self.client.clone(),
            inner.id.clone(),
            inner.tokens.clone(),
            Some(domain.into()),
            inner.envd_version.clone(),
        )
    }

    /// Its files, as its default user.
    #[must_use]
    pub fn files(&self) -> Files {
        Files::new(self.clone())
    }

    /// Its processes.
    #[must_use]
    pub fn processes(&self) -> Processes {
        Processes::new(self.clone())
    }

    fn origin(&self, port: u16) -> String {
        let config = self.client.config();
        if let Some(url) = &config.sandbox_url {
            return url.trim_end_matches('/').to_owned();
        }
        let domain = self.inner.domain.as_ref().unwrap_or(&config.domain);
        format!("https://{port}-{}.{domain}", self.inner.id)
    }

    /// Where a port of it is reached, whether or not anybody listens there.
    #[must_use]
    pub fn host(&self, port: u16) -> Host {
        let mut headers = vec![
            ("E2b-Sandbox-Id".to_owned(), self.inner.id.clone()),
            ("E2b-Sandbox-Port".to_owned(), port.to_string()),
        ];
        if port == ENVD_PORT {
            headers.extend(
                self.inner
                    .tokens
                    .envd
                    .clone()
                    .map(|t| ("X-Access-Token".to_owned(), t)),
            );
        } else {
            let token = self.inner.tokens.traffic.clone();
            headers.extend(token.map(|t| ("e2b-traffic-access-token".to_owned(), t)));
        }
        Host {
            origin: self.origin(port),
            headers,
        }
    }

    /// A request to envd.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let host = self.host(ENVD_PORT);
        let mut request = self
            .client
            .http
            .client
            .request(method, format!("{}{path}", host.origin));
        for (name, value) in host.headers {
            request = request.header(name, value);
        }
        request
    }

    /// Sends a request to envd; only success is an answer.
    pub(crate) async fn send(
        &self,
        again: Again,
        request: impl Fn() -> Result<RequestBuilder, Error>,
    ) -> Result<Response, Error> {
        self.answer(self.client.http.send(again, request).await)
            .await
    }

    /// As [`Self::send`], with the whole body at hand.
    pub(crate) async fn send_whole(
        &self,
        again: Again,
        request: impl Fn() -> Result<RequestBuilder, Error>,
    ) -> Result<Response, Error> {
        self.answer(self.client.http.send_whole(again, request).await)
            .await
    }

    async fn answer(&self, sent: Result<Response, Error>) -> Result<Response, Error> {
        match sent {
            Ok(response) if response.status().is_success() => Ok(response),
            Ok(response) => Err(self.refused(response).await),
            Err(Error::ConnectionLost(why)) => Err(self.lost(why).await),
            Err(error) => Err(error),
        }
    }

    /// What an answer means that is an error, whoever on the way gave it.
    pub(crate) async fn refused(&self, response: Response) -> Error {
        let (status, retry_after, body) = error_body(response).await;
        if status == StatusCode::BAD_GATEWAY {
            return match body.port {
                Some(port) if body.sandbox_id.is_some() => Error::PortClosed(port),
                _ => self.unreachable().await,
            };
        }
        if let serde_json::Value::String(code) = &body.code {
            return match code.as_str() {
                "unavailable" => self.unreachable().await,
                code => match crate::connect::error_of(code, body.message) {
                    Error::RateLimited { message, .. } => Error::RateLimited {
                        retry_after,
                        message,
                    },
                    error => error,
                },
            };
        }
        let message = body.message;
        match status {
            StatusCode::BAD_REQUEST | StatusCode::NOT_ACCEPTABLE => Error::InvalidArgument(message),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::Authentication(message),
            StatusCode::NOT_FOUND => Error::NotFound {
                what: crate::Missing::File,
                message,
            },
            StatusCode::TOO_MANY_REQUESTS => Error::RateLimited {
                retry_after,
                message,
            },
            StatusCode::INSUFFICIENT_STORAGE => Error::NoSpace(message),
            _ => Error::Api {
                status: status.as_u16(),
                message,
            },
        }
    }

    /// Why the edge does not find it: paused, or gone.
    async fn unreachable(&self) -> Error {
        let id = self.id().to_owned();
        match self.client.get(&id).await {
            Ok(info) if info.state == SandboxState::Paused => Error::Paused(id),
            Ok(_) => {
                Error::ConnectionLost("the sandbox runs, but its edge does not find it".into())
            }
            Err(Error::NotFound { .. }) => Error::SandboxGone(id),
            Err(error) => Error::ConnectionLost(format!("nobody says why: {error}")),
        }
    }

    /// Why a connection broke: because the sandbox did, or by itself.
    pub(crate) async fn lost(&self, why: String) -> Error {
        // The control plane is asked, not envd: that would wake a sandbox that was paused just now.
        match self.unreachable().await {
            Error::ConnectionLost(_) => Error::ConnectionLost(why),
            error => error,
        }
    }

    /// Whether envd answers.
    ///
    /// # Errors
    /// Where nothing answers at all.
    pub async fn is_healthy(&self) -> Result<bool, Error> {
        let request = self.request(Method::GET, "/health").timeout(HEALTH);
        let response = request.send().await.map_err(|e| broken(&e))?;
        Ok(response.status().is_success())
    }

    /// Whether envd answers, and why not.
    ///
    /// # Errors
    /// [`Error::SandboxGone`], [`Error::Paused`], or where nothing answers at all.
    pub async fn ensure_alive(&self) -> Result<(), Error> {
        if self.is_healthy().await? {
            return Ok(());
        }
        Err(self.unreachable().await)
    }

    /// An address by which whoever has it can get or put one file, for `lifetime` where it is given. Only a secure sandbox
    /// needs the signature; for another it is left out.
    ///
    /// # Errors
    /// Never by the network: nothing is sent.
    pub fn signed_url(
        &self,
        path: &str,
        operation: Operation,
        user: Option<&str>,
        lifetime: Option<Duration>,
    ) -> Result<String, Error> {
        let mut query: Vec<(&str, String)> = vec![("path", path.to_owned())];
        query.extend(user.map(|u| ("username", u.to_owned())));
        if let Some(token) = &self.inner.tokens.envd {
            let name = match operation {
                Operation::Read => "read",
                Operation::Write => "write",
            };
            let mut signed = format!("{path}:{name}:{}:{token}", user.unwrap_or_default());
            if let Some(lifetime) = lifetime {
                let now = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                let expiration = (now + lifetime).as_secs();
                signed = format!("{signed}:{expiration}");
                query.push(("signature_expiration", expiration.to_string()));
            }
            let hash = STANDARD_NO_PAD.encode(Sha256::digest(signed.as_bytes()));
            query.push(("signature", format!("v1_{hash}")));
        }
        let url = format!("{}/files", self.origin(ENVD_PORT));
        let request = self.client.http.client.get(url).query(&query).build();
        request
            .map(|r| r.url().to_string())
            .map_err(|e| Error::InvalidArgument(e.without_url().to_string()))
    }
}
