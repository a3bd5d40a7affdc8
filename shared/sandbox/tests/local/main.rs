//! The local provider, held to what every provider does, and to what is its own.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

mod crash;
mod helper;
mod machine;
mod room;
mod waiting;
mod walls;

use koda_domain::sandbox::SandboxProvider;
use koda_sandbox::conformance::{Bench, visit};
use room::Room;

async fn bench() -> Result<Bench, String> {
    let room = Room::new();
    let provider = room.provider();
    provider.ready().await.map_err(|why| why.to_string())?;
    Ok(Bench {
        elsewhere: room.provider(),
        provider,
        visit: |upstream, path| Box::pin(visit(upstream, path)),
        keep: Box::new(room),
    })
}

koda_sandbox::sandbox_conformance!(bench);
