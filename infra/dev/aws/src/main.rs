//! DynamoDB and S3 on this machine, for tests and for working offline: dynoxide and s3s-fs in one process that says where it
//! is; and what `cargo lambda watch` lacks of Lambda, calls that nobody waits for and calls on a schedule. Signatures are checked by S3's; the keys are those of `KEYS`. No place for anything that shall last.

mod lambda;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Parser;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_http::cors::CorsLayer;

/// Access key and secret key that are accepted.
const KEYS: (&str, &str) = ("local", "local-secret");

#[derive(Parser)]
struct Arguments {
    /// Where DynamoDB listens
    #[arg(long, default_value = "127.0.0.1:0")]
    dynamodb: SocketAddr,
    /// Where S3 listens
    #[arg(long, default_value = "127.0.0.1:0")]
    s3: SocketAddr,
    /// Folder for both; its folders below s3/ are buckets. By default one that is removed at the end
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Buckets to make
    #[arg(long, default_value = "koda")]
    bucket: Vec<String>,
    /// Where Lambda's API listens for calls that nobody waits for; they go on to --functions
    #[arg(long, requires = "functions")]
    lambda: Option<SocketAddr>,
    /// Where functions are called, such as the address of `cargo lambda watch`
    #[arg(long)]
    functions: Option<String>,
    /// A function that is called every minute, as by a schedule
    #[arg(long, requires = "functions")]
    schedule: Option<String>,
    /// End when standard input does
    #[arg(long)]
    with_parent: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let scratch = tempfile::tempdir()?;
    let folder = arguments.folder.unwrap_or(scratch.path().to_owned());
    let buckets = folder.join("s3");
    for bucket in &arguments.bucket {
        std::fs::create_dir_all(buckets.join(bucket)).context("the folder cannot be written")?;
    }
    let database = folder.join("dynamodb.db");
    let database = dynoxide::Database::new(&database.to_string_lossy())
        .map_err(|error| anyhow::anyhow!("the database cannot be opened: {error}"))?;
    let dynamodb = TcpListener::bind(arguments.dynamodb).await?;
    let s3 = TcpListener::bind(arguments.s3).await?;
    println!("dynamodb http://{}", dynamodb.local_addr()?);
    println!("s3 http://{}", s3.local_addr()?);

    let files = s3s_fs::FileSystem::new(&buckets)
        .map_err(|error| anyhow::anyhow!("the buckets cannot be opened: {error:?}"))?;
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(KEYS.0, KEYS.1));
    let service = service.build();
    // What does not match its checksum is refused only after it was stored; at S3 it never is.
    let strict = tower::service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let put = request.method() == http::Method::PUT;
        let object = buckets.join(request.uri().path().trim_start_matches('/'));
        let service = service.clone();
        async move {
            let answer = hyper::service::Service::call(&service, request).await;
            let refused =
                |answer: &s3s::HttpResponse| answer.status() == http::StatusCode::BAD_REQUEST;
            if put && answer.as_ref().is_ok_and(refused) {
                // It may not have come so far.
                let _ = tokio::fs::remove_file(object).await;
            }
            answer
        }
    });
    // Browsers put and get by signed addresses.
    let service = ServiceBuilder::new()
        .layer(CorsLayer::very_permissive())
        .service(strict);
    tokio::select! {
        () = dynoxide::server::serve_on(dynamodb, database) => Ok(()),
        served = serve(s3, service) => served,
        called = lambda::serve(arguments.lambda, arguments.functions.clone()) => called,
        () = lambda::every_minute(arguments.schedule, arguments.functions) => Ok(()),
        () = end_of_input(), if arguments.with_parent => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

async fn serve<S, B>(listener: TcpListener, service: S) -> Result<()>
where
    S: tower::Service<http::Request<hyper::body::Incoming>, Response = http::Response<B>>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    loop {
        let (socket, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            // A connection that breaks is its client's matter.
            let _ = Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut buffer = [0; 64];
    while matches!(input.read(&mut buffer).await, Ok(1..)) {}
}
