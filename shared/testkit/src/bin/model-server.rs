//! The scripted model server as a program: `model-server SCRIPT.yaml` prints its address and serves until it is ended.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool of tests")]

use koda_testkit::model_server::{KEY, ModelServer, Script};

#[tokio::main]
async fn main() {
    let path = std::env::args().nth(1).unwrap_or_else(|| {
        eprintln!("usage: model-server SCRIPT.yaml");
        std::process::exit(2)
    });
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let script = Script::read(&text).unwrap_or_else(|e| panic!("{path}: {e}"));
    let server = ModelServer::start(script).await;
    println!("{} {KEY}", server.url);
    // Ends with what started it.
    let _ = tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await;
}
