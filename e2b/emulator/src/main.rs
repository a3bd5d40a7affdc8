//! The emulator's program: itself, and what it is inside a sandbox.

use anyhow::Context;
use clap::{Parser, Subcommand};
use e2b_emulator::{Emulator, Entry, Options};
use std::{
    io::{IsTerminal, Write},
    net::SocketAddr,
    path::PathBuf,
    time::Duration,
};

/// E2B, served over processes of this machine, for tests and for trying it out. No sandbox for production.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the control plane and every sandbox.
    Serve {
        /// Address to listen on.
        #[arg(long, default_value = "127.0.0.1:49900")]
        listen: SocketAddr,
        /// Folder where templates stay.
        #[arg(long)]
        folder: Option<PathBuf>,
        /// The most seconds that a sandbox runs at a stretch.
        #[arg(long, default_value_t = 3600)]
        max_life: u64,
        /// The most sandboxes at once.
        #[arg(long, default_value_t = 20)]
        max_sandboxes: usize,
    },
    /// Inside: files and processes, on inherited sockets.
    #[command(hide = true)]
    Envd {
        /// There is only one identity to the kernel.
        #[arg(long)]
        single: bool,
    },
    /// On the way inside.
    #[command(hide = true)]
    Cell {
        /// What the cell is to be, as JSON.
        entry: String,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        // Before there are threads: a process with some cannot leave its user namespace.
        Command::Cell { entry } => {
            let entry: Entry = serde_json::from_str(&entry)?;
            e2b_emulator::enter(&entry)
        }
        Command::Envd { single } => runtime()?.block_on(async {
            e2b_emulator::envd::serve(single).await?;
            Ok(())
        }),
        Command::Serve {
            listen,
            folder,
            max_life,
            max_sandboxes,
        } => runtime()?.block_on(async {
            tracing_subscriber::fmt()
                .with_writer(std::io::stderr)
                .init();
            let mut options = Options::new(std::env::current_exe().context("no program")?);
            options.listen = listen;
            options.folder = folder;
            options.max_life = Duration::from_secs(max_life);
            options.max_sandboxes = max_sandboxes;
            options.build_env = build_env();
            let emulator = Emulator::start(options).await?;
            let mut out = std::io::stdout();
            writeln!(out, "{}", emulator.url())?;
            if out.is_terminal() {
                writeln!(
                    out,
                    "E2B_API_KEY={} E2B_API_URL={url} E2B_SANDBOX_URL={url}",
                    emulator.api_key(),
                    url = emulator.url()
                )?;
            }
            out.flush()?;
            let mut terminated =
                tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            emulator.clear().await;
            Ok(())
        }),
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
}

/// What tells programs of a build where registries and authorities are.
fn build_env() -> std::collections::BTreeMap<String, String> {
    const NAMES: [&str; 9] = [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "NODE_EXTRA_CA_CERTS",
        "SSL_CERT_FILE",
        "NPM_CONFIG_REGISTRY",
    ];
    std::env::vars()
        .filter(|(name, _)| NAMES.contains(&name.as_str()) || name.starts_with("npm_config_"))
        .collect()
}
