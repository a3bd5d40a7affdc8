//! Videos in a composition, in the real browser: each frame shows the clip's frame of the same time.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use std::process::Command;

use image::RgbaImage;
use support::clip::{clip, grey, nearest};
use support::film::{decode, render};
use support::sound::{samples, strength, tone};
use support::{Fixture, ffmpeg, listing};

/// The clip's frames that a picture shows at the left and at the right.
fn shown(picture: &RgbaImage, greys: &[f64]) -> [usize; 2] {
    [1, 3].map(|side| nearest(greys, grey(picture, picture.width() * side / 4)))
}

fn is_copy(name: &str) -> bool {
    name.contains("koda-clips")
}

/// Browsers play copies of all videos, and nothing else from the first of them on.
fn copies_are_played(fixture: &Fixture, videos: usize) {
    let asked = fixture.asked();
    let played = asked
        .iter()
        .filter(|it| it.by_browser && it.path.ends_with(".mp4"));
    let played: Vec<&str> = played.map(|it| it.path.as_str()).collect();
    let first = played.iter().position(|path| is_copy(path)).unwrap();
    let mut copies = played[first..].to_vec();
    assert!(copies.iter().all(|path| is_copy(path)), "{played:?}");
    copies.sort_unstable();
    copies.dedup();
    assert_eq!(copies.len(), videos, "{played:?}");
    let left = listing(fixture.app.path());
    assert!(!left.iter().any(|name| is_copy(name)), "{left:?}");
}

#[test]
fn a_video_shows_the_frame_of_the_time_whether_it_runs_or_is_sought() {
    let fixture = Fixture::new("video", 60);
    let greys = clip(&fixture.path("clip.mp4"));
    let out = fixture.path("film.mov");
    let run = fixture.run(&[
        "render",
        "--out",
        out.to_str().unwrap(),
        "--width",
        "640",
        "--height",
        "360",
    ]);
    assert_eq!(run.result()["verified"], true);
    // Its key frames are far apart.
    assert_eq!(run.result()["copied_videos"], 1);
    copies_are_played(&fixture, 1);
    let frames = decode(&out, 640, 360, &[]);
    assert_eq!(frames.len(), 60);
    for (number, frame) in frames.iter().enumerate() {
        let expected = [number.saturating_sub(10), number];
        assert_eq!(shown(frame, &greys), expected, "frame {number}");
    }
    // However the workspace is named.
    let arguments = "render --out again.mov --width 640 --height 360 --to 50";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    assert_eq!(fixture.run_within(&arguments).result()["copied_videos"], 1);
}

#[test]
fn a_video_is_not_copied_where_that_gains_nothing_or_would_lose_something() {
    let again = |arguments: &str, frames: &str| {
        let fixture = Fixture::new("video", 60);
        let first = fixture.path("first.mp4");
        let greys = clip(&first);
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(&first)
            .args("-c:v libx264 -crf 8".split(' '))
            .args(arguments.split(' '))
            .arg(fixture.path("clip.mp4"))
            .status()
            .unwrap();
        assert!(made.success());
        let run = render(
            &fixture,
            "film.mp4",
            (640, 360),
            &format!("--quality high {frames}"),
        );
        assert_eq!(run.result()["copied_videos"], 0, "{arguments}");
        let made = decode(&fixture.path("film.mp4"), 640, 360, &[]);
        let last = made.len() - 1;
        assert_eq!(
            shown(&made[last], &greys),
            [last.saturating_sub(10), last],
            "{arguments}"
        );
    };
    again("-g 1", "");
    again("-g 250", "--to 12");
    again("-g 250 -pix_fmt yuv444p", "");
    // It is seen in the frame that is looked at first, so that a copy is begun, and in no other.
    let fixture = Fixture::new("video", 60);
    let greys = clip(&fixture.path("clip.mp4"));
    fixture.edit("frame >= 10 &&", "false &&");
    fixture.edit(
        "right.currentTime",
        "frame === 14 ? left.after(right) : right.remove();\n  right.currentTime",
    );
    let run = render(&fixture, "film.mp4", (640, 360), "--quality high");
    assert_eq!(run.result()["copied_videos"], 0);
    let asked = fixture.asked();
    assert!(!asked.iter().any(|it| it.by_browser && is_copy(&it.path)));
    assert!(!listing(fixture.app.path()).iter().any(|it| is_copy(it)));
    let made = decode(&fixture.path("film.mp4"), 640, 360, &[]);
    assert_eq!(shown(&made[14], &greys)[1], 14);
    assert!(grey(&made[13], 480) < 2.0);
    // Pictures of a sequence are those that stills are, to the bit.
    let fixture = Fixture::new("video", 60);
    clip(&fixture.path("clip.mp4"));
    let run = render(&fixture, "film.zip", (320, 180), "");
    assert_eq!(run.result()["copied_videos"], 0);
}

#[test]
fn each_of_several_videos_is_copied_and_none_is_taken_for_another() {
    let fixture = Fixture::new("video", 60);
    let greys = clip(&fixture.path("clip.mp4"));
    let reversed = "-vf reverse -c:v libx264 -g 250 -crf 8 -colorspace bt709 -color_range tv";
    let forwards = fixture.path("clip.mp4").display().to_string();
    ffmpeg(
        &format!("-i {forwards} {reversed}"),
        &fixture.path("backwards.mp4"),
    );
    fixture.edit("left.src = \"/clip.mp4\"", "left.src = \"/backwards.mp4\"");
    let run = render(&fixture, "film.mp4", (640, 360), "--quality high");
    assert_eq!(run.result()["copied_videos"], 2);
    copies_are_played(&fixture, 2);
    let frames = decode(&fixture.path("film.mp4"), 640, 360, &[]);
    for (number, frame) in frames.iter().enumerate().skip(10) {
        assert_eq!(
            shown(frame, &greys),
            [69 - number, number],
            "frame {number}"
        );
    }
}

