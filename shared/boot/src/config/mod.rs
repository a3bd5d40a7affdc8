//! Configuration: environment variables over `koda.config.yaml` over defaults, read once, with all problems at once.

mod models;
mod read;
mod stores;
mod variables;
mod yaml;

pub use models::{Ai, Anthropic, OpenAi, Provider, Thinking, Tools};
pub use read::{ConfigError, Secret};
pub use stores::{Bucket, Dynamo};
pub use variables::{VARIABLES, Variable, document};

use koda_domain::{limits::TurnBudget, rate::Rates, sandbox::SandboxLimits};
use read::Reader;
use std::{path::PathBuf, time::Duration};

/// Everything that can be configured.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address to listen on.
    pub host: String,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Where browsers find the canvas, when that is not the address listened on.
    pub public_url: Option<String>,
    /// Host below which previews live, when that is not `preview.localhost`.
    pub preview_host: Option<String>,
    /// Whether listening beyond loopback without sign-in was allowed.
    pub allow_open: bool,
    /// Where the database, files and sandboxes are.
    pub data_dir: PathBuf,
    /// The built canvas.
    pub web_dir: PathBuf,
    /// The templates.
    pub templates_dir: PathBuf,
    /// `koda-capture`.
    pub capture_bin: PathBuf,
    /// `koda-sandboxd`.
    pub sandboxd_bin: PathBuf,
    /// Signs links and preview addresses; made and kept in the data folder when not given.
    pub secret: Option<Secret>,
    /// DynamoDB, where sessions are kept there instead of in the data folder.
    pub dynamo: Option<Dynamo>,
    /// A bucket, where files are kept there instead of in the data folder.
    pub bucket: Option<Bucket>,
    /// The function that does the work, on Lambda.
    pub worker: Option<String>,
    /// Address of Lambda's own API, when it is not AWS's.
    pub lambda_endpoint: Option<String>,
    /// AWS's region of this process.
    pub aws_region: Option<String>,
    /// Language models.
    pub ai: Ai,
    /// E2B, where sandboxes run there.
    pub e2b: Option<E2b>,
    /// Limits of one sandbox.
    pub limits: SandboxLimits,
    /// How long a sandbox lives without being used.
    pub idle: Duration,
    /// The most sandboxes at once.
    pub max_sandboxes: usize,
    /// Sandboxes of each engine that wait for a session.
    pub warm_sandboxes: usize,
    /// The most renders at once in this process.
    pub max_renders: usize,
    /// The most sandboxes that draw one render.
    pub render_sandboxes: u32,
    /// What one turn may use.
    pub budget: TurnBudget,
    /// How often a tenant may do what costs something.
    pub rates: Rates,
    /// What is logged, as a `tracing` filter.
    pub log: String,
    /// Whether logs are JSON lines.
    pub log_json: bool,
    /// The collector of traces and metrics, where there is one.
    pub otlp: Option<Otlp>,
}

/// A collector that speaks OpenTelemetry's protocol over HTTP.
#[derive(Debug, Clone)]
pub struct Otlp {
    /// Its address, without `/v1/traces`.
    pub endpoint: String,
    /// What this process is called there.
    pub service: String,
    /// Headers that it asks for.
    pub headers: Headers,
}

/// Names and values of headers; never shown.
#[derive(Clone, Default)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Each name with its value.
    pub fn iter(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }
}

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[set]")
    }
}

impl Otlp {
    fn read(reader: &mut Reader) -> Option<Self> {
        let headers = reader.secret("OTEL_EXPORTER_OTLP_HEADERS");
        let service = reader.text("OTEL_SERVICE_NAME");
        let endpoint = reader.address("OTEL_EXPORTER_OTLP_ENDPOINT")?;
        // As OpenTelemetry writes them: `api-key=abc,other=def`, values percent-encoded.
        let mut pairs = Vec::new();
        for pair in headers.iter().flat_map(|h| h.expose().split(',')) {
            match pair.split_once('=') {
                Some((name, value)) => pairs.push((name.trim().into(), decoded(value.trim()))),
                None if pair.trim().is_empty() => {}
                None => reader.problem(
                    "OTEL_EXPORTER_OTLP_HEADERS",
                    "must be names and values, as in api-key=abc,other=def",
                ),
            }
        }
        Some(Self {
            endpoint,
            service,
            headers: Headers(pairs),
        })
    }
}

fn decoded(value: &str) -> String {
    percent_encoding::percent_decode_str(value)
        .decode_utf8_lossy()
        .into_owned()
}

