//! Renders at the walls of a real sandbox: a renderer that takes too much of one, or does not end when it is asked to.

use crate::room::*;
use koda_domain::{
    Engine, RenderId,
    format::Resolution,
    render::{Format, Quality, Render, RenderSpec, RenderStatus},
    sandbox::{ProcessName, ProcessStatus, SandboxLimits, SandboxProvider},
};
use koda_sandbox::{
    conformance::skip,
    local::{LocalConfig, LocalProvider},
};
use koda_testkit::TestClock;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

/// What stands in for the renderer: it fills its memory in high, its disk in standard, and is deaf to signals in draft. Only a GIF
/// is made.
const RENDERER: &str = r#"#!/bin/sh
asked="$*"
if [ "$1" = check ]; then
  echo '{"type":"check","ok":true,"seconds":0.1,"gates":[],"diagnostics":[]}'
  exit
fi
while [ "$1" != --out ]; do shift; done
folder=$(dirname "$2")
case "$asked" in
*"--format gif"*)
  echo video > "$2"
  echo '{"type":"rendered","width":480,"height":480,"fps":30,"frames":60,"duration_seconds":2,"capture":"pixels","sha256":"","seconds":1}' > "$KODA_PROGRESS" ;;
*"--quality high"*)
  exec node -e 'const a=[];setInterval(()=>a.push(Buffer.alloc(16<<20,1)),20)' ;;
*"--quality standard"*)
  i=0; while :; do head -c 4000000 /dev/zero > "$folder/$i"; i=$((i+1)); sleep 0.02; done ;;
*)
  trap '' TERM; while :; do sleep 0.1; done ;;
esac
"#;

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The supervisor, which `make test` builds beside this program.
fn supervisor() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("koda-sandboxd")
}

fn provider(folder: &Path) -> LocalProvider {
    let template = folder.join("template");
    put(&template.join("koda.json"), "{}");
    put(&template.join("node_modules/x/index.js"), "");
    let capture = folder.join("koda-capture");
    put(&capture, RENDERER);
    fs::set_permissions(&capture, fs::Permissions::from_mode(0o755)).unwrap();
    let config = LocalConfig {
        root: folder.join("sandboxes"),
        templates: BTreeMap::from([(Engine::Remotion, template)]),
        sandboxd: supervisor(),
        capture,
        max_sandboxes: 1,
    };
    LocalProvider::new(config, Arc::new(TestClock::default()))
}

async fn queue(bench: &Bench, format: Format, quality: Quality) -> RenderId {
    let spec = RenderSpec {
        format,
        quality,
        resolution: Some(Resolution::Hd),
        ..RenderSpec::default()
    };
    let queued = bench
        .studio
        .queue_render(&bench.tenant, bench.session, spec);
    queued.await.unwrap().id
}

async fn ended(bench: &Bench, id: RenderId) -> Render {
    let state = bench
        .until("the render", |s| s.render(id).unwrap().status.is_final())
        .await;
    state.render(id).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_meets_a_limit_says_which_what_is_deaf_is_ended_and_the_next_render_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let sandboxes = Arc::new(provider(folder.path()));
    if let Err(why) = sandboxes.ready().await {
        return skip("renders at the walls of a sandbox", &why.to_string());
    }
    let mut setup = setup();
    setup.options.idle = Duration::from_secs(60);
    setup.options.limits = SandboxLimits {
        memory: 384 << 20,
        disk: 192 << 20,
        ..SandboxLimits::default()
    };
    let bench = bench_in(setup, sandboxes.clone()).await;
    let work = bench.work();
    bench.built().await;

    let full = queue(&bench, Format::Mp4, Quality::High).await;
    let full = ended(&bench, full).await;
    let failure = full.failure.unwrap();
    assert_eq!((failure.code.as_str(), full.attempts), ("out_of_memory", 2));
    let words = "more than the 384 MB of memory";
    assert!(failure.message.contains(words), "{}", failure.message);

    let full = queue(&bench, Format::Mp4, Quality::Standard).await;
    let full = ended(&bench, full).await;
    let failure = full.failure.unwrap();
    assert_eq!((failure.code.as_str(), full.attempts), ("out_of_space", 1));
    let words = "more than the 192 MB of disk";
    assert!(failure.message.contains(words), "{}", failure.message);

    let deaf = queue(&bench, Format::Mp4, Quality::Draft).await;
    let sandbox = bench.state().await.sandbox.unwrap().id.unwrap();
    let name = ProcessName::new(deaf.to_string());
    let runs = async || {
        let status = sandboxes.process(&sandbox, &name).await.unwrap();
        status == ProcessStatus::Running
    };
    soon(&runs).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let began = Instant::now();
    let cancelled = bench
        .studio
        .cancel_render(&bench.tenant, bench.session, deaf);
    cancelled.await.unwrap();
    assert_eq!(ended(&bench, deaf).await.status, RenderStatus::Cancelled);
    assert!(began.elapsed() < Duration::from_secs(1), "told too late");
    soon(async || !runs().await).await;
    let took = began.elapsed();
    // It hears nothing, and is killed after its time to clean up.
    assert!(took < Duration::from_secs(3), "it ran on for {took:?}");

    let next = queue(&bench, Format::Gif, Quality::Draft).await;
    let next = ended(&bench, next).await;
    assert_eq!(next.status, RenderStatus::Ready, "{:?}", next.failure);
    let now = bench.state().await.sandbox.unwrap().id;
    assert_eq!(now, Some(sandbox.clone()), "all of them in one sandbox");
    work.cancel();
    sandboxes.destroy(&sandbox).await.unwrap();
}
