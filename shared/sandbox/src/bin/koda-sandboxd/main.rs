//! The supervisor inside a local sandbox: runs commands, holds limits, and ends with everything when its time is over.

#[path = "../../wire.rs"]
mod wire;

mod commands;
mod processes;
mod watch;

use commands::Commands;
use std::{process::ExitCode, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream, unix::OwnedWriteHalf},
    sync::mpsc,
};
use wire::{Orders, Reply, Request};

/// The longest request.
const REQUEST_BYTES: usize = 1 << 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let orders = std::env::args()
        .nth(1)
        .and_then(|text| serde_json::from_str::<Orders>(&text).ok());
    let Some(orders) = orders else {
        eprintln!("koda-sandboxd is started by Koda inside a sandbox");
        return ExitCode::from(2);
    };
    if let Err(error) = watch::set_limits(&orders) {
        eprintln!("limits cannot be set: {error}");
        return ExitCode::FAILURE;
    }
    let listener = match UnixListener::bind(&orders.socket) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("cannot listen: {error}");
            return ExitCode::FAILURE;
        }
    };
    let commands = Arc::new(Commands::new(orders.clone()));
    let life = Arc::new(watch::Life::new(Duration::from_millis(orders.life_ms)));
    tokio::spawn(watch::hold_limits(commands.clone(), orders));
    loop {
        tokio::select! {
            () = life.over() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(serve(stream, commands.clone(), life.clone()));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    // The namespace ends with this process, and everything in it.
    ExitCode::SUCCESS
}

async fn serve(stream: UnixStream, commands: Arc<Commands>, life: Arc<watch::Life>) {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let limited = tokio::io::AsyncReadExt::take(reader, REQUEST_BYTES as u64);
    if BufReader::new(limited).read_line(&mut line).await.is_err() {
        return;
    }
    let reply = match serde_json::from_str::<Request>(&line) {
        Err(error) => Reply::Failed {
            message: error.to_string(),
        },
        Ok(Request::Ping) => Reply::Done,
        Ok(Request::Exec { exec }) => {
            let (said, mut saying) = mpsc::channel(64);
            if let Err(reply) = commands.start(exec, Some(said)) {
                let _ = say(&mut writer, &reply).await;
                return;
            }
            let mut listening = true;
            while let Some(reply) = saying.recv().await {
                // The command runs on whether or not anybody listens.
                listening = listening && say(&mut writer, &reply).await.is_ok();
            }
            return;
        }
        Ok(Request::Spawn { exec }) => match commands.start(exec, None) {
            Ok(()) => Reply::Done,
            Err(reply) => reply,
        },
        Ok(Request::Status { name }) => commands.status(&name),
        Ok(Request::Kill { name, grace_ms }) => {
            commands.kill(&name, Duration::from_millis(grace_ms)).await;
            Reply::Done
        }
        Ok(Request::Extend { life_ms }) => {
            life.extend(Duration::from_millis(life_ms));
            Reply::Done
        }
        Ok(Request::Shutdown) => {
            let _ = say(&mut writer, &Reply::Done).await;
            life.extend(Duration::ZERO);
            return;
        }
    };
    let _ = say(&mut writer, &reply).await;
}

async fn say(writer: &mut OwnedWriteHalf, reply: &Reply) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    writer.write_all(&line).await
}
