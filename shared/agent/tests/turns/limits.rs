//! What stops a turn: people, budgets, models that fail or misbehave.

use crate::room::*;
use koda_domain::{EventBody, event::TurnOutcome, limits::TurnBudget, model::ModelError};
use koda_testkit::{ScriptedModel, answer, call, say};
use serde_json::json;
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

#[tokio::test(flavor = "multi_thread")]
async fn stop_ends_a_turn_that_streams_and_the_next_message_works() {
    let mut setup = setup();
    setup.model = ScriptedModel::new(|request| match last_text(request).as_str() {
        "talk" => Ok(answer(vec![say(&"word ".repeat(10_000))])),
        _ => obedient(request),
    });
    setup.model.pause = Duration::from_millis(5);
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.say("talk").await;
    bench.until("a turn", |s| s.turn.is_some()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let asked = Instant::now();
    bench
        .studio
        .stop(&bench.tenant, bench.session)
        .await
        .unwrap();
    let state = bench.until("the end", |s| s.turn.is_none()).await;
    assert!(asked.elapsed() < Duration::from_secs(2));
    assert_eq!(state.outcome, Some(TurnOutcome::Stopped));
    bench.say("go on").await;
    bench
        .until("a plan", |s| s.turn.is_none() && s.proposal.is_some())
        .await;
    bench.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t73_a_model_that_never_ends_runs_into_its_budget() {
    let mut setup = setup();
    setup.options.budget = TurnBudget {
        steps: 5,
        ..TurnBudget::default()
    };
    setup.model = ScriptedModel::new(|_| {
        Ok(answer(vec![call(
            &unique("t"),
            "update_todos",
            json!({"todos": []}),
        )]))
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.say("for ever").await;
    let state = bench.idle().await;
    assert_eq!(
        state.outcome,
        Some(TurnOutcome::BudgetExhausted {
            what: "steps".into()
        })
    );
    assert_eq!(
        (bench.model.requests().len(), state.usage.input_tokens),
        (5, 50)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_makes_one_failing_call_for_ever_is_told_and_then_stopped() {
    let mut setup = setup();
    setup.model = ScriptedModel::new(|_| {
        Ok(answer(vec![call(
            &unique("t"),
            "no_such_tool",
            json!({"again": true}),
        )]))
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.say("for ever").await;
    let state = bench.idle().await;
    let Some(TurnOutcome::Failed { code, message }) = state.outcome else {
        panic!("{:?}", state.outcome);
    };
    assert_eq!(code, "stuck");
    assert!(message.contains("in other words"), "{message}");
    assert_eq!(bench.model.requests().len(), 3);
    let log = serde_json::to_string(&bench.log().await).unwrap();
    assert_eq!(log.matches("You made this very call before").count(), 2);
    // What failed is over: the next message is a turn like any other.
    bench.say("again").await;
    let state = bench.idle().await;
    assert!(matches!(state.outcome, Some(TurnOutcome::Failed { .. })));
    assert_eq!(bench.model.requests().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_fails_now_and_then_is_not_taken_for_one_that_goes_round_in_circles() {
    let mut setup = setup();
    let calls = AtomicU32::new(0);
    setup.model = ScriptedModel::new(move |_| {
        Ok(answer(match calls.fetch_add(1, Ordering::SeqCst) {
            n if n >= 12 => vec![say("Enough.")],
            n if n % 3 == 2 => vec![call(&unique("t"), "update_todos", json!({"todos": []}))],
            _ => vec![call(&unique("t"), "no_such_tool", json!({}))],
        }))
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.say("clumsy").await;
    assert_eq!(bench.idle().await.outcome, Some(TurnOutcome::Answered));
    assert_eq!(bench.model.requests().len(), 13);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_animation_that_has_cost_what_it_may_asks_no_model_any_more() {
    let mut setup = setup();
    setup.options.budget = TurnBudget {
        session_cost_micros: 100,
        ..TurnBudget::default()
    };
    setup.model = ScriptedModel::new(|_| {
        let mut dear = answer(vec![say("That was dear.")]);
        dear.usage.cost_micros = 60;
        Ok(dear)
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    for _ in 0..2 {
        bench.say("talk").await;
        assert_eq!(bench.idle().await.outcome, Some(TurnOutcome::Answered));
    }
    bench.say("talk").await;
    let what = "session_money".into();
    assert_eq!(
        bench.idle().await.outcome,
        Some(TurnOutcome::BudgetExhausted { what })
    );
    assert_eq!(bench.model.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn t72_unknown_tools_and_wrong_input_are_told_to_the_model_and_break_nothing() {
    let mut setup = setup();
    setup.model = ScriptedModel::new(|request| {
        Ok(answer(match results(request) {
            0 => vec![
                call("a", "no_such_tool", json!({})),
                call("b", "propose_plan", json!({"title": 5})),
                call(
                    "c",
                    "propose_plan",
                    json!({"title": "t", "summary": "", "engine": "remotion", "scenes": [], "design": {}}),
                ),
                call("d", "update_todos", json!({"todos": "x".repeat(1 << 20)})),
            ],
            _ => vec![say("I give up.")],
        }))
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.say("nonsense").await;
    let state = bench.idle().await;
    assert_eq!(state.outcome, Some(TurnOutcome::Answered));
    assert_eq!(
        count(&bench.log().await, |e| matches!(
            e,
            EventBody::ToolFinished { is_error: true, .. }
        )),
        4
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn t86_a_model_that_fails_before_its_first_word_is_asked_again_and_then_the_turn_says_why() {
    let mut setup = setup();
    let failures = AtomicU32::new(0);
    setup.model =
        ScriptedModel::new(
            move |request| match failures.fetch_add(1, Ordering::SeqCst) {
                0 | 1 => Err(ModelError::Unavailable("reset".into())),
                2 => obedient(request),
                _ => Err(ModelError::Unauthorized),
            },
        );
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.say("try").await;
    assert_eq!(bench.idle().await.outcome, Some(TurnOutcome::AwaitingPlan));
    bench.say("again").await;
    let state = bench
        .until("a failure", |s| {
            matches!(s.outcome, Some(TurnOutcome::Failed { .. }))
        })
        .await;
    let Some(TurnOutcome::Failed { code, message }) = state.outcome else {
        unreachable!()
    };
    assert_eq!(code, "model_unauthorized");
    assert!(message.ends_with('.'));
}
