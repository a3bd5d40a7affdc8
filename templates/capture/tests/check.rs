//! `check`: what it finds, with file, line and reason. Gates that need only a page run against the fixture; gates that need
//! TypeScript and Vite run against the templates.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use support::{Fixture, Workspace, free_port};

const PAGE_GATES: &[&str] = &["check", "--only", "load,frames,layout"];

#[test]
fn a_good_composition_passes_with_facts_and_a_contact_sheet() {
    let fixture = Fixture::new("barcode", 60);
    let run = fixture.run(PAGE_GATES);
    let report = run.result();
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(report["frames"].as_array().unwrap().len(), 9);
    assert!(report["frames"][0]["colors"].as_u64().unwrap() > 1);
    assert!(
        image::open(fixture.path(report["sheet"].as_str().unwrap()))
            .unwrap()
            .width()
            > 500
    );
}

#[test]
fn an_exception_at_one_frame_is_found_at_that_frame_with_file_and_line() {
    let fixture = Fixture::new("throws", 90);
    let run = fixture.run(PAGE_GATES);
    let found = run.first_finding();
    assert_eq!(
        (&found["gate"], &found["code"], &found["frame"]),
        (&"frames".into(), &"exception".into(), &40.into())
    );
    assert_eq!(
        (&found["file"], &found["line"]),
        (&"src/composition.js".into(), &9.into())
    );
    assert_eq!(found["message"], "the fortieth frame is missing");
}

#[test]
fn a_missing_picture_is_found_where_it_is_named() {
    let fixture = Fixture::new("missing", 60);
    let run = fixture.run(PAGE_GATES);
    let found = run.first_finding();
    assert_eq!(found["gate"], "load");
    assert_eq!(
        (&found["file"], &found["line"]),
        (&"src/composition.js".into(), &5.into()),
        "{found}"
    );
    assert!(
        found["message"]
            .as_str()
            .unwrap()
            .contains("/assets/nowhere.png")
    );
}

#[test]
fn a_blank_picture_and_a_frozen_one_are_errors() {
    let run = Fixture::new("blank", 60).run(PAGE_GATES);
    assert_eq!(run.first_finding()["code"], "blank_frames");
    let run = Fixture::new("frozen", 60).run(PAGE_GATES);
    assert_eq!(run.first_finding()["code"], "frozen");
}

#[test]
fn frames_that_differ_when_shown_twice_are_an_error_with_their_number() {
    let run = Fixture::new("flicker", 60).run(PAGE_GATES);
    let found = run.first_finding();
    assert_eq!(found["code"], "nondeterministic_frame");
    assert!(found["frame"].is_u64());
    // Where everything follows the virtual clock, nothing differs.
    let run = Fixture::new("clocks", 60).run(PAGE_GATES);
    assert_eq!(run.result()["ok"], true, "{}", run.last());
}

