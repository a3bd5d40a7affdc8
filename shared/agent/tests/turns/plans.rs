//! Plans: nothing is built without one, and what is built is what it says.

use crate::room::*;
use koda_agent::{Decision, NewMessage, StudioError};
use koda_domain::{EventBody, SettingsPatch, event::TurnOutcome, state::Phase};
use koda_testkit::{ScriptedModel, answer, call};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_becomes_a_plan_and_an_approved_plan_a_version() {
    let bench = bench(setup()).await;
    let _work = bench.work();
    bench.say("make something").await;
    let state = bench.idle().await;
    assert_eq!(
        (state.phase, state.outcome),
        (Phase::Plan, Some(TurnOutcome::AwaitingPlan))
    );
    assert!(state.files.0.is_empty() && state.versions.is_empty());
    bench.approve().await;
    let state = bench
        .until("a version", |s| s.turn.is_none() && s.versions.len() == 1)
        .await;
    assert!(
        matches!(state.outcome, Some(TurnOutcome::Ready { .. })),
        "{:?}",
        state.outcome
    );
    assert_eq!(state.versions[0].summary, "Done as asked");
    assert!(
        (state.settings.duration_seconds - 2.0).abs() < 1e-9,
        "the plan's length is the animation's"
    );
    let manifest: Value =
        serde_json::from_slice(&bench.sandboxes.file("koda.json").unwrap()).unwrap();
    assert_eq!(
        (&manifest["durationInFrames"], &manifest["width"]),
        (&json!(60), &json!(1920))
    );
    bench.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_approval_there_is_nothing_to_build_with_even_for_a_model_that_tries() {
    let mut setup = setup();
    setup.model = ScriptedModel::new(|request| {
        Ok(answer(match results(request) {
            0 => vec![
                call(
                    "w",
                    "write_file",
                    json!({"path": "src/a.ts", "content": "x"}),
                ),
                call("r", "run_command", json!({"argv": ["ls"]})),
            ],
            _ => vec![call("p", "propose_plan", plan())],
        }))
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.say("skip the plan").await;
    let state = bench.idle().await;
    assert!(state.files.0.is_empty());
    let names: Vec<_> = bench.model.requests()[0]
        .tools
        .iter()
        .map(|t| t.name.clone())
        .collect();
    assert_eq!(
        names,
        ["ask_user", "propose_plan", "update_todos", "list_assets"]
    );
    let log = bench.log().await;
    assert_eq!(
        count(&log, |e| matches!(
            e,
            EventBody::ToolFinished { is_error: true, .. }
        )),
        2
    );
    // Only the hash of the open proposal approves, and only once.
    let wrong = Decision::Approve {
        hash: "0".repeat(64),
        plan: None,
    };
    assert!(matches!(
        bench
            .studio
            .decide_plan(&bench.tenant, bench.session, wrong)
            .await,
        Err(StudioError::Conflict(_))
    ));
    let hash = state.proposal.unwrap().hash;
    bench.approve().await;
    let again = Decision::Approve { hash, plan: None };
    assert!(matches!(
        bench
            .studio
            .decide_plan(&bench.tenant, bench.session, again)
            .await,
        Err(StudioError::Conflict(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_plan_is_what_is_built_and_a_rejected_one_is_not() {
    let bench = bench(setup()).await;
    let _work = bench.work();
    bench.say("make something").await;
    let open = bench.idle().await.proposal.unwrap();
    let reject = Decision::Reject {
        hash: open.hash,
        reason: Some("too short".into()),
    };
    bench
        .studio
        .decide_plan(&bench.tenant, bench.session, reject)
        .await
        .unwrap();
    assert_eq!(bench.state().await.phase, Phase::Idle);
    bench.say("longer").await;
    let open = bench
        .until("a new plan", |s| {
            s.turn.is_none() && s.proposal.as_ref().is_some_and(|p| p.open)
        })
        .await
        .proposal
        .unwrap();
    assert!(last_text(bench.model.requests().last().unwrap()).contains("too short"));
    let mut edited = open.plan.clone();
    edited.scenes[0].duration_seconds = 7.5;
    let decision = Decision::Approve {
        hash: open.hash,
        plan: Some(Box::new(edited)),
    };
    bench
        .studio
        .decide_plan(&bench.tenant, bench.session, decision)
        .await
        .unwrap();
    let state = bench.until("a version", |s| s.versions.len() == 1).await;
    assert!((state.settings.duration_seconds - 7.5).abs() < 1e-9);
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_approve_builds_without_asking() {
    let bench = bench(setup()).await;
    let _work = bench.work();
    let patch = SettingsPatch {
        auto_approve: Some(true),
        ..SettingsPatch::default()
    };
    bench
        .studio
        .patch_settings(&bench.tenant, bench.session, &patch)
        .await
        .unwrap();
    bench.say("make something").await;
    bench.until("a version", |s| s.versions.len() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_come_while_a_turn_runs_are_queued_in_order_and_none_is_lost() {
    let mut setup = setup();
    setup.model.pause = Duration::from_millis(20);
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    let mut queued = Vec::new();
    for text in ["first", "second", "third"] {
        let message = NewMessage {
            text: text.into(),
            ..NewMessage::default()
        };
        queued.push(
            bench
                .studio
                .post_message(&bench.tenant, bench.session, message)
                .await
                .unwrap()
                .queued,
        );
    }
    assert_eq!(queued[1..], [true, true]);
    bench
        .until("three edits", |s| s.versions.len() == 4 && s.turn.is_none())
        .await;
    let said: Vec<_> = bench
        .model
        .requests()
        .iter()
        .filter(|r| results(r) == 0)
        .map(last_text)
        .collect();
    assert_eq!(said[2..], ["first", "second", "third"]);
    bench.assert_whole().await;
}
