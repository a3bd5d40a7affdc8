//! Logs on standard error: readable for people, or JSON lines for machines.

use crate::Config;
use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

pub(crate) fn start(config: &Config) -> Result<()> {
    let filter = EnvFilter::try_new(&config.log)
        .context("KODA_LOG is not a filter, such as info or koda_agent=debug")?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    if config.log_json {
        logs.json().init();
    } else {
        logs.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .init();
    }
    Ok(())
}
