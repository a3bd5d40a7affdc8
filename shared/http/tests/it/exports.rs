//! Exports: what is asked of them, what they say meanwhile, and the files that they leave.

use crate::support::{App, app_of};
use axum::http::StatusCode;
use koda_domain::{
    EventBody, SessionId,
    dispatch::Errand,
    model::{ModelAnswer, ModelError, ModelRequest},
    sandbox::Exec,
};
use koda_testkit::{FakeFiles, FakeRun, FakeSandboxes, ScriptedModel, answer, call};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const GOOD: &str = r#"{"type":"check","ok":true,"seconds":0.1,"gates":[{"gate":"types","ok":true,"seconds":0.1}],"diagnostics":[]}"#;
/// More than is ever read into memory of a picture.
const LARGE: usize = 33 << 20;

/// Plans two seconds, writes a file, and finishes.
fn model(request: &ModelRequest) -> Result<ModelAnswer, ModelError> {
    let wrote = format!("{:?}", request.messages).contains("write-1");
    Ok(answer(vec![match request.pinned["phase"].as_str() {
        Some("plan") => call(
            "plan-1",
            "propose_plan",
            json!({"title": "A title", "summary": "s", "engine": "remotion",
                "scenes": [{"title": "One", "description": "d", "duration_seconds": 2.0}],
                "design": {"colors": {}, "fonts": {}, "mood": "m"}}),
        ),
        _ if wrote => call("finish-1", "finish", json!({"summary": "Done"})),
        _ => call(
            "write-1",
            "write_file",
            json!({"path": "src/Composition.tsx", "content": "export default () => null;"}),
        ),
    }]))
}

/// A renderer that makes what it is asked for, with a large poster, if any.
fn renders(exec: &Exec, files: &mut FakeFiles, poster: bool) {
    let option = |name: &str| {
        let at = exec.argv.iter().position(|it| it == name).unwrap();
        exec.argv[at + 1].clone()
    };
    let below = |path: &str| path.trim_start_matches("/app/").to_owned();
    files.insert(below(&option("--out")), "film".into());
    let mut last = json!({"type": "rendered", "width": 1280, "height": 720, "fps": option("--fps").parse::<f64>().unwrap(),
        "frames": 100, "duration_seconds": 2.0, "capture": "pixels", "sha256": "", "seconds": 1.0});
    if poster {
        files.insert(below(&option("--poster")), vec![7; LARGE].into());
        last["poster"] = option("--poster").into();
    }
    files.insert(below(&exec.env["KODA_PROGRESS"]), last.to_string().into());
}

/// An animation of 60 frames a second with a version, and where its renders are.
async fn built(poster: bool) -> (App, SessionId, String) {
    let sandboxes =
        FakeSandboxes::new(
            move |exec, files| match exec.argv.get(1).map(String::as_str) {
                Some("check") => FakeRun {
                    stdout: GOOD.into(),
                    ..FakeRun::default()
                },
                Some("render") => {
                    renders(exec, files, poster);
                    FakeRun::default()
                }
                _ => FakeRun {
                    takes: Duration::from_secs(u64::from(exec.argv[0] == "node") * 3600),
                    ..FakeRun::default()
                },
            },
        );
    let app = app_of(ScriptedModel::new(model), sandboxes);
    let (_, session) = app.session().await;
    let at = format!("/api/v1/sessions/{session}");
    let settings = json!({"fps": 60, "auto_approve": true});
    let patched = app
        .call(
            axum::http::Method::PATCH,
            &format!("{at}/settings"),
            Some(settings),
        )
        .await;
    assert_eq!(patched.status, StatusCode::OK);
    app.post(&format!("{at}/messages"), json!({"text": "hello"}))
        .await;
    work(&app, session).await;
    (app, session, format!("{at}/renders"))
}

async fn work(app: &App, session: SessionId) {
    let errand = Errand {
        session,
        refresh: false,
    };
    let studio = app.state.studio.clone();
    Box::pin(studio.run_errand(errand, CancellationToken::new())).await;
}

/// The render once it is over.
async fn ended(app: &App, session: SessionId, path: &str, spec: Value) -> Value {
    let asked = app.post(path, spec).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.json());
    work(app, session).await;
    let id = asked.json()["id"].as_str().unwrap().to_owned();
    let render = app.get(&format!("{path}/{id}")).await.json();
    assert_eq!(render["status"], "ready", "{render}");
    render
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gif_of_a_fast_animation_comes_at_fifty_and_more_is_refused_with_what_to_do() {
    let (app, session, path) = built(true).await;
    let refused = app.post(&path, json!({"format": "gif", "fps": 60})).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::UNPROCESSABLE_ENTITY, "invalid".into())
    );
    let details = &refused.json()["error"]["details"];
    assert_eq!(details[0]["field"], "fps", "{details}");
    let told = details[0]["message"].as_str().unwrap();
    assert!(told.contains("ask for 50 or fewer"), "{told}");

    let gif = ended(&app, session, &path, json!({"format": "gif"})).await;
    assert_eq!((&gif["fps"], &gif["frames"]), (&json!(50), &json!(100)));
    assert_eq!(
        gif["output"]["fps"], 50.0,
        "what the renderer was asked for"
    );
    let film = ended(&app, session, &path, json!({})).await;
    assert_eq!((&film["fps"], &film["frames"]), (&json!(60), &json!(120)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_render_says_that_it_is_stored_and_leaves_a_poster_however_large() {
    let (app, session, path) = built(true).await;
    let render = ended(&app, session, &path, json!({})).await;
    let store = app.state.studio.store();
    let log = store.events(session, 0, 1000).await.unwrap();
    let stages = log.iter().filter_map(|event| match &event.body {
        EventBody::RenderProgressed { progress, .. } => Some(progress.stage.as_str()),
        _ => None,
    });
    assert_eq!(stages.collect::<Vec<_>>(), ["upload"]);
    assert!(render["output"]["poster"].is_string(), "{render}");
    let id = render["id"].as_str().unwrap();
    let link = app.get(&format!("{path}/{id}/poster")).await;
    assert_eq!(link.status, StatusCode::TEMPORARY_REDIRECT);
    let picture = app.get(link.headers["location"].to_str().unwrap()).await;
    assert_eq!(picture.status, StatusCode::OK);
    let kind = picture.headers["content-type"].to_str().unwrap();
    assert!(kind.starts_with("image/"), "{kind}");
    assert_eq!(picture.bytes, vec![7; LARGE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_whose_poster_is_lost_is_there_all_the_same() {
    let (app, session, path) = built(false).await;
    let render = ended(&app, session, &path, json!({})).await;
    assert_eq!(render["output"]["poster"], Value::Null);
    let id = render["id"].as_str().unwrap();
    let none = app.get(&format!("{path}/{id}/poster")).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    let link = app.get(&format!("{path}/{id}/file")).await;
    let film = app.get(link.headers["location"].to_str().unwrap()).await;
    assert_eq!(film.bytes, b"film");
}