/// How sandboxes are made at E2B.
#[derive(Debug, Clone)]
pub struct E2b {
    /// Key of the account.
    pub api_key: Secret,
    /// Domain of the service.
    pub domain: String,
    /// Address of the control plane, when the domain does not say it.
    pub api_url: Option<String>,
    /// One address for all sandboxes, when the domain does not say theirs.
    pub sandbox_url: Option<String>,
    /// Where browsers find previews, with PORT and ID in it; they are proxied where there is none.
    pub preview_url: Option<String>,
    /// Templates of the 2D and the 3D engine.
    pub templates: [String; 2],
    /// Whether an idle sandbox is paused instead of ended.
    pub pause: bool,
    /// The longest that a sandbox runs at a stretch.
    pub max_life: Duration,
    /// Name of this deployment in the account.
    pub deployment: Option<String>,
}

impl E2b {
    fn read(reader: &mut Reader) -> Option<Self> {
        let provider = reader.one_of("SANDBOX_PROVIDER", &["auto", "local", "e2b"]);
        let api_key = reader.secret("E2B_API_KEY");
        let e2b = api_key.map(|api_key| Self {
            api_key,
            domain: reader.text("E2B_DOMAIN"),
            api_url: reader.optional("E2B_API_URL"),
            sandbox_url: reader.optional("E2B_SANDBOX_URL"),
            preview_url: preview_url(reader),
            templates: [
                reader.text("E2B_TEMPLATE_REMOTION"),
                reader.text("E2B_TEMPLATE_THEATRE"),
            ],
            pause: reader.one_of("E2B_ON_IDLE", &["kill", "pause"]) == "pause",
            max_life: Duration::from_secs(reader.parsed("E2B_MAX_LIFE", "a number of seconds")),
            deployment: reader.optional("E2B_DEPLOYMENT"),
        });
        if e2b
            .as_ref()
            .is_some_and(|e| e.max_life < Duration::from_secs(300))
        {
            reader.problem("E2B_MAX_LIFE", "must be at least 300 (five minutes)");
        }
        match (provider.as_str(), e2b) {
            ("local", _) => None,
            ("e2b", None) => {
                reader.problem("E2B_API_KEY", "is needed where SANDBOX_PROVIDER is e2b");
                None
            }
            (_, e2b) => e2b,
        }
    }
}

/// Where browsers find previews at E2B. A server that is reached from elsewhere, but by one name alone, has no hosts to proxy them
/// under.
fn preview_url(reader: &mut Reader) -> Option<String> {
    if let Some(url) = reader.address("E2B_PREVIEW_URL") {
        if !url.contains("://PORT-ID.") {
            reader.problem(
                "E2B_PREVIEW_URL",
                "must have PORT-ID as the first part of its host, as in https://PORT-ID.e2b.app",
            );
        }
        return Some(url);
    }
    let reached_by_one_name = reader.optional("KODA_PREVIEW_HOST").is_none()
        && reader
            .optional("KODA_PUBLIC_URL")
            .is_some_and(|url| !is_loopback(&url));
    let elsewhere = ["E2B_API_URL", "E2B_SANDBOX_URL"].map(|name| reader.optional(name));
    if reached_by_one_name
        && elsewhere.iter().any(Option::is_some)
        && reader.optional("E2B_DOMAIN").is_none()
    {
        reader.problem(
            "E2B_PREVIEW_URL",
            "is needed, or E2B_DOMAIN, or KODA_PREVIEW_HOST, where E2B is self-hosted: browsers would be sent to e2b.app",
        );
        return None;
    }
    reached_by_one_name.then(|| format!("https://PORT-ID.{}", reader.text("E2B_DOMAIN")))
}

fn is_loopback(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| {
        host.strip_prefix(own)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    })
}

impl Config {
    /// Reads the configuration of this process from its environment, without a file.
    ///
    /// # Errors
    /// As [`Config::from_process`].
    pub fn from_environment() -> Result<Self, Vec<ConfigError>> {
        let environment: Vec<(String, String)> = std::env::vars().collect();
        Self::of(Reader::new(&environment))
    }

