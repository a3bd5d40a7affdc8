//! Sandboxes that wait for a session.

use crate::room::{exec, room, soon, spec};
use koda_domain::{
    SandboxId,
    sandbox::{ProcessName, ProcessStatus, SandboxError, SandboxProvider, Waiting},
};
use koda_sandbox::local::LocalProvider;
use std::time::Duration;

fn kind(count: usize) -> Waiting {
    let spec = spec();
    Waiting {
        template: spec.template,
        limits: spec.limits,
        life: spec.life,
        count,
    }
}

async fn owned(provider: &LocalProvider) -> Vec<SandboxId> {
    let owned = provider.owned().await.unwrap();
    owned.into_iter().map(|sandbox| sandbox.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_takes_one_that_waits_with_what_runs_in_it() {
    let test = "a_session_takes_one_that_waits_with_what_runs_in_it";
    let Some((room, provider)) = room(test).await else {
        return;
    };
    let waiting = provider.keep_waiting(&kind(1)).await.unwrap().unwrap();
    assert_eq!(provider.keep_waiting(&kind(1)).await, Ok(None));
    let running = ProcessName::new("preview");
    let sleeps = exec("preview", &["sleep", "60"]);
    provider.spawn(&waiting, &sleeps).await.unwrap();
    assert_eq!(owned(&provider).await, []);
    let spec = spec();
    let taken = provider.create(&spec).await.unwrap();
    assert_eq!((&taken.id, taken.session), (&waiting, spec.session));
    assert_eq!(
        provider.process(&taken.id, &running).await,
        Ok(ProcessStatus::Running)
    );
    // From elsewhere too it is the session's, and another waits in its place.
    let elsewhere = room.provider();
    assert_eq!(elsewhere.create(&spec).await.unwrap().id, waiting);
    assert_eq!(owned(&elsewhere).await, std::slice::from_ref(&waiting));
    let next = provider.keep_waiting(&kind(1)).await.unwrap().unwrap();
    assert_ne!(next, waiting);
    // Those that are too many are ended, and only those.
    assert_eq!(provider.keep_waiting(&kind(0)).await, Ok(None));
    assert_eq!(provider.get(&next).await, Err(SandboxError::Gone));
    provider.destroy(&waiting).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_waits_is_given_to_nobody_else_and_makes_room() {
    let test = "one_that_waits_is_given_to_nobody_else_and_makes_room";
    let Some((_room, provider)) = room(test).await else {
        return;
    };
    let waiting = provider.keep_waiting(&kind(1)).await.unwrap().unwrap();
    let mut made = Vec::new();
    for _ in 0..3 {
        let mut smaller = spec();
        smaller.limits.pids = 128;
        made.push(provider.create(&smaller).await.unwrap().id);
    }
    assert!(!made.contains(&waiting), "its limits are others");
    // The room's provider makes three at most.
    assert_eq!(provider.get(&waiting).await, Err(SandboxError::Gone));
    assert_eq!(provider.keep_waiting(&kind(1)).await, Ok(None));
    for id in made {
        provider.destroy(&id).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_of_an_earlier_server_do_not_wait_on() {
    let test = "those_of_an_earlier_server_do_not_wait_on";
    let Some((room, provider)) = room(test).await else {
        return;
    };
    let old = provider.keep_waiting(&kind(1)).await.unwrap().unwrap();
    let next = room.provider();
    let new = next.keep_waiting(&kind(1)).await.unwrap().unwrap();
    assert_ne!(old, new);
    assert_eq!(next.get(&old).await, Err(SandboxError::Gone));
    next.destroy(&new).await.unwrap();

    // Nor are they given to a session.
    let old = next.keep_waiting(&kind(1)).await.unwrap().unwrap();
    let third = room.provider();
    let made = third.create(&spec()).await.unwrap().id;
    assert_ne!(old, made);
    assert_eq!(third.get(&old).await, Err(SandboxError::Gone));
    third.destroy(&made).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_helper_of_a_render_takes_none_that_waits() {
    let test = "a_helper_of_a_render_takes_none_that_waits";
    let Some((_room, provider)) = room(test).await else {
        return;
    };
    let waiting = provider.keep_waiting(&kind(1)).await.unwrap().unwrap();
    let mut helper = spec();
    helper.place = 1;
    let made = provider.create(&helper).await.unwrap().id;
    assert_ne!(made, waiting);
    for id in [made, waiting] {
        provider.destroy(&id).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_lives_as_long_as_it_is_asked_for() {
    let test = "what_waits_lives_as_long_as_it_is_asked_for";
    let Some((_room, provider)) = room(test).await else {
        return;
    };
    let mut short = kind(1);
    short.life = Duration::from_secs(3);
    let waiting = provider.keep_waiting(&short).await.unwrap().unwrap();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(provider.keep_waiting(&short).await, Ok(None));
    }
    soon("it waits for ever", async || {
        provider.get(&waiting).await == Err(SandboxError::Gone)
    })
    .await;
    provider.sweep().await.unwrap();
}
