//! Long conversations: what a model is shown of them.

use crate::room::*;
use koda_domain::model::ModelError;
use koda_testkit::ScriptedModel;

fn shown(request: &koda_domain::model::ModelRequest) -> usize {
    serde_json::to_string(&request.messages).unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn f9_a_session_of_two_hundred_messages_still_works_and_knows_its_plan() {
    let bench = bench(setup()).await;
    let _work = bench.work();
    bench.built().await;
    for n in 1..=200 {
        bench
            .say(&format!(
                "change number {n} {}",
                "of many words ".repeat(100)
            ))
            .await;
        bench.idle().await;
    }
    let state = bench.state().await;
    assert_eq!(state.head_version().unwrap().number, 201);
    let requests = bench.model.requests();
    let largest = requests.iter().map(shown).max().unwrap();
    assert!((150_000..300_000).contains(&largest), "{largest}");
    let last = requests.last().unwrap();
    assert_eq!(last.pinned["plan"]["title"], "A title");
    // What is left out of the conversation is told with the facts.
    let said = last.pinned["all_requests"].as_array().unwrap();
    assert!(said[0].as_str().unwrap().starts_with("change number"));
    let short = requests.iter().find(|r| shown(r) < 10_000).unwrap();
    assert!(short.pinned.get("all_requests").is_none());
    assert!(
        said.last()
            .unwrap()
            .as_str()
            .unwrap()
            .starts_with("change number 200")
    );
    // The newest as it was, older ones by their words and what came of them, and the prefix stays for a cache.
    let all = serde_json::to_string(&last.messages).unwrap();
    assert!(all.contains("change number 200") && all.contains("change number 150"));
    assert!(all.contains("it became version 1"));
    let texts: Vec<_> = requests
        .iter()
        .map(|r| serde_json::to_string(&r.messages).unwrap())
        .collect();
    let kept = |pair: &&[String]| pair[1].starts_with(pair[0].trim_end_matches(['}', ']']));
    let rewritten = texts.windows(2).filter(|pair| !kept(pair)).count();
    assert!(rewritten < 20, "{rewritten} of {}", texts.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_holds_less_is_shown_less_of_the_conversation() {
    let mut setup = setup();
    setup.model = ScriptedModel::new(|request| {
        if shown(request) > 20_000 {
            return Err(ModelError::TooLong);
        }
        obedient(request)
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    for n in 1..=20 {
        bench
            .say(&format!("change {n} {}", "and more ".repeat(200)))
            .await;
        bench.idle().await;
    }
    assert_eq!(bench.state().await.head_version().unwrap().number, 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_holds_nothing_is_said_to_be_too_small() {
    let mut setup = setup();
    setup.model = ScriptedModel::new(|_| Err(ModelError::TooLong));
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.say("make something").await;
    let state = bench.idle().await;
    let outcome = serde_json::to_value(state.outcome.unwrap()).unwrap();
    assert_eq!(outcome["code"], "conversation_too_long");
    assert!(bench.model.requests().len() < 10);
}
