//! Fonts and pictures that come late are in the first frame all the same.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use image::RgbaImage;
use serde_json::Value;
use support::film::{apart, decode};
use support::{Workspace, ffmpeg};

const RED: [u8; 4] = [255, 0, 0, 255];

/// Has the workspace's server keep fonts and what lies in `public/late` back for a while.
fn keep_back(workspace: &Workspace, milliseconds: u32) {
    let path = workspace.app.path().join("src/koda/server/config.mjs");
    let text = std::fs::read_to_string(&path).unwrap();
    let late = format!(
        r#"{{
    name: "late",
    configureServer: (server) => {{
      server.middlewares.use((request, _, next) => setTimeout(next, /\/late\/|\.(woff2?|ttf)\b/.test(request.url) ? {milliseconds} : 0));
    }},
  }},"#
    );
    let plugins = "plugins: [";
    assert!(text.contains(plugins));
    std::fs::write(path, text.replacen(plugins, &format!("{plugins}{late}"), 1)).unwrap();
}

/// The first two frames of a workspace, and the SHA-256 of their film.
fn film(workspace: &Workspace) -> (Vec<RgbaImage>, Value) {
    let out = workspace.app.path().join("film.mp4");
    let size = "render --width 320 --height 180 --to 2 --quality high --out".split(' ');
    let mut arguments: Vec<&str> = size.collect();
    arguments.push(out.to_str().unwrap());
    let run = workspace.run(&arguments);
    let result = run.result();
    assert_eq!(result["capture"], "pixels", "{result}");
    (decode(&out, 320, 180, &[]), result["sha256"].clone())
}

/// What is in its first frame is there however late its files come, and would be missed.
fn is_in_the_first_frame(template: &str, scene: &str, (from, to): (&str, &str), at: &[(u32, u32)]) {
    let made = |scene: &str, milliseconds: u32| {
        let workspace = Workspace::new(template)?;
        let late = workspace.app.path().join("public/late");
        std::fs::create_dir_all(&late).unwrap();
        let red = "-f lavfi -i color=red:size=64x64,format=rgb24 -frames:v 1";
        ffmpeg(red, &late.join("picture.png"));
        ffmpeg(red, &late.join("other.png"));
        let font = "node_modules/@fontsource/anton/files/anton-latin-400-normal.woff2";
        std::fs::copy(workspace.app.path().join(font), late.join("font.woff2")).unwrap();
        workspace.write("src/Composition.tsx", scene);
        keep_back(&workspace, milliseconds);
        Some(film(&workspace))
    };
    assert!(scene.contains(from));
    let without = scene.replace(from, to);
    let (Some(soon), Some(late), Some(without)) =
        (made(scene, 0), made(scene, 1200), made(&without, 0))
    else {
        return;
    };
    for &(x, y) in at {
        let seen = late.0[0].get_pixel(x, y).0;
        assert!(apart(seen, RED) <= 6, "{template}: {seen:?} at {x}, {y}");
    }
    assert_eq!(soon.1, late.1, "{template}");
    assert_ne!(soon.1, without.1, "{template}: letters would be missed");
}

#[test]
fn fonts_and_pictures_that_come_late_are_in_the_first_frame_of_a_2d_film() {
    let scene = r##"import { AbsoluteFill, Img, staticFile } from "remotion";
import "./design";

const face = `@font-face { font-family: Late; src: url("${staticFile("late/font.woff2")}") }`;
const at = (left: number) => ({ position: "absolute", left, top: 0, width: 480, height: 480 }) as const;

export default () => (
  <AbsoluteFill style={{ background: "#10a040" }}>
    <style>{face}</style>
    <Img src={staticFile("late/picture.png")} style={at(0)} />
    <div style={{ ...at(480), backgroundImage: `url(${staticFile("late/other.png")})` }} />
    <div style={{ position: "absolute", left: 60, top: 560, fontFamily: "Late", fontSize: 400, color: "#fff" }}>LATE</div>
  </AbsoluteFill>
);
"##;
    let without = ("fontFamily: \"Late\"", "fontFamily: \"serif\"");
    is_in_the_first_frame("remotion", scene, without, &[(40, 40), (120, 40)]);
}

#[test]
fn fonts_and_textures_that_come_late_are_in_the_first_frame_of_a_3d_film() {
    let scene = r##"import { useLoader } from "@react-three/fiber";
import { SRGBColorSpace, TextureLoader } from "three";
import "./design";
import { Text } from "./koda/text";

export default function Composition() {
  const map = useLoader(TextureLoader, "/late/picture.png", (loader) => loader);
  map.colorSpace = SRGBColorSpace;
  return (
    <>
      <color attach="background" args={["#10a040"]} />
      <mesh position={[-2.5, 1, 0]}><planeGeometry args={[2, 2]} /><meshBasicMaterial map={map} toneMapped={false} /></mesh>
      <Text text="LATE" family="Anton" weight={400} size={1} maxWidth={6} position={[0, -1.2, 0]}><meshBasicMaterial color="#fff" toneMapped={false} /></Text>
    </>
  );
}
"##;
    let without = ("family=\"Anton\"", "family=\"Inter\"");
    is_in_the_first_frame("theatre", scene, without, &[(70, 54)]);
}
