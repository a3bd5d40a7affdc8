//! Films by Remotion's own renderer, of compositions that need what only it has: the real renderer, browser and encoder.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use image::RgbaImage;
use koda_capture::manifest::Engine;
use koda_capture::remotion;
use serde_json::{Value, json};
use support::film::{apart, decode, probe};
use support::renderer::{doing, render};
use support::sound::{samples, tone};
use support::{Workspace, here};

/// The fixture whose left is painted anew by `HtmlInCanvas`, and whose right has two transitions.
fn drawn() -> Option<Workspace> {
    let workspace = Workspace::new("remotion")?;
    let text = here().join("tests/fixtures/remotion/drawn.tsx");
    let text = std::fs::read_to_string(text).unwrap();
    workspace.write("src/Composition.tsx", &text);
    Some(workspace)
}

/// The colour in the middle of the right, and of what was painted anew.
fn seen(picture: &RgbaImage) -> ([u8; 4], [u8; 4]) {
    (picture.get_pixel(240, 90).0, picture.get_pixel(80, 70).0)
}

const RED: [u8; 4] = [255, 0, 0, 255];
const BLUE: [u8; 4] = [0, 0, 255, 255];
const GREEN: [u8; 4] = [0, 255, 0, 255];

/// A frame of the fixture is what it must be.
fn is_frame(picture: &RgbaImage, frame: u8) {
    let (right, left) = seen(picture);
    let grey = u8::MAX - (20 + 2 * frame);
    let wanted = [grey, grey, grey, u8::MAX];
    assert!(apart(left, wanted) <= 3, "frame {frame}: {left:?}");
    match frame {
        0..=20 => assert!(apart(right, RED) <= 6, "frame {frame}: {right:?}"),
        // One scene is seen through the other.
        24..27 => {
            let [red, _, blue, _] = right;
            assert!(red > 30 && blue > 30, "frame {frame}: {right:?}");
        }
        30..=50 => assert!(apart(right, BLUE) <= 6, "frame {frame}: {right:?}"),
        60.. => assert!(apart(right, GREEN) <= 6, "frame {frame}: {right:?}"),
        _ => {}
    }
}

#[test]
fn what_html_in_canvas_draws_is_in_the_film_frame_by_frame_and_who_drew_it_is_said() {
    let Some(workspace) = drawn() else {
        return;
    };
    let run = render(&workspace, "film.mp4", "--quality high --to 90");
    let result = run.result();
    assert_eq!(result["capture"], "remotion");
    assert_eq!(
        result["because"],
        "@remotion/transitions/crosswarp in src/Composition.tsx is for Remotion's own renderer"
    );
    assert_eq!(result["verified"], true);
    let film = workspace.app.path().join("film.mp4");
    let stream = &probe(&film)["streams"][0];
    assert_eq!(stream["color_space"], "bt709");
    let frames = decode(&film, 320, 180, &[]);
    assert_eq!(frames.len(), 90);
    for (frame, picture) in (0..).zip(&frames) {
        is_frame(picture, frame);
    }
    // A part of it at another rate: every frame twice, halves rounded up.
    let run = render(&workspace, "part.mp4", "--from 18 --to 33 --fps 60");
    assert_eq!(run.result()["frames"], 30);
    let part = decode(&workspace.app.path().join("part.mp4"), 320, 180, &[]);
    for (index, picture) in (0..).zip(&part) {
        is_frame(picture, (18_u8 + u8::div_ceil(index, 2)).min(32));
    }
}

