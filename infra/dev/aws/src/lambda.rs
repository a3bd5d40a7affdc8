//! Lambda's `Invoke` with the invocation type `Event`: accepted at once, and carried out by whoever has the functions.
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

/// Calls a function and waits for its end.
async fn call(functions: &str, path: &str, payload: Bytes) {
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{functions}{path}"))
        .body(Full::new(payload));
    let Ok(request) = request else { return };
    let client = Client::builder(TokioExecutor::new()).build_http();
    match client.request(request).await {
        Ok(answer) if answer.status().is_success() => {}
        Ok(answer) => eprintln!("{path} was answered with {}", answer.status()),
        Err(error) => eprintln!("{path} could not be called: {error}"),
    }
}

/// Accepts calls, for ever where nobody listens.
pub async fn serve(address: Option<SocketAddr>, functions: Option<String>) -> Result<()> {
    let (Some(address), Some(functions)) = (address, functions) else {
        return std::future::pending().await;
    };
    let listener = TcpListener::bind(address).await?;
    println!("lambda http://{}", listener.local_addr()?);
    loop {
        let (connection, _) = listener.accept().await?;
        let functions = functions.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let functions = functions.clone();
            async move {
                let path = request.uri().path().to_owned();
                let payload = request.into_body().collect().await?.to_bytes();
                tokio::spawn(async move { call(&functions, &path, payload).await });
                let mut answer = Response::new(Full::<Bytes>::default());
                *answer.status_mut() = StatusCode::ACCEPTED;
                Ok::<_, hyper::Error>(answer)
            }
        });
        let serving = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(connection), service);
        tokio::spawn(serving);
    }
}

/// Calls a function every minute.
pub async fn every_minute(function: Option<String>, functions: Option<String>) {
    let (Some(function), Some(functions)) = (function, functions) else {
        return std::future::pending().await;
    };
    let path = format!("/2015-03-31/functions/{function}/invocations");
    loop {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let event = Bytes::from_static(br#"{"source":"aws.scheduler"}"#);
        call(&functions, &path, event).await;
    }
}
