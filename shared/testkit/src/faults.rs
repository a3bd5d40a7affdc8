//! A proxy that makes the network and the service behind it misbehave, by a plan that is the same in every run.

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Request, Response, StatusCode,
    body::{Frame, Incoming},
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What happens to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It is carried out, and its answer is lost: the connection breaks.
    LostAnswer,
    /// It is carried out, and the connection breaks in the middle of its answer.
    CutAnswer,
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

/// Whether a request, told by its body, is answered as the same one was before: as by a copy that lags.
type Lags = dyn Fn(&[u8]) -> bool + Send + Sync;

struct Proxy {
    seen: Seen,
    upstream: String,
    client: Client<HttpConnector, Full<Bytes>>,
    plan: Box<Plan>,
    lags: Box<Lags>,
    /// What requests that lag were answered first.
    answers: Mutex<HashMap<Bytes, Bytes>>,
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
    let url = serve(upstream, seen.clone(), Box::new(plan), Box::new(|_| false)).await;
    (url, seen)
}

/// A proxy at which nothing fails, and requests of which `lags` says so are answered for ever as they were the first time.
pub async fn lagging(
    upstream: &str,
    lags: impl Fn(&[u8]) -> bool + Send + Sync + 'static,
) -> String {
    let plan = Box::new(|_| Fault::None);
    serve(upstream, Seen::default(), plan, Box::new(lags)).await
}

async fn serve(upstream: &str, seen: Seen, plan: Box<Plan>, lags: Box<Lags>) -> String {
    let state = Arc::new(Proxy {
        seen,
        upstream: upstream.to_owned(),
        client: Client::builder(TokioExecutor::new()).build_http(),
        plan,
        lags,
        answers: Mutex::default(),
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
    url
}

/// An answer, or an error, at which the connection is closed.
async fn forward(
    proxy: Arc<Proxy>,
    request: Request<Incoming>,
) -> Result<Response<BoxBody<Bytes, Failure>>, Failure> {
    let fault = (proxy.plan)(proxy.count.fetch_add(1, Ordering::SeqCst));
    let line = format!("{} {}", request.method(), request.uri());
    proxy.seen.lock().unwrap().push(line);
    match &fault {
        Fault::Reset => return Err("reset, as planned".into()),
        Fault::Answer(status, body) => {
            // The request is taken to its end, as a service would.
            request.into_body().collect().await?;
            let mut response = Response::new(whole(Bytes::from(*body)));
            *response.status_mut() = StatusCode::from_u16(*status)?;
            return Ok(response);
        }
        Fault::Late(milliseconds) => {
            tokio::time::sleep(std::time::Duration::from_millis(*milliseconds)).await;
        }
        Fault::None | Fault::LostAnswer | Fault::CutAnswer => {}
    }
    let (mut parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = format!("{}{target}", proxy.upstream).parse()?;
    let asked = body.collect().await?.to_bytes();
    let answered = proxy
        .client
        .request(Request::from_parts(parts, Full::new(asked.clone())))
        .await?;
    let (parts, body) = answered.into_parts();
    let mut body = body.collect().await?.to_bytes();
    if (proxy.lags)(&asked) {
        let mut answers = proxy.answers.lock().unwrap();
        body = answers.entry(asked).or_insert(body).clone();
        let mut answer = Response::new(whole(body));
        // Lengths and checksums are those of the other answer.
        for name in ["content-type", "x-amzn-requestid"] {
            if let Some(value) = parts.headers.get(name) {
                answer.headers_mut().insert(name, value.clone());
            }
        }
        return Ok(answer);
    }
    match fault {
        Fault::LostAnswer => Err("lost, as planned".into()),
        Fault::CutAnswer => {
            let half = Frame::data(body.slice(..body.len() / 2));
            let pieces = [Ok(half), Err("cut, as planned".into())];
            let cut = StreamBody::new(stream::iter(pieces)).boxed();
            Ok(Response::from_parts(parts, cut))
        }
        _ => Ok(Response::from_parts(parts, whole(body))),
    }
}

fn whole(body: Bytes) -> BoxBody<Bytes, Failure> {
    Full::new(body).map_err(Into::into).boxed()
}
