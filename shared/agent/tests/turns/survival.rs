//! What does not stop it: workers and sandboxes that die.

use crate::room::*;
use koda_agent::{Decision, NewMessage, Room, Studio};
use koda_domain::{
    EventBody, Ids, ProjectId, SettingsPatch, TenantId,
    event::SandboxStatus,
    project::{Document, Project},
};
use koda_testkit::TestClock;
use std::{path::Path, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Two workers' studios on one store, the second in a bench, and a first message.
async fn pair(data: &Path, parts: Setup, clocks: [TestClock; 2]) -> (Arc<Studio>, Bench) {
    let model = Arc::new(parts.model);
    let [first, second] = clocks;
    let (sandboxes, options) = (Arc::new(parts.sandboxes.clone()), &parts.options);
    let one = studio(first, data, &model, sandboxes.clone(), options, "one");
    let two = studio(second, data, &model, sandboxes, options, "two");
    let tenant = TenantId::single();
    let now = one.clock().now();
    let project = Project {
        id: ProjectId::new(RealIds.ulid()),
        tenant: tenant.clone(),
        name: "p".into(),
        revision: 1,
        created_at: now,
        updated_at: now,
        document: Document::default(),
    };
    one.store().create_project(&project).await.unwrap();
    let session = one
        .create_session(&tenant, project.id, "n", &SettingsPatch::default())
        .await
        .unwrap()
        .id;
    let message = NewMessage {
        text: "make something".into(),
        ..NewMessage::default()
    };
    one.post_message(&tenant, session, message).await.unwrap();
    let bench = Bench {
        studio: two,
        model,
        sandboxes: parts.sandboxes,
        session,
        tenant,
    };
    (one, bench)
}

#[tokio::test(flavor = "multi_thread")]
async fn t80_a_turn_whose_worker_dies_is_taken_over_and_its_late_writes_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let mut parts = setup();
    parts.model.pause = Duration::from_millis(30);
    let (one, bench) = pair(data.path(), parts, Default::default()).await;
    // The first worker is dropped in the middle of its model call, as a killed process would be.
    let dying = tokio::spawn(one.clone().run_worker(CancellationToken::new()));
    bench.until("a turn", |s| s.turn.is_some()).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    dying.abort();
    let _work = bench.work();
    bench
        .until("a plan", |s| s.turn.is_none() && s.proposal.is_some())
        .await;
    let log = bench.log().await;
    assert!(count(&log, |e| matches!(e, EventBody::TurnResumed { .. })) <= 1);
    assert_eq!(
        count(&log, |e| matches!(e, EventBody::PlanProposed { .. })),
        1
    );
    assert_eq!(
        count(&log, |e| matches!(e, EventBody::TurnFinished { .. })),
        1
    );
    bench.assert_whole().await;
}