#[test]
fn a_scene_that_is_played_at_another_pace_shows_the_frame_that_belongs_there() {
    let Some(workspace) = drawn() else {
        return;
    };
    let manifest = workspace.app.path().join("koda.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let mut told: Value = serde_json::from_str(&text).unwrap();
    told["durationInFrames"] = json!(30);
    told["playback"] = json!({
        "fps": 60, "durationInFrames": 120,
        "pieces": [{ "from": 0, "start": 10, "step": 0.5 }, { "from": 20, "start": 62, "step": 2 }],
    });
    std::fs::write(&manifest, told.to_string()).unwrap();
    // And is heard as it is where Koda's own page shows it.
    tone(&workspace.app.path().join("public/tone.wav"), 440, &[]);
    let path = workspace.app.path().join("src/Composition.tsx");
    std::fs::rename(&path, workspace.app.path().join("src/Drawn.tsx")).unwrap();
    let with = |what: &str| {
        let heard = "<Html5Audio src={staticFile(\"tone.wav\")} volume={0.5} />";
        format!(
            "import {{ AbsoluteFill, Html5Audio, staticFile }} from \"remotion\";\nimport \"./design\";\nimport Drawn from \"./Drawn\";\nexport default () => <AbsoluteFill style={{{{ background: \"linear-gradient(#123, #456)\" }}}}>{{[{what}]}}{heard}</AbsoluteFill>;\nexport {{ Drawn }};"
        )
    };
    workspace.write("src/Composition.tsx", &with("<Drawn key=\"drawn\" />"));
    let run = render(&workspace, "film.mov", "--browsers 1");
    assert_eq!(run.result()["frames"], 30);
    assert_eq!(run.result()["capture"], "remotion");
    let film = decode(&workspace.app.path().join("film.mov"), 320, 180, &[]);
    for (index, picture) in (0_u8..).zip(&film) {
        // Halves are rounded up.
        let frame = if index < 20 {
            10 + index.div_ceil(2)
        } else {
            62 + (index - 20) * 2
        };
        is_frame(picture, frame);
    }
    workspace.write("src/Drawn.tsx", "export default () => null;");
    workspace.write("src/Composition.tsx", &with(""));
    let run = render(&workspace, "other.mov", "--browsers 1");
    assert_ne!(run.result()["capture"], "remotion");
    let loud = |name: &str| {
        let samples = samples(&workspace.app.path().join(name));
        let squares: f64 = samples.iter().map(|it| f64::from(*it).powi(2)).sum();
        (squares / samples.len() as f64).sqrt()
    };
    let (one, other) = (loud("film.mov"), loud("other.mov"));
    assert!(
        one > 0.01 && (one / other - 1.0).abs() < 0.05,
        "{one} and {other}"
    );
}

#[test]
fn stills_are_drawn_by_whoever_draws_the_film_and_in_any_order() {
    let Some(workspace) = drawn() else {
        return;
    };
    let out = workspace.app.path().join("stills");
    let still = |frames: &str| {
        let arguments = "still --width 320 --height 180 --out".split(' ');
        let mut arguments: Vec<&str> = arguments.collect();
        arguments.extend([out.to_str().unwrap(), "--frames", frames]);
        let run = workspace.run(&arguments);
        run.result();
        let stills = run.of("still");
        let told = |still: &&Value| (still["frame"].as_u64().unwrap(), still["sha256"].clone());
        stills.iter().map(told).collect::<Vec<_>>()
    };
    let several = still("60,5,25");
    assert_eq!(
        several.iter().map(|(frame, _)| *frame).collect::<Vec<_>>(),
        [60, 5, 25]
    );
    for frame in [5_u8, 25] {
        let path = out.join(format!("frame_{frame:05}.png"));
        is_frame(&image::open(path).unwrap().into_rgba8(), frame);
    }
    assert_eq!(still("25")[0], several[2]);
}

#[test]
fn a_film_with_alpha_keeps_it() {
    let Some(workspace) = doing("") else {
        return;
    };
    let path = workspace.app.path().join("src/Composition.tsx");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, text.replace("background: \"#123\"", "")).unwrap();
    let run = render(&workspace, "film.zip", "--transparent --to 3");
    assert_eq!(run.result()["capture"], "remotion");
    let file = std::fs::File::open(workspace.app.path().join("film.zip")).unwrap();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut archive.by_index(2).unwrap(), &mut bytes).unwrap();
    let picture = image::load_from_memory(&bytes).unwrap().into_rgba8();
    assert_eq!(picture.get_pixel(10, 50).0, [0xee, 0x88, 0, 255]);
    assert_eq!(picture.get_pixel(300, 50).0[3], 0);
}

#[test]
fn a_film_drawn_in_shares_is_to_the_byte_the_one_drawn_at_once() {
    let Some(workspace) = drawn() else {
        return;
    };
    // Nine seconds: a part of eight, and one of one.
    let manifest = workspace.app.path().join("koda.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let mut told: Value = serde_json::from_str(&text).unwrap();
    told["fps"] = json!(6);
    told["durationInFrames"] = json!(54);
    std::fs::write(&manifest, told.to_string()).unwrap();
    let whole = render(&workspace, "film.mp4", "--quality draft");
    assert_eq!(whole.result()["frames"], 54);
    let parts = workspace.app.path().join("parts");
    for share in ["1/2", "0/2"] {
        let more = format!(
            "--quality draft --parts {} --share {share}",
            parts.display()
        );
        render(&workspace, "share.mp4", &more).result();
    }
    let more = format!("--quality draft --parts {}", parts.display());
    let joined = render(&workspace, "joined.mp4", &more);
    assert_eq!(joined.result()["sha256"], whole.result()["sha256"]);
    assert_eq!(joined.result()["capture"], "remotion");
}

#[test]
fn every_transition_that_is_drawn_by_html_in_canvas_is_known_to_need_the_renderer_and_no_other() {
    let Some(workspace) = Workspace::new("remotion") else {
        return;
    };
    let needs = |text: &str| {
        workspace.write("src/Composition.tsx", text);
        remotion::needed(workspace.app.path(), Engine::Remotion).is_some()
    };
    let folder = workspace
        .app
        .path()
        .join("node_modules/@remotion/transitions/dist/esm");
    let mut drawn = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let Some(module) = name.strip_suffix(".mjs") else {
            continue;
        };
        if module == "index" {
            for (made, _) in text.match_indices(" = makeHtmlInCanvasPresentation(") {
                let made = text[..made].rsplit(' ').next().unwrap();
                // `makeBlurSlide` is what `blurSlide` calls.
                let made = made.replace("makeB", "b");
                let import = format!("import {{ {made} }} from \"@remotion/transitions\";");
                assert!(needs(&import), "{import}");
            }
            continue;
        }
        let import = format!("import * as it from \"@remotion/transitions/{module}\";");
        let by_canvas = text.contains("HtmlInCanvas");
        drawn += usize::from(by_canvas);
        assert_eq!(needs(&import), by_canvas, "{import}");
    }
    assert!(drawn >= 12);
    for (text, needed) in [
        (
            "import * as remotion from \"remotion\"; export default () => <remotion.HtmlInCanvas />;",
            true,
        ),
        (
            "import { Circle } from \"@remotion/shapes\"; export default () => <Circle effects={[]} />;",
            true,
        ),
        (
            "import { Circle } from \"@remotion/shapes\"; export default () => <Circle radius={3} />;",
            false,
        ),
        (
            "export default () => <p style={{ width: \"50vw\" }} />;",
            true,
        ),
        (
            "// HtmlInCanvas, 50vw\nexport default () => <p>HtmlInCanvas</p>;",
            false,
        ),
    ] {
        assert_eq!(needs(text), needed, "{text}");
    }
}
