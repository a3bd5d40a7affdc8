//! Changes by hand: words, colours, fonts, and pace, without a model.

use crate::room::*;
use koda_agent::StudioError;
use koda_domain::{
    EventBody, SessionState, SettingsPatch, WorkPath,
    design::{Design, DesignPatch},
    event::TurnOutcome,
    settings::{Colors, Fonts},
    state::Phase,
    timing::{Stretch, Timing},
};
use koda_testkit::{FakeRun, ScriptedModel, answer, call};
use serde_json::{Value, json};
use std::time::Duration;

const DESIGN: &str = r##"import type { Design } from "./koda/design";

export const design = {
  "title": "Hello",
  "subtitle": "",
  "colors": { "background": "#0b1020", "primary": "#7c5cff", "accent": "#22d3ee", "text": "#f8fafc" },
  "fonts": { "title": "Space Grotesk", "body": "Inter" },
  "lines": ["one", "two"],
  "speed": 1
} satisfies Design;
"##;

/// A setup whose model writes a design too.
fn designed(design: &'static str) -> Setup {
    let mut setup = setup();
    setup.model = ScriptedModel::new(move |request| {
        let phase = request.pinned["phase"].as_str().unwrap();
        if phase == "build" && results(request) == 0 {
            let write = |path: &str, content: &str| {
                let input = json!({"path": path, "content": content});
                call(&unique("write"), "write_file", input)
            };
            let composition = write("src/Composition.tsx", "export default () => null;");
            return Ok(answer(vec![composition, write("src/design.ts", design)]));
        }
        obedient(request)
    });
    setup
}

async fn source(bench: &Bench) -> String {
    let files = bench.state().await.files;
    let entry = &files.0[&WorkPath::parse("src/design.ts").unwrap()];
    let bytes = bench.studio.read_blob(&bench.tenant, &entry.blob).await;
    String::from_utf8(bytes.unwrap().to_vec()).unwrap()
}

async fn edit(bench: &Bench, patch: &DesignPatch) -> Result<(), StudioError> {
    let done = bench
        .studio
        .edit_design(&bench.tenant, bench.session, patch);
    done.await.map(|_| ())
}