type Point = (&'static str, fn(&EventBody) -> bool);

/// What a worker may just have written when its process dies.
const POINTS: [Point; 9] = [
    ("the turn's beginning", |e| {
        matches!(e, EventBody::TurnStarted { .. })
    }),
    ("a model call", |e| {
        matches!(e, EventBody::ModelStarted { .. })
    }),
    ("an answer", |e| {
        matches!(e, EventBody::ModelFinished { .. })
    }),
    ("a tool's beginning", |e| {
        matches!(e, EventBody::ToolStarted { .. })
    }),
    ("a file", |e| matches!(e, EventBody::FileWritten { .. })),
    ("a new sandbox", |e| {
        matches!(e, EventBody::SandboxChanged { .. })
    }),
    ("a check's beginning", |e| {
        matches!(e, EventBody::CheckStarted {})
    }),
    ("a check", |e| matches!(e, EventBody::CheckFinished { .. })),
    ("a version", |e| {
        matches!(e, EventBody::VersionCreated { .. })
    }),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_at_any_point_leaves_a_turn_that_another_ends_as_it_would_have() {
    for (point, is) in POINTS {
        let data = tempfile::tempdir().unwrap();
        let (one, bench) = pair(data.path(), setup(), Default::default()).await;
        let dying = tokio::spawn(one.clone().run_worker(CancellationToken::new()));
        bench
            .until("a plan", |s| s.turn.is_none() && s.proposal.is_some())
            .await;
        // The plan's own sandbox may be there already or not yet: it is waited for, and the build needs another.
        bench
            .until("a sandbox", |s| {
                s.sandbox
                    .as_ref()
                    .is_some_and(|s| s.status == SandboxStatus::Ready)
            })
            .await;
        bench.sandboxes.lose_all();
        let mut written = one.listen(Room::Session(bench.session));
        let hash = bench.state().await.proposal.unwrap().hash;
        let decision = Decision::Approve { hash, plan: None };
        let decided = one.decide_plan(&bench.tenant, bench.session, decision);
        decided.await.unwrap();
        let heard = async {
            while !written
                .recv()
                .await
                .is_ok_and(|news| news.events.iter().any(|event| is(&event.body)))
            {}
        };
        tokio::time::timeout(Duration::from_secs(20), heard)
            .await
            .unwrap_or_else(|_| panic!("{point} was waited for in vain"));
        dying.abort();
        let _ = dying.await;
        let _work = bench.work();
        bench
            .until(point, |s| {
                s.turn.is_none() && s.queue.is_empty() && s.versions.len() == 1
            })
            .await;
        let log = bench.log().await;
        let of = |is: fn(&EventBody) -> bool| count(&log, is);
        assert_eq!(
            of(|e| matches!(e, EventBody::VersionCreated { .. })),
            1,
            "{point}"
        );
        assert_eq!(
            of(|e| matches!(e, EventBody::TurnFinished { .. })),
            2,
            "{point}"
        );
        assert!(
            of(|e| matches!(e, EventBody::FileWritten { .. })) >= 1,
            "{point}"
        );
        let file = bench.sandboxes.file("src/Composition.tsx").unwrap();
        assert!(
            String::from_utf8_lossy(&file).contains("export default"),
            "{point}"
        );
        bench.assert_whole().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_whose_clocks_are_half_a_minute_apart_end_each_turn_once() {
    let late = || {
        let clock = TestClock::default();
        clock.advance(Duration::from_secs(30));
        clock
    };
    for clocks in [
        [TestClock::default(), late()],
        [late(), TestClock::default()],
    ] {
        let data = tempfile::tempdir().unwrap();
        let mut parts = setup();
        parts.model.pause = Duration::from_millis(20);
        let (one, bench) = pair(data.path(), parts, clocks).await;
        let shutdown = CancellationToken::new();
        let first = tokio::spawn(one.clone().run_worker(shutdown.clone()));
        bench.until("a turn", |s| s.turn.is_some()).await;
        // To the one whose clock is ahead, the other's lease has run out.
        let _work = bench.work();
        bench
            .until("a plan", |s| s.turn.is_none() && s.proposal.is_some())
            .await;
        bench.approve().await;
        bench
            .until("a version", |s| {
                s.turn.is_none() && s.queue.is_empty() && s.versions.len() == 1
            })
            .await;
        let log = bench.log().await;
        let of = |is: fn(&EventBody) -> bool| count(&log, is);
        assert_eq!(of(|e| matches!(e, EventBody::PlanProposed { .. })), 1);
        assert_eq!(of(|e| matches!(e, EventBody::VersionCreated { .. })), 1);
        assert_eq!(of(|e| matches!(e, EventBody::TurnFinished { .. })), 2);
        bench.assert_whole().await;
        shutdown.cancel();
        let _ = first.await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_that_is_lost_is_replaced_and_filled_and_the_turn_goes_on() {
    let bench = bench(setup()).await;
    let _work = bench.work();
    bench.built().await;
    bench.sandboxes.lose_all();
    bench.say("change it").await;
    bench
        .until("a version", |s| s.versions.len() == 2 && s.turn.is_none())
        .await;
    assert_eq!(bench.sandboxes.made(), 2);
    let file = bench.sandboxes.file("src/Composition.tsx").unwrap();
    assert!(String::from_utf8_lossy(&file).contains("change it"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_is_replaced_before_its_provider_ends_it_and_not_sooner() {
    let bench = bench(setup()).await;
    let _work = bench.work();
    let built = bench.built().await;
    let minutes = |n: i64| bench.studio.clock().now() + jiff::SignedDuration::from_mins(n);
    let open = async || {
        bench
            .studio
            .open_preview(&bench.tenant, bench.session, None)
            .await
            .unwrap()
    };
    bench.sandboxes.will_end(minutes(-40), minutes(20));
    open().await;
    assert_eq!(bench.sandboxes.made(), 1, "it was replaced too soon");
    bench.sandboxes.will_end(minutes(-55), minutes(5));
    assert_eq!(open().await, Some(built.versions[0].id));
    assert_eq!(bench.sandboxes.made(), 2);
    assert!(bench.sandboxes.file("src/Composition.tsx").is_some());
    // Whoever looks at a preview need not do anything for it.
    bench.sandboxes.will_end(minutes(-55), minutes(5));
    let _housekeeping = bench.work();
    bench
        .until("a third sandbox", |_| bench.sandboxes.made() == 3)
        .await;
    bench.assert_whole().await;
}
