//! The `koda-capture` program: runs one command, and ends its output with a result or an error.

use std::process::ExitCode;

use koda_capture::cli;
use koda_capture::error::{Code, Failure};
use koda_capture::output;
use koda_capture::remotion;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    if let Some(error) = remotion::run_browser() {
        eprintln!("the browser cannot be started: {error}");
        return ExitCode::FAILURE;
    }
    let done = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime.block_on(run()),
        Err(error) => Err(Failure::new(
            Code::BrowserFailed,
            format!("no runtime: {error}"),
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::failure(&failure);
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failure> {
    let Some(command) = cli::parse(std::env::args_os())? else {
        return Ok(());
    };
    let unheard = |error: std::io::Error| {
        Failure::new(
            Code::BadArgument,
            format!("signals cannot be heard: {error}"),
        )
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(unheard)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(unheard)?;
    // What the work holds is dropped, and with it every process and file of its own, before the last line is written.
    tokio::select! {
        done = Box::pin(cli::run(command)) => done,
        _ = terminate.recv() => Err(cancelled()),
        _ = interrupt.recv() => Err(cancelled()),
    }
}

fn cancelled() -> Failure {
    Failure::new(Code::Cancelled, "cancelled by a signal")
}
