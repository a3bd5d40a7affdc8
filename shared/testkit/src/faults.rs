//! A proxy that makes the network and the service behind it misbehave, by a plan that is the same in every run.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

/// What happens to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It is carried out, and its answer is lost: the connection breaks.
    LostAnswer,
    /// The connection breaks before it is carried out.
    Reset,
    /// It is not carried out; this status and body come back.
    Answer(u16, &'static str),
    /// It is carried out after this many milliseconds.
    Late(u64),
}

/// Says what happens to the request of this number, counted from 0.
pub type Plan = dyn Fn(usize) -> Fault + Send + Sync;

/// Methods and addresses of requests, in the order in which they came.
pub type Seen = Arc<Mutex<Vec<String>>>;

struct Proxy {
    seen: Seen,
    upstream: String,
    client: Client<HttpConnector, Full<Bytes>>,
    plan: Box<Plan>,
    count: AtomicUsize,
}

/// Starts a proxy in front of a server, on this runtime, and gives its address. Hosts and signatures pass unchanged.
pub async fn proxy(
    upstream: &str,
    plan: impl Fn(usize) -> Fault + Send + Sync + 'static,
) -> String {
    watched(upstream, plan).await.0
}

/// The same, and what is asked of it.
pub async fn watched(
    upstream: &str,
    plan: impl Fn(usize) -> Fault + Send + Sync + 'static,
) -> (String, Seen) {
    let seen = Seen::default();
    let state = Arc::new(Proxy {
        seen: seen.clone(),
        upstream: upstream.to_owned(),
        client: Client::builder(TokioExecutor::new()).build_http(),
        plan: Box::new(plan),
        count: AtomicUsize::new(0),
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let state = state.clone();
            let service = service_fn(move |request| forward(state.clone(), request));
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(connection), service);
            tokio::spawn(serving);
        }
    });
    (url, seen)
}

/// An answer, or an error, at which the connection is closed.
async fn forward(
    proxy: Arc<Proxy>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let fault = (proxy.plan)(proxy.count.fetch_add(1, Ordering::SeqCst));
    let line = format!("{} {}", request.method(), request.uri());
    proxy.seen.lock().unwrap().push(line);
    match &fault {
        Fault::Reset => return Err("reset, as planned".into()),
        Fault::Answer(status, body) => {
            // The request is taken to its end, as a service would.
            request.into_body().collect().await?;
            let mut response = Response::new(Full::from(*body));
            *response.status_mut() = StatusCode::from_u16(*status)?;
            return Ok(response);
        }
        Fault::Late(milliseconds) => {
            tokio::time::sleep(std::time::Duration::from_millis(*milliseconds)).await;
        }
        Fault::None | Fault::LostAnswer => {}
    }
    let (mut parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = format!("{}{target}", proxy.upstream).parse()?;
    let body = Full::new(body.collect().await?.to_bytes());
    let answered = proxy
        .client
        .request(Request::from_parts(parts, body))
        .await?;
    let (parts, body) = answered.into_parts();
    let body = body.collect().await?.to_bytes();
    if fault == Fault::LostAnswer {
        return Err("lost, as planned".into());
    }
    Ok(Response::from_parts(parts, Full::new(body)))
}
