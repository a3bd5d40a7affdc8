//! Films by Koda's own page beside those that Remotion's renderer draws of the same composition.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use std::path::Path;
use std::process::Command;

use support::{Workspace, ffmpeg, here};

const FRAMES: usize = 45;
/// How alike a frame must be, and more than what two encodings of it and letters on other fractions of a pixel take away.
const ALIKE: f64 = 0.98;

/// What Remotion has of its own for time, chance and files, which `make bench-render` films too, and what it shows.
fn features() -> Option<Workspace> {
    let workspace = Workspace::new("remotion")?;
    let scene = here().join("../../infra/bench/scenes/features.tsx");
    let scene = std::fs::read_to_string(scene).unwrap();
    workspace.write("src/Composition.tsx", &scene);
    let public = workspace.app.path().join("public");
    for (index, pattern) in ["testsrc2=size=640x360", "gradients=size=640x360:seed=7:n=6"]
        .iter()
        .enumerate()
    {
        let picture = format!("-f lavfi -i {pattern} -frames:v 1 -q:v 2");
        ffmpeg(&picture, &public.join(format!("picture-{index}.jpg")));
    }
    let clip =
        "-f lavfi -i testsrc2=size=640x360:rate=30:duration=4 -c:v libx264 -g 30 -pix_fmt yuv420p";
    ffmpeg(clip, &public.join("clip.mp4"));
    Some(workspace)
}

/// The film of a workspace, and whether Remotion's own renderer drew it.
fn film(workspace: &Workspace, name: &str) -> (std::path::PathBuf, bool) {
    let out = workspace.app.path().join(name);
    let to = FRAMES.to_string();
    let size = "render --width 640 --height 360 --quality high --to".split(' ');
    let mut arguments: Vec<&str> = size.collect();
    arguments.extend([&to, "--out", out.to_str().unwrap()]);
    let run = workspace.run(&arguments);
    let by_remotion = run.result()["capture"] == "remotion";
    (out, by_remotion)
}

/// How alike each frame of one film is to the one of the other that comes so many frames later.
fn alike(one: &Path, other: &Path, later: usize) -> Vec<f64> {
    let graph = format!(
        "[0:v]setpts=N,trim=end_frame={}[a];[1:v]trim=start_frame={later},setpts=N[b];[a][b]ssim=stats_file=-",
        FRAMES - later
    );
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(one)
        .arg("-i")
        .arg(other)
        .args(["-lavfi", &graph, "-f", "null", "/dev/null"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let all = text.lines().map(|line| {
        let (_, all) = line.split_once("All:").unwrap();
        all.split(' ').next().unwrap().parse().unwrap()
    });
    all.collect()
}

#[test]
fn every_frame_of_what_remotion_has_of_its_own_is_alike_to_what_its_renderer_draws() {
    let Some(workspace) = features() else {
        return;
    };
    let (ours, by_remotion) = film(&workspace, "ours.mp4");
    assert!(!by_remotion);
    let path = workspace.app.path().join("src/Composition.tsx");
    let text = std::fs::read_to_string(&path).unwrap();
    let needs = "import { HtmlInCanvas } from \"remotion\";\nexport const unused = HtmlInCanvas;\n";
    std::fs::write(path, format!("{needs}{text}")).unwrap();
    let (theirs, by_remotion) = film(&workspace, "theirs.mp4");
    assert!(by_remotion);
    let alikes = alike(&ours, &theirs, 0);
    assert_eq!(alikes.len(), FRAMES);
    for (frame, alike) in alikes.iter().enumerate() {
        assert!(*alike >= ALIKE, "frame {frame}: {alike} of {alikes:?}");
    }
    // Which would be seen if they were a frame apart: everything here moves.
    let shifted = alike(&ours, &theirs, 1);
    assert_eq!(shifted.len(), FRAMES - 1);
    for (frame, (same, next)) in alikes.iter().zip(&shifted).enumerate() {
        assert!(same > next, "frame {frame}: {same}, and {next} to the next");
    }
}
