//! The composition root: configuration, logs, adapters, and the server made of them. The one crate that knows adapters.

pub mod config;
mod logs;
mod secret;
mod serve;
mod stores;

pub use config::Config;

use anyhow::{Context, Result, anyhow};
use koda_agent::{Studio, StudioOptions, StudioParts};
use koda_domain::{Clock, Engine, Ids, sandbox::SandboxProvider};
use koda_http::{AppState, Site};
use koda_model::DemoModel;
use koda_sandbox::{
    e2b::{E2bConfig, E2bProvider, OnIdle},
    local::{LocalConfig, LocalProvider},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

struct SystemIds;

impl Ids for SystemIds {
    fn ulid(&self) -> ulid::Ulid {
        ulid::Ulid::generate()
    }
}

fn configured() -> Result<Config> {
    let config = Config::from_process().map_err(|problems| {
        let list: String = problems.iter().map(|p| format!("\n  {p}")).collect();
        anyhow!("the configuration has problems:{list}")
    })?;
    logs::start(&config)?;
    Ok(config)
}

/// Runs `koda-server` until it is told to stop.
///
/// # Errors
/// Where the configuration or this machine does not allow it; the text says what to do.
pub async fn run_server() -> Result<()> {
    serve::serve(configured()?).await
}

/// Makes the DynamoDB table that is configured, where it is not there.
///
/// # Errors
/// Where none is configured, or DynamoDB refuses.
pub async fn create_table() -> Result<()> {
    stores::create_table(&configured()?).await
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{} is not a path", path.display()))
}

/// Puts the parts together for a server that is found at `origin`.
async fn compose(
    config: &Config,
    origin: &str,
    preview_base: &str,
    shutdown: CancellationToken,
) -> Result<AppState> {
    let data = absolute(&config.data_dir)?;
    tokio::fs::create_dir_all(&data).await.with_context(|| {
        format!(
            "{} cannot be made; set KODA_DATA_DIR to a folder that can",
            data.display()
        )
    })?;
    let secret = match &config.secret {
        Some(secret) => secret.clone(),
        None => secret::load_or_make(&data.join("secret"))?,
    };
    let secret = secret.expose().as_bytes();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let stores = stores::open(config, &data, secret, &clock).await?;
    let sandboxes: Arc<dyn SandboxProvider> = match &config.e2b {
        Some(e2b) => Arc::new(at_e2b(e2b, secret, config.max_sandboxes)?),
        None => Arc::new(provider(config, &data, clock.clone())?),
    };
    if let Err(error) = sandboxes.ready().await {
        tracing::warn!("Sandboxes cannot be made: {error}");
    } else {
        tracing::info!("Sandboxes: {}", sandboxes.info().isolation);
    }
    let studio = Studio::new(StudioParts {
        store: stores.sessions,
        objects: stores.objects,
        sandboxes,
        model: Arc::new(DemoModel::new().context("the demo model's recipes are damaged")?),
        clock,
        ids: Arc::new(SystemIds),
        owner: format!("server-{}", ulid::Ulid::generate()),
        options: StudioOptions {
            limits: config.limits.clone(),
            idle: config.idle,
            renders: config.max_renders,
            ..StudioOptions::default()
        },
    });
    tracing::info!("Model: the built-in demo model, which is not AI");
    let site = Site::new(origin, preview_base, secret).with_storage(stores.origin);
    let site = Arc::new(site);
    Ok(AppState {
        studio,
        gateway: stores.gateway,
        site,
        shutdown,
    })
}

fn at_e2b(e2b: &config::E2b, secret: &[u8], max_sandboxes: usize) -> Result<E2bProvider> {
    let mut client = E2bConfig::client(e2b.api_key.expose());
    client.domain.clone_from(&e2b.domain);
    client.api_url.clone_from(&e2b.api_url);
    client.sandbox_url.clone_from(&e2b.sandbox_url);
    let [remotion, theatre] = e2b.templates.clone();
    let config = E2bConfig {
        client,
        deployment: e2b
            .deployment
            .clone()
            .unwrap_or_else(|| secret::name(secret)),
        templates: BTreeMap::from([(Engine::Remotion, remotion), (Engine::Theatre, theatre)]),
        on_idle: if e2b.pause {
            OnIdle::Pause
        } else {
            OnIdle::Kill
        },
        max_life: e2b.max_life,
        max_sandboxes,
    };
    E2bProvider::new(config).context("E2B cannot be used")
}

fn provider(config: &Config, data: &Path, clock: Arc<dyn Clock>) -> Result<LocalProvider> {
    let templates = absolute(&config.templates_dir)?;
    let engines = [(Engine::Remotion, "remotion"), (Engine::Theatre, "theatre")];
    let mut found = BTreeMap::new();
    for (engine, name) in engines {
        let template = templates.join(name);
        if template.join("node_modules").is_dir() {
            found.insert(engine, template);
        } else {
            tracing::warn!(
                "The {engine} template has no packages at {}; run `make build`",
                template.display()
            );
        }
    }
    let config = LocalConfig {
        root: data.join("sandboxes"),
        templates: found,
        sandboxd: absolute(&config.sandboxd_bin)?,
        capture: absolute(&config.capture_bin)?,
        max_sandboxes: config.max_sandboxes,
    };
    Ok(LocalProvider::new(config, clock))
}
