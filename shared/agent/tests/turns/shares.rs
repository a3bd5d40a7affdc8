//! Long renders: drawn by several sandboxes, and gone on with where one was lost.

use crate::room::*;
use koda_domain::{
    objects::{ObjectKey, read_all},
    render::{Render, RenderStatus},
    sandbox::SandboxProvider,
};
use koda_testkit::{FakeFiles, FakeRun, FakeSandboxes, ScriptedModel, answer, call, say};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// A model whose film lasts twenty seconds: three parts.
pub fn long(setup: &mut Setup) {
    setup.model = ScriptedModel::new(|request| {
        if request.pinned["phase"] == "plan" {
            let mut plan = plan();
            plan["scenes"][0]["duration_seconds"] = json!(20.0);
            return Ok(answer(vec![
                say("Here is a plan."),
                call(&unique("plan"), "propose_plan", plan),
            ]));
        }
        obedient(request)
    });
}

/// A renderer's run: where its files are, and which share of how many it is to draw.
struct Job<'a> {
    folder: String,
    last: String,
    share: Option<(usize, usize)>,
    files: &'a mut FakeFiles,
}

impl Job<'_> {
    fn has(&self, part: usize) -> bool {
        self.files
            .contains_key(&format!("{}/parts/{part:05}.mp4", self.folder))
    }

    fn draw(&mut self, part: usize) {
        let at = format!("{}/parts/{part:05}", self.folder);
        self.files
            .insert(format!("{at}.mp4"), format!("part {part}").into());
        self.files.insert(format!("{at}.json"), "{}".into());
    }

    fn whole(&self) -> Vec<usize> {
        (0..3).filter(|part| self.has(*part)).collect()
    }

    fn says(&mut self, last: Value) {
        let at = format!("{}/{}", self.folder, self.last);
        self.files.insert(at, last.to_string().into());
    }

    fn made(&mut self) {
        self.files
            .insert(format!("{}/out.mp4", self.folder), "video".into());
        self.says(json!({"type": "rendered", "width": 1280, "height": 720, "fps": 30, "frames": 600, "duration_seconds": 20.0,
            "capture": "pixels", "sha256": "", "seconds": 1.0}));
    }
}

