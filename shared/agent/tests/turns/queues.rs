//! Renders wait for their turn: one at a time in a session, and so many at once in a deployment.

use crate::room::*;
use koda_domain::{EventBody, RenderId, render::RenderStatus};
use koda_testkit::{FakeRun, FakeSandboxes, ScriptedModel, answer, say};
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// A renderer that draws for a while.
fn slow() -> FakeSandboxes {
    renderers(|_, progress, files| {
        let (folder, _) = progress.rsplit_once('/').unwrap();
        files.insert(format!("{folder}/out.mp4"), "video".into());
        let said = json!({"type": "rendered", "width": 1280, "height": 720, "fps": 30, "frames": 60, "duration_seconds": 2.0,
            "capture": "pixels", "sha256": "", "seconds": 1.0});
        files.insert(progress.to_owned(), said.to_string().into());
        FakeRun {
            takes: Duration::from_millis(1500),
            ..FakeRun::default()
        }
    })
}

/// The same deployment, with another animation that is built.
async fn beside(bench: &Bench) -> Bench {
    let head = bench.studio.store().session_any(bench.session).await;
    let project = head.unwrap().project_id;
    let other = bench
        .studio
        .create_session(&bench.tenant, project, "n2", &Default::default())
        .await
        .unwrap();
    let other = Bench {
        studio: bench.studio.clone(),
        model: bench.model.clone(),
        sandboxes: bench.sandboxes.clone(),
        session: other.id,
        tenant: bench.tenant.clone(),
    };
    other.built().await;
    other
}

async fn queue(bench: &Bench) -> RenderId {
    let queued = bench.queue_render().await;
    assert_eq!(queued.status, RenderStatus::Queued);
    queued.id
}

/// Follows renders of these sessions until all are ready; returns how many ran at once at most, and in which order they began.
/// One that does not run yet says that it is queued.
async fn followed(benches: &[&Bench], count: usize) -> (usize, Vec<RenderId>) {
    let (mut most, mut began) = (0, Vec::new());
    for _ in 0..1000 {
        let mut renders = Vec::new();
        for bench in benches {
            renders.extend(bench.state().await.renders);
        }
        assert_eq!(renders.len(), count);
        for render in &renders {
            match render.status {
                RenderStatus::Queued => assert_eq!(render.attempts, 0),
                RenderStatus::Running if !began.contains(&render.id) => began.push(render.id),
                RenderStatus::Running | RenderStatus::Ready => {}
                RenderStatus::Failed | RenderStatus::Cancelled => panic!("{render:#?}"),
            }
        }
        let is = |status| renders.iter().filter(|r| r.status == status).count();
        most = most.max(is(RenderStatus::Running));
        if is(RenderStatus::Ready) == count {
            return (most, began);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain");
}

/// How the renders of a session began and ended, as its log has it.
async fn steps(bench: &Bench) -> Vec<(&'static str, RenderId)> {
    let log = bench.log().await;
    let steps = log.into_iter().filter_map(|event| match event.body {
        EventBody::RenderStarted { render_id, .. } => Some(("begins", render_id)),
        EventBody::RenderReady { render_id, .. } => Some(("ends", render_id)),
        _ => None,
    });
    steps.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_render_of_a_session_is_queued_until_the_first_is_over() {
    let mut setup = setup();
    setup.options.renders = 4;
    setup.sandboxes = slow();
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    let [first, second] = [queue(&bench).await, queue(&bench).await];
    let state = bench
        .until("the first", |s| {
            s.render(first).unwrap().status == RenderStatus::Running
        })
        .await;
    let waits = state.render(second).unwrap().status;
    assert_eq!(waits, RenderStatus::Queued, "it says that it waits");
    let (most, began) = followed(&[&bench], 2).await;
    assert_eq!((most, began), (1, vec![first, second]));
    let expected = [
        ("begins", first),
        ("ends", first),
        ("begins", second),
        ("ends", second),
    ];
    assert_eq!(steps(&bench).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_one_slot_renders_of_two_sessions_take_turns_and_with_two_they_need_not() {
    for slots in [1, 2] {
        let mut setup = setup();
        setup.options.renders = slots;
        setup.sandboxes = slow();
        let bench = bench(setup).await;
        let _work = bench.work();
        bench.built().await;
        let other = beside(&bench).await;
        assert!(Arc::ptr_eq(&bench.studio, &other.studio));
        let first = queue(&bench).await;
        bench
            .until("the first", |s| {
                s.render(first).unwrap().status == RenderStatus::Running
            })
            .await;
        let second = queue(&other).await;
        let (most, began) = followed(&[&bench, &other], 2).await;
        assert_eq!((most, began), (slots, vec![first, second]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_render_that_is_asked_for_during_a_turn_does_not_wait_for_its_end() {
    let mut setup = setup();
    setup.sandboxes = slow();
    setup.model = ScriptedModel::new(|request| match last_text(request).as_str() {
        "talk" => Ok(answer(vec![say(&"word ".repeat(10_000))])),
        _ => obedient(request),
    });
    setup.model.pause = Duration::from_millis(5);
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    bench.say("talk").await;
    bench.until("a turn", |s| s.turn.is_some()).await;
    // What the turn has written is what its server knows of the session.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let id = queue(&bench).await;
    let state = bench
        .until("the render", |s| {
            s.render(id).unwrap().status == RenderStatus::Ready
        })
        .await;
    assert!(state.turn.is_some(), "the turn goes on");
    bench
        .studio
        .stop(&bench.tenant, bench.session)
        .await
        .unwrap();
    bench.idle().await;
}
