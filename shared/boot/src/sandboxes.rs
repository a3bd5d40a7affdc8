//! Where code runs.

use crate::{config, config::Config, secret};
use anyhow::{Context, Result};
use koda_domain::{Clock, Engine, sandbox::SandboxProvider};
use koda_sandbox::e2b::{E2bConfig, E2bProvider, OnIdle};
use std::{collections::BTreeMap, sync::Arc};

/// The provider that is configured.
pub(crate) fn provider(
    config: &Config,
    secret: &[u8],
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn SandboxProvider>> {
    match &config.e2b {
        Some(e2b) => Ok(Arc::new(at_e2b(e2b, secret, config.max_sandboxes)?)),
        None => here(config, clock),
    }
}

/// Origins of previews that browsers reach without us, as a content security policy writes them.
pub(crate) fn public_previews(config: &Config) -> Option<String> {
    let url = config.e2b.as_ref()?.preview_url.as_ref()?;
    Some(url.replacen("PORT-ID", "*", 1))
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
        preview_url: e2b.preview_url.clone(),
    };
    E2bProvider::new(config).context("E2B cannot be used")
}

#[cfg(not(feature = "server"))]
fn here(_: &Config, _: &Arc<dyn Clock>) -> Result<Arc<dyn SandboxProvider>> {
    anyhow::bail!(
        "E2B_API_KEY is not set, and a function of Lambda's has no other place for sandboxes"
    )
}

#[cfg(feature = "server")]
fn here(config: &Config, clock: &Arc<dyn Clock>) -> Result<Arc<dyn SandboxProvider>> {
    use crate::absolute;
    use koda_sandbox::local::{LocalConfig, LocalProvider};

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
        root: absolute(&config.data_dir)?.join("sandboxes"),
        templates: found,
        sandboxd: absolute(&config.sandboxd_bin)?,
        capture: absolute(&config.capture_bin)?,
        max_sandboxes: config.max_sandboxes,
    };
    Ok(Arc::new(LocalProvider::new(config, clock.clone())))
}
