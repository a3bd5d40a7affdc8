//! Lottie animations: each frame shows the animation's frame of the same time, however it is come to.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use image::RgbaImage;
use serde_json::json;
use support::Workspace;
use support::film::decode;

/// At the left from the tenth frame on; at the right twice as fast, over and over.
const COMPOSITION: &str = r##"import { AbsoluteFill, Sequence, staticFile } from "remotion";
import "./design";
import { Lottie } from "./koda/lottie";

const half = { position: "absolute", width: 640, height: 720 } as const;

export default function Composition() {
  return (
    <AbsoluteFill style={{ background: "#000" }}>
      <Sequence from={10}>
        <Lottie src={staticFile("slide.json")} style={half} />
      </Sequence>
      <Lottie src={staticFile("slide.json")} rate={2} loop style={{ ...half, left: 640 }} />
    </AbsoluteFill>
  );
}
"##;

/// Two seconds in which a green bar goes from the left to the right, evenly, and red words below it, in a font that comes along.
fn workspace() -> Option<Workspace> {
    let workspace = Workspace::new("remotion")?;
    let bar = json!([
        { "ty": "rc", "d": 1, "s": { "a": 0, "k": [8, 360] }, "p": { "a": 0, "k": [0, 0] }, "r": { "a": 0, "k": 0 } },
        { "ty": "fl", "c": { "a": 0, "k": [0, 1, 0, 1] }, "o": { "a": 0, "k": 100 } },
        { "ty": "tr", "p": { "a": 0, "k": [0, 0] }, "a": { "a": 0, "k": [0, 0] }, "s": { "a": 0, "k": [100, 100] }, "r": { "a": 0, "k": 0 }, "o": { "a": 0, "k": 100 } },
    ]);
    let way = json!([
        { "t": 0, "s": [10, 180, 0], "o": { "x": 0.33, "y": 0.33 }, "i": { "x": 0.67, "y": 0.67 } },
        { "t": 60, "s": [310, 180, 0] },
    ]);
    let still = |place: [u32; 3]| {
        let none = json!([0, 0, 0]);
        json!({ "o": { "a": 0, "k": 100 }, "r": { "a": 0, "k": 0 }, "p": { "a": 0, "k": place }, "a": { "a": 0, "k": none }, "s": { "a": 0, "k": [100, 100, 100] } })
    };
    let says = json!({ "s": 60, "f": "Inter-Regular", "t": "words", "j": 0, "tr": 0, "lh": 72, "ls": 0, "fc": [1, 0, 0] });
    let words = json!({
        "ty": 5, "ind": 2, "ip": 0, "op": 60, "st": 0, "bm": 0, "sr": 1, "ks": still([20, 330, 0]),
        "t": { "d": { "k": [{ "s": says, "t": 0 }] }, "p": {}, "m": { "g": 1, "a": { "a": 0, "k": [0, 0] } }, "a": [] },
    });
    let font = json!({ "fName": "Inter-Regular", "fFamily": "Inter", "fStyle": "Regular", "ascent": 72, "origin": 3, "fPath": "data:font/woff2;base64,d09GMg==" });
    let animation = json!({
        "v": "5.7.0", "fr": 30, "ip": 0, "op": 60, "w": 320, "h": 360, "assets": [], "fonts": { "list": [font] },
        "layers": [words, {
            "ty": 4, "ind": 1, "ip": 0, "op": 60, "st": 0, "bm": 0, "sr": 1,
            "ks": { "o": { "a": 0, "k": 100 }, "r": { "a": 0, "k": 0 }, "p": { "a": 1, "k": way }, "a": { "a": 0, "k": [0, 0, 0] }, "s": { "a": 0, "k": [100, 100, 100] } },
            "shapes": [{ "ty": "gr", "it": bar }],
        }],
    });
    workspace.write("public/slide.json", &animation.to_string());
    workspace.write("src/Composition.tsx", COMPOSITION);
    workspace.write(
        "koda.json",
        r#"{"contract":1,"engine":"remotion","title":"Slide","width":1280,"height":720,"fps":30,"durationInFrames":80}"#,
    );
    Some(workspace)
}

/// In the middle of which column the bar is, in a half of a picture that is `wide`; nothing where there is none.
fn bar(picture: &RgbaImage, from: u32, wide: u32) -> Option<f64> {
    let green = |x: &u32| picture.get_pixel(*x, picture.height() / 2).0[1] > 128;
    let columns: Vec<u32> = (from..from + wide).filter(green).collect();
    let sum: u32 = columns.iter().map(|x| x - from).sum();
    let middle = f64::from(sum) / columns.len() as f64 + 0.5;
    (!columns.is_empty()).then_some(middle * 320.0 / f64::from(wide))
}

fn shows(picture: &RgbaImage, frame: u32) {
    let wide = picture.width() / 2;
    let at = |frame: u32| 10.0 + 5.0 * f64::from(frame);
    let near =
        |seen: Option<f64>, wanted: f64| seen.is_some_and(|seen| (seen - wanted).abs() < 1.6);
    let (left, right) = (bar(picture, 0, wide), bar(picture, wide, wide));
    match frame.checked_sub(10) {
        None => assert_eq!(left, None, "frame {frame}"),
        // Its last frame stays.
        Some(since) => assert!(near(left, at(since.min(59))), "frame {frame}: {left:?}"),
    }
    assert!(near(right, at(frame * 2 % 60)), "frame {frame}: {right:?}");
    let red = |picture: &RgbaImage| {
        let below = |y: u32| y > picture.height() * 3 / 4;
        let words = picture
            .enumerate_pixels()
            .filter(|(x, y, _)| *x > wide && below(*y));
        words
            .filter(|(_, _, pixel)| pixel.0[0] > 128 && pixel.0[1] < 100)
            .count()
    };
    assert!(
        red(picture) > 100,
        "frame {frame} has {} red pixels",
        red(picture)
    );
}

#[test]
fn a_lottie_animation_is_at_its_frame_in_films_and_in_stills_of_any_order() {
    let Some(workspace) = workspace() else {
        return;
    };
    let check = workspace.run(&["check", "--frames", "5"]);
    assert_eq!(check.result()["ok"], true, "{}", check.last());
    let out = workspace.app.path().join("film.mp4");
    let arguments = "render --width 640 --height 360 --quality high --out".split(' ');
    let mut arguments: Vec<&str> = arguments.collect();
    arguments.push(out.to_str().unwrap());
    assert_eq!(workspace.run(&arguments).result()["capture"], "pixels");
    let frames = decode(&out, 640, 360, &[]);
    assert_eq!(frames.len(), 80);
    for (frame, picture) in (0..).zip(&frames) {
        shows(picture, frame);
    }
    let stills = workspace.app.path().join("stills");
    let out = stills.to_str().unwrap();
    workspace
        .run(&["still", "--frames", "70,3,41,9,10", "--out", out])
        .result();
    for frame in [70, 3, 41, 9, 10] {
        let picture = image::open(stills.join(format!("frame_{frame:05}.png"))).unwrap();
        shows(&picture.into_rgba8(), frame);
    }
}

#[test]
fn a_lottie_animation_that_is_missing_or_none_is_found_by_the_check() {
    let Some(workspace) = workspace() else {
        return;
    };
    workspace.write("public/slide.json", "PK\u{3}\u{4}");
    let run = workspace.run(&["check", "--frames", "5"]);
    let said = run.first_finding()["message"].as_str().unwrap().to_owned();
    assert!(said.contains("is no Lottie animation"), "{said}");
}
