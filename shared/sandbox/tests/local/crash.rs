//! Servers that die, and what they leave.

use crate::{
    helper,
    room::{exec, room, shell, soon, spec, text},
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
        let began = std::time::Instant::now();
        while room.folders().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(30), "it made none");
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
        let left = format!("something was left at moment {moment}");
        soon(&left, async || room.left().is_empty()).await;
    }
    assert!(
        half_made + whole == 16 && whole > 0,
        "{half_made} half-made, {whole} whole"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_a_server_dies_for_ever_its_processes_end_by_themselves() {
    let test = "whenever_a_server_dies_for_ever_its_processes_end_by_themselves";
    let Some((room, provider)) = room(test).await else {
        return;
    };
    for moment in 0..12_u64 {
        // Counted before it starts: it may be quicker than whoever looks.
        let before = room.folders().len();
        let mut server = helper::command("create", room.path())
            .env("KODA_TEST_LIFE", "1")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let began = std::time::Instant::now();
        while room.folders().len() == before {
            assert!(began.elapsed() < Duration::from_secs(30), "it made none");
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_micros(moment * 900));
        server.kill().unwrap();
        server.wait().unwrap();
        if moment % 3 == 2 {
            // More than three at once are not allowed here.
            let what = format!("something does not end, moment {moment}");
            soon(&what, async || room.processes().is_empty()).await;
        }
    }
    assert_eq!(provider.sweep().await, Ok(12));
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
    soon("it lives on", async || {
        provider.get(&dead).await == Err(SandboxError::Gone)
    })
    .await;
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
    soon("it cannot be removed", async || {
        fs::remove_dir_all(folder.join("app")).is_ok()
    })
    .await;
    soon("it lives on", async || {
        provider.get(&id).await == Err(SandboxError::Gone)
    })
    .await;
    assert_eq!(provider.sweep().await, Ok(1));
}
