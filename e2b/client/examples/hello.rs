//! A sandbox from its creation to its end: `E2B_API_KEY=… cargo run -p e2b-client --example hello`.

use e2b_client::{Client, Command, Config, Error, NewSandbox, ProcessEvent};
use futures_util::StreamExt;
use std::io::Write;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let client = Client::new(Config::from_env()?)?;
    let sandbox = client.create(&NewSandbox::new("base")).await?;
    sandbox
        .files()
        .write("hello.txt", "hello from inside\n")
        .await?;
    let mut process = sandbox
        .processes()
        .start(Command::shell("cat hello.txt; uname -a"))
        .await?;
    while let Some(event) = process.next().await {
        if let ProcessEvent::Stdout(bytes) = event? {
            let _ = std::io::stdout().write_all(&bytes);
        }
    }
    client.kill(sandbox.id()).await?;
    Ok(())
}
