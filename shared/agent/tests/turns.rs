//! Turns through the studio's door: real store and files, a scripted model, sandboxes in memory.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

use koda_agent::{Decision, NewMessage, Studio, StudioError, StudioOptions, StudioParts};
use koda_domain::{
    Event, EventBody, Ids, ProjectId, SessionId, SessionState, SettingsPatch, TenantId,
    event::TurnOutcome,
    limits::TurnBudget,
    message::Content,
    model::{ModelAnswer, ModelError, ModelRequest},
    project::{Document, Project},
    render::{RenderSpec, RenderStatus},
    sandbox::Exec,
    state::Phase,
};
use koda_objects::LocalObjects;
use koda_store::SqliteStore;
use koda_testkit::{FakeRun, FakeSandboxes, ScriptedModel, SeqIds, TestClock, answer, call, say};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

const GOOD: &str = r#"{"type":"check","ok":true,"seconds":0.1,"gates":[{"gate":"types","ok":true,"seconds":0.1}],"diagnostics":[]}"#;

fn bad(message: &str) -> String {
    json!({"type": "check", "ok": false, "seconds": 0.1, "gates": [], "diagnostics": [{
        "gate": "types", "code": "TS1", "severity": "error", "file": "src/Composition.tsx", "line": 3, "column": 1, "message": message
    }]})
    .to_string()
}

fn plan() -> Value {
    json!({
        "title": "A title", "summary": "s", "engine": "remotion",
        "scenes": [{"title": "One", "description": "d", "duration_seconds": 2.0}],
        "design": {"colors": {}, "fonts": {}, "mood": "m"}
    })
}

/// Results since the person or the server last said something.
fn results(request: &ModelRequest) -> usize {
    let last = request.messages.last().unwrap().content.iter().rev();
    last.take_while(|c| matches!(c, Content::ToolResult { .. }))
        .count()
}

fn last_text(request: &ModelRequest) -> String {
    let mut contents = request.messages.last().unwrap().content.iter().rev();
    let text = contents.find_map(|c| match c {
        Content::Text { text } => Some(text.clone()),
        _ => None,
    });
    text.unwrap_or_default()
}

fn unique(name: &str) -> String {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{}", CALLS.fetch_add(1, Ordering::SeqCst))
}

/// A model that plans, writes one file, and finishes; each message's text becomes the file's content.
fn obedient(request: &ModelRequest) -> Result<ModelAnswer, ModelError> {
    let phase = request.pinned["phase"].as_str().unwrap();
    Ok(answer(match phase {
        "plan" => vec![
            say("Here is a plan."),
            call(&unique("plan"), "propose_plan", plan()),
        ],
        _ if results(request) == 0 => {
            let content = format!("export default () => null; // {}", last_text(request));
            vec![call(
                &unique("write"),
                "write_file",
                json!({"path": "src/Composition.tsx", "content": content}),
            )]
        }
        _ => vec![call(
            &unique("finish"),
            "finish",
            json!({"summary": "Done as asked"}),
        )],
    }))
}

struct Bench {
    studio: Arc<Studio>,
    model: Arc<ScriptedModel>,
    sandboxes: FakeSandboxes,
    session: SessionId,
    tenant: TenantId,
}

struct Setup {
    model: ScriptedModel,
    sandboxes: FakeSandboxes,
    options: StudioOptions,
}

fn checks(report: impl Fn(u32) -> String + Send + Sync + 'static) -> FakeSandboxes {
    let count = AtomicU32::new(0);
    FakeSandboxes::new(move |exec, _| match exec.argv.get(1).map(String::as_str) {
        Some("check") => FakeRun {
            stdout: report(count.fetch_add(1, Ordering::SeqCst)),
            ..FakeRun::default()
        },
        _ => FakeRun {
            takes: Duration::from_secs(3600),
            ..FakeRun::default()
        },
    })
}

fn setup() -> Setup {
    Setup {
        model: ScriptedModel::new(obedient),
        sandboxes: checks(|_| GOOD.into()),
        options: StudioOptions {
            lease: Duration::from_millis(600),
            poll: Duration::from_millis(50),
            ..StudioOptions::default()
        },
    }
}

fn studio(
    data: &Path,
    model: &Arc<ScriptedModel>,
    sandboxes: &FakeSandboxes,
    options: &StudioOptions,
    owner: &str,
) -> Arc<Studio> {
    let clock = Arc::new(TestClock::default());
    Studio::new(StudioParts {
        store: Arc::new(SqliteStore::open(&data.join("koda.db")).unwrap()),
        objects: Arc::new(
            LocalObjects::new(data.join("objects"), &[1; 32], clock.clone()).unwrap(),
        ),
        sandboxes: Arc::new(sandboxes.clone()),
        model: model.clone(),
        clock,
        ids: Arc::new(RealIds),
        owner: owner.into(),
        options: options.clone(),
    })
}

struct RealIds;

impl Ids for RealIds {
    fn ulid(&self) -> ulid::Ulid {
        ulid::Ulid::generate()
    }
}

async fn bench(setup: Setup) -> Bench {
    let data = tempfile::tempdir().unwrap().keep();
    let model = Arc::new(setup.model);
    let studio = studio(&data, &model, &setup.sandboxes, &setup.options, "one");
    let tenant = TenantId::single();
    let project = Project {
        id: ProjectId::new(SeqIds::default().ulid()),
        tenant: tenant.clone(),
        name: "p".into(),
        revision: 1,
        created_at: studio.clock().now(),
        updated_at: studio.clock().now(),
        document: Document::default(),
    };
    studio.store().create_project(&project).await.unwrap();
    let head = studio
        .create_session(&tenant, project.id, "n1", &SettingsPatch::default())
        .await
        .unwrap();
    Bench {
        studio,
        model,
        sandboxes: setup.sandboxes,
        session: head.id,
        tenant,
    }
}