#[test]
fn a_film_with_a_copied_video_is_the_same_whoever_draws_how_much_of_it() {
    let fixture = Fixture::new("video", 300);
    clip(&fixture.path("clip.mp4"));
    let film = |out: &str, more: &str| {
        let parts = fixture.path("parts");
        let more = more.replace("PARTS", parts.to_str().unwrap());
        let run = render(
            &fixture,
            out,
            (320, 180),
            &format!("--fps 3 --quality draft {more}"),
        );
        assert!(run.ok, "{}", run.last());
        run
    };
    let whole = film("film.mp4", "");
    assert_eq!(whole.result()["copied_videos"], 1);
    for share in ["1/2", "0/2"] {
        film("film.mp4", &format!("--parts PARTS --share {share}"));
    }
    let joined = film("joined.mp4", "--parts PARTS");
    assert_eq!(joined.result()["sha256"], whole.result()["sha256"]);
}

#[test]
fn what_has_no_picture_and_what_is_not_to_be_seen_holds_up_no_frame_for_long() {
    let fixture = Fixture::new("video", 60);
    clip(&fixture.path("clip.mp4"));
    tone(&fixture.path("tone.m4a"), 440, &[]);
    let seconds = |more: &str| {
        fixture.edit("<video id=\"left\"", &format!("{more}<video id=\"left\""));
        let run = render(&fixture, "film.mp4", (320, 180), "--quality draft");
        run.result()["seconds"].as_f64().unwrap()
    };
    let alone = seconds("");
    let beside = seconds(
        "<video></video><video poster=\"/none.png\"></video><video src=\"/tone.m4a\" preload=\"auto\"></video>",
    );
    // A quarter of a second for each of sixty frames would be fifteen.
    assert!(beside < alone + 6.0, "{alone} s, {beside} s");
}

#[test]
fn a_video_shows_the_same_frame_when_frames_are_asked_for_in_any_order() {
    let fixture = Fixture::new("video", 60);
    let greys = clip(&fixture.path("clip.mp4"));
    let out = fixture.path("stills");
    let frames = [50_u32, 3, 21, 59, 20, 10];
    let list = frames.map(|frame| frame.to_string()).join(",");
    fixture
        .run(&["still", "--frames", &list, "--out", out.to_str().unwrap()])
        .result();
    for frame in frames {
        let picture = image::open(out.join(format!("frame_{frame:05}.png"))).unwrap();
        let expected = [frame.saturating_sub(10), frame].map(|frame| frame as usize);
        let seen = shown(&picture.into_rgba8(), &greys);
        assert_eq!(seen, expected, "frame {frame}");
    }
}

#[test]
fn sounds_are_heard_at_their_times_as_loud_as_they_are_and_no_longer() {
    let fixture = Fixture::new("sound", 120);
    tone(&fixture.path("low.wav"), 440, &[]);
    tone(&fixture.path("high.wav"), 1760, &[]);
    let picture = "-f lavfi -i color=blue:size=160x90:rate=30:duration=2 -c:v libx264 -pix_fmt yuv420p -c:a aac";
    let picture: Vec<&str> = picture.split(' ').collect();
    tone(&fixture.path("clip.mp4"), 880, &picture);
    for name in ["film.mp4", "film.webm", "film.mov"] {
        let out = fixture.path(name);
        let run = fixture.run(&[
            "render",
            "--out",
            out.to_str().unwrap(),
            "--width",
            "320",
            "--height",
            "180",
            "--quality",
            "draft",
        ]);
        assert_eq!(run.result()["sound"], true, "{name}");
        let samples = samples(&out);
        let length = samples.len() as f64 / 48_000.0;
        assert!(
            (length - 4.0).abs() < 0.05,
            "{name} has {length} s of sound"
        );
        let heard = |from: f64, to: f64| {
            let part = &samples[(from * 48_000.0) as usize..(to * 48_000.0) as usize];
            [440.0, 1760.0, 880.0].map(|hertz| strength(part, hertz))
        };
        let full = heard(1.1, 1.4)[0];
        assert!(full > 0.08, "{name}: {full}");
        let alike = |seen: [f64; 3], wanted: [f64; 3]| {
            let near = |(seen, wanted): (f64, f64)| (seen / full - wanted).abs() < 0.06;
            assert!(
                seen.into_iter().zip(wanted).all(near),
                "{name}: {seen:?} of {full}, not {wanted:?}"
            );
        };
        alike(heard(0.05, 0.95), [0.0, 0.0, 0.0]);
        alike(heard(1.02, 1.48), [1.0, 0.0, 0.0]);
        alike(heard(1.54, 1.95), [0.0, 0.0, 0.0]);
        alike(heard(2.2, 2.3), [0.0, 0.75, 0.0]);
        alike(heard(2.7, 2.8), [0.0, 0.25, 0.0]);
        alike(heard(3.1, 3.9), [0.0, 0.0, 1.0]);
    }
}
