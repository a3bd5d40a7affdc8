//! The composition root: configuration, logs, adapters, and the server made of them. The one crate that knows adapters.

mod compose;
pub mod config;
#[cfg(feature = "lambda")]
pub mod lambda;
mod logs;
mod models;
mod sandboxes;
mod secret;
#[cfg(feature = "server")]
mod serve;
mod stores;
mod telemetry;

pub use config::Config;

use anyhow::{Context, Result, anyhow};
use std::path::{Path, PathBuf};

fn configured() -> Result<Config> {
    // A function has no file beside it: it is configured by its environment alone.
    let read = if cfg!(feature = "server") {
        Config::from_process()
    } else {
        Config::from_environment()
    };
    let config = read.map_err(|problems| {
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
#[cfg(feature = "server")]
pub async fn run_server() -> Result<()> {
    serve::serve(configured()?).await
}

/// Makes the DynamoDB table that is configured, where it is not there.
///
/// # Errors
/// Where none is configured, or DynamoDB refuses.
#[cfg(feature = "server")]
pub async fn create_table() -> Result<()> {
    stores::create_table(&configured()?).await
}

/// Asks each configured model what it can do, and says what was seen.
///
/// # Errors
/// Where one cannot do Koda's work.
#[cfg(feature = "server")]
pub async fn probe_models() -> Result<()> {
    let config = configured()?;
    let clock: std::sync::Arc<dyn koda_domain::Clock> = std::sync::Arc::new(compose::SystemClock);
    let secret = compose::secret_of(&config)?;
    let stores = stores::open(&config, &secret, &clock, None).await?;
    models::probe(&config.ai, stores.objects).await
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{} is not a path", path.display()))
}