fn titled(title: &str) -> DesignPatch {
    DesignPatch {
        title: Some(title.into()),
        ..DesignPatch::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn words_and_colours_changed_by_hand_are_a_version_without_a_model() {
    let bench = bench(designed(DESIGN)).await;
    let _work = bench.work();
    bench.built().await;
    let calls = bench.model.requests().len();
    let patch = DesignPatch {
        colors: Colors {
            accent: Some("#ff0000".into()),
            ..Colors::default()
        },
        fonts: Fonts {
            title: Some("Fraunces".into()),
            body: None,
        },
        ..titled("Good \"bye\"")
    };
    edit(&bench, &patch).await.unwrap();
    let state = bench
        .until("a version", |s| s.versions.len() == 2 && s.turn.is_none())
        .await;
    assert_eq!(bench.model.requests().len(), calls);
    assert_eq!(
        state.versions[1].summary,
        "Title “Good \"bye\"”, accent #ff0000, font of titles Fraunces"
    );
    let design = Design::read(&source(&bench).await).unwrap();
    assert_eq!(design.title, "Good \"bye\"");
    assert_eq!(design.colors.accent, "#ff0000");
    assert_eq!(design.colors.primary, "#7c5cff");
    // The agent keeps to what a person chose.
    assert_eq!(state.settings.colors.accent.as_deref(), Some("#ff0000"));
    assert_eq!(state.settings.fonts.title.as_deref(), Some("Fraunces"));
    let shown = bench.sandboxes.file("src/design.ts").unwrap();
    assert_eq!(String::from_utf8_lossy(&shown), source(&bench).await);
    // The same again is nothing.
    edit(&bench, &patch).await.unwrap();
    assert_eq!(bench.state().await.queue, []);
    bench.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_by_hand_in_a_row_are_all_there() {
    let mut setup = designed(DESIGN);
    setup.sandboxes = koda_testkit::FakeSandboxes::new(|exec, _| FakeRun {
        stdout: GOOD.into(),
        takes: match exec.argv.get(1).map(String::as_str) {
            Some("check") => Duration::from_millis(60),
            _ => Duration::from_secs(3600),
        },
        ..FakeRun::default()
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    for n in 0..8 {
        edit(&bench, &titled(&format!("Title {n}"))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(17)).await;
    }
    let state = bench
        .until("an idle session", |s| {
            s.turn.is_none() && s.queue.is_empty()
        })
        .await;
    assert!(source(&bench).await.contains("Title 7"));
    assert!(!state.has_changes(), "the last change is no version");
    assert!(
        (2..=9).contains(&state.versions.len()),
        "{:?}",
        state.versions
    );
    bench.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_changed_by_hand_is_refused_with_the_reason_and_changes_nothing() {
    let bench = bench(designed(DESIGN)).await;
    let early = edit(&bench, &titled("x")).await;
    assert!(matches!(early, Err(StudioError::Conflict(why)) if why.contains("approve a plan")));
    let _work = bench.work();
    bench.built().await;
    let seq = bench.log().await.len();
    let wrong = DesignPatch {
        fonts: Fonts {
            title: Some("Comic Sans".into()),
            body: None,
        },
        ..DesignPatch::default()
    };
    let refused = edit(&bench, &wrong).await.unwrap_err();
    assert!(
        matches!(refused, StudioError::Invalid(fields) if fields[0].field == "fonts.title"
        && fields[0].message.contains("Inter"))
    );
    assert_eq!(bench.log().await.len(), seq);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_design_that_is_no_strict_json_says_what_to_do() {
    let bench = bench(designed("export const design = { title: 'x' };")).await;
    let _work = bench.work();
    bench.built().await;
    let refused = edit(&bench, &titled("x")).await;
    assert!(matches!(refused, Err(StudioError::Conflict(why)) if why.contains("Ask the agent")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_hand_that_does_not_pass_the_check_is_taken_back() {
    let mut setup = designed(DESIGN);
    setup.sandboxes = checks(|n| {
        if n == 0 {
            GOOD.into()
        } else {
            bad("every frame is of a single colour")
        }
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    edit(&bench, &titled("Invisible")).await.unwrap();
    let state = bench
        .until("the end", |s| {
            matches!(s.outcome, Some(TurnOutcome::CheckFailed { repairs: 0, .. }))
        })
        .await;
    let summaries: Vec<_> = state.versions.iter().map(|v| v.summary.as_str()).collect();
    assert_eq!(
        summaries[1..],
        [
            "Title “Invisible”",
            "Back to version 1: the change did not pass"
        ]
    );
    assert!(source(&bench).await.contains("Hello"));
    assert!(!state.has_changes());
    bench.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_hand_decides_no_plan() {
    let mut setup = designed(DESIGN);
    setup.model = ScriptedModel::new(|request| {
        let phase = request.pinned["phase"].as_str().unwrap();
        if last_text(request) == "make another one" {
            let propose = call(&unique("plan"), "propose_plan", plan());
            return Ok(answer(vec![propose]));
        }
        if phase == "build" && results(request) == 0 {
            let input = json!({"path": "src/design.ts", "content": DESIGN});
            return Ok(answer(vec![call(&unique("write"), "write_file", input)]));
        }
        obedient(request)
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    bench.say("make another one").await;
    let open = |s: &SessionState| s.proposal.as_ref().is_some_and(|p| p.open);
    bench.until("a plan", |s| s.turn.is_none() && open(s)).await;
    edit(&bench, &titled("Meanwhile")).await.unwrap();
    let state = bench
        .until("a version", |s| s.versions.len() == 2 && s.turn.is_none())
        .await;
    assert!(open(&state), "the plan is decided");
    assert_eq!(state.phase, Phase::Plan);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slower_scene_and_a_held_end_are_in_the_manifest_and_no_code_changes() {
    let bench = bench(designed(DESIGN)).await;
    let _work = bench.work();
    let built = bench.built().await;
    let timing = Timing {
        stretches: vec![Stretch {
            seconds: 2.0,
            speed: 0.5,
        }],
        hold_seconds: 1.0,
    };
    let patch = SettingsPatch {
        timing: Some(timing),
        ..SettingsPatch::default()
    };
    let patched = bench
        .studio
        .patch_settings(&bench.tenant, bench.session, &patch);
    patched.await.unwrap();
    let state = bench
        .until("a version", |s| s.versions.len() == 2 && s.turn.is_none())
        .await;
    assert_eq!(state.files, built.files);
    assert_eq!(state.versions[1].summary, "16:9, 5 s at 30 fps");
    let manifest: Value =
        serde_json::from_slice(&bench.sandboxes.file("koda.json").unwrap()).unwrap();
    assert_eq!(manifest["durationInFrames"], 150);
    assert_eq!(manifest["playback"]["durationInFrames"], 120);
    bench.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_changes_the_pace_of_a_scene_by_its_number() {
    let mut setup = setup();
    setup.model = ScriptedModel::new(|request| {
        let wants = |what: &str| last_text(request) == what && results(request) == 0;
        if wants("slow down scene 2") {
            let speeds = json!({"scene_speeds": [{"scene": 2, "speed": 0.5}]});
            return Ok(answer(vec![call(&unique("s"), "update_settings", speeds)]));
        }
        if wants("slow down the first scene") {
            let speeds =
                json!({"scene_speeds": [{"scene": 1, "speed": 0.5}], "hold_last_frame_seconds": 2});
            return Ok(answer(vec![call(&unique("s"), "update_settings", speeds)]));
        }
        obedient(request)
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    bench.say("slow down scene 2").await;
    bench.idle().await;
    let refused = bench.log().await;
    assert!(refused.iter().any(
        |e| matches!(&e.body, EventBody::ToolFinished { is_error: true, output, .. }
        if format!("{output:?}").contains("the plan has 1 to 1"))
    ));
    bench.say("slow down the first scene").await;
    let state = bench
        .until("a slower version", |s| {
            s.turn.is_none() && s.queue.is_empty() && s.settings.timing.hold_seconds > 0.0
        })
        .await;
    assert!((state.settings.film_seconds() - 6.0).abs() < 1e-9);
    assert!(!state.has_changes());
}
