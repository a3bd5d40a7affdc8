//! The functions of Lambda's.

use crate::{
    compose::{Place, compose, secret_of},
    config::Config,
    configured, models, stores, telemetry,
};
use anyhow::Context;
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_lambda::{primitives::Blob, types::InvocationType};
use axum::{extract::Request, middleware::Next, response::Response};
use koda_domain::dispatch::{Dispatcher, Errand};
use koda_http::{AppState, Mount, Site};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio_util::sync::CancellationToken;

pub use lambda_http::Error;

/// How long before the end of an invocation its work is let go of, so that another takes it up.
const HAND_OVER: Duration = Duration::from_secs(45);
/// How long an invocation may take.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// An invocation that had less time than this calls for no other.
const SHORTEST: Duration = Duration::from_secs(10);
/// How long a call for work may take to be accepted.
const ACCEPTED_WITHIN: Duration = Duration::from_secs(3);

/// Calls the function that does the work, which answers when it has begun.
struct Invoker {
    client: aws_sdk_lambda::Client,
    function: String,
}

#[async_trait]
impl Dispatcher for Invoker {
    async fn dispatch(&self, errand: Errand) {
        let payload = json!(errand).to_string();
        let called = self
            .client
            .invoke()
            .function_name(&self.function)
            .invocation_type(InvocationType::Event)
            .payload(Blob::new(payload))
            .send();
        // One that is not accepted is found on the schedule.
        match tokio::time::timeout(ACCEPTED_WITHIN, called).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                let error = aws_sdk_lambda::error::DisplayErrorContext(error);
                tracing::warn!(session.id = %errand.session, %error, "Nobody could be called to work");
            }
            Err(_) => {
                tracing::warn!(session.id = %errand.session, "Nobody answered the call to work in time");
            }
        }
    }
}

async fn prepare(
    config: &Config,
    aws: &SdkConfig,
    models: models::Maker,
) -> anyhow::Result<(AppState, Arc<Invoker>)> {
    let secret = secret_of(config)?;
    let origin = config
        .public_url
        .clone()
        .context("KODA_PUBLIC_URL is not set: browsers have to be told where the canvas is")?;
    let function = config
        .worker
        .clone()
        .context("KODA_WORKER_FUNCTION is not set: it names the function that does the work")?;
    let preview_base = config.preview_host.clone().unwrap_or_default();
    let invoker = Arc::new(Invoker {
        client: invoking(config, aws),
        function,
    });
    let place = Place {
        site: Site::new(&origin, &preview_base, &secret).behind_gateway(),
        aws: Some(aws),
        dispatcher: Some(invoker.clone()),
        models,
        holds_idle_streams: false,
        shutdown: CancellationToken::new(),
    };
    Ok((compose(config, &secret, place).await?, invoker))
}

fn invoking(config: &Config, aws: &SdkConfig) -> aws_sdk_lambda::Client {
    let mut own = aws_sdk_lambda::config::Builder::from(aws);
    own.set_endpoint_url(config.lambda_endpoint.clone());
    aws_sdk_lambda::Client::from_conf(own.build())
}

/// Serves the routes of one function until Lambda ends the process.
///
/// # Errors
/// Where the configuration does not allow it, or the runtime's API goes away.
pub async fn serve(mount: &Mount) -> Result<(), Error> {
    let config = configured()?;
    let aws = stores::aws_of_lambda(&config);
    // Turns run elsewhere: the models are no part of this program.
    let (state, _) = prepare(&config, &aws, models::named).await?;
    let app = koda_http::one(mount, state);
    let app = app.layer(axum::middleware::from_fn(flushed));
    if mount.stream {
        let app = app.layer(axum::middleware::from_fn(unheld));
        lambda_http::run_with_streaming_response(app).await
    } else {
        lambda_http::run(app).await
    }
}

/// The first piece of an answer leaves at once. The runtime's client writes the head of a stream in two small pieces, and the
/// kernel holds the second back until the first is acknowledged, which takes 40 ms, where a socket has no `TCP_NODELAY`. The
/// client sets none and takes no connector, so that it is set from here, on the connection that the request came by.
async fn unheld(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if let Err(error) = hold_nothing_back() {
        tracing::debug!(%error, "First pieces of answers may be late: {error}");
    }
    response
}

/// Sets `TCP_NODELAY` on every connection of this process. A descriptor is reached through a copy, which the kernel makes of one
/// that is named by its number: <https://man7.org/linux/man-pages/man2/pidfd_getfd.2.html>
fn hold_nothing_back() -> std::io::Result<()> {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
    let process = pidfd_open(getpid(), PidfdFlags::empty())?;
    for entry in std::fs::read_dir("/proc/self/fd")?.flatten() {
        // Closing the copy of a file would give up locks that the process holds on it.
        let leads_to = std::fs::read_link(entry.path()).unwrap_or_default();
        if !leads_to.to_string_lossy().starts_with("socket:") {
            continue;
        }
        let number = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let copy = number.map(|number| pidfd_getfd(&process, number, PidfdGetfdFlags::empty()));
        if let Some(Ok(copy)) = copy {
            // What is no connection refuses.
            let _ = rustix::net::sockopt::set_tcp_nodelay(&copy, true);
        }
    }
    Ok(())
}

/// Between invocations nothing runs: what was gathered is sent first.
async fn flushed(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    telemetry::flush().await;
    response
}

/// Does the work that it is called for, until Lambda ends the process.
///
/// # Errors
/// As [`serve`].
pub async fn work() -> Result<(), Error> {
    let config = configured()?;
    let aws = stores::aws_of_lambda(&config);
    let (state, invoker) = prepare(&config, &aws, models::working).await?;
    let (state, invoker) = (&state, &invoker);
    let handle = |event: LambdaEvent<Value>| async move {
        match serde_json::from_value::<Errand>(event.payload) {
            Ok(errand) => run(state, invoker, errand, event.context.deadline()).await,
            // Whatever else comes, comes from the schedule.
            Err(_) => tend(state, invoker).await,
        }
        // Between invocations nothing runs.
        telemetry::flush().await;
        Ok::<_, Error>(())
    };
    lambda_runtime::run(service_fn(handle)).await
}

async fn run(state: &AppState, invoker: &Invoker, errand: Errand, deadline: SystemTime) {
    // `cargo lambda watch` names a time that is long past.
    let left = deadline.duration_since(SystemTime::now());
    let left = left.unwrap_or(LONGEST);
    let let_go = CancellationToken::new();
    let timer = let_go.clone();
    let pause = left.saturating_sub(HAND_OVER.min(left / 4));
    let clock = tokio::spawn(async move {
        tokio::time::sleep(pause).await;
        timer.cancel();
    });
    let more = Box::pin(state.studio.clone().run_errand(errand, let_go.clone())).await;
    clock.abort();
    let ran_out = let_go.is_cancelled();
    // What was not let go of for want of time is left to the schedule, so that no fault calls for itself without end.
    if more && ran_out && left >= SHORTEST {
        invoker.dispatch(errand).await;
    }
}

async fn tend(state: &AppState, invoker: &Invoker) {
    for session in state.studio.tend().await {
        let refresh = false;
        invoker.dispatch(Errand { session, refresh }).await;
    }
}
