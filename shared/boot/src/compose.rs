//! Putting the parts together.

use crate::{absolute, config::Config, models, sandboxes, secret, stores};
use anyhow::{Context, Result};
use aws_config::SdkConfig;
use koda_agent::{Studio, StudioOptions, StudioParts};
use koda_domain::{Clock, Ids, dispatch::Dispatcher};
use koda_http::{AppState, Site};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

pub(crate) struct SystemClock;

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

/// What differs between a server and a function.
pub(crate) struct Place<'a> {
    /// Where browsers find the canvas.
    pub site: Site,
    /// AWS, where anything of it is used.
    pub aws: Option<&'a SdkConfig>,
    /// Who does the work, where this process does not.
    pub dispatcher: Option<Arc<dyn Dispatcher>>,
    /// Makes the models, or what stands for them where they only have names.
    pub models: models::Maker,
    /// Whether event streams stay open while nothing happens.
    pub holds_idle_streams: bool,
    /// Ends event streams.
    pub shutdown: CancellationToken,
}

/// The secret of this deployment, made and kept in the data folder where none is configured.
pub(crate) fn secret_of(config: &Config) -> Result<Vec<u8>> {
    if let Some(secret) = &config.secret {
        return Ok(secret.expose().as_bytes().to_vec());
    }
    let data = absolute(&config.data_dir)?;
    std::fs::create_dir_all(&data).with_context(|| {
        format!(
            "{} cannot be made; set KODA_DATA_DIR to a folder that can",
            data.display()
        )
    })?;
    let made = secret::load_or_make(&data.join("secret"))?;
    Ok(made.expose().as_bytes().to_vec())
}

/// Puts the parts together. Asks nothing of the network.
pub(crate) async fn compose(config: &Config, secret: &[u8], place: Place<'_>) -> Result<AppState> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let stores = stores::open(config, secret, &clock, place.aws).await?;
    let studio = Studio::new(StudioParts {
        store: stores.sessions,
        model: (place.models)(&config.ai, stores.objects.clone())?,
        objects: stores.objects,
        sandboxes: sandboxes::provider(config, secret, &clock)?,
        clock,
        ids: Arc::new(SystemIds),
        dispatcher: place.dispatcher,
        owner: format!("server-{}", ulid::Ulid::generate()),
        options: StudioOptions {
            limits: config.limits.clone(),
            idle: config.idle,
            warm: config.warm_sandboxes,
            renders: config.max_renders,
            render_sandboxes: config.render_sandboxes,
            rates: config.rates,
            budget: config.budget,
            // In DynamoDB each event is paid for.
            coalesce: Duration::from_millis(if config.dynamo.is_some() { 300 } else { 100 }),
            ..StudioOptions::default()
        },
    });
    Ok(AppState {
        studio,
        gateway: stores.gateway,
        site: Arc::new(
            place
                .site
                .with_storage(stores.origin)
                .with_public_previews(sandboxes::public_previews(config)),
        ),
        holds_idle_streams: place.holds_idle_streams,
        shutdown: place.shutdown,
    })
}