fn renderer(run: impl Fn(Job<'_>) -> FakeRun + Send + Sync + 'static) -> FakeSandboxes {
    renderers(move |exec, progress, files| {
        let option = |name: &str| {
            let at = exec.argv.iter().position(|it| it == name)?;
            exec.argv.get(at + 1).cloned()
        };
        let (folder, last) = progress.rsplit_once('/').unwrap();
        let (folder, last) = (folder.to_owned(), last.to_owned());
        let parts = option("--parts");
        assert_eq!(parts, Some(format!("/app/{folder}/parts")));
        let share = option("--share").map(|share| {
            let (index, of) = share.split_once('/').unwrap();
            (index.parse().unwrap(), of.parse().unwrap())
        });
        run(Job {
            folder,
            last,
            share,
            files,
        })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_sandbox_costs_no_more_than_the_part_it_was_at() {
    let found = Arc::new(Mutex::new(Vec::new()));
    let mut setup = setup();
    long(&mut setup);
    let seen = found.clone();
    setup.sandboxes = renderer(move |mut job| {
        let mut runs = seen.lock().unwrap();
        runs.push(job.whole());
        let part = runs.len() - 1;
        if part == 3 {
            job.made();
            return FakeRun::default();
        }
        job.draw(part);
        let whole = job.whole();
        job.says(
            json!({"type": "progress", "stage": "capture", "frame": 240, "total": 600, "fps": 9.0,
            "seconds_left": 40.0, "parts": whole}),
        );
        FakeRun {
            takes: Duration::from_secs(3600),
            ..FakeRun::default()
        }
    });
    let (bench, sandboxes, render) = rendering(setup).await;
    let _work = bench.work();
    assert_eq!((render.frames, render.parts()), (600, 3));
    let account =
        |part: u32| ObjectKey::render(&bench.tenant, render.id, &format!("part-{part:05}.json"));
    for part in 0..3 {
        soon(async || {
            let home = bench.studio.objects().head(&account(part)).await.unwrap();
            home.is_some()
        })
        .await;
        sandboxes.lose_all();
    }
    let render = ended(&bench).await;
    assert_eq!(
        (render.status, render.attempts),
        (RenderStatus::Ready, 4),
        "{:?}",
        render.failure
    );
    let runs = found.lock().unwrap().clone();
    assert_eq!(
        runs,
        [vec![], vec![0], vec![0, 1], vec![0, 1, 2]],
        "each begins with what the others had made whole"
    );
    // The end is told first, and then what it was made of goes.
    for part in 0..3 {
        soon(async || {
            let left = bench.studio.objects().head(&account(part)).await.unwrap();
            left.is_none()
        })
        .await;
    }
    bench.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_sandboxes_draw_a_long_render_and_one_joins_it() {
    let mut setup = setup();
    long(&mut setup);
    setup.options.render_sandboxes = 2;
    setup.sandboxes = renderer(|mut job| {
        let Some((index, of)) = job.share else {
            let code = i32::from(job.whole() != [0, 1, 2]);
            job.made();
            return FakeRun {
                code,
                ..FakeRun::default()
            };
        };
        for part in 3 * index / of..3 * (index + 1) / of {
            job.draw(part);
        }
        let whole = job.whole();
        job.says(json!({"type": "drawn", "parts": whole, "frames": 300, "seconds": 1.0}));
        FakeRun {
            takes: Duration::from_millis(300),
            ..FakeRun::default()
        }
    });
    let (bench, sandboxes, _) = rendering(setup).await;
    let _work = bench.work();
    let render = ended(&bench).await;
    assert_eq!(
        (render.status, render.attempts, render.helpers.len()),
        (RenderStatus::Ready, 1, 1),
        "{:?}",
        render.failure
    );
    let output = render.output.as_ref().unwrap();
    assert_eq!(output.sandboxes, 2);
    let key = ObjectKey::parse(&output.object).unwrap();
    let file = read_all(bench.studio.objects(), &key, 100).await.unwrap();
    assert_eq!(file, "video");
    let left = sandboxes.owned().await.unwrap();
    assert_eq!(
        left.iter().map(|it| it.place).collect::<Vec<_>>(),
        [0],
        "the helper is gone"
    );
    bench.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_whose_sandbox_is_lost_is_drawn_by_the_sessions_own() {
    let mut setup = setup();
    long(&mut setup);
    setup.options.render_sandboxes = 3;
    setup.sandboxes = renderer(|mut job| match job.share {
        None => {
            let missing: Vec<usize> = (0..3).filter(|part| !job.has(*part)).collect();
            for part in missing {
                job.draw(part);
            }
            job.made();
            FakeRun::default()
        }
        Some((0, _)) => {
            job.draw(0);
            job.says(json!({"type": "drawn", "parts": [0], "frames": 240, "seconds": 1.0}));
            FakeRun::default()
        }
        Some(_) => FakeRun {
            takes: Duration::from_secs(3600),
            ..FakeRun::default()
        },
    });
    let (bench, sandboxes, _) = rendering(setup).await;
    let _work = bench.work();
    let state = bench
        .until("helpers", |s| s.renders[0].helpers.len() == 2)
        .await;
    for helper in &state.renders[0].helpers {
        sandboxes.destroy(helper).await.unwrap();
    }
    let render = ended(&bench).await;
    assert_eq!(
        (render.status, render.attempts),
        (RenderStatus::Ready, 1),
        "{:?}",
        render.failure
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_render_ends_its_helpers_too() {
    let mut setup = setup();
    long(&mut setup);
    setup.options.render_sandboxes = 2;
    setup.sandboxes = renderer(|_| FakeRun {
        takes: Duration::from_secs(3600),
        ..FakeRun::default()
    });
    let (bench, sandboxes, render) = rendering(setup).await;
    let _work = bench.work();
    bench
        .until("a helper", |s| s.renders[0].helpers.len() == 1)
        .await;
    bench
        .studio
        .cancel_render(&bench.tenant, bench.session, render.id)
        .await
        .unwrap();
    assert_eq!(ended(&bench).await.status, RenderStatus::Cancelled);
    // It is told of as cancelled at once, and its helper ends a moment later.
    let ends = async {
        while sandboxes.owned().await.unwrap().len() > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), ends)
        .await
        .expect("the helper is still there");
    assert_eq!(sandboxes.owned().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_other_sandbox_can_be_had_the_sessions_own_draws_everything() {
    let joins = Arc::new(AtomicU32::new(0));
    let mut setup = setup();
    long(&mut setup);
    setup.options.render_sandboxes = 2;
    let counted = joins.clone();
    let sandboxes = renderer(move |mut job| {
        if job.share.is_some() {
            job.draw(0);
            job.says(json!({"type": "drawn", "parts": [0], "frames": 240, "seconds": 1.0}));
        } else {
            counted.fetch_add(1, Ordering::SeqCst);
            job.made();
        }
        FakeRun {
            takes: Duration::from_millis(700),
            ..FakeRun::default()
        }
    });
    setup.sandboxes = sandboxes.at_most(1);
    let (bench, ..) = rendering(setup).await;
    let _work = bench.work();
    let render = ended(&bench).await;
    assert_eq!(
        (render.status, render.attempts, render.helpers.len()),
        (RenderStatus::Ready, 1, 0),
        "{:?}",
        render.failure
    );
    assert_eq!(joins.load(Ordering::SeqCst), 1, "it was joined once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_joins_may_fail_and_the_next_attempt_joins_anew() {
    let joins = AtomicU32::new(0);
    let mut setup = setup();
    long(&mut setup);
    setup.options.render_sandboxes = 2;
    setup.sandboxes = renderer(move |mut job| {
        let Some((index, of)) = job.share else {
            if joins.fetch_add(1, Ordering::SeqCst) == 0 {
                // It is killed before it can say anything.
                return FakeRun {
                    code: 137,
                    ..FakeRun::default()
                };
            }
            assert_eq!(job.whole(), [0, 1, 2]);
            job.made();
            return FakeRun::default();
        };
        for part in 3 * index / of..3 * (index + 1) / of {
            job.draw(part);
        }
        let whole = job.whole();
        job.says(json!({"type": "drawn", "parts": whole, "frames": 300, "seconds": 1.0}));
        FakeRun::default()
    });
    let (bench, ..) = rendering(setup).await;
    let _work = bench.work();
    let render = ended(&bench).await;
    assert_eq!(
        (render.status, render.attempts),
        (RenderStatus::Ready, 2),
        "{:?}",
        render.failure
    );
}

/// An animation whose render is waiting, and its sandboxes.
async fn rendering(setup: Setup) -> (Bench, FakeSandboxes, Render) {
    let sandboxes = setup.sandboxes.clone();
    let bench = bench(setup).await;
    {
        let _work = bench.work();
        bench.built().await;
    }
    let render = bench.queue_render().await;
    (bench, sandboxes, render)
}

/// The render, when it is over.
async fn ended(bench: &Bench) -> Render {
    let state = bench
        .until("the render", |s| s.renders[0].status.is_final())
        .await;
    state.renders[0].clone()
}
