//! Frames that are as the one before are not drawn again.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use serde_json::Value;
use support::film::{barcode, decode, render};
use support::{Fixture, Workspace};

/// The film of a composition that stands still for a while, and of the same where every frame is drawn.
fn both(edits: &[(&str, &str)], out: &str, more: &str) -> (Value, Value) {
    let film = |restless: bool| {
        let fixture = Fixture::new("holds", 50);
        for (from, to) in edits {
            fixture.edit(from, to);
        }
        if restless {
            fixture.edit("RESTLESS = false", "RESTLESS = true");
        }
        render(&fixture, out, (640, 360), more).result().clone()
    };
    (film(false), film(true))
}

#[test]
fn what_stands_still_is_not_drawn_again_and_the_film_is_the_same_to_the_bit() {
    let (held, drawn) = both(&[], "film.mp4", "--quality draft --browsers 1");
    assert_eq!(
        (&held["capture"], &drawn["capture"]),
        (&"pixels".into(), &"pixels".into())
    );
    // Drawn are frames 0 to 10, 40 to 49, and those at which something changed that only the compositor saw.
    assert_eq!(
        (&held["unchanged"], &drawn["unchanged"]),
        (&24.into(), &0.into())
    );
    assert_eq!(held["sha256"], drawn["sha256"]);
}

#[test]
fn a_canvas_within_the_page_shows_what_was_drawn_for_its_frame() {
    for browsers in [1, 2] {
        let fixture = Fixture::new("barcode", 60);
        fixture.edit("CANVAS = false", "CANVAS = true");
        let more = format!("--quality draft --browsers {browsers}");
        let run = render(&fixture, "film.mp4", (1280, 720), &more);
        assert_eq!(run.result()["capture"], "pixels", "{}", run.result());
        let frames = decode(&fixture.path("film.mp4"), 1280, 720, &[]);
        let numbers: Vec<u32> = frames.iter().map(barcode).collect();
        assert_eq!(numbers, (0..60).collect::<Vec<_>>());
    }
}

#[test]
fn a_canvas_that_another_order_could_cover_is_shown_by_pictures() {
    let fixture = Fixture::new("barcode", 4);
    fixture.edit("CANVAS = false", "CANVAS = true");
    fixture.edit("position:absolute;left:0;top:0\"", "position:static\"");
    let run = render(&fixture, "film.mp4", (320, 180), "--quality draft");
    assert_eq!(run.result()["capture"], "begin-frame");
    let because = run.result()["because"].as_str().unwrap();
    assert!(because.contains("in the flow"), "{because}");
}

#[test]
fn a_canvas_within_the_page_is_drawn_again_when_it_changes() {
    let canvas = [("CANVAS = \"\"", "CANVAS = \"2d\"")];
    let (held, drawn) = both(&canvas, "film.mp4", "--quality draft --browsers 1");
    assert_eq!(
        (&held["capture"], &drawn["capture"]),
        (&"pixels".into(), &"pixels".into()),
        "{held}"
    );
    assert_eq!(held["unchanged"], 23, "{held}");
    assert_eq!(held["sha256"], drawn["sha256"]);
}

#[test]
fn a_picture_is_not_taken_again_where_the_compositor_found_no_damage() {
    let canvas = [("CANVAS = \"\"", "CANVAS = \"webgl2\"")];
    let (held, drawn) = both(&canvas, "film.mp4", "--quality high --browsers 1");
    assert_eq!(
        (&held["capture"], &drawn["capture"]),
        (&"begin-frame".into(), &"begin-frame".into())
    );
    assert_eq!(drawn["unchanged"], 0);
    // Whether a picture holds is known from the second one on that was taken of it; and after each change that was not seen the
    // compositor is asked later.
    assert_eq!(held["unchanged"], 7);
    assert_eq!(held["sha256"], drawn["sha256"]);
}

#[test]
fn several_browsers_each_know_what_they_drew_last() {
    let (held, drawn) = both(&[], "film.mp4", "--quality draft --browsers 2");
    assert_eq!(held["sha256"], drawn["sha256"]);
    assert!(held["unchanged"].as_u64().unwrap() >= 20, "{held}");
}

#[test]
fn what_stands_still_in_a_remotion_composition_is_not_drawn_again() {
    let scene = support::here().join("tests/fixtures/compositions/holds.tsx");
    let scene = std::fs::read_to_string(scene).unwrap();
    let film = |scene: &str| {
        let workspace = Workspace::new("remotion")?;
        workspace.write("src/Composition.tsx", scene);
        let out = workspace.app.path().join("film.mp4");
        let size = "render --width 640 --height 360 --to 70 --quality draft --browsers 1 --out";
        let mut arguments: Vec<&str> = size.split(' ').collect();
        arguments.push(out.to_str().unwrap());
        Some(workspace.run(&arguments).result().clone())
    };
    let restless = scene.replace("RESTLESS = false", "RESTLESS = true");
    let (Some(held), Some(drawn)) = (film(&scene), film(&restless)) else {
        return;
    };
    assert_eq!(drawn["unchanged"], 0);
    // Frames 21 to 40 and 51 to 69 are as the ones before, but for where a spring comes to rest earlier, and a sequence begins.
    let unchanged = held["unchanged"].as_u64().unwrap();
    assert!((35..45).contains(&unchanged), "{held}");
    assert_eq!(held["sha256"], drawn["sha256"]);
}
