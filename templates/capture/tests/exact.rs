//! Films of 3D scenes: whoever draws them, in whichever order and as part of whatever, each frame is the same to the last bit.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use std::io::Read as _;
use std::path::Path;

use image::RgbaImage;
use serde_json::{Value, json};
use support::{Run, Workspace, here};

/// Frames of the scene, of which a part of eight seconds has eighty: enough for two browsers.
const FRAMES: u32 = 84;
const FPS: u32 = 10;

/// The fixture's scene, which moves in every frame.
fn turning() -> Option<Workspace> {
    let workspace = Workspace::new("theatre")?;
    let scene = here().join("tests/fixtures/scenes/turning.tsx");
    let scene = std::fs::read_to_string(scene).unwrap();
    workspace.write("src/Composition.tsx", &scene);
    let manifest = std::fs::read_to_string(workspace.app.path().join("koda.json")).unwrap();
    let mut told: Value = serde_json::from_str(&manifest).unwrap();
    told["fps"] = json!(FPS);
    told["durationInFrames"] = json!(FRAMES);
    workspace.write("koda.json", &told.to_string());
    Some(workspace)
}

fn render(workspace: &Workspace, out: &str, more: &str) -> Run {
    let out = workspace.app.path().join(out);
    let mut all = vec!["render", "--width", "160", "--height", "90", "--out"];
    all.push(out.to_str().unwrap());
    all.extend(more.split_whitespace());
    workspace.run(&all)
}

/// The pictures of a sequence.
fn archived(path: &Path) -> Vec<RgbaImage> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut bytes = Vec::new();
            let mut entry = archive.by_index(index).unwrap();
            entry.read_to_end(&mut bytes).unwrap();
            image::load_from_memory(&bytes).unwrap().into_rgba8()
        })
        .collect()
}

#[test]
fn a_3d_film_is_the_same_file_each_time_however_many_draw_it_and_in_whatever_shares() {
    let Some(workspace) = turning() else {
        return;
    };
    let at_once = |browsers: usize| {
        let run = render(&workspace, "film.mp4", &format!("--browsers {browsers}"));
        let result = run.result();
        assert_eq!(result["capture"], "pixels", "{result}");
        assert_eq!(result["browsers"], browsers, "{result}");
        assert_eq!(result["frames"], FRAMES);
        assert_eq!(result["unchanged"], 0, "every frame is drawn: {result}");
        result["sha256"].clone()
    };
    let one = at_once(1);
    assert_eq!(at_once(2), one, "by two browsers");
    let parts = workspace.app.path().join("parts");
    let kept = format!("--parts {}", parts.display());
    // The last first: eighty frames are drawn by as many as there are, and four by one.
    for (share, drawn) in [("1/2", json!([1])), ("0/2", json!([0, 1]))] {
        let run = render(&workspace, "share.mp4", &format!("{kept} --share {share}"));
        assert_eq!(run.result()["parts"], drawn);
    }
    let joined = render(&workspace, "joined.mp4", &kept);
    assert_eq!(joined.result()["sha256"], one, "in shares");
    assert_eq!(joined.result()["capture"], "pixels");
    let drawn = joined.of("progress");
    assert!(
        drawn.iter().all(|line| line["stage"] != "capture"),
        "nothing is drawn again"
    );
}

#[test]
fn a_still_of_a_3d_scene_is_the_frame_of_the_sequence_whatever_was_shown_before() {
    let Some(workspace) = turning() else {
        return;
    };
    render(&workspace, "film.zip", "--to 12").result();
    let sequence = archived(&workspace.app.path().join("film.zip"));
    assert_eq!(sequence.len(), 12);
    assert!(
        sequence.windows(2).all(|pair| pair[0] != pair[1]),
        "it moves in every frame"
    );
    let out = workspace.app.path().join("stills");
    let mixed = "still --width 160 --height 90 --frames 7,0,11,3,4,1 --out".split(' ');
    let mut arguments: Vec<&str> = mixed.collect();
    arguments.push(out.to_str().unwrap());
    workspace.run(&arguments).result();
    for frame in [7, 0, 11, 3, 4, 1] {
        let still = image::open(out.join(format!("frame_{frame:05}.png"))).unwrap();
        assert!(
            still.into_rgba8() == sequence[frame],
            "frame {frame} depends on what was shown before"
        );
    }
    // And the frame that is rendered alone.
    render(&workspace, "one.zip", "--from 7 --to 8").result();
    let alone = archived(&workspace.app.path().join("one.zip"));
    assert!(alone[0] == sequence[7]);
}