impl Bench {
    fn work(&self) -> CancellationToken {
        let shutdown = CancellationToken::new();
        tokio::spawn(self.studio.clone().run_worker(shutdown.clone()));
        shutdown
    }

    async fn say(&self, text: &str) {
        let message = NewMessage {
            text: text.into(),
            ..NewMessage::default()
        };
        self.studio
            .post_message(&self.tenant, self.session, message)
            .await
            .unwrap();
    }

    async fn state(&self) -> SessionState {
        self.studio
            .store()
            .session_any(self.session)
            .await
            .unwrap()
            .state
    }

    async fn log(&self) -> Vec<Event> {
        self.studio
            .store()
            .events(self.session, 0, 1000)
            .await
            .unwrap()
    }

    async fn until(&self, what: &str, look: impl Fn(&SessionState) -> bool) -> SessionState {
        let began = Instant::now();
        loop {
            let state = self.state().await;
            if look(&state) {
                return state;
            }
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "waited in vain: {what}; {state:#?}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn idle(&self) -> SessionState {
        self.until("an idle session", |s| {
            s.turn.is_none() && s.queue.is_empty() && s.outcome.is_some()
        })
        .await
    }

    async fn approve(&self) {
        let hash = self.state().await.proposal.unwrap().hash;
        let decision = Decision::Approve { hash, plan: None };
        self.studio
            .decide_plan(&self.tenant, self.session, decision)
            .await
            .unwrap();
    }

    async fn built(&self) -> SessionState {
        self.say("make something").await;
        self.until("a plan", |s| s.turn.is_none() && s.proposal.is_some())
            .await;
        self.approve().await;
        self.until("a version", |s| {
            s.turn.is_none() && s.queue.is_empty() && s.phase == Phase::Ready
        })
        .await
    }

    async fn assert_whole(&self) {
        let log = self.log().await;
        assert_eq!(
            log.iter().map(|e| e.seq).collect::<Vec<_>>(),
            (1..=log.len() as u64).collect::<Vec<_>>()
        );
        let mut folded = SessionState::default();
        for event in &log {
            folded.apply(event.seq, event.at, event.turn_id, &event.body);
        }
        assert_eq!(folded, self.state().await);
    }
}

fn count(log: &[Event], is: impl Fn(&EventBody) -> bool) -> usize {
    log.iter().filter(|e| is(&e.body)).count()
}

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

fn renders(fails: u32) -> FakeSandboxes {
    let tries = AtomicU32::new(0);
    FakeSandboxes::new(move |exec: &Exec, files| {
        if exec.argv.get(1).is_some_and(|a| a == "check") {
            return FakeRun {
                stdout: GOOD.into(),
                ..FakeRun::default()
            };
        }
        let Some(log) = exec.env.get("KODA_PROGRESS") else {
            return FakeRun {
                takes: Duration::from_secs(u64::from(exec.argv[0] == "node") * 3600),
                ..FakeRun::default()
            };
        };
        let folder = log
            .trim_start_matches("/app/")
            .trim_end_matches("/log.ndjson")
            .to_owned();
        let failing = tries.fetch_add(1, Ordering::SeqCst) < fails;
        let last = if failing {
            json!({"type": "error", "code": "browser_failed", "message": "The browser died."})
        } else {
            files.insert(format!("{folder}/out.mp4"), "video".into());
            json!({"type": "rendered", "width": 1280, "height": 720, "fps": 30, "frames": 60, "duration_seconds": 2.0,
                "capture": "begin-frame", "sha256": "", "seconds": 1.0})
        };
        files.insert(format!("{folder}/log.ndjson"), format!("{{\"type\":\"progress\",\"stage\":\"capture\",\"frame\":1,\"total\":60,\"fps\":9.0,\"seconds_left\":1.0}}\n{last}\n").into());
        FakeRun {
            takes: Duration::from_millis(200),
            code: i32::from(failing),
            ..FakeRun::default()
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_render_is_retried_once_and_its_file_comes_home() {
    let mut setup = setup();
    setup.sandboxes = renders(1);
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    let spec = RenderSpec {
        resolution: Some("720p".parse().unwrap()),
        ..RenderSpec::default()
    };
    let render = bench
        .studio
        .queue_render(&bench.tenant, bench.session, spec)
        .await
        .unwrap();
    assert_eq!((render.frames, render.size.width), (60, 1280));
    let state = bench
        .until("the render", |s| s.renders[0].status.is_final())
        .await;
    let render = &state.renders[0];
    assert_eq!((render.status, render.attempts), (RenderStatus::Ready, 2));
    let output = render.output.as_ref().unwrap();
    assert_eq!(
        (output.bytes, output.filename.as_str()),
        (5, "a-title-v1.mp4")
    );
    let key = koda_domain::objects::ObjectKey::parse(&output.object).unwrap();
    bench
        .studio
        .delete_render(&bench.tenant, bench.session, render.id)
        .await
        .unwrap();
    assert_eq!(
        bench.studio.objects().head(&key).await.unwrap(),
        None,
        "the file outlived its render"
    );
    bench.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_render_that_fails_twice_says_why() {
    let mut setup = setup();
    setup.sandboxes = renders(5);
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    bench
        .studio
        .queue_render(&bench.tenant, bench.session, RenderSpec::default())
        .await
        .unwrap();
    let state = bench
        .until("the render", |s| s.renders[0].status.is_final())
        .await;
    let failure = state.renders[0].failure.as_ref().unwrap();
    assert_eq!(
        (state.renders[0].attempts, failure.code.as_str()),
        (2, "browser_failed")
    );
}
