//! `koda-server`: every route, the canvas and the background work in one process. `koda-server create-table` makes the
//! DynamoDB table that is configured, where nothing else does.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        None => koda_boot::run_server().await,
        Some("create-table") => koda_boot::create_table().await,
        Some(_) => Err(anyhow::anyhow!(
            "the only command is create-table; without one the server runs"
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("koda-server cannot run: {error:#}");
            ExitCode::FAILURE
        }
    }
}