    /// Reads the configuration of this process. This and [`Config::from_environment`] alone look at its environment.
    ///
    /// # Errors
    /// Every problem, by the name of the variable, never with its value.
    pub fn from_process() -> Result<Self, Vec<ConfigError>> {
        let environment: Vec<(String, String)> = std::env::vars().collect();
        let path = environment
            .iter()
            .find(|(name, _)| name == "KODA_CONFIG")
            .map(|(_, path)| path.clone());
        let given = path.is_some();
        let path = path.unwrap_or_else(|| "koda.config.yaml".to_owned());
        let yaml = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if given => {
                return Err(vec![ConfigError::new(
                    "KODA_CONFIG",
                    format!("cannot be read: {error}"),
                )]);
            }
            Err(_) => None,
        };
        Self::read(&environment, yaml.as_deref())
    }

    /// Reads a configuration from these variables and this text of `koda.config.yaml`.
    ///
    /// # Errors
    /// As [`Config::from_process`].
    pub fn read(
        environment: &[(String, String)],
        yaml: Option<&str>,
    ) -> Result<Self, Vec<ConfigError>> {
        let mut reader = Reader::new(environment);
        if let Some(text) = yaml {
            reader.beneath(environment, text);
        }
        Self::of(reader)
    }

    fn of(mut reader: Reader) -> Result<Self, Vec<ConfigError>> {
        let config = Self {
            host: reader.text("KODA_HOST"),
            port: reader.parsed("PORT", "a port number from 0 to 65535"),
            public_url: reader.optional("KODA_PUBLIC_URL"),
            preview_host: reader.optional("KODA_PREVIEW_HOST"),
            allow_open: reader.flag("KODA_ALLOW_OPEN"),
            data_dir: reader.path("KODA_DATA_DIR"),
            web_dir: reader.path("KODA_WEB_DIR"),
            templates_dir: reader.path("KODA_TEMPLATES_DIR"),
            capture_bin: reader.path("KODA_CAPTURE_BIN"),
            sandboxd_bin: reader.path("KODA_SANDBOXD_BIN"),
            secret: reader.secret("KODA_SECRET"),
            dynamo: Dynamo::read(&mut reader),
            bucket: Bucket::read(&mut reader),
            worker: reader.optional("KODA_WORKER_FUNCTION"),
            lambda_endpoint: reader.address("AWS_ENDPOINT_URL_LAMBDA"),
            aws_region: reader.optional("AWS_REGION"),
            ai: Ai::read(&mut reader),
            e2b: E2b::read(&mut reader),
            limits: SandboxLimits {
                memory: reader.bytes("SANDBOX_MAX_MEMORY"),
                cpus: reader.parsed("SANDBOX_MAX_CPUS", "a number of cores, such as 2"),
                disk: reader.bytes("SANDBOX_MAX_DISK"),
                ..SandboxLimits::default()
            },
            idle: Duration::from_millis(
                reader.parsed("SANDBOX_IDLE_TIMEOUT", "a number of milliseconds"),
            ),
            max_sandboxes: reader.parsed("KODA_MAX_SANDBOXES", "a number"),
            warm_sandboxes: reader.warm("KODA_WARM_SANDBOXES"),
            max_renders: reader.parsed("KODA_MAX_RENDERS", "a number"),
            render_sandboxes: reader.parsed("KODA_RENDER_SANDBOXES", "a number"),
            budget: TurnBudget {
                steps: reader.parsed("KODA_TURN_MAX_STEPS", "a number"),
                tokens: reader.parsed("KODA_TURN_MAX_TOKENS", "a number"),
                seconds: reader.parsed("KODA_TURN_MAX_SECONDS", "a number of seconds"),
                cost_micros: reader.money("KODA_TURN_MAX_COST"),
                session_cost_micros: reader.money("KODA_SESSION_MAX_COST"),
                repairs: reader.parsed("KODA_TURN_MAX_REPAIRS", "a number"),
            },
            rates: Rates {
                turns: reader.parsed("KODA_TURNS_PER_MINUTE", "a number"),
                renders: reader.parsed("KODA_RENDERS_PER_MINUTE", "a number"),
                uploads: reader.parsed("KODA_UPLOADS_PER_MINUTE", "a number"),
                creations: reader.parsed("KODA_CREATIONS_PER_MINUTE", "a number"),
            },
            log: reader.text("KODA_LOG"),
            otlp: Otlp::read(&mut reader),
            log_json: reader.one_of("KODA_LOG_FORMAT", &["text", "json"]) == "json",
        };
        let loopback = ["127.0.0.1", "::1", "localhost"].contains(&config.host.as_str());
        if !loopback && !config.allow_open {
            reader.problem(
                "KODA_HOST",
                "is not loopback, and there is no sign-in; set KODA_ALLOW_OPEN=true if everybody who reaches it may use it",
            );
        }
        if config
            .secret
            .as_ref()
            .is_some_and(|secret| secret.expose().len() < 32)
        {
            reader.problem("KODA_SECRET", "must have at least 32 characters");
        }
        if config.dynamo.is_some() && config.secret.is_none() {
            reader.problem(
                "KODA_SECRET",
                "is needed where DYNAMODB_TABLE is set: everything that shares the table must have the same",
            );
        }
        if config.dynamo.is_some() && config.bucket.is_none() {
            reader.problem(
                "S3_BUCKET",
                "is needed where DYNAMODB_TABLE is set: sessions that are shared need files that are",
            );
        }
        if config.idle < Duration::from_secs(60) {
            reader.problem("SANDBOX_IDLE_TIMEOUT", "must be at least 60000 (a minute)");
        }
        reader.finish(config)
    }
}
