//! Logs on standard error: readable for people, or JSON lines for machines.

use crate::{Config, telemetry};
use anyhow::{Context, Result};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

pub(crate) fn start(config: &Config) -> Result<()> {
    let filter: Targets = config
        .log
        .parse()
        .context("KODA_LOG is not a filter, such as info or koda_agent=debug")?;
    let logs = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false);
    let logs = if config.log_json {
        logs.json().boxed()
    } else {
        logs.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .boxed()
    };
    let collected = config.otlp.as_ref().map(telemetry::start).transpose()?;
    tracing_subscriber::registry()
        .with(collected)
        .with(logs.with_filter(filter))
        .init();
    Ok(())
}
