//! A studio with a scripted model and sandboxes in memory, and what is asked of it.

use koda_agent::{Decision, NewMessage, Studio, StudioOptions, StudioParts};
use koda_domain::{
    Event, EventBody, Ids, ProjectId, SessionId, SessionState, SettingsPatch, TenantId,
    message::Content,
    model::{ModelAnswer, ModelError, ModelRequest},
    project::{Document, Project},
    render::{Render, RenderSpec},
    sandbox::{Exec, SandboxProvider},
    state::Phase,
};
use koda_objects::LocalObjects;
use koda_store::SqliteStore;
use koda_testkit::{
    FakeFiles, FakeRun, FakeSandboxes, ScriptedModel, SeqIds, TestClock, answer, call, say,
};
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

pub const GOOD: &str = r#"{"type":"check","ok":true,"seconds":0.1,"gates":[{"gate":"types","ok":true,"seconds":0.1}],"diagnostics":[]}"#;

pub fn bad(message: &str) -> String {
    json!({"type": "check", "ok": false, "seconds": 0.1, "gates": [], "diagnostics": [{
        "gate": "types", "code": "TS1", "severity": "error", "file": "src/Composition.tsx", "line": 3, "column": 1, "message": message
    }]})
    .to_string()
}

pub fn plan() -> Value {
    json!({
        "title": "A title", "summary": "s", "engine": "remotion",
        "scenes": [{"title": "One", "description": "d", "duration_seconds": 2.0}],
        "design": {"colors": {}, "fonts": {}, "mood": "m"}
    })
}

/// Results since the person or the server last said something.
pub fn results(request: &ModelRequest) -> usize {
    let last = request.messages.last().unwrap().content.iter().rev();
    last.take_while(|c| matches!(c, Content::ToolResult { .. }))
        .count()
}

pub fn last_text(request: &ModelRequest) -> String {
    let mut contents = request.messages.last().unwrap().content.iter().rev();
    let text = contents.find_map(|c| match c {
        Content::Text { text } => Some(text.clone()),
        _ => None,
    });
    text.unwrap_or_default()
}

pub fn unique(name: &str) -> String {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{}", CALLS.fetch_add(1, Ordering::SeqCst))
}

