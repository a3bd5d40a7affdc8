//! What is E2B's own: pauses, limits of life, doubles, other people's sandboxes.

use crate::room::Room;
use e2b_emulator::fault::{Action, Fault};
use koda_domain::{
    Engine, SandboxId, SessionId, WorkPath,
    sandbox::{
        Exec, FileWrite, ProcessName, SandboxError, SandboxLimits, SandboxProvider, SandboxSpec,
        Upstream, run,
    },
};
use koda_sandbox::e2b::{E2bProvider, OnIdle};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn spec(life: Duration) -> SandboxSpec {
    SandboxSpec {
        session: SessionId::new(ulid::Ulid::generate()),
        place: 0,
        template: Engine::Remotion,
        limits: SandboxLimits::default(),
        life,
    }
}

fn file(name: &str, text: &str) -> FileWrite {
    FileWrite {
        path: WorkPath::parse(name).unwrap(),
        bytes: text.to_owned().into(),
    }
}

#[tokio::test]
async fn a_sandbox_that_was_paused_goes_on_where_it_is_used() {
    let Some(room) =
        Room::or_skip("a_sandbox_that_was_paused_goes_on_where_it_is_used", HOUR).await
    else {
        return;
    };
    let mut config = room.config();
    config.on_idle = OnIdle::Pause;
    let provider = E2bProvider::new(config.clone()).unwrap();
    let elsewhere = E2bProvider::new(config).unwrap();
    let id = provider
        .create(&spec(Duration::from_secs(1)))
        .await
        .unwrap()
        .id;
    provider
        .write(&id, vec![file("src/a.ts", "kept")])
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let owned = provider.owned().await.unwrap();
    assert!(
        owned[0].expires_at > jiff::Timestamp::now(),
        "the janitor would end it"
    );
    let path = WorkPath::parse("src/a.ts").unwrap();
    assert_eq!(provider.read(&id, &path, 100).await.unwrap(), "kept");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(elsewhere.get(&id).await.unwrap().id, id);
    assert_eq!(elsewhere.read(&id, &path, 100).await.unwrap(), "kept");
}

#[tokio::test]
async fn a_sandbox_that_was_paused_for_longer_than_its_plan_lets_one_run_is_as_good_as_new() {
    let Some(room) = Room::or_skip(
        "a_sandbox_that_was_paused_for_longer_than_its_plan_lets_one_run_is_as_good_as_new",
        HOUR,
    )
    .await
    else {
        return;
    };
    let mut config = room.config();
    config.on_idle = OnIdle::Pause;
    config.max_life = Duration::from_secs(2);
    let provider = E2bProvider::new(config).unwrap();
    let made = provider
        .create(&spec(Duration::from_secs(1)))
        .await
        .unwrap();
    assert!(made.ends_at.is_some());
    provider
        .write(&made.id, vec![file("src/a.ts", "kept")])
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    // Whoever asks for it resumes it.
    let found = provider.get(&made.id).await.unwrap();
    let now = jiff::Timestamp::now();
    assert!(
        found.ends_at.is_none_or(|at| at > now),
        "it would be replaced instead of used"
    );
    let path = WorkPath::parse("src/a.ts").unwrap();
    assert_eq!(provider.read(&made.id, &path, 100).await.unwrap(), "kept");
}

