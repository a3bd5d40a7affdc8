//! What tests begin with.

use e2b_client::{Client, Config, NewSandbox, Sandbox};
use e2b_emulator::{Emulator, Options};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// An emulator of a test's own, and a client of it.
pub struct Room {
    pub emulator: Emulator,
    pub client: Client,
}

pub fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_e2b-emulator"))
}

pub fn config(emulator: &Emulator) -> Config {
    let mut config = Config::new(emulator.api_key());
    config.api_url = Some(emulator.url());
    config.sandbox_url = Some(emulator.url());
    config.create_lookup = Duration::from_secs(2);
    config
}

pub async fn room() -> Room {
    room_with(|_| {}).await
}

pub async fn room_with(change: impl FnOnce(&mut Options)) -> Room {
    let mut options = Options::new(program());
    change(&mut options);
    let emulator = Emulator::start(options).await.unwrap();
    let client = Client::new(config(&emulator)).unwrap();
    Room { emulator, client }
}

impl Room {
    pub async fn sandbox(&self) -> Sandbox {
        self.client.create(&NewSandbox::new("base")).await.unwrap()
    }

    /// A request as a browser or another program would send it.
    pub async fn visit(
        &self,
        sandbox: &str,
        port: u16,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (u16, String) {
        let mut request = reqwest::Client::new()
            .get(format!("{}{path}", self.emulator.url()))
            .header("Host", format!("{port}-{sandbox}.e2b.localhost"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.text().await.unwrap())
    }
}

pub async fn soon(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !check().await {
        assert!(began.elapsed() < Duration::from_secs(15), "{what}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}
