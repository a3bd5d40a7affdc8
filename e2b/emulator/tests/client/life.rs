//! Sandboxes: made, found, kept, paused, ended.

use crate::room::{room, room_with, soon};
use e2b_client::{Client, Command, Error, ListQuery, Missing, NewSandbox, OnTimeout, SandboxState};
use std::{collections::BTreeMap, time::Duration};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_sandbox_has_the_metadata_variables_and_time_it_was_made_with() {
    let room = room().await;
    let mut new = NewSandbox::new("base");
    new.timeout = SECOND * 90;
    new.metadata = BTreeMap::from([("owner".into(), "a b&c=d%".into())]);
    new.env = BTreeMap::from([("GREETING".into(), "hëllo \"you\"".into())]);
    let sandbox = room.client.create(&new).await.unwrap();
    let info = room.client.get(sandbox.id()).await.unwrap();
    assert_eq!(info.state, SandboxState::Running);
    assert_eq!(info.metadata["owner"], "a b&c=d%");
    assert!(info.metadata.contains_key("e2b_create_id"));
    let life = info.end_at.duration_since(info.started_at).as_secs_f64();
    assert!((life - 90.0).abs() < 1.0, "{life}");
    assert_eq!(info.lifecycle.unwrap().on_timeout, OnTimeout::Kill);
    let output = sandbox
        .processes()
        .run(Command::shell("echo \"$GREETING\" $E2B_SANDBOX_ID"))
        .await
        .unwrap();
    let expected = format!("hëllo \"you\" {}\n", sandbox.id());
    assert_eq!(output.stdout, expected.as_bytes());
}

