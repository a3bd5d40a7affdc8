//! Serving all routes from one process, with its worker.

use crate::{
    absolute,
    compose::{Place, compose, secret_of},
    config::Config,
    stores, telemetry,
};
use anyhow::{Context, Result};
use koda_domain::model::Role;
use koda_http::{AppState, Site};
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
    let secret = secret_of(&config)?;
    let aws = if config.dynamo.is_some() || config.bucket.is_some() {
        Some(stores::aws().await)
    } else {
        None
    };
    let place = Place {
        site: Site::new(&origin, &preview_base, &secret),
        aws: aws.as_ref(),
        dispatcher: None,
        models: crate::models::working,
        holds_idle_streams: true,
        shutdown: shutdown.clone(),
    };
    let state = compose(&config, &secret, place).await?;
    tell(&state).await;
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
    let worked = worker.await.context("the worker broke");
    telemetry::flush().await;
    worked
}

/// Says what this server works with, and what of it does not answer.
async fn tell(state: &AppState) {
    let studio = &state.studio;
    let (sessions, files, sandboxes) = tokio::join!(
        studio.store().ready(),
        studio.objects().ready(),
        studio.sandboxes().ready()
    );
    if let Err(error) = sessions {
        tracing::warn!("Sessions cannot be read: {error}");
    }
    if let Err(error) = files {
        tracing::warn!("Files cannot be read: {error}");
    }
    match sandboxes {
        Ok(()) => tracing::info!("Sandboxes: {}", studio.sandboxes().info().isolation),
        Err(error) => tracing::warn!("Sandboxes cannot be made: {error}"),
    }
    let model = studio.model().describe(Role::Orchestrator);
    let what = if model.is_ai { "" } else { ", which is not AI" };
    tracing::info!("Model: {} of {}{what}", model.model, model.provider);
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
