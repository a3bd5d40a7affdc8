//! A proxy that makes the network and the service behind it misbehave, by a plan that is the same in every run.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{Response, StatusCode},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::sync::{
    Arc,
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

struct Proxy {
    upstream: String,
    client: Client<HttpConnector, Body>,
    plan: Box<Plan>,
    count: AtomicUsize,
}

/// Starts a proxy in front of a server, on this runtime, and gives its address. Hosts and signatures pass unchanged.
pub async fn proxy(
    upstream: &str,
    plan: impl Fn(usize) -> Fault + Send + Sync + 'static,
) -> String {
    let state = Arc::new(Proxy {
        upstream: upstream.to_owned(),
        client: Client::builder(TokioExecutor::new()).build_http(),
        plan: Box::new(plan),
        count: AtomicUsize::new(0),
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(forward).with_state(state);
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

/// A body that breaks off: the server has no other way to close the connection.
fn broken() -> Response<Body> {
    let error = std::io::Error::other("the fault plan says so");
    let body = futures_util::stream::once(async { Err::<Bytes, _>(error) });
    let mut response = Response::new(Body::from_stream(body));
    response
        .headers_mut()
        .insert("content-length", "1".parse().unwrap());
    response
}

async fn forward(State(proxy): State<Arc<Proxy>>, request: Request) -> Response<Body> {
    let fault = (proxy.plan)(proxy.count.fetch_add(1, Ordering::SeqCst));
    match &fault {
        Fault::Reset => return broken(),
        Fault::Answer(status, body) => {
            let mut response = Response::new(Body::from(*body));
            *response.status_mut() = StatusCode::from_u16(*status).unwrap();
            return response;
        }
        Fault::Late(milliseconds) => {
            tokio::time::sleep(std::time::Duration::from_millis(*milliseconds)).await;
        }
        Fault::None | Fault::LostAnswer => {}
    }
    let (mut parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let Ok(uri) = format!("{}{target}", proxy.upstream).parse() else {
        return broken();
    };
    parts.uri = uri;
    let answered = proxy.client.request(Request::from_parts(parts, body)).await;
    let Ok(answered) = answered else {
        return broken();
    };
    let (parts, body) = answered.into_parts();
    match axum::body::to_bytes(Body::new(body), usize::MAX).await {
        Ok(body) if fault != Fault::LostAnswer => Response::from_parts(parts, Body::from(body)),
        _ => broken(),
    }
}