#[tokio::test]
async fn an_unknown_template_and_a_wrong_timeout_are_refused() {
    let room = room().await;
    let refused = room.client.create(&NewSandbox::new("no-such")).await;
    assert!(
        matches!(
            refused,
            Err(Error::NotFound {
                what: Missing::Template,
                ..
            })
        ),
        "{refused:?}"
    );
    let mut new = NewSandbox::new("base");
    new.timeout = SECOND * 3600 * 30;
    let refused = room.client.create(&new).await;
    assert!(
        matches!(refused, Err(Error::InvalidArgument(_))),
        "{refused:?}"
    );
    assert!(
        room.client
            .list(&ListQuery::default())
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let room = room().await;
    let mut config = crate::room::config(&room.emulator);
    config = {
        let mut other = e2b_client::Config::new("e2b_wrong");
        other.api_url = config.api_url.take();
        other
    };
    let refused = Client::new(config)
        .unwrap()
        .list(&ListQuery::default())
        .await;
    assert!(
        matches!(refused, Err(Error::Authentication(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn lists_are_filtered_and_paged_without_loss() {
    let room = room().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let mut new = NewSandbox::new("base");
        new.metadata = BTreeMap::from([
            ("team".into(), "x&y =1%é+".into()),
            ("n".into(), n.to_string()),
        ]);
        ids.push(room.client.create(&new).await.unwrap().id().to_owned());
    }
    room.sandbox().await;
    room.client.pause(&ids[0]).await.unwrap();
    let mut query = ListQuery {
        metadata: BTreeMap::from([("team".into(), "x&y =1%é+".into())]),
        limit: Some(2),
        ..ListQuery::default()
    };
    let mut pages = room.client.list_pages(query.clone());
    let mut sizes = Vec::new();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        sizes.push(page.len());
        listed.extend(page.into_iter().map(|s| s.id));
    }
    assert_eq!(sizes, [2, 2, 1]);
    ids.reverse();
    assert_eq!(listed, ids, "newest first");
    query.states = vec![SandboxState::Paused];
    let paused = room.client.list(&query).await.unwrap();
    assert_eq!(paused.iter().map(|s| &s.id).collect::<Vec<_>>(), [&ids[4]]);
    query.states = vec![SandboxState::Running];
    query.metadata.insert("n".into(), "3".into());
    assert_eq!(room.client.list(&query).await.unwrap().len(), 1);
}

#[tokio::test]
async fn killing_is_final_and_killing_again_says_so() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    assert!(room.client.kill(sandbox.id()).await.unwrap());
    assert!(!room.client.kill(sandbox.id()).await.unwrap());
    let gone = room.client.get(sandbox.id()).await;
    assert!(
        matches!(
            gone,
            Err(Error::NotFound {
                what: Missing::Sandbox,
                ..
            })
        ),
        "{gone:?}"
    );
    let gone = sandbox.files().read("x").await;
    assert_eq!(gone, Err(Error::SandboxGone(sandbox.id().into())));
    let gone = room.client.connect(sandbox.id(), SECOND).await;
    assert!(gone.unwrap_err().is_gone());
}

#[tokio::test]
async fn a_timeout_can_be_set_shortened_and_runs_out() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    let left = async || {
        let info = room.client.get(sandbox.id()).await.unwrap();
        info.end_at
            .duration_since(jiff::Timestamp::now())
            .as_secs_f64()
    };
    room.client
        .set_timeout(sandbox.id(), SECOND * 900)
        .await
        .unwrap();
    assert!(left().await > 890.0);
    room.client
        .set_timeout(sandbox.id(), SECOND * 100)
        .await
        .unwrap();
    assert!(left().await < 101.0);
    room.client
        .refresh(sandbox.id(), SECOND * 10)
        .await
        .unwrap();
    assert!(left().await > 90.0, "a refresh shortened it");
    room.client
        .refresh(sandbox.id(), SECOND * 200)
        .await
        .unwrap();
    assert!(left().await > 190.0);
    // It never runs longer than the plan allows from its start.
    room.client
        .set_timeout(sandbox.id(), SECOND * 3600)
        .await
        .unwrap();
    assert!(left().await <= 3600.0);
    room.client.set_timeout(sandbox.id(), SECOND).await.unwrap();
    soon("it outlived its timeout", async || {
        room.client.get(sandbox.id()).await.is_err()
    })
    .await;
    assert!(
        room.client
            .list(&ListQuery::default())
            .await
            .unwrap()
            .is_empty()
    );
    let (status, body) = room.visit(sandbox.id(), 3000, "/", &[]).await;
    assert_eq!(status, 502);
    assert!(body.contains("The sandbox was not found"), "{body}");
}

#[tokio::test]
async fn a_paused_sandbox_keeps_files_and_processes() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    sandbox.files().write("kept.txt", "kept").await.unwrap();
    let script = "i=0; while :; do i=$((i+1)); echo $i > count; sleep 0.05; done";
    let process = sandbox
        .processes()
        .start(Command::shell(script))
        .await
        .unwrap();
    soon("it does not count", async || {
        sandbox.files().exists("count").await.unwrap()
    })
    .await;
    assert!(room.client.pause(sandbox.id()).await.unwrap());
    assert!(!room.client.pause(sandbox.id()).await.unwrap());
    assert_eq!(
        room.client.get(sandbox.id()).await.unwrap().state,
        SandboxState::Paused
    );
    let refused = sandbox.files().read("kept.txt").await;
    assert_eq!(refused, Err(Error::Paused(sandbox.id().into())));
    let resumed = room
        .client
        .connect(sandbox.id(), SECOND * 60)
        .await
        .unwrap();
    assert_eq!(resumed.files().read("kept.txt").await.unwrap(), "kept");
    let running = resumed.processes().list().await.unwrap();
    assert!(
        running.iter().any(|p| p.pid == process.pid()),
        "{running:?}"
    );
    let before = resumed.files().read("count").await.unwrap();
    soon("it stopped counting", async || {
        let now = resumed.files().read("count").await.unwrap();
        !now.is_empty() && now != before
    })
    .await;
}

#[tokio::test]
async fn connecting_to_one_that_runs_never_shortens_it() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    let again = room.client.connect(sandbox.id(), SECOND).await.unwrap();
    assert_eq!(again.tokens(), sandbox.tokens());
    let info = room.client.get(sandbox.id()).await.unwrap();
    assert!(info.end_at.duration_since(jiff::Timestamp::now()).as_secs() > 200);
}

#[tokio::test]
async fn a_sandbox_can_be_paused_by_its_timeout_and_resumed_by_traffic() {
    let room = room().await;
    let mut new = NewSandbox::new("base");
    new.timeout = SECOND;
    (new.auto_pause, new.auto_resume) = (true, true);
    let sandbox = room.client.create(&new).await.unwrap();
    sandbox.files().write("kept", "1").await.unwrap();
    let state = async || room.client.get(sandbox.id()).await.unwrap().state;
    soon("it was not paused", async || {
        state().await == SandboxState::Paused
    })
    .await;
    assert_eq!(sandbox.files().read("kept").await.unwrap(), "1");
    assert_eq!(state().await, SandboxState::Running);
}

#[tokio::test]
async fn the_number_of_sandboxes_is_limited() {
    let room = room_with(|options| options.max_sandboxes = 1).await;
    room.sandbox().await;
    let refused = room.client.create(&NewSandbox::new("base")).await;
    assert!(
        matches!(refused, Err(Error::RateLimited { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn what_a_sandbox_uses_is_told() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    let metrics = room.client.metrics(sandbox.id()).await.unwrap();
    assert!(metrics[0].mem_used > 100_000, "{metrics:?}");
}
