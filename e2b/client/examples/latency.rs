//! How long small things take, as lines of JSON: `make bench` holds it against the official JavaScript client.

use e2b_client::{Client, Command, Config, Error, NewSandbox, ProcessEvent};
use futures_util::StreamExt;
use std::{
    io::Write,
    time::{Duration, Instant},
};

const WARM: usize = 20;
const ROUNDS: usize = 200;

fn say(name: &str, mut times: Vec<Duration>) {
    times.drain(..WARM);
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1000.0;
    let line = format!(
        "{{\"name\":\"{name}\",\"p50_ms\":{:.3},\"p99_ms\":{:.3}}}",
        at(50),
        at(99)
    );
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let client = Client::new(Config::from_env()?)?;
    let sandbox = client.create(&NewSandbox::new("base")).await?;
    let (files, processes) = (sandbox.files(), sandbox.processes());
    let content = "x".repeat(10_000);
    let mut times = Vec::new();
    for _ in 0..WARM + ROUNDS {
        let began = Instant::now();
        files.write("file.txt", content.clone()).await?;
        times.push(began.elapsed());
    }
    say("e2b write 10 KB", times);
    let mut times = Vec::new();
    for _ in 0..WARM + ROUNDS {
        let began = Instant::now();
        let mut process = processes.start(Command::shell("echo x")).await?;
        while let Some(event) = process.next().await {
            if matches!(event?, ProcessEvent::Stdout(_)) {
                times.push(began.elapsed());
            }
        }
    }
    say("e2b first byte of output", times);
    let many: Vec<_> = (0..60)
        .map(|n| (format!("src/f{n}.ts"), content.clone().into()))
        .collect();
    let mut times = Vec::new();
    for _ in 0..WARM + ROUNDS / 4 {
        let began = Instant::now();
        files.write_many(many.clone()).await?;
        times.push(began.elapsed());
    }
    say("e2b write 60 files", times);
    client.kill(sandbox.id()).await?;
    Ok(())
}
