//! How a render fails: every end of its renderer has a code of its own, and is tried again only where that may help.

use crate::room::*;
use koda_domain::{
    render::{Render, RenderFailure, RenderStatus},
    sandbox::EndedBy,
};
use koda_testkit::{FakeFiles, FakeRun};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// An end of a renderer: what it says last, its exit code, and what ended it.
#[derive(Clone)]
struct End {
    says: Value,
    code: i32,
    by: Option<EndedBy>,
}

/// Killed before it could say anything.
fn killed(by: EndedBy) -> End {
    End {
        says: json!({"type": "progress", "stage": "capture", "frame": 1, "total": 60, "fps": 9.0, "seconds_left": 1.0}),
        code: 137,
        by: Some(by),
    }
}

fn failed(code: &str) -> End {
    End {
        says: json!({"type": "error", "code": code, "message": "It went wrong."}),
        code: 1,
        by: None,
    }
}

/// The render whose renderer ends so, attempt after attempt, and how many browsers each was told to start at most.
async fn rendered(ends: Vec<Option<End>>) -> (Render, Vec<Option<String>>) {
    let browsers = Arc::new(Mutex::new(Vec::new()));
    let seen = browsers.clone();
    let mut setup = setup();
    setup.sandboxes = renderers(move |exec, progress, files| {
        let mut runs = seen.lock().unwrap();
        let end = ends[runs.len().min(ends.len() - 1)].clone();
        let at = exec.argv.iter().position(|it| it == "--browsers");
        runs.push(at.map(|at| exec.argv[at + 1].clone()));
        let Some(end) = end else {
            return made(progress, files);
        };
        files.insert(progress.to_owned(), end.says.to_string().into());
        FakeRun {
            takes: Duration::from_millis(50),
            code: end.code,
            ended_by: end.by,
            ..FakeRun::default()
        }
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    bench.queue_render().await;
    let state = bench
        .until("the render", |s| s.renders[0].status.is_final())
        .await;
    bench.assert_whole().await;
    let browsers = browsers.lock().unwrap().clone();
    (state.renders[0].clone(), browsers)
}

fn made(progress: &str, files: &mut FakeFiles) -> FakeRun {
    let (folder, _) = progress.rsplit_once('/').unwrap();
    files.insert(format!("{folder}/out.mp4"), "video".into());
    let said = json!({"type": "rendered", "width": 1280, "height": 720, "fps": 30, "frames": 60, "duration_seconds": 2.0,
        "capture": "pixels", "sha256": "", "seconds": 1.0});
    files.insert(progress.to_owned(), said.to_string().into());
    FakeRun::default()
}

/// How it failed, and after how many attempts.
fn failure(render: &Render) -> (&RenderFailure, u32) {
    assert_eq!(render.status, RenderStatus::Failed);
    let failure = render.failure.as_ref().unwrap();
    assert!(RenderFailure::CODES.contains(&failure.code.as_str()));
    (failure, render.attempts)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_would_only_be_met_again_is_told_at_once_with_what_to_do() {
    for (by, code, advice) in [
        (EndedBy::Disk, "out_of_space", "shorter range"),
        (EndedBy::Deadline, "out_of_time", "a part of the animation"),
    ] {
        let (render, _) = rendered(vec![Some(killed(by))]).await;
        let (failure, attempts) = failure(&render);
        assert_eq!((failure.code.as_str(), attempts), (code, 1));
        assert!(failure.message.contains(advice), "{}", failure.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_too_much_for_several_browsers_is_tried_with_one_and_then_told() {
    let alone = [None, Some("1".to_owned())];
    for (by, code, advice) in [
        (EndedBy::Memory, "out_of_memory", "lower resolution"),
        (EndedBy::Pids, "out_of_processes", "nothing else is at work"),
    ] {
        let (render, browsers) = rendered(vec![Some(killed(by)), None]).await;
        assert_eq!((render.status, render.attempts), (RenderStatus::Ready, 2));
        assert_eq!(browsers, alone);
        let (render, browsers) = rendered(vec![Some(killed(by))]).await;
        let (failure, attempts) = failure(&render);
        assert_eq!((failure.code.as_str(), attempts), (code, 2));
        assert!(failure.message.contains(advice), "{}", failure.message);
        let words = "even with one browser";
        assert!(failure.message.contains(words), "{}", failure.message);
        assert_eq!(browsers, alone);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_the_kernel_ended_for_its_memory_is_told_as_that() {
    for code in ["browser_failed", "encoder_failed"] {
        let end = End {
            by: Some(EndedBy::Memory),
            ..failed(code)
        };
        let (render, browsers) = rendered(vec![Some(end)]).await;
        assert_eq!(failure(&render).0.code, "out_of_memory");
        assert_eq!(browsers, [None, Some("1".to_owned())]);
    }
    // What is the composition's own fault stays that.
    let end = End {
        by: Some(EndedBy::Memory),
        ..failed("page_failed")
    };
    let (render, _) = rendered(vec![Some(end)]).await;
    let (failure, attempts) = failure(&render);
    assert_eq!((failure.code.as_str(), attempts), ("page_failed", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renderer_that_ends_without_a_word_is_tried_again_with_one_browser() {
    let end = End {
        by: None,
        ..killed(EndedBy::Kill)
    };
    let (render, browsers) = rendered(vec![Some(end)]).await;
    let (failure, attempts) = failure(&render);
    assert_eq!((failure.code.as_str(), attempts), ("renderer_ended", 2));
    let words = "Export again";
    assert!(failure.message.contains(words), "{}", failure.message);
    assert_eq!(browsers, [None, Some("1".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_not_of_the_list_is_not_told() {
    let (render, _) = rendered(vec![Some(failed("made_up"))]).await;
    let (failure, attempts) = failure(&render);
    assert_eq!((failure.code.as_str(), attempts), ("renderer_failed", 1));
    assert_eq!(failure.message, "It went wrong.");
}
