//! `koda-server`: every route, the canvas and the background work in one process.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    koda_boot::run_server().await
}
