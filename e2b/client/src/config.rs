//! Where E2B is, and who asks.

use crate::Error;
use std::{fmt, time::Duration};

/// How to reach E2B. [`Config::new`] is for e2b.dev; a self-hosted one has a domain, or addresses, of its own.
#[derive(Clone)]
pub struct Config {
    pub(crate) api_key: String,
    /// `e2b.app` where nothing is said. The control plane is `https://api.<domain>`, and a sandbox's port
    /// `https://<port>-<id>.<domain>`.
    pub domain: String,
    /// Instead of `https://api.<domain>`.
    pub api_url: Option<String>,
    /// Instead of each sandbox's own host: one address for all, told apart by the headers `E2b-Sandbox-Id` and
    /// `E2b-Sandbox-Port`.
    pub sandbox_url: Option<String>,
    /// How long a request may take that does not stream.
    pub request_timeout: Duration,
    /// How often a request is tried again where that is safe.
    pub retries: u32,
    /// The longest that a `Retry-After` is waited for; longer ones become [`Error::RateLimited`] at once.
    pub max_retry_after: Duration,
    /// The metadata key that [`crate::Client::create`] marks its sandboxes with.
    pub create_id_key: String,
    /// How long a sandbox is looked for whose creation was not answered.
    pub create_lookup: Duration,
}

impl Config {
    /// E2B's own service.
    #[must_use]
    pub fn new(api_key: impl Into<String>) -> Self {
        Self {
            api_key: api_key.into(),
            domain: "e2b.app".into(),
            api_url: None,
            sandbox_url: None,
            request_timeout: Duration::from_secs(60),
            retries: 3,
            max_retry_after: Duration::from_secs(20),
            create_id_key: "e2b_create_id".into(),
            create_lookup: Duration::from_secs(6),
        }
    }

    /// From `E2B_API_KEY`, `E2B_DOMAIN`, `E2B_API_URL` and `E2B_SANDBOX_URL`, as the official clients have it.
    ///
    /// # Errors
    /// [`Error::Authentication`] where there is no key.
    pub fn from_env() -> Result<Self, Error> {
        let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let key = variable("E2B_API_KEY")
            .ok_or_else(|| Error::Authentication("E2B_API_KEY is not set".into()))?;
        let mut config = Self::new(key);
        if let Some(domain) = variable("E2B_DOMAIN") {
            config.domain = domain;
        }
        config.api_url = variable("E2B_API_URL");
        config.sandbox_url = variable("E2B_SANDBOX_URL");
        Ok(config)
    }

    /// The control plane's address, without a slash at its end.
    pub(crate) fn api(&self) -> String {
        let url = self
            .api_url
            .clone()
            .unwrap_or_else(|| format!("https://api.{}", self.domain));
        url.trim_end_matches('/').to_owned()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("domain", &self.domain)
            .field("api_url", &self.api_url)
            .field("sandbox_url", &self.sandbox_url)
            .field("request_timeout", &self.request_timeout)
            .finish_non_exhaustive()
    }
}
