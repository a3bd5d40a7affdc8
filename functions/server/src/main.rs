//! `koda-server`: every route, the canvas and the background work in one process.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match koda_boot::run_server().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("koda-server cannot run: {error:#}");
            ExitCode::FAILURE
        }
    }
}