#[tokio::test]
async fn browsers_reach_a_preview_without_a_token_where_that_is_wanted() {
    let Some(room) = Room::or_skip(
        "browsers_reach_a_preview_without_a_token_where_that_is_wanted",
        HOUR,
    )
    .await
    else {
        return;
    };
    let mut config = room.config();
    let port = room.port();
    config.preview_url = Some(format!("http://PORT-ID.localhost:{port}"));
    let provider = E2bProvider::new(config).unwrap();
    let id = provider.create(&spec(HOUR)).await.unwrap().id;
    let public = Upstream::Public {
        origin: format!("http://5173-{}.localhost:{port}", id.0),
        headers: vec![],
    };
    assert_eq!(provider.preview(&id).await.unwrap(), public);
    // The same host of a sandbox that only Koda may reach refuses.
    let ours = room.provider();
    let closed = ours.create(&spec(HOUR)).await.unwrap().id;
    let status = async |id: &SandboxId| {
        let asked = reqwest::Client::new()
            .get(room.emulator_url())
            .header("host", format!("5173-{}.localhost:{port}", id.0));
        asked.send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(&closed).await, 403);
    assert_ne!(status(&id).await, 403);
    provider.destroy(&id).await.unwrap();
    assert_eq!(provider.preview(&id).await, Err(SandboxError::Gone));
}

#[tokio::test]
async fn a_sandbox_says_when_its_plan_ends_it_and_is_not_extended_beyond() {
    let Some(room) = Room::or_skip(
        "a_sandbox_says_when_its_plan_ends_it_and_is_not_extended_beyond",
        Duration::from_secs(100),
    )
    .await
    else {
        return;
    };
    let mut config = room.config();
    config.max_life = Duration::from_secs(100);
    let provider = E2bProvider::new(config).unwrap();
    let made = provider.create(&spec(HOUR)).await.unwrap();
    provider.extend(&made.id, HOUR).await.unwrap();
    let found = provider.get(&made.id).await.unwrap();
    let most = found.ends_at.unwrap();
    let life = most.duration_since(found.created_at).as_secs();
    assert!((99..=100).contains(&life), "{life}");
    assert!(found.expires_at <= most);
}

#[tokio::test]
async fn sandboxes_of_others_are_not_touched() {
    let Some(room) = Room::or_skip("sandboxes_of_others_are_not_touched", HOUR).await else {
        return;
    };
    let mut config = room.config();
    config.deployment = "somebody-else".into();
    let theirs = E2bProvider::new(config).unwrap();
    let id = theirs.create(&spec(HOUR)).await.unwrap().id;
    let ours = room.provider();
    assert!(ours.owned().await.unwrap().is_empty());
    assert_eq!(ours.get(&id).await, Err(SandboxError::Gone));
    assert_eq!(
        ours.write(&id, vec![file("a", "b")]).await,
        Err(SandboxError::Gone)
    );
    ours.destroy(&id).await.unwrap();
    theirs.get(&id).await.unwrap();
    let strange = SandboxId("../../v2/sandboxes".into());
    assert_eq!(ours.get(&strange).await, Err(SandboxError::Gone));
}

#[tokio::test]
async fn a_key_or_a_template_that_is_missing_says_what_to_do() {
    let Some(room) =
        Room::or_skip("a_key_or_a_template_that_is_missing_says_what_to_do", HOUR).await
    else {
        return;
    };
    let mut config = room.config();
    let mut wrong = e2b_client::Config::new("e2b_wrong");
    wrong.api_url = config.client.api_url.clone();
    config.client = wrong;
    let refused = E2bProvider::new(config).unwrap().ready().await.unwrap_err();
    assert!(refused.to_string().contains("E2B_API_KEY"), "{refused}");
    let mut config = room.config();
    config.templates.insert(Engine::Remotion, "no-such".into());
    let provider = E2bProvider::new(config).unwrap();
    for refused in [
        provider.ready().await.unwrap_err(),
        provider.create(&spec(HOUR)).await.unwrap_err(),
    ] {
        assert!(
            refused.to_string().contains("make e2b-templates"),
            "{refused}"
        );
    }
    // One that was made for something else has no supervisor in it, and is not left running.
    let mut config = room.config();
    config.templates.insert(Engine::Remotion, "base".into());
    let provider = E2bProvider::new(config).unwrap();
    let refused = provider.create(&spec(HOUR)).await.unwrap_err();
    assert!(
        refused.to_string().contains("make e2b-templates"),
        "{refused}"
    );
    assert!(provider.owned().await.unwrap().is_empty());
    room.provider().ready().await.unwrap();
}

