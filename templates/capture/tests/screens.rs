//! Videos on surfaces of a 3D scene, in the real browser: each frame shows the clip's frame of the same time, and its sound is heard.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use std::path::Path;

use image::RgbaImage;
use support::clip::grey;
use support::film::decode;
use support::sound::{samples, strength, tone};
use support::{Workspace, ffmpeg};

/// Two screens beside each other: at the left the clip from its beginning, at the right from its sixth frame on, twice as fast, and
/// from the tenth frame of the film to the fortieth; and something heard.
const SCENE: &str = r##"import "./design";
import { useVideo } from "./koda/video";

function Screen({ x, ...video }: { x: number; at?: number; until?: number; from?: number; rate?: number }) {
  const picture = useVideo("/clip.mp4", video);
  return (
    <mesh position={[x, 0, 0]}>
      <planeGeometry args={[4, 4 / picture.aspect]} />
      <meshBasicMaterial map={picture} toneMapped={false} />
    </mesh>
  );
}

function Heard() {
  useVideo("/talk.mp4", { at: 0.5, until: 1.5, from: 0.25, volume: 0.5 });
  return null;
}

export default function Composition() {
  return (
    <>
      <color attach="background" args={["#000000"]} />
      <Screen x={-2.1} />
      <Screen x={2.1} at={10 / 30} until={40 / 30} from={6 / 30} rate={2} />
      <Heard />
    </>
  );
}
"##;

fn workspace() -> Option<(Workspace, Vec<f64>)> {
    let workspace = Workspace::new("theatre")?;
    workspace.write("src/Composition.tsx", SCENE);
    workspace.write(
        "koda.json",
        r#"{"contract":1,"engine":"theatre","title":"Screens","width":1280,"height":720,"fps":30,"durationInFrames":60}"#,
    );
    let public = workspace.app.path().join("public");
    std::fs::create_dir_all(&public).unwrap();
    let greys = stairs(&public.join("clip.mp4"));
    let picture = "-f lavfi -i color=blue:size=160x90:rate=30:duration=2 -c:v libx264 -pix_fmt yuv420p -c:a aac";
    let picture: Vec<&str> = picture.split(' ').collect();
    tone(&public.join("talk.mp4"), 880, &picture);
    Some((workspace, greys))
}

/// A picture of a frame shows the clip's frames of its time at the left and at the right, and not those beside them.
fn shows(picture: &RgbaImage, greys: &[f64], frame: usize) {
    let since = frame.min(39).saturating_sub(10);
    let wanted = [frame, (6 + 2 * since).min(59)].map(|of| greys[of]);
    let seen = [1, 3].map(|side| grey(picture, picture.width() * side / 4));
    for (seen, wanted) in seen.into_iter().zip(wanted) {
        assert!(
            (seen - wanted).abs() < 4.0,
            "frame {frame}: {seen} for {wanted}"
        );
    }
}

/// A clip of 60 frames with few key frames, each of one grey, far from those of 24 frames before and after it. Returns the greys.
fn stairs(path: &Path) -> Vec<f64> {
    let picture = "-f lavfi -i color=black:size=320x180:rate=30:duration=2 -c:v libx264 -g 250 -crf 8 -pix_fmt yuv420p -colorspace bt709 -color_range tv";
    let stairs = "-vf format=yuv444p,geq=lum='20+8*mod(N,25)':cb=128:cr=128";
    ffmpeg(&format!("{picture} {stairs}"), path);
    let frames = decode(path, 320, 180, &[]);
    frames.iter().map(|frame| grey(frame, 160)).collect()
}

#[test]
fn a_video_on_a_screen_shows_the_frame_of_the_time_and_its_sound_is_heard_at_its_own() {
    let Some((workspace, greys)) = workspace() else {
        return;
    };
    let out = workspace.app.path().join("film.mp4");
    let arguments = "render --width 640 --height 360 --quality high --out".split(' ');
    let mut arguments: Vec<&str> = arguments.collect();
    arguments.push(out.to_str().unwrap());
    let run = workspace.run(&arguments);
    assert_eq!(run.result()["capture"], "pixels", "{}", run.last());
    assert_eq!(run.result()["sound"], true);
    assert_eq!(run.result()["copied_videos"], 2);
    let frames = decode(&out, 640, 360, &[]);
    assert_eq!(frames.len(), 60);
    for (number, frame) in frames.iter().enumerate() {
        shows(frame, &greys, number);
    }
    let samples = samples(&out);
    let heard = |from: f64, to: f64| {
        let part = &samples[(from * 48_000.0) as usize..(to * 48_000.0) as usize];
        strength(part, 880.0)
    };
    assert!(heard(0.55, 1.45) > 0.04, "{}", heard(0.55, 1.45));
    assert!(heard(0.05, 0.45) < 0.002, "{}", heard(0.05, 0.45));
    assert!(heard(1.55, 1.95) < 0.002, "{}", heard(1.55, 1.95));
}

#[test]
fn stills_of_a_video_on_a_screen_are_right_in_any_order() {
    let Some((workspace, greys)) = workspace() else {
        return;
    };
    let out = workspace.app.path().join("stills");
    let numbers = [50, 3, 21, 59, 20, 10];
    let list = numbers.map(|frame| frame.to_string()).join(",");
    workspace
        .run(&["still", "--frames", &list, "--out", out.to_str().unwrap()])
        .result();
    for number in numbers {
        let picture = image::open(out.join(format!("frame_{number:05}.png"))).unwrap();
        let picture = picture.into_rgba8();
        shows(&picture, &greys, number);
    }
}

#[test]
fn a_check_passes_what_shows_a_video_in_3d_and_says_what_to_use_where_another_way_is_taken() {
    let Some((workspace, _)) = workspace() else {
        return;
    };
    let check = |import: &str, use_of: &str| {
        let text = SCENE
            .replace("import { useVideo }", &format!("{import}\nimport {{ useVideo }}"))
            .replace("function Screen", &format!("export const textures = {{ videoTexture: 1 }};\nexport const other = {use_of};\nfunction Screen"));
        workspace.write("src/Composition.tsx", &text);
        workspace.run(&["check", "--frames", "5"])
    };
    // A name is no texture.
    let run = check("", "textures.videoTexture");
    assert_eq!(run.result()["ok"], true, "{}", run.last());
    for (import, use_of) in [
        (
            "import { useVideoTexture } from \"@react-three/drei\";",
            "useVideoTexture",
        ),
        ("import * as THREE from \"three\";", "THREE.VideoTexture"),
        ("", "new Worker(new URL(\"./other.ts\", import.meta.url))"),
    ] {
        let run = check(import, use_of);
        let found = run.first_finding();
        let hint = found["hint"].as_str().unwrap();
        assert!(
            hint.contains("./koda/video") || found["code"] == "worker",
            "{use_of}: {found}"
        );
    }
}
