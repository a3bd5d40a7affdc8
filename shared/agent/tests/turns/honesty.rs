//! What a model says it did, held to what was done: failed and cut calls, and what a check saw.

use crate::room::*;
use koda_domain::{
    EventBody,
    event::TurnOutcome,
    message::{Content, ToolOutput},
    model::{ModelAnswer, ModelRequest, StopReason},
};
use koda_testkit::{ScriptedModel, answer, call, say};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

fn told(request: &ModelRequest) -> String {
    serde_json::to_string(&request.messages).unwrap()
}

/// A model that builds as it is told and answers edits by these answers in turn.
fn then(
    edits: impl Fn(u32, &ModelRequest) -> ModelAnswer + Send + Sync + 'static,
) -> ScriptedModel {
    let asked = AtomicU32::new(0);
    ScriptedModel::new(move |request| match request.pinned["phase"].as_str() {
        Some("edit") => Ok(edits(asked.fetch_add(1, Ordering::SeqCst), request)),
        _ => obedient(request),
    })
}

fn edit(old: &str, new: &str) -> Content {
    call(
        &unique("edit"),
        "edit_file",
        json!({"path": "src/Composition.tsx", "old": old, "new": new}),
    )
}

fn finish(summary: &str) -> Content {
    call(&unique("finish"), "finish", json!({ "summary": summary }))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_not_said_to_be_done() {
    let mut setup = setup();
    setup.model = then(|n, request| match n {
        0 => answer(vec![
            edit("null", "1"),
            edit("not there", "red"),
            finish("It is red now."),
        ]),
        _ => {
            assert!(told(request).contains("Not finished"), "{}", told(request));
            answer(vec![finish("One thing was changed.")])
        }
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    bench.say("make it red").await;
    let state = bench.idle().await;
    assert_eq!(state.versions.len(), 2);
    assert_eq!(state.versions[1].summary, "One thing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finish_before_a_call_that_fails_is_none() {
    let mut setup = setup();
    setup.model = then(|n, _| match n {
        0 => answer(vec![finish("It is blue now."), edit("not there", "blue")]),
        _ => answer(vec![say("That did not work.")]),
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    let before = bench.model.requests().len();
    bench.say("make it blue").await;
    assert_eq!(bench.idle().await.outcome, Some(TurnOutcome::Answered));
    assert_eq!(bench.model.requests().len(), before + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_whose_answer_was_cut_off_is_told_and_goes_on() {
    let mut setup = setup();
    let cut = |content| ModelAnswer {
        stop: StopReason::MaxTokens,
        ..answer(content)
    };
    setup.model = then(move |n, request| match n {
        0 => cut(vec![edit("null", "2"), finish("All is there.")]),
        1 => {
            assert!(told(request).contains("was cut off"), "{}", told(request));
            cut(vec![])
        }
        _ => answer(vec![finish("Now all is there.")]),
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    bench.say("more").await;
    let state = bench.idle().await;
    assert_eq!(
        state.versions.last().unwrap().summary,
        "Now all is there",
        "{:?}",
        state.outcome
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_of_which_nothing_ever_comes_whole_is_stopped() {
    let mut setup = setup();
    setup.model = then(|_, _| ModelAnswer {
        stop: StopReason::MaxTokens,
        ..answer(vec![])
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    bench.say("more").await;
    let state = bench.idle().await;
    assert!(
        matches!(&state.outcome, Some(TurnOutcome::Failed { code, .. }) if code == "stuck"),
        "{:?}",
        state.outcome
    );
}

fn overflows() -> String {
    json!({"type": "check", "ok": true, "seconds": 0.1, "gates": [], "diagnostics": [{
        "gate": "layout", "code": "text_overflow", "severity": "warning", "file": "src/Composition.tsx", "line": 3,
        "message": "“Hello” is 6628 pixels wide",
    }]})
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_check_found_that_passed_is_told_once_and_the_version_stays() {
    let mut setup = setup();
    setup.sandboxes = checks(|_| overflows());
    let mended = Arc::new(AtomicU32::new(0));
    let mends = mended.clone();
    setup.model = ScriptedModel::new(move |request| {
        let words = last_text(request);
        if words.contains("6628 pixels") && results(request) == 0 {
            // The first time it leaves it as it is.
            if mends.fetch_add(1, Ordering::SeqCst) == 0 {
                return Ok(answer(vec![finish("It is meant so.")]));
            }
        }
        obedient(request)
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    let state = bench.built().await;
    assert!(matches!(state.outcome, Some(TurnOutcome::Ready { .. })));
    assert_eq!(
        (state.versions.len(), mended.load(Ordering::SeqCst)),
        (1, 1)
    );
    // The same finding again is nothing new.
    bench.say("change it").await;
    let state = bench.idle().await;
    assert_eq!(
        (state.versions.len(), mended.load(Ordering::SeqCst)),
        (2, 1)
    );
    let log = bench.log().await;
    let told = count(&log, |e| matches!(e, EventBody::ModelTold { .. }));
    assert_eq!(told, 1);
    bench.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_generator_that_is_refused_or_cut_off_says_so_to_who_asked() {
    let mut setup = setup();
    setup.model = ScriptedModel::new(|request| {
        if request.role == koda_domain::model::Role::CodeGenerator {
            assert!(request.pinned["fonts"].is_array(), "it is told the facts");
            return Ok(ModelAnswer {
                stop: StopReason::MaxTokens,
                ..answer(vec![edit("export default () => nul;", "x")])
            });
        }
        match (request.pinned["phase"].as_str(), results(request)) {
            (Some("edit"), 0) => Ok(answer(vec![call(
                &unique("generate"),
                "generate_code",
                json!({"instructions": "Make it red."}),
            )])),
            (Some("edit"), _) => {
                let last = request.messages.last().unwrap().content.last().unwrap();
                let Content::ToolResult { output, .. } = last else {
                    panic!("{last:?}");
                };
                let [ToolOutput::Text { text }] = &output[..] else {
                    panic!("{output:?}");
                };
                assert!(text.contains("Closest to it"), "{text}");
                assert!(text.contains("cut off"), "{text}");
                Ok(answer(vec![say("It did not work.")]))
            }
            _ => obedient(request),
        }
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    bench.say("make it red").await;
    assert_eq!(bench.idle().await.outcome, Some(TurnOutcome::Answered));
}
