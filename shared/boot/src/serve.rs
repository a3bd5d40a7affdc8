//! Serving all routes from one process, with its worker.

use crate::{Config, absolute, compose};
use anyhow::{Context, Result};
use std::{io::Write, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long open requests may take when the server ends.
const DRAIN: Duration = Duration::from_secs(5);

pub(crate) async fn serve(config: Config) -> Result<()> {
    let address = (config.host.trim_matches(['[', ']']), config.port);
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("port {} cannot be opened; set PORT to another", config.port))?;
    let port = listener.local_addr()?.port();
    let origin = config
        .public_url
        .clone()
        .unwrap_or_else(|| format!("http://localhost:{port}"));
    let preview_base = config
        .preview_host
        .clone()
        .unwrap_or_else(|| format!("preview.localhost:{port}"));
    let shutdown = CancellationToken::new();
    let state = compose(&config, &origin, &preview_base, shutdown.clone()).await?;
    let app = koda_http::all(state.clone(), &absolute(&config.web_dir)?);
    let worker = tokio::spawn(state.studio.clone().run_worker(shutdown.clone()));
    // The one line on standard output: where to go.
    writeln!(std::io::stdout(), "Koda is at {origin}")?;
    let asked = shutdown.clone();
    let serving = axum::serve(listener, app).with_graceful_shutdown(async move {
        told_to_stop().await;
        tracing::info!("Stopping; work that is cut off goes on after the next start");
        asked.cancel();
    });
    let mut serving = tokio::spawn(async move { serving.await });
    tokio::select! {
        served = &mut serving => served.context("the server broke")?.context("the server broke")?,
        () = async { shutdown.cancelled().await; tokio::time::sleep(DRAIN).await } => serving.abort(),
    }
    shutdown.cancel();
    worker.await.context("the worker broke")
}

async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = interrupt => {}
        () = terminate => {}
    }
}
