//! Films by Remotion's own renderer, of compositions that need what only it has: the real renderer, browser and encoder.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use image::RgbaImage;
use koda_capture::manifest::Engine;
use koda_capture::remotion;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use support::film::{apart, decode, probe};
use support::sound::{samples, tone};
use support::{Run, Workspace, collect, here, listing, pids, processes};

/// The fixture whose left is painted anew by `HtmlInCanvas`, and whose right has two transitions.
fn drawn() -> Option<Workspace> {
    let workspace = Workspace::new("remotion")?;
    let text = here().join("tests/fixtures/remotion/drawn.tsx");
    let text = std::fs::read_to_string(text).unwrap();
    workspace.write("src/Composition.tsx", &text);
    Some(workspace)
}

/// A composition that moves and that needs the renderer, and what it does at the seventh frame.
fn doing(what: &str) -> Option<Workspace> {
    let workspace = Workspace::new("remotion")?;
    let text = format!(
        r##"import {{ AbsoluteFill, delayRender, HtmlInCanvas, OffthreadVideo, useCurrentFrame }} from "remotion";
import "./design";

export const unused = [delayRender, HtmlInCanvas, OffthreadVideo];

export default function Composition() {{
  const frame = useCurrentFrame();
  if (frame === 7) {{ {what} }}
  return <AbsoluteFill style={{{{ background: "#123" }}}}><div style={{{{ position: "absolute", left: frame * 8, width: 200, height: 900, background: "#e80" }}}} /></AbsoluteFill>;
}}
"##
    );
    workspace.write("src/Composition.tsx", &text);
    Some(workspace)
}

fn render(workspace: &Workspace, out: &str, more: &str) -> Run {
    let out = workspace.app.path().join(out);
    let mut all = vec!["render", "--width", "320", "--height", "180", "--out"];
    all.push(out.to_str().unwrap());
    all.extend(more.split_whitespace());
    workspace.run(&all)
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

/// No process, no profile, no partial file.
fn nothing_is_left(app: &Path) {
    let none = Vec::<String>::new();
    assert_eq!(listing(&app.join("tmp")), none);
    assert_eq!(processes(app.to_str().unwrap()), none);
    let made = listing(app).into_iter();
    assert_eq!(
        made.filter(|it| it.contains("film") || it.contains("parts") || it.contains("clips"))
            .collect::<Vec<_>>(),
        none
    );
}

#[test]
fn what_goes_wrong_within_the_renderer_fails_the_film_by_its_name_and_its_frame() {
    for (what, code, sign) in [
        (
            "throw new Error(\"no such colour\")",
            "frame_failed",
            "no such colour",
        ),
        (
            "delayRender(\"the weather\", { timeoutInMilliseconds: 1500 })",
            "frame_failed",
            "the weather",
        ),
        (
            "window.location.href = \"/src/koda/nowhere.html\"",
            "frame_failed",
            "",
        ),
    ] {
        let Some(workspace) = doing(what) else {
            return;
        };
        let began = Instant::now();
        let run = render(&workspace, "film.mp4", "--quality draft --to 20");
        assert!(!run.ok, "{what}");
        let last = run.last();
        assert_eq!(last["code"], code, "{what}: {last}");
        let said = last["message"].as_str().unwrap();
        assert!(said.contains(sign), "{what}: {last}");
        assert_eq!(last["frame"], 7, "{what}: {last}");
        assert!(began.elapsed() < Duration::from_secs(50), "{what}");
        nothing_is_left(workspace.app.path());
    }
}

#[test]
fn an_effect_that_the_sources_do_not_show_is_refused_and_never_left_out_of_a_film() {
    let Some(workspace) = doing("return <Circle radius={99} {...hidden} />") else {
        return;
    };
    let path = workspace.app.path().join("src/Composition.tsx");
    let text = std::fs::read_to_string(&path).unwrap();
    let hidden =
        "import { Circle } from \"@remotion/shapes\";\nconst hidden = { effects: [1 as never] };\n";
    let text = text
        .replace(" HtmlInCanvas,", "")
        .replace("HtmlInCanvas, ", "");
    std::fs::write(&path, format!("{hidden}{text}")).unwrap();
    let check = workspace.run(&["check"]);
    assert_eq!(check.first_finding()["code"], "hidden_effect");
    // Whoever films it all the same: nor does a second attempt find it whole.
    let parts = workspace.app.path().join("kept");
    let more = format!("--quality draft --to 20 --parts {}", parts.display());
    for attempt in 0..2 {
        let run = render(&workspace, "film.mp4", &more);
        assert_eq!(
            run.last()["code"],
            "frame_failed",
            "{attempt}: {}",
            run.last()
        );
        let said = run.last()["message"].as_str().unwrap();
        assert!(said.contains("html-in-canvas"), "{attempt}: {said}");
    }
}

#[test]
fn what_cannot_be_loaded_is_told_of_as_what_it_is() {
    let Some(workspace) = doing("") else {
        return;
    };
    workspace.write(
        "src/Composition.tsx",
        "import { HtmlInCanvas } from \"remotion\";\nthrow new Error(\"no such module\");\nexport default () => <p>{String(HtmlInCanvas)}</p>;",
    );
    let run = render(&workspace, "film.mp4", "--quality draft --to 20");
    assert_eq!(run.last()["code"], "page_failed", "{}", run.last());
    let said = run.last()["message"].as_str().unwrap();
    assert!(said.contains("no such module"), "{said}");
    nothing_is_left(workspace.app.path());
}

/// A long film that is being drawn.
fn running(workspace: &Workspace) -> (std::process::Child, Pid) {
    let out = workspace.app.path().join("film.mp4");
    let arguments = "render --width 320 --height 180 --quality draft --out".split(' ');
    let mut arguments: Vec<&str> = arguments.collect();
    arguments.push(out.to_str().unwrap());
    let mut child = workspace.start(&arguments);
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("\"capture\"") {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0, "it ended");
    }
    // What it goes on to say is read, so that it never waits for that.
    let rest = std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    drop(rest);
    let own = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    (child, own)
}

