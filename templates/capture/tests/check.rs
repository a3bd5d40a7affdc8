//! `check`: what it finds, with file, line and reason. Gates that need only a page run against the fixture; gates that need
//! TypeScript and Vite run against the templates.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use serde_json::Value;
use support::{Fixture, Run, Workspace, free_port};

const PAGE_GATES: &[&str] = &["check", "--only", "load,frames,layout"];

fn first(run: &Run) -> &Value {
    let report = run.result();
    assert_eq!(report["type"], "check");
    assert_eq!(report["ok"], false, "{report}");
    &report["diagnostics"][0]
}

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
    let found = first(&run);
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
    let found = first(&run);
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
    assert_eq!(first(&run)["code"], "blank_frames");
    let run = Fixture::new("frozen", 60).run(PAGE_GATES);
    assert_eq!(first(&run)["code"], "frozen");
}

#[test]
fn frames_that_differ_when_shown_twice_are_an_error_with_their_number() {
    let run = Fixture::new("flicker", 60).run(PAGE_GATES);
    let found = first(&run);
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

/// Checks a workspace whose composition is this, and returns the first finding.
fn finding(workspace: &Workspace, composition: &str) -> Value {
    // Whatever a test is about, the design is used.
    finding_exactly(workspace, &format!("{composition}\nimport \"./design\";\n"))
}

fn finding_exactly(workspace: &Workspace, composition: &str) -> Value {
    workspace.write("src/Composition.tsx", composition);
    let run = workspace.run(&["check"]);
    first(&run).clone()
}

fn place(found: &Value) -> (String, u64) {
    (
        found["file"].as_str().unwrap_or("?").to_owned(),
        found["line"].as_u64().unwrap_or(0),
    )
}

fn composition(line: usize) -> (String, u64) {
    ("src/Composition.tsx".to_owned(), line as u64)
}

#[test]
fn mistakes_in_a_script_are_found_before_a_browser_starts() {
    let Some(workspace) = Workspace::new("remotion") else {
        return;
    };
    let found = finding(
        &workspace,
        "export default function Composition() {\n  return <div>\n}\n",
    );
    assert_eq!(
        (found["gate"].as_str(), found["code"].as_str()),
        (Some("lint"), Some("syntax")),
        "{found}"
    );
    assert_eq!(found["file"], "src/Composition.tsx");
    assert!(found["line"].as_u64().unwrap() >= 2, "{found}");

    let cases = [
        (
            "const x = Math.random();\nexport default () => <p>{x}</p>;",
            "unseeded_random",
            1,
        ),
        (
            "export default () => {\n  const t = Date.now();\n  return <p>{t}</p>;\n};",
            "wall_clock",
            2,
        ),
        (
            "export default () => {\n  window.setTimeout(() => {}, 5);\n  return <p />;\n};",
            "timer",
            2,
        ),
        (
            "import { gsap } from \"gsap\";\nexport default () => <p>{String(gsap)}</p>;",
            "unknown_package",
            1,
        ),
        (
            "\nimport { a } from \"./missing\";\nexport default () => <p>{a}</p>;",
            "missing_import",
            2,
        ),
        (
            "export default () => (\n  <img src=\"https://example.com/a.png\" />\n);",
            "network_url",
            2,
        ),
        (
            "import { Img, staticFile } from \"remotion\";\nexport default () => <Img src={staticFile(\"assets/no.png\")} />;",
            "missing_asset",
            2,
        ),
        (
            "import { AbsoluteFill,\n  HtmlInCanvas } from \"remotion\";\nexport default () => <AbsoluteFill>{String(HtmlInCanvas)}</AbsoluteFill>;",
            "unfit_feature",
            2,
        ),
        (
            "import { filmBurn } from \"@remotion/transitions/film-burn\";\nexport default () => <p>{String(filmBurn)}</p>;",
            "unfit_feature",
            1,
        ),
        (
            "export default () => (\n  <p style={{ width: \"50vw\" }}>is 100vw wide</p>\n);",
            "window_size",
            2,
        ),
        (
            "export default () => {\n  const wide = window.innerWidth;\n  return <p>{wide}</p>;\n};",
            "window_size",
            2,
        ),
        (
            "export default () => {\n  const share = 4;\n  return <p style={{ left: `${share}vw` }} />;\n};",
            "window_size",
            3,
        ),
        (
            "export const Composition = () => <p />;",
            "missing_default_export",
            1,
        ),
    ];
    workspace.write(
        "src/style.css",
        "p {\n  color: red;\n}\n@import \"./nowhere.css\";\n",
    );
    let found = finding(
        &workspace,
        "import \"./style.css\";\nexport default () => <p />;",
    );
    assert_eq!(
        (found["code"].as_str(), place(&found)),
        (Some("missing_import"), ("src/style.css".to_owned(), 4))
    );
    std::fs::remove_file(workspace.app.path().join("src/style.css")).unwrap();
    for (text, code, line) in cases {
        let found = finding(&workspace, text);
        assert_eq!(found["code"], code, "{found}");
        assert_eq!(place(&found), composition(line), "{found}");
        assert_eq!(found["gate"], "lint");
    }
}

#[test]
fn a_design_that_controls_could_not_change_is_an_error_at_its_place() {
    let Some(workspace) = Workspace::new("remotion") else {
        return;
    };
    let uses = "import { design } from \"./design\";\nexport default () => <p>{design.title}</p>;";
    let colors = r##"{ "background": "#000000", "primary": "#112233", "accent": "#445566", "text": "#ffffff" }"##;
    let design = |body: &str| {
        format!(
            "import type {{ Design }} from \"./koda/design\";\n\nexport const design = {body} satisfies Design;\n"
        )
    };
    let good = format!("{{\n  \"title\": \"A\",\n  \"colors\": {colors}\n}}");
    let cases = [
        (good.replace("\"title\"", "title"), "design_not_json", 4),
        (
            good.replace("\"A\"", "\"A\", // mine"),
            "design_not_json",
            4,
        ),
        (good.replace("#112233", "navy"), "design_color", 5),
    ];
    for (body, code, line) in cases {
        workspace.write("src/design.ts", &design(&body));
        let found = finding(&workspace, uses);
        assert_eq!(
            (found["gate"].as_str(), found["code"].as_str()),
            (Some("lint"), Some(code)),
            "{found}"
        );
        assert_eq!(place(&found), ("src/design.ts".to_owned(), line), "{found}");
    }
    workspace.write("src/design.ts", "export const design = { title: 'A' };\n");
    assert_eq!(finding(&workspace, uses)["code"], "design_not_json");
    workspace.write("src/design.ts", &design(&good));
    let found = finding_exactly(&workspace, "export default () => <p>Hello</p>;");
    assert_eq!(found["code"], "design_unused", "{found}");
}

#[test]
fn mistakes_of_type_and_at_run_time_are_found_with_their_line() {
    let Some(workspace) = Workspace::new("remotion") else {
        return;
    };
    let found = finding(
        &workspace,
        "export default function Composition() {\n  const size: number = \"large\";\n  return <p>{size}</p>;\n}\n",
    );
    assert_eq!(
        (found["gate"].as_str(), found["code"].as_str()),
        (Some("types"), Some("TS2322")),
        "{found}"
    );
    assert_eq!(place(&found), composition(2));

    let throws = "import { useCurrentFrame } from \"remotion\";\nexport default function Composition() {\n  const frame = useCurrentFrame();\n\n  if (frame === 40) throw new Error(\"nothing at forty\");\n  return <p style={{ marginLeft: frame }}>text</p>;\n}\n";
    let found = finding(&workspace, throws);
    assert_eq!(
        (found["gate"].as_str(), found["code"].as_str()),
        (Some("frames"), Some("exception")),
        "{found}"
    );
    assert_eq!(found["frame"], 40);
    assert_eq!(place(&found), composition(5));
    assert_eq!(found["message"], "nothing at forty");

    let at_load = "const broken: { value?: { deep: string } } = {};\nexport default function Composition() {\n  return <p>{broken.value!.deep}</p>;\n}\n";
    let found = finding(&workspace, at_load);
    assert_eq!(found["gate"], "load", "{found}");
    assert_eq!(place(&found), composition(3), "{found}");

    let found = finding(
        &workspace,
        "export default function Composition() {\n  return <div />;\n}\n",
    );
    assert_eq!(found["code"], "blank_frames", "{found}");

    let counter = "let calls = 0;\nimport { useCurrentFrame } from \"remotion\";\nexport default function Composition() {\n  useCurrentFrame();\n  calls++;\n  return <p style={{ color: \"white\", fontSize: 20 + (calls % 50) }}>text</p>;\n}\n";
    let found = finding(&workspace, counter);
    assert_eq!(found["code"], "nondeterministic_frame", "{found}");
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
