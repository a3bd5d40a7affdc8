//! Servers that die, and what they leave.

use crate::{
    helper,
    room::{exec, room, shell, spec, text},
};
use koda_domain::sandbox::{ProcessName, ProcessStatus, SandboxError, SandboxProvider};
use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
    time::Duration,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_survives_its_server_and_is_found_again() {
    let Some((room, provider)) = room("a_sandbox_survives_its_server_and_is_found_again").await
    else {
        return;
    };
    let mut server = helper::command("create", room.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let made = lines
        .map_while(Result::ok)
        .any(|line| line.contains("made sbx-"));
    assert!(made, "the server made none");
    server.kill().unwrap();
    server.wait().unwrap();
    let owned = provider.owned().await.unwrap();
    assert_eq!(owned.len(), 1);
    let id = &owned[0].id;
    let name = ProcessName::new("survivor");
    assert_eq!(
        provider.process(id, &name).await,
        Ok(ProcessStatus::Running)
    );
    assert_eq!(text(&shell(&provider, id, "echo here").await), "here\n");
    let mut again = spec();
    again.session = owned[0].session;
    assert_eq!(provider.create(&again).await.unwrap().id, *id);
    assert_eq!(provider.sweep().await, Ok(0));
    provider.destroy(id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_a_server_dies_what_it_leaves_can_be_removed() {
    let Some((room, provider)) = room("whenever_a_server_dies_what_it_leaves_can_be_removed").await
    else {
        return;
    };
    let (mut half_made, mut whole) = (0, 0);
    for moment in 0..16_u64 {
        let mut server = helper::command("create", room.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // From when its folder appears.
        while room.folders().is_empty() {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_micros(moment * moment * 300));
        server.kill().unwrap();
        server.wait().unwrap();
        tokio::time::sleep(Duration::from_millis(moment % 3 * 60)).await;
        half_made += provider.sweep().await.unwrap();
        for sandbox in provider.owned().await.unwrap() {
            whole += 1;
            provider.destroy(&sandbox.id).await.unwrap();
        }
        let mut waited = 0;
        while !room.left().is_empty() && waited < 100 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            waited += 1;
        }
        assert_eq!(room.left(), Vec::<String>::new(), "at moment {moment}");
    }
    assert!(
        half_made + whole == 16 && whole > 0,
        "{half_made} half-made, {whole} whole"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_leaves_is_swept() {
    let Some((room, provider)) = room("what_a_crash_leaves_is_swept").await else {
        return;
    };
    let dead = provider.create(&spec()).await.unwrap().id;
    let alive = provider.create(&spec()).await.unwrap().id;
    shell(
        &provider,
        &dead,
        "mkdir -p shut/deep; chmod 0 shut/deep shut",
    )
    .await;
    let meta = fs::read(
        room.path()
            .join("sandboxes")
            .join(&dead.0)
            .join("meta.json"),
    )
    .unwrap();
    let meta: serde_json::Value = serde_json::from_slice(&meta).unwrap();
    let init = meta["init"]["pid"].as_i64().unwrap().to_string();
    let killed = std::process::Command::new("kill")
        .args(["-9", &init])
        .status();
    assert!(killed.unwrap().success());
    while provider.get(&dead).await != Err(SandboxError::Gone) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Another that was never finished, and one whose name is nobody's.
    fs::create_dir(room.path().join("sandboxes/sbx-00000000000000000000000000")).unwrap();
    assert_eq!(provider.sweep().await, Ok(2));
    assert_eq!(room.folders(), std::slice::from_ref(&alive.0));
    assert_eq!(provider.sweep().await, Ok(0));
    assert!(provider.get(&alive).await.is_ok());
    provider.destroy(&alive).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_whose_folder_was_removed_ends_by_itself() {
    let Some((room, provider)) = room("a_sandbox_whose_folder_was_removed_ends_by_itself").await
    else {
        return;
    };
    let id = provider.create(&spec()).await.unwrap().id;
    provider
        .spawn(&id, &exec("bg", &["sleep", "60"]))
        .await
        .unwrap();
    let folder = room.path().join("sandboxes").join(&id.0);
    // The command may only just be making its log.
    while fs::remove_dir_all(folder.join("app")).is_err() {}
    while provider.get(&id).await != Err(SandboxError::Gone) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(provider.sweep().await, Ok(1));
}
