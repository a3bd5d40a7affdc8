//! Renders: begun again once, then told.

use crate::room::*;
use koda_domain::render::{RenderSpec, RenderStatus};
use koda_testkit::{FakeRun, FakeSandboxes};
use serde_json::json;
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

fn renders(fails: u32) -> FakeSandboxes {
    let tries = AtomicU32::new(0);
    renderers(move |_, progress, files| {
        let folder = progress.trim_end_matches("/progress.json");
        let failing = tries.fetch_add(1, Ordering::SeqCst) < fails;
        let last = if failing {
            json!({"type": "error", "code": "browser_failed", "message": "The browser died."})
        } else {
            files.insert(format!("{folder}/out.mp4"), "video".into());
            json!({"type": "rendered", "width": 1280, "height": 720, "fps": 30, "frames": 60, "duration_seconds": 2.0,
                "capture": "begin-frame", "sha256": "", "seconds": 1.0})
        };
        files.insert(format!("{folder}/progress.json"), format!("{{\"type\":\"progress\",\"stage\":\"capture\",\"frame\":1,\"total\":60,\"fps\":9.0,\"seconds_left\":1.0}}\n{last}\n").into());
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
    bench.queue_render().await;
    let state = bench
        .until("the render", |s| s.renders[0].status.is_final())
        .await;
    let failure = state.renders[0].failure.as_ref().unwrap();
    assert_eq!(
        (state.renders[0].attempts, failure.code.as_str()),
        (2, "browser_failed")
    );
}
