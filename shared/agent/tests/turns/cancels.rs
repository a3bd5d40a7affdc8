//! Renders that are cancelled: whatever they are at, they are told of as cancelled within a second, and nothing of them is left.

use crate::{room::*, shares::long};
use koda_domain::{
    EventBody, WorkPath,
    event::SandboxStatus,
    objects::ObjectKey,
    render::{Render, RenderStatus},
    sandbox::{FileWrite, SandboxProvider},
};
use koda_testkit::{FakeFiles, FakeRun, FakeSandboxes};
use serde_json::json;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// A renderer that is done at once.
fn done() -> FakeSandboxes {
    renderers(|_, progress, files| {
        made(progress, files);
        FakeRun::default()
    })
}

/// A renderer that begins so and draws for an hour, the first time, and is done at once later.
fn at_first(begin: impl Fn(&str, &mut FakeFiles) + Send + Sync + 'static) -> FakeSandboxes {
    let first = AtomicBool::new(true);
    renderers(move |_, progress, files| {
        if !first.swap(false, Ordering::SeqCst) {
            made(progress, files);
            return FakeRun::default();
        }
        begin(progress, files);
        FakeRun {
            takes: HOUR,
            ..FakeRun::default()
        }
    })
}

fn made(progress: &str, files: &mut FakeFiles) {
    let (folder, _) = progress.rsplit_once('/').unwrap();
    files.insert(format!("{folder}/out.mp4"), "video".into());
    files.insert(format!("{folder}/poster.png"), "poster".into());
    let said = json!({"type": "rendered", "width": 1280, "height": 720, "fps": 30, "frames": 60, "duration_seconds": 2.0,
        "capture": "pixels", "sha256": "", "seconds": 1.0, "poster": format!("/app/{folder}/poster.png")});
    files.insert(progress.to_owned(), said.to_string().into());
}

/// Cancels it; it must be told of as cancelled within a second.
async fn cancel(bench: &Bench, render: &Render) {
    let began = Instant::now();
    let cancelled = bench
        .studio
        .cancel_render(&bench.tenant, bench.session, render.id);
    let status = cancelled.await.unwrap().status;
    assert_eq!(status, RenderStatus::Running, "it is at work");
    bench
        .until("its end", |s| {
            s.render(render.id).unwrap().status.is_final()
        })
        .await;
    assert!(began.elapsed() < SECOND, "{:?}", began.elapsed());
    let state = bench.state().await;
    let status = state.render(render.id).unwrap().status;
    assert_eq!(status, RenderStatus::Cancelled);
}

