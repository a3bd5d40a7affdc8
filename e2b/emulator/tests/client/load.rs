//! Many sandboxes at once.

use crate::room::room_with;
use e2b_client::{Command, NewSandbox};
use futures_util::future::join_all;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_sandboxes_stream_through_one_client_without_loss() {
    let room = room_with(|options| options.max_sandboxes = 250).await;
    // Made a few at a time: what is measured is the streams.
    let mut sandboxes = Vec::new();
    for _ in 0..25 {
        let made =
            (0..8).map(|_| async { room.client.create(&NewSandbox::new("base")).await.unwrap() });
        sandboxes.extend(join_all(made).await);
    }
    let streams = sandboxes.iter().enumerate().map(|(n, sandbox)| async move {
        let line = format!("for i in $(seq 500); do echo {n}-$i; done");
        let output = sandbox
            .processes()
            .run(Command::new("bash").args(["-c", &line]))
            .await
            .unwrap();
        let expected: String = (1..=500).map(|i| format!("{n}-{i}\n")).collect();
        assert!(output.stdout == expected, "sandbox {n} lost output");
    });
    join_all(streams).await;
    room.emulator.clear().await;
}
