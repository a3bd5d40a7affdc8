//! What does not stop it: workers and sandboxes that die.

use crate::room::*;
use koda_agent::NewMessage;
use koda_domain::{
    EventBody, Ids, ProjectId, SettingsPatch, TenantId,
    project::{Document, Project},
};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn t80_a_turn_whose_worker_dies_is_taken_over_and_its_late_writes_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let mut parts = setup();
    parts.model.pause = Duration::from_millis(30);
    let model = Arc::new(parts.model);
    let one = studio(data.path(), &model, &parts.sandboxes, &parts.options, "one");
    let two = studio(data.path(), &model, &parts.sandboxes, &parts.options, "two");
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
    // The first worker is dropped in the middle of its model call, as a killed process would be.
    let dying = tokio::spawn(one.clone().run_worker(CancellationToken::new()));
    let bench = Bench {
        studio: two,
        model,
        sandboxes: parts.sandboxes,
        session,
        tenant,
    };
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