#[test]
fn a_film_that_is_cancelled_is_gone_within_a_second_with_the_renderer_and_its_browser() {
    let Some(workspace) = doing("") else {
        return;
    };
    let (mut child, own) = running(&workspace);
    let began = Instant::now();
    kill_process(own, Signal::TERM).unwrap();
    child.wait().unwrap();
    assert!(began.elapsed() < Duration::from_secs(1));
    nothing_is_left(workspace.app.path());
}

/// A film of which the renderer's browser has come up a while ago.
fn browsing(workspace: &Workspace) -> std::process::Child {
    let out = workspace.app.path().join("film.mp4");
    let arguments = "render --width 320 --height 180 --quality draft --out".split(' ');
    let mut arguments: Vec<&str> = arguments.collect();
    arguments.push(out.to_str().unwrap());
    let child = workspace.start(&arguments);
    let home = home(workspace);
    let began = Instant::now();
    while pids(&home).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(1500));
    child
}

/// What the command line of a renderer's browser holds.
fn home(workspace: &Workspace) -> String {
    let home = workspace.app.path().join("tmp/koda-remotion-");
    home.to_str().unwrap().to_owned()
}

#[test]
fn a_renderer_that_is_killed_fails_the_film_with_that_and_takes_its_browser_along() {
    let Some(workspace) = doing("") else {
        return;
    };
    let child = browsing(&workspace);
    for pid in pids("src/koda/server/film.mjs") {
        let at = std::fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero()));
        if at.is_ok_and(|at| at == workspace.app.path()) {
            kill_process(pid, Signal::KILL).unwrap();
        }
    }
    let run = collect(child);
    assert_eq!(run.last()["code"], "browser_failed", "{}", run.last());
    let said = run.last()["message"].as_str().unwrap();
    assert!(said.contains("Remotion's renderer ended"), "{said}");
    nothing_is_left(workspace.app.path());
}

#[test]
fn a_film_whose_renderer_loses_its_browser_is_whole_or_fails_with_that_and_is_never_another() {
    let Some(workspace) = doing("") else {
        return;
    };
    let undisturbed = render(&workspace, "other.mp4", "--quality draft");
    let child = browsing(&workspace);
    // The first of them is the browser itself.
    let browsers = pids(&home(&workspace));
    kill_process(*browsers.first().unwrap(), Signal::KILL).unwrap();
    let began = Instant::now();
    let run = collect(child);
    assert!(began.elapsed() < Duration::from_secs(60));
    if run.ok {
        assert_eq!(run.result()["sha256"], undisturbed.result()["sha256"]);
    } else {
        assert_eq!(run.last()["code"], "browser_failed", "{}", run.last());
    }
    let _ = std::fs::remove_file(workspace.app.path().join("film.mp4"));
    nothing_is_left(workspace.app.path());
}