/// Nothing of it is left, nothing more is told of it, and the sandbox can be used: another render of it is ready.
async fn assert_undone(bench: &Bench, sandboxes: &FakeSandboxes, render: &Render) {
    let next = bench.queue_render().await;
    let state = bench
        .until("the next render", |s| {
            s.render(next.id).unwrap().status.is_final()
        })
        .await;
    let next = state.render(next.id).unwrap();
    assert_eq!(next.status, RenderStatus::Ready, "{:?}", next.failure);
    assert!(!sandboxes.runs(&render.id.to_string()));
    let owned = sandboxes.owned().await.unwrap();
    assert_eq!(
        owned.len(),
        1,
        "the session's own sandbox is there: {owned:?}"
    );
    let sandbox = state.sandbox.as_ref().unwrap();
    let known = (sandbox.status, sandbox.id.as_ref());
    assert_eq!(known, (SandboxStatus::Ready, Some(&owned[0].id)));
    let files = sandboxes.list(&owned[0].id, None).await.unwrap();
    let folder = format!(".koda/renders/{}", render.id);
    assert!(files.iter().all(|file| !file.path.starts_with(&folder)));
    for file in ["mp4", "poster.png", "part-00000.mp4", "part-00000.json"] {
        let key = ObjectKey::render(&bench.tenant, render.id, file);
        assert_eq!(bench.studio.objects().head(&key).await.unwrap(), None);
    }
    let log = bench.log().await;
    let own = log.iter().filter_map(|event| match &event.body {
        EventBody::RenderStarted { render_id, .. }
        | EventBody::RenderShared { render_id, .. }
        | EventBody::RenderProgressed { render_id, .. }
        | EventBody::RenderReady { render_id, .. }
        | EventBody::RenderFailed { render_id, .. }
        | EventBody::RenderCancelRequested { render_id }
        | EventBody::RenderCancelled { render_id } => {
            (*render_id == render.id).then_some(&event.body)
        }
        _ => None,
    });
    let own: Vec<_> = own.collect();
    let [
        ..,
        EventBody::RenderCancelRequested { .. },
        EventBody::RenderCancelled { .. },
    ] = own[..]
    else {
        panic!("more was told of it: {own:#?}");
    };
    bench.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_render_is_cancelled_at_once_while_its_sandbox_is_made_and_the_session_keeps_that() {
    let mut setup = setup();
    setup.sandboxes = done().starting_in(3 * SECOND / 2);
    let sandboxes = setup.sandboxes.clone();
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    sandboxes.lose_all();
    let render = bench.queue_render().await;
    bench
        .until("a sandbox that starts", |s| {
            s.sandbox.as_ref().unwrap().status == SandboxStatus::Starting
        })
        .await;
    cancel(&bench, &render).await;
    assert_eq!(sandboxes.owned().await.unwrap(), [], "it is being made");
    assert_undone(&bench, &sandboxes, &render).await;
    assert_eq!(sandboxes.made(), 2, "the one that was begun is used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_render_is_cancelled_at_once_while_its_helpers_are_made_and_they_are_ended() {
    let mut setup = setup();
    long(&mut setup);
    setup.options.render_sandboxes = 3;
    setup.sandboxes = renderers(|exec, progress, files| {
        if !exec.argv.contains(&"--share".to_owned()) {
            made(progress, files);
            return FakeRun::default();
        }
        FakeRun {
            takes: HOUR,
            ..FakeRun::default()
        }
    })
    .starting_in(3 * SECOND / 2);
    let sandboxes = setup.sandboxes.clone();
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    let render = bench.queue_render().await;
    let name = render.id.to_string();
    soon(async || sandboxes.runs(&name)).await;
    let began = Instant::now();
    cancel(&bench, &render).await;
    assert_eq!(
        sandboxes.owned().await.unwrap().len(),
        1,
        "they are being made"
    );
    soon(async || !sandboxes.runs(&name)).await;
    assert!(began.elapsed() < SECOND, "{:?}", began.elapsed());
    soon(async || sandboxes.made() == 3 && sandboxes.owned().await.unwrap().len() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_render_is_cancelled_at_once_while_it_draws() {
    let mut setup = setup();
    setup.sandboxes = at_first(|_, _| {});
    let sandboxes = setup.sandboxes.clone();
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    let render = bench.queue_render().await;
    let name = render.id.to_string();
    soon(async || sandboxes.runs(&name)).await;
    let began = Instant::now();
    cancel(&bench, &render).await;
    soon(async || !sandboxes.runs(&name)).await;
    assert!(began.elapsed() < SECOND, "{:?}", began.elapsed());
    assert_undone(&bench, &sandboxes, &render).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renderer_that_says_much_is_ended_whoever_sees_first_that_it_is_cancelled() {
    let mut setup = setup();
    setup.sandboxes = renderers(|_, _, _| FakeRun {
        takes: HOUR,
        ..FakeRun::default()
    });
    let sandboxes = setup.sandboxes.clone();
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    let id = bench.state().await.sandbox.unwrap().id.unwrap();
    for wait in 0..10 {
        let render = bench.queue_render().await;
        let name = render.id.to_string();
        soon(async || sandboxes.runs(&name)).await;
        let path = format!(".koda/renders/{}/progress.json", render.id);
        let path = WorkPath::parse(&path).unwrap();
        // A frame more at every look, each of which is about to be told of.
        let frames = async {
            for frame in 0.. {
                let said = json!({"type": "progress", "stage": "capture", "frame": frame, "total": 60, "fps": 9.0,
                    "seconds_left": 1.0});
                let bytes = said.to_string().into();
                let path = path.clone();
                let file = FileWrite { path, bytes };
                sandboxes.write(&id, vec![file]).await.unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            () = frames => {}
            () = async {
                // Looks and news have rhythms of their own.
                tokio::time::sleep(Duration::from_millis(wait * 40)).await;
                cancel(&bench, &render).await;
            } => {}
        }
        soon(async || !sandboxes.runs(&name)).await;
    }
    bench.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_render_is_cancelled_at_once_while_its_file_comes_home_and_the_half_of_it_goes() {
    let mut setup = setup();
    setup.sandboxes = done().reading_in(3 * SECOND / 2);
    let sandboxes = setup.sandboxes.clone();
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    let render = bench.queue_render().await;
    bench
        .until("an upload", |s| {
            let progress = s.render(render.id).unwrap().progress.as_ref();
            progress.is_some_and(|progress| progress.stage == "upload")
        })
        .await;
    tokio::time::sleep(SECOND / 4).await;
    cancel(&bench, &render).await;
    assert_undone(&bench, &sandboxes, &render).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_render_is_cancelled_at_once_while_a_part_of_it_comes_home() {
    let mut setup = setup();
    long(&mut setup);
    setup.sandboxes = at_first(|progress, files| {
        let (folder, _) = progress.rsplit_once('/').unwrap();
        files.insert(format!("{folder}/parts/00000.mp4"), "part".into());
        files.insert(format!("{folder}/parts/00000.json"), "{}".into());
        let said = json!({"type": "progress", "stage": "capture", "frame": 240, "total": 600, "fps": 9.0,
            "seconds_left": 40.0, "parts": [0]});
        files.insert(progress.to_owned(), said.to_string().into());
    })
    .reading_in(3 * SECOND / 2);
    let sandboxes = setup.sandboxes.clone();
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    let render = bench.queue_render().await;
    let name = render.id.to_string();
    soon(async || sandboxes.runs(&name)).await;
    tokio::time::sleep(SECOND / 2).await;
    cancel(&bench, &render).await;
    assert_undone(&bench, &sandboxes, &render).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_home_whole_goes_where_its_render_is_cancelled_before_it_is_ready() {
    let mut setup = setup();
    setup.sandboxes = done().reading_in(SECOND);
    let sandboxes = setup.sandboxes.clone();
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    let render = bench.queue_render().await;
    let film = ObjectKey::render(&bench.tenant, render.id, "mp4");
    // Its poster is on the way then.
    soon(async || bench.studio.objects().head(&film).await.unwrap().is_some()).await;
    cancel(&bench, &render).await;
    assert_undone(&bench, &sandboxes, &render).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_render_is_ready_after_somebody_has_cancelled_it() {
    let mut setup = setup();
    setup.sandboxes = done().reading_in(SECOND / 10);
    let sandboxes = setup.sandboxes.clone();
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    for milliseconds in (0..400).step_by(20) {
        let render = bench.queue_render().await;
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        let cancelled = bench
            .studio
            .cancel_render(&bench.tenant, bench.session, render.id);
        let asked = cancelled.await.unwrap().cancel_requested;
        let state = bench
            .until("its end", |s| {
                s.render(render.id).unwrap().status.is_final()
            })
            .await;
        let status = state.render(render.id).unwrap().status;
        let expected = if asked {
            RenderStatus::Cancelled
        } else {
            RenderStatus::Ready
        };
        assert_eq!(status, expected, "after {milliseconds} ms");
        soon(async || !sandboxes.runs(&render.id.to_string())).await;
    }
    let log = bench.log().await;
    for (at, event) in log.iter().enumerate() {
        let EventBody::RenderCancelled { render_id: over } = event.body else {
            continue;
        };
        let again = log[at + 1..].iter().any(|event| {
            matches!(event.body, EventBody::RenderStarted { render_id, .. } | EventBody::RenderReady { render_id, .. }
                if render_id == over)
        });
        assert!(!again, "{over} goes on after its end");
    }
}