#[tokio::test]
async fn a_sandbox_that_dies_under_a_command_is_gone() {
    let Some(room) = Room::or_skip("a_sandbox_that_dies_under_a_command_is_gone", HOUR).await
    else {
        return;
    };
    let provider = room.provider();
    let id = provider.create(&spec(HOUR)).await.unwrap().id;
    let sleep = Exec::new(ProcessName::new("sleep"), &["sleep", "60"], HOUR);
    let killer = room.provider();
    let (ended, ()) = tokio::join!(run(&*provider, &id, &sleep), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        killer.destroy(&id).await.unwrap();
    });
    assert_eq!(ended.unwrap_err(), SandboxError::Gone);
    assert_eq!(provider.get(&id).await, Err(SandboxError::Gone));
}

#[tokio::test]
async fn a_workspace_goes_in_two_requests_and_one_small_file_in_one() {
    let Some(room) = Room::or_skip(
        "a_workspace_goes_in_two_requests_and_one_small_file_in_one",
        HOUR,
    )
    .await
    else {
        return;
    };
    let provider = room.provider();
    let id = provider.create(&spec(HOUR)).await.unwrap().id;
    let text = "x".repeat(10_000);
    let files: Vec<_> = (0..60)
        .map(|n| file(&format!("src/f{n}.ts"), &text))
        .collect();
    // Requests of a kind beyond the first so many are refused.
    let at_most = |path: &str, requests: u32| Fault {
        method: None,
        path: path.into(),
        skip: requests,
        times: 100,
        then: Action::Answer {
            status: 418,
            body: String::new(),
            retry_after: None,
        },
    };
    let start = "/process.Process/Start";
    room.emulator
        .set_faults(vec![at_most("/files", 1), at_most(start, 1)]);
    provider.write(&id, files).await.unwrap();
    room.emulator
        .set_faults(vec![at_most("/files", 0), at_most(start, 1)]);
    provider
        .write(&id, vec![file("src/f1.ts", &text)])
        .await
        .unwrap();
    room.emulator.set_faults(vec![]);
    assert_eq!(
        provider
            .list(&id, None)
            .await
            .unwrap()
            .iter()
            .filter(|l| l.path.starts_with("src/f"))
            .count(),
        60
    );
}

#[tokio::test]
async fn where_lists_lag_a_session_gets_one_sandbox_all_the_same() {
    let name = "where_lists_lag_a_session_gets_one_sandbox_all_the_same";
    let Some(room) = Room::or_skip(name, HOUR).await else {
        return;
    };
    let provider = E2bProvider::new(room.config()).unwrap();
    room.emulator.set_faults(vec![Fault {
        method: Some("GET".into()),
        path: "/v2/sandboxes".into(),
        skip: 0,
        times: 6,
        then: Action::Answer {
            status: 200,
            body: "[]".into(),
            retry_after: None,
        },
    }]);
    let made = provider.create(&spec(HOUR)).await.unwrap();
    room.emulator.set_faults(vec![]);
    let owned = provider.owned().await.unwrap();
    assert_eq!(owned.len(), 1, "{owned:?}");
    assert_eq!(owned[0].id, made.id);
}

#[tokio::test]
async fn sandboxes_that_are_paused_take_no_place_from_others() {
    let name = "sandboxes_that_are_paused_take_no_place_from_others";
    let Some(room) = Room::or_skip(name, HOUR).await else {
        return;
    };
    let mut config = room.config();
    config.on_idle = OnIdle::Pause;
    config.max_sandboxes = 1;
    let provider = E2bProvider::new(config).unwrap();
    provider
        .create(&spec(Duration::from_secs(1)))
        .await
        .unwrap();
    let full = provider.create(&spec(HOUR)).await;
    assert!(matches!(full, Err(SandboxError::OverLimit(_))), "{full:?}");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    provider.create(&spec(HOUR)).await.unwrap();
}
