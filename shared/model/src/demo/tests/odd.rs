//! What goes wrong, and requests that are odd.

use super::{
    model,
    studio::{Studio, ask},
};
use futures_util::StreamExt;
use koda_domain::model::{LanguageModel, ModelEvent, Role, StopReason};
use serde_json::json;

fn names(studio: &Studio) -> Vec<&str> {
    studio.calls.iter().map(|c| c.name.as_str()).collect()
}

#[test]
fn a_design_that_is_no_strict_json_is_written_afresh_and_that_is_said() {
    let mut studio = Studio::built("Title 'Hello' in teal");
    let loose = studio.files["src/design.ts"].replace("\"title\":", "title:");
    studio.files.insert("src/design.ts".into(), loose);
    studio.say("background white");
    assert!(studio.told.contains("written afresh"), "{}", studio.told);
    assert_eq!(
        (
            studio.design().title.as_str(),
            studio.design().colors.background.as_str()
        ),
        ("Hello", "#ffffff")
    );
}

#[test]
fn what_the_person_wrote_around_the_design_stays() {
    let mut studio = Studio::built("Title 'Hello' in teal");
    let mine = studio.files["src/design.ts"].clone() + "\nexport const mine = 1;\n";
    studio.files.insert("src/design.ts".into(), mine);
    studio.say("title: Goodbye");
    assert!(studio.files["src/design.ts"].ends_with("export const mine = 1;\n"));
}

#[test]
fn a_check_that_fails_is_said_and_never_tried_again_without_end() {
    let mut studio = Studio::new();
    studio.say("Title 'Hello'");
    studio.check = Some("error [types/TS1] src/Composition.tsx:1:1: no".into());
    studio.approve();
    assert!(studio.told.contains("cannot mend"), "{}", studio.told);
    assert_eq!(names(&studio).iter().filter(|n| **n == "check").count(), 1);
    let answer = studio.tell_failure();
    assert_eq!(
        answer
            .tool_calls()
            .map(|c| c.name.as_str())
            .collect::<Vec<_>>(),
        ["finish"]
    );
}

#[test]
fn a_build_that_came_to_nothing_is_built_with_the_next_message() {
    let mut studio = Studio::built("Title 'Hello'");
    studio.files.clear();
    studio.versions.clear();
    studio.say("try again");
    assert_eq!(studio.design().title, "Hello");
}

#[test]
fn a_conversation_that_lost_its_oldest_messages_is_still_understood() {
    let mut studio = Studio::new();
    studio.say("Title 'Hello' in teal, 10 seconds");
    studio.say("subtitle: It begins");
    studio.messages.drain(..2);
    studio.say("use a serif font");
    let plan = studio.proposal.clone().unwrap();
    assert_eq!(
        (plan.title.as_str(), plan.design.colors.primary.as_deref()),
        ("Hello", Some("#0f9b96"))
    );
    assert!(plan.summary.contains("It begins"), "{}", plan.summary);
}

#[test]
fn requests_that_lack_parts_or_have_odd_ones_are_answered() {
    let studio = Studio::new();
    for pinned in [
        json!(null),
        json!({}),
        json!({"phase": 3, "settings": [], "user_messages": "x", "request": null}),
    ] {
        let mut request = studio.request();
        request.pinned = pinned;
        request.tools.clear();
        let answer = ask(&studio.model, request);
        assert_eq!(answer.stop, StopReason::EndTurn);
        assert!(!answer.content.is_empty());
    }
}

#[test]
fn words_of_any_kind_make_plans_that_keep_the_rules() {
    let long = "word ".repeat(3_000);
    let quotes = "'a' ".repeat(200);
    for words in [
        long.as_str(),
        quotes.as_str(),
        "日本語のタイトル「こんにちは」",
        "🎉🎉 party 🎉",
        "İstanbul ŞEHRİ için başlık",
        "\"",
        "'''",
        "title:",
        "saying",
        "for",
        "in blue",
        "#fff",
        "10, 20, 30, 40",
        "1e999% of 99999999999999999999",
        "\u{e000}\u{e001} hello",
        "a\n\n\nb\n- c: 1\n- d: 2",
        "say \"\"",
        "chart: -1, -2, -3",
        "1:1",
        "60 fps",
        "Title \"</script><script>alert(1)</script>\"",
        "subtitle subtitle subtitle",
        "replace with with with",
        "0 seconds",
        "ẞ".repeat(300).as_str(),
    ] {
        let mut studio = Studio::new();
        studio.say(words);
        if studio.proposal.is_some() {
            studio.approve();
            studio.say(words);
            let _ = studio.design();
        } else {
            assert!(!studio.told.is_empty(), "{words}");
        }
    }
}

#[test]
fn the_model_says_that_it_is_not_ai_and_counts_its_words() {
    let model = model();
    let label = model.describe(Role::Orchestrator);
    assert_eq!(
        (label.provider.as_str(), label.model.as_str(), label.is_ai),
        ("demo", "demo", false)
    );
    let mut studio = Studio::new();
    studio.said.push("Title 'Hello'".into());
    let answer = ask(&model, studio.request());
    assert!(
        answer.usage.input_tokens > 10
            && answer.usage.output_tokens > 10
            && answer.usage.cost_micros == 0
    );
    assert_eq!(
        (answer.model.as_str(), answer.stop),
        ("demo", StopReason::ToolUse)
    );
}

#[test]
fn text_comes_in_pieces_before_the_calls() {
    let mut studio = Studio::new();
    studio.said.push("Title 'Hello'".into());
    let request = studio.request();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let events: Vec<_> = runtime.block_on(async {
        model()
            .stream(request)
            .await
            .unwrap()
            .map(Result::unwrap)
            .collect()
            .await
    });
    let texts = events
        .iter()
        .take_while(|e| matches!(e, ModelEvent::Text(_)))
        .count();
    assert!(texts > 3, "{events:?}");
    assert!(
        matches!(&events[texts], ModelEvent::ToolCallStarted { name, .. } if name == "propose_plan")
    );
}