/// A model that plans, writes one file, and finishes; each message's text becomes the file's content.
pub fn obedient(request: &ModelRequest) -> Result<ModelAnswer, ModelError> {
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

pub struct Bench {
    pub studio: Arc<Studio>,
    pub model: Arc<ScriptedModel>,
    pub sandboxes: FakeSandboxes,
    pub session: SessionId,
    pub tenant: TenantId,
}

pub struct Setup {
    pub model: ScriptedModel,
    pub sandboxes: FakeSandboxes,
    pub options: StudioOptions,
}

pub fn checks(report: impl Fn(u32) -> String + Send + Sync + 'static) -> FakeSandboxes {
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

/// Sandboxes where everything passes the check, and whose renderer, given the file that is to hold its last word, does this.
pub fn renderers(
    run: impl Fn(&Exec, &str, &mut FakeFiles) -> FakeRun + Send + Sync + 'static,
) -> FakeSandboxes {
    FakeSandboxes::new(move |exec: &Exec, files| {
        if exec.argv.get(1).is_some_and(|a| a == "check") {
            return FakeRun {
                stdout: GOOD.into(),
                ..FakeRun::default()
            };
        }
        match exec.env.get("KODA_PROGRESS") {
            Some(progress) => run(exec, progress.trim_start_matches("/app/"), files),
            None => FakeRun {
                takes: Duration::from_secs(u64::from(exec.argv[0] == "node") * 3600),
                ..FakeRun::default()
            },
        }
    })
}

pub fn setup() -> Setup {
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

/// A studio of one process; several share a folder, a model and sandboxes.
pub fn studio(
    clock: TestClock,
    data: &Path,
    model: &Arc<ScriptedModel>,
    sandboxes: Arc<dyn SandboxProvider>,
    options: &StudioOptions,
    owner: &str,
) -> Arc<Studio> {
    let clock = Arc::new(clock);
    Studio::new(StudioParts {
        store: Arc::new(SqliteStore::open(&data.join("koda.db")).unwrap()),
        objects: Arc::new(
            LocalObjects::new(data.join("objects"), &[1; 32], clock.clone()).unwrap(),
        ),
        sandboxes,
        model: model.clone(),
        clock,
        ids: Arc::new(RealIds),
        dispatcher: None,
        owner: owner.into(),
        options: options.clone(),
    })
}

pub struct RealIds;

impl Ids for RealIds {
    fn ulid(&self) -> ulid::Ulid {
        ulid::Ulid::generate()
    }
}

pub async fn bench(setup: Setup) -> Bench {
    let sandboxes = Arc::new(setup.sandboxes.clone());
    bench_in(setup, sandboxes).await
}

/// The same with sandboxes of another kind.
pub async fn bench_in(setup: Setup, sandboxes: Arc<dyn SandboxProvider>) -> Bench {
    let data = tempfile::tempdir().unwrap().keep();
    let model = Arc::new(setup.model);
    let (clock, options) = (TestClock::default(), &setup.options);
    let studio = studio(clock, &data, &model, sandboxes, options, "one");
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
    pub fn work(&self) -> CancellationToken {
        let shutdown = CancellationToken::new();
        tokio::spawn(self.studio.clone().run_worker(shutdown.clone()));
        shutdown
    }

    pub async fn say(&self, text: &str) {
        let message = NewMessage {
            text: text.into(),
            ..NewMessage::default()
        };
        self.studio
            .post_message(&self.tenant, self.session, message)
            .await
            .unwrap();
    }

    /// A render by default, which is queued.
    pub async fn queue_render(&self) -> Render {
        self.studio
            .queue_render(&self.tenant, self.session, RenderSpec::default())
            .await
            .unwrap()
    }

    pub async fn state(&self) -> SessionState {
        self.studio
            .store()
            .session_any(self.session)
            .await
            .unwrap()
            .state
    }

    pub async fn log(&self) -> Vec<Event> {
        self.studio
            .store()
            .events(self.session, 0, 1000)
            .await
            .unwrap()
    }

    pub async fn until(&self, what: &str, look: impl Fn(&SessionState) -> bool) -> SessionState {
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

    pub async fn idle(&self) -> SessionState {
        self.until("an idle session", |s| {
            s.turn.is_none() && s.queue.is_empty() && s.outcome.is_some()
        })
        .await
    }

    pub async fn approve(&self) {
        let hash = self.state().await.proposal.unwrap().hash;
        let decision = Decision::Approve { hash, plan: None };
        self.studio
            .decide_plan(&self.tenant, self.session, decision)
            .await
            .unwrap();
    }

    pub async fn built(&self) -> SessionState {
        self.say("make something").await;
        self.until("a plan", |s| s.turn.is_none() && s.proposal.is_some())
            .await;
        self.approve().await;
        self.until("a version", |s| {
            s.turn.is_none() && s.queue.is_empty() && s.phase == Phase::Ready
        })
        .await
    }

    pub async fn assert_whole(&self) {
        // Something may be added between the two reads, such as a sandbox that has become ready.
        let head = self.studio.store().session_any(self.session).await.unwrap();
        let log = self.log().await;
        assert_eq!(
            log.iter().map(|e| e.seq).collect::<Vec<_>>(),
            (1..=log.len() as u64).collect::<Vec<_>>()
        );
        let mut folded = SessionState::default();
        for event in log.iter().filter(|event| event.seq <= head.seq) {
            folded.apply(event.seq, event.at, event.turn_id, &event.body);
        }
        assert_eq!(folded, head.state);
    }
}

pub fn count(log: &[Event], is: impl Fn(&EventBody) -> bool) -> usize {
    log.iter().filter(|e| is(&e.body)).count()
}

/// Waits until something is so.
pub async fn soon(mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("waited in vain");
}
