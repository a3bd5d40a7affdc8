//! Films in parts, with the real browser and the real encoder: whoever draws which part, and however often it is interrupted, the file
//! that comes out is the same.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Fixture, Run, collect};

/// Ten seconds at three frames a second: a part of 24 frames, and one of 6.
const SMALL: [&str; 8] = [
    "--width",
    "320",
    "--height",
    "180",
    "--fps",
    "3",
    "--quality",
    "draft",
];

fn render(fixture: &Fixture, out: &Path, more: &[&str]) -> Run {
    let mut arguments = vec!["render", "--out", out.to_str().unwrap()];
    arguments.extend(SMALL);
    arguments.extend(more);
    fixture.run(&arguments)
}

/// Copies the files of parts that are whole.
fn carry(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let name = entry.unwrap().file_name();
        if name.to_string_lossy().starts_with("000") {
            std::fs::copy(from.join(&name), to.join(&name)).unwrap();
        }
    }
}

#[test]
fn a_film_drawn_in_shares_by_several_is_to_the_byte_the_one_drawn_at_once() {
    for (name, more) in [
        ("film.mp4", [].as_slice()),
        ("film.webm", ["--transparent"].as_slice()),
    ] {
        let one = Fixture::new("barcode", 300);
        let other = Fixture::new("barcode", 300);
        let at_once = one.path(name);
        let whole = render(&one, &at_once, more);
        assert_eq!(whole.result()["frames"], 30, "{name}");
        let parts = ["0/2", "1/2"].map(|share| {
            let fixture = if share == "0/2" { &one } else { &other };
            let (out, parts) = (fixture.path("share"), fixture.path("parts"));
            let format = name.split('.').next_back().unwrap().replace("zip", "png");
            let mut arguments = vec!["--parts", parts.to_str().unwrap(), "--share", share];
            arguments.extend(["--format", &format]);
            arguments.extend(more);
            let run = render(fixture, &out, &arguments);
            let drawn = if share == "0/2" { 0 } else { 1 };
            assert_eq!(
                run.last()["parts"],
                json!([drawn]),
                "{name}: {}",
                run.stderr
            );
            assert!(!out.exists(), "a share makes no file");
            parts
        });
        carry(&parts[1], &parts[0]);
        let joined = one.path(&format!("joined-{name}"));
        let mut arguments = vec!["--parts", parts[0].to_str().unwrap()];
        arguments.extend(more);
        let run = render(&one, &joined, &arguments);
        assert_eq!(run.result()["sha256"], whole.result()["sha256"], "{name}");
        assert!(
            run.of("progress")
                .iter()
                .all(|line| line["stage"] != "capture"),
            "{name}: nothing is drawn again"
        );
        assert_eq!(
            std::fs::read(&joined).unwrap(),
            std::fs::read(&at_once).unwrap()
        );
    }
}

#[test]
fn sound_goes_through_parts_that_were_drawn_by_others() {
    let make = || {
        let fixture = Fixture::new("sound", 300);
        for (name, hertz) in [("low.wav", 440), ("high.wav", 1760)] {
            support::ffmpeg(
                &format!("-f lavfi -i sine=frequency={hertz}:duration=2:sample_rate=48000"),
                &fixture.path(name),
            );
        }
        support::ffmpeg(
            "-f lavfi -i sine=frequency=880:duration=9 -f lavfi -i color=blue:size=160x90:rate=30:duration=9 -c:v libx264 -c:a aac",
            &fixture.path("clip.mp4"),
        );
        fixture
    };
    let (one, other) = (make(), make());
    std::fs::copy(other.path("clip.mp4"), one.path("clip.mp4")).unwrap();
    let at_once = render(&one, &one.path("film.mp4"), &[]);
    assert_eq!(at_once.result()["sound"], true);
    let theirs = other.path("parts");
    let arguments = [
        "--format",
        "mp4",
        "--parts",
        theirs.to_str().unwrap(),
        "--share",
        "0/1",
    ];
    assert!(render(&other, &other.path("share"), &arguments).ok);
    let ours = one.path("parts");
    carry(&theirs, &ours);
    let arguments = ["--parts", ours.to_str().unwrap()];
    let joined = render(&one, &one.path("joined.mp4"), &arguments);
    assert_eq!(joined.result()["sha256"], at_once.result()["sha256"]);
}

#[test]
fn a_render_that_was_killed_goes_on_behind_its_last_whole_part() {
    let fixture = Fixture::new("barcode", 500);
    let (parts, last) = (fixture.path("parts"), fixture.path("last.json"));
    let out = fixture.path("film.mp4");
    let arguments = [
        "render",
        "--out",
        out.to_str().unwrap(),
        "--parts",
        parts.to_str().unwrap(),
        "--width",
        "320",
        "--height",
        "180",
        "--quality",
        "draft",
    ];
    let mut command = fixture.command(&arguments);
    let mut child = command.env("KODA_PROGRESS", &last).spawn().unwrap();
    let told = || -> Option<Value> {
        serde_json::from_str(std::fs::read_to_string(&last).ok()?.trim()).ok()
    };
    while told().is_none_or(|told| told["parts"].as_array().is_none_or(Vec::is_empty)) {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended: {:?}",
            told()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    assert!(!collect(child).ok);
    assert!(!out.exists());
    let run = fixture.run(&arguments);
    assert_eq!(run.result()["frames"], 500);
    let first = run.of("progress")[0];
    assert!(first["frame"].as_u64() >= Some(240), "{first}");
    let rates = run.of("progress");
    let rate = |line: &&Value| line["fps"].as_f64();
    assert!(
        rates.iter().filter_map(rate).all(|fps| fps < 500.0),
        "frames that were there before count for no speed"
    );
    let again = fixture.path("again.mp4");
    let arguments = [
        "render",
        "--out",
        again.to_str().unwrap(),
        "--width",
        "320",
        "--height",
        "180",
        "--quality",
        "draft",
    ];
    let whole = fixture.run(&arguments);
    assert_eq!(run.result()["sha256"], whole.result()["sha256"]);
}

#[test]
fn parts_of_another_composition_are_not_taken_for_this_ones() {
    let fixture = Fixture::new("barcode", 300);
    let parts = fixture.path("parts");
    let arguments = ["--parts", parts.to_str().unwrap()];
    assert!(render(&fixture, &fixture.path("film.mp4"), &arguments).ok);
    let code = fixture.path("src/composition.js");
    let other = std::fs::read_to_string(&code)
        .unwrap()
        .replace("#e01010", "#1010e0");
    std::fs::write(&code, other).unwrap();
    let run = render(&fixture, &fixture.path("other.mp4"), &arguments);
    assert!(!run.ok);
    assert_eq!(run.last()["code"], "bad_argument");
    assert!(!fixture.path("other.mp4").exists());
}

#[test]
fn what_went_wrong_is_kept_in_the_progress_file() {
    let fixture = Fixture::new("throws", 60);
    let last = fixture.path("last.json");
    let out = fixture.path("film.mp4");
    let mut command = fixture.command(&[
        "render",
        "--out",
        out.to_str().unwrap(),
        "--width",
        "320",
        "--height",
        "180",
    ]);
    command.env("KODA_PROGRESS", &last);
    let run = support::finish(command);
    let kept: Value = serde_json::from_str(std::fs::read_to_string(&last).unwrap().trim()).unwrap();
    assert_eq!(&kept, run.last());
    assert_eq!(kept["type"], "error");
}