#[test]
fn both_templates_pass_as_they_come_and_render() {
    for template in ["remotion", "theatre"] {
        let Some(workspace) = Workspace::new(template) else {
            return;
        };
        let run = workspace.run(&["check"]);
        let report = run.result();
        assert_eq!(report["ok"], true, "{template}: {report}");
        let gates: Vec<&str> = report["gates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|gate| gate["gate"].as_str().unwrap())
            .collect();
        assert_eq!(
            gates,
            ["lint", "types", "bundle", "load", "frames", "layout"]
        );
        let out = workspace.app.path().join("film.mp4");
        let run = workspace.run(&[
            "render",
            "--width",
            "1280",
            "--height",
            "720",
            "--to",
            "12",
            "--out",
            out.to_str().unwrap(),
        ]);
        assert_eq!(run.result()["frames"], 12, "{template}");
    }
}

#[test]
fn both_templates_bring_their_sounds_into_the_film() {
    for template in ["remotion", "theatre"] {
        let Some(workspace) = Workspace::new(template) else {
            return;
        };
        let scene = support::here().join(format!("tests/fixtures/sound/{template}.tsx"));
        let scene = std::fs::read_to_string(scene).unwrap();
        workspace.write("src/Composition.tsx", &scene);
        let file = |name: &str| workspace.app.path().join(name);
        let ffmpeg = |arguments: &str, out: &str| {
            let done = std::process::Command::new("ffmpeg")
                .args(arguments.split(' '))
                .arg(file(out))
                .current_dir(workspace.app.path())
                .status();
            assert!(done.unwrap().success());
        };
        ffmpeg(
            "-v error -f lavfi -i sine=frequency=440:duration=3:sample_rate=48000",
            "public/tone.wav",
        );
        let out = file("film.mp4");
        let size = "render --width 320 --height 180 --to 75 --quality draft --out";
        let mut arguments: Vec<&str> = size.split(' ').collect();
        arguments.push(out.to_str().unwrap());
        let run = workspace.run(&arguments);
        assert_eq!(run.result()["sound"], true, "{template}");
        ffmpeg(
            "-v error -i film.mp4 -vn -ac 2 -ar 48000 -f f32le",
            "film.raw",
        );
        let bytes = std::fs::read(file("film.raw")).unwrap();
        let (samples, _) = bytes.as_chunks::<4>();
        let loudest = |from: f64, to: f64| {
            let part = &samples[(from * 96_000.0) as usize..(to * 96_000.0) as usize];
            part.iter()
                .map(|bytes| f32::from_le_bytes(*bytes).abs())
                .fold(0.0, f32::max)
        };
        assert!(
            loudest(0.0, 0.95) < 0.004,
            "{template}: {}",
            loudest(0.0, 0.95)
        );
        // FFmpeg's sine is an eighth of the full scale.
        let heard = loudest(1.1, 1.9);
        assert!((heard - 0.0625).abs() < 0.01, "{template}: {heard}");
        assert!(
            loudest(2.05, 2.4) < 0.004,
            "{template}: {}",
            loudest(2.05, 2.4)
        );
    }
}

#[test]
fn a_server_that_has_just_been_started_is_waited_for_and_never_disturbed() {
    let Some(workspace) = Workspace::new("remotion") else {
        return;
    };
    let port = free_port();
    let mut server = workspace.serve(port);
    let run = workspace.run_at(port, &["check", "--only", "bundle"]);
    let report = run.result();
    assert_eq!(report["ok"], true, "{report}");
    // Beside one that serves another port a server of its own begins, with a cache of its own.
    let beside = workspace.run_at(free_port(), &["check", "--only", "bundle"]);
    assert_eq!(beside.result()["ok"], true, "{}", beside.stderr);
    assert!(server.try_wait().unwrap().is_none(), "the server ended");
    server.kill().unwrap();
    server.wait().unwrap();
    let caches = support::listing(workspace.app.path());
    assert!(
        !caches.iter().any(|name| name.starts_with("capture-")),
        "{caches:?}"
    );
}

#[test]
fn a_3d_scene_that_takes_long_to_draw_is_told_with_what_its_time_goes_into() {
    let Some(workspace) = Workspace::new("theatre") else {
        return;
    };
    let scene = support::here().join("tests/fixtures/compositions/heavy.tsx");
    workspace.write(
        "src/Composition.tsx",
        &std::fs::read_to_string(scene).unwrap(),
    );
    let run = workspace.run_with(("KODA_HEAVY_FRAME", "1"), &["check"]);
    let report = run.result();
    assert_eq!(report["ok"], true, "{report}");
    let found = report["diagnostics"].as_array().unwrap();
    let heavy = found.iter().find(|it| it["code"] == "heavy_scene");
    let heavy = heavy.unwrap_or_else(|| panic!("{report}"));
    let said = heavy["message"].as_str().unwrap();
    // Six sides of a point light, and one of the other.
    assert!(said.contains("drawn into 7 maps"), "{said}");
    assert!(said.contains("1 mesh is drawn although"), "{said}");
    let hint = heavy["hint"].as_str().unwrap();
    assert!(hint.contains("leave frustumCulled on"), "{said}: {hint}");
}

#[test]
fn timers_of_packages_do_not_have_every_frame_stepped_through() {
    for template in ["remotion", "theatre"] {
        let Some(workspace) = Workspace::new(template) else {
            return;
        };
        let scene = support::here().join(format!("tests/fixtures/seen/{template}.tsx"));
        let scene = std::fs::read_to_string(scene).unwrap();
        workspace.write("src/Composition.tsx", &scene);
        let out = workspace.app.path().join("stills");
        let still = "still --width 320 --height 180 --frames 45,20,70 --out";
        let mut arguments: Vec<&str> = still.split(' ').collect();
        arguments.push(out.to_str().unwrap());
        workspace.run(&arguments).result();
        for frame in [45, 20, 70] {
            let picture = image::open(out.join(format!("frame_{frame:05}.png"))).unwrap();
            let corner = picture.to_rgb8().get_pixel(5, 5).0;
            assert_eq!(
                corner, [255; 3],
                "{template}: frame {frame} was not leapt to"
            );
        }
    }
}
