//! `koda-server`: every route, the canvas and the background work in one process. `koda-server create-table` makes the
//! DynamoDB table that is configured, where nothing else does; `koda-server probe-models` asks the configured models what they can do.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        None => koda_boot::run_server().await,
        Some("create-table") => koda_boot::create_table().await,
        Some("probe-models") => koda_boot::probe_models().await,
        Some(_) => Err(anyhow::anyhow!(
            "the commands are create-table and probe-models; without one the server runs"
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
