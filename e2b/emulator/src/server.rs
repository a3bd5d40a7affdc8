//! Connections, and which of the two planes a request is for.

use crate::{
    World, control, edge,
    fault::{Action, spoiled},
};
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use std::{sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::{ServiceExt, service_fn};

/// Serves until it is stopped.
pub async fn serve(world: Arc<World>, listener: TcpListener, stop: CancellationToken) {
    let router = control::router(world.clone());
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let Ok((stream, _)) = accepted else { continue };
        let _ = stream.set_nodelay(true);
        let (world, router) = (world.clone(), router.clone());
        // A fault can cut the connection.
        let cut = stop.child_token();
        let cutter = cut.clone();
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let (world, router, cutter) = (world.clone(), router.clone(), cutter.clone());
            async move {
                let response = answer(world, router, request.map(Body::new), &cutter).await;
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        tokio::spawn(async move {
            let builder = auto::Builder::new(TokioExecutor::new());
            let connection = builder.serve_connection_with_upgrades(
                TokioIo::new(stream),
                TowerToHyperService::new(service),
            );
            tokio::select! {
                _ = connection => {}
                () = cut.cancelled() => {}
            }
        });
    }
}

async fn answer(
    world: Arc<World>,
    router: Router,
    request: Request,
    cut: &CancellationToken,
) -> Response {
    let path = request.uri().path().to_owned();
    let ours = path.starts_with("/_emulator");
    let fault = (!ours)
        .then(|| world.faults.next(request.method().as_str(), &path))
        .flatten();
    match &fault {
        Some(Action::Delay(milliseconds)) => {
            tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
        }
        Some(Action::Answer {
            status,
            body,
            retry_after,
        }) => return instead(*status, body, *retry_after),
        Some(Action::Refuse) => {
            cut.cancel();
            std::future::pending::<()>().await;
        }
        Some(Action::Expire(milliseconds)) => expire_later(&world, &request, *milliseconds),
        _ => {}
    }
    let response = route(world, router, request).await;
    match &fault {
        Some(Action::LoseAnswer) => {
            cut.cancel();
            std::future::pending().await
        }
        Some(action @ (Action::CutAfter(_) | Action::Duplicate | Action::Pieces(_))) => {
            let (mut parts, body) = response.into_parts();
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from_stream(spoiled(body, action)))
        }
        _ => response,
    }
}

fn instead(status: u16, body: &str, retry_after: Option<u64>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, body.to_owned()).into_response();
    if body.starts_with('{') {
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static("application/json"),
        );
    }
    if let Some(seconds) = retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn host(request: &Request) -> &str {
    let named = request.headers().get(header::HOST);
    named
        .and_then(|v| v.to_str().ok())
        .or_else(|| request.uri().host())
        .unwrap_or_default()
}

fn expire_later(world: &Arc<World>, request: &Request, milliseconds: u64) {
    let Some(Ok(target)) = edge::target(request.headers(), host(request)) else {
        return;
    };
    let world = world.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        let sandbox = world.sandboxes().remove(&target.id);
        if let Some(sandbox) = sandbox {
            sandbox.end().await;
        }
    });
}

async fn route(world: Arc<World>, router: Router, request: Request) -> Response {
    match edge::target(request.headers(), host(&request)) {
        Some(Ok(target)) => edge::serve(world, target, request).await,
        Some(Err(why)) => (StatusCode::BAD_REQUEST, why).into_response(),
        None => match router.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
    }
}
