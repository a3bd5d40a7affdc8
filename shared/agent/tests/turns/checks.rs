//! Checks: failures are repaired, or taken back; formats and restores.

use crate::room::*;
use koda_domain::{EventBody, SettingsPatch, event::TurnOutcome};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_check_is_repaired_with_the_first_error_told() {
    let mut setup = setup();
    setup.sandboxes = checks(|n| {
        if n == 0 {
            bad("Cannot find name 'foo'.")
        } else {
            GOOD.into()
        }
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    let state = bench.built().await;
    assert_eq!(state.versions.len(), 1);
    let told: Vec<_> = bench
        .model
        .requests()
        .iter()
        .map(last_text)
        .filter(|t| t.contains("src/Composition.tsx:3:1"))
        .collect();
    assert_eq!(told.len(), 1, "the error was not told with its place");
    assert_eq!(
        count(&bench.log().await, |e| matches!(
            e,
            EventBody::CheckFinished { .. }
        )),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_passes_is_taken_back_and_never_a_version() {
    let mut setup = setup();
    setup.sandboxes = checks(|n| {
        if n == 0 {
            GOOD.into()
        } else {
            bad(&format!(
                "Broken in way {n}",
                n = ["a", "b", "c", "d", "e"][n as usize % 5]
            ))
        }
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    let good = bench.built().await;
    bench.say("break it").await;
    let state = bench
        .until("the end", |s| {
            matches!(s.outcome, Some(TurnOutcome::CheckFailed { .. }))
        })
        .await;
    let Some(TurnOutcome::CheckFailed {
        repairs,
        version_id,
        diagnostic,
    }) = state.outcome
    else {
        unreachable!()
    };
    assert_eq!((repairs, version_id), (3, Some(good.versions[0].id)));
    assert_eq!(diagnostic.line, Some(3));
    assert_eq!((state.versions.len(), state.files), (1, good.files));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_error_twice_ends_the_repairs() {
    let mut setup = setup();
    setup.sandboxes = checks(|_| bad("Always the same at line 7."));
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.say("make something").await;
    bench
        .until("a plan", |s| s.turn.is_none() && s.proposal.is_some())
        .await;
    bench.approve().await;
    let state = bench
        .until("the end", |s| {
            matches!(s.outcome, Some(TurnOutcome::CheckFailed { .. }))
        })
        .await;
    assert!(
        matches!(
            state.outcome,
            Some(TurnOutcome::CheckFailed {
                repairs: 1,
                version_id: None,
                ..
            })
        ),
        "{:?}",
        state.outcome
    );
    assert!(state.versions.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_format_is_checked_and_becomes_a_version_without_a_model() {
    let bench = bench(setup()).await;
    let _work = bench.work();
    bench.built().await;
    let calls = bench.model.requests().len();
    let patch = SettingsPatch {
        aspect: Some("9:16".parse().unwrap()),
        ..SettingsPatch::default()
    };
    bench
        .studio
        .patch_settings(&bench.tenant, bench.session, &patch)
        .await
        .unwrap();
    let state = bench
        .until("a version", |s| s.versions.len() == 2 && s.turn.is_none())
        .await;
    assert_eq!(bench.model.requests().len(), calls);
    assert!(state.versions[1].summary.contains("9:16"));
    let manifest: Value =
        serde_json::from_slice(&bench.sandboxes.file("koda.json").unwrap()).unwrap();
    assert_eq!(
        (&manifest["width"], &manifest["height"]),
        (&json!(1080), &json!(1920))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn restoring_makes_a_new_version_and_forgets_none() {
    let bench = bench(setup()).await;
    let _work = bench.work();
    let first = bench.built().await.versions[0].id;
    bench.say("change it").await;
    let changed = bench
        .until("a second", |s| s.versions.len() == 2 && s.turn.is_none())
        .await;
    let restored = bench
        .studio
        .restore(&bench.tenant, bench.session, first)
        .await
        .unwrap();
    assert_eq!((restored.number, restored.restored_from), (3, Some(first)));
    let state = bench.state().await;
    assert_eq!(
        state.files,
        bench
            .studio
            .version(&bench.tenant, bench.session, first)
            .await
            .unwrap()
            .files
    );
    assert_ne!(state.files, changed.files);
    bench.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_is_over_says_where_its_time_went() {
    let mut setup = setup();
    setup.sandboxes = checks(|_| GOOD.into());
    let bench = bench(setup).await;
    let _work = bench.work();
    let state = bench.built().await;
    let [planned, built] = state.turns.as_slice() else {
        panic!("{:?}", state.turns)
    };
    assert_eq!(planned.outcome, TurnOutcome::AwaitingPlan);
    assert!(matches!(built.outcome, TurnOutcome::Ready { .. }));
    assert!(built.started_at >= planned.started_at);
    // As long as the check said that it took, and not counted as a tool as well.
    assert_eq!(built.stages.check_ms, 100, "{built:?}");
    assert!(planned.stages.check_ms == 0 && planned.steps == 1 && built.steps > 1);
    let all = built.stages.model_ms + built.stages.tools_ms;
    assert!(all <= built.total_ms, "{built:?}");
    // However many there were, the last ones are remembered.
    for n in 0..25 {
        bench.say(&format!("no change, {n}")).await;
        bench.idle().await;
    }
    assert_eq!(bench.state().await.turns.len(), 20);
}
