//! What cannot come as pixels comes as pictures, and the film says why: whether it is there from the first frame on, or comes
//! when the film has long begun.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use std::ops::Range;

use support::Fixture;
use support::film::{apart, barcode, decode, render};

const SIZE: (u32, u32) = (320, 180);
const RED: [u8; 4] = [0xe0, 0x10, 0x10, 255];
const GREEN: [u8; 4] = [0x10, 0xa0, 0x40, 255];

/// The film of so many frames, in which there is something of this kind in these, has every frame as it must be; and why it came
/// as pictures is said so.
fn comes_as_pictures(kind: &str, frames: u32, there: &Range<u32>, because: &str, more: &str) {
    let what = format!("{kind} in {there:?} of {frames} {more}");
    let fixture = Fixture::new("odd", frames);
    fixture.edit("KIND = \"none\"", &format!("KIND = \"{kind}\""));
    fixture.edit("FROM = 0", &format!("FROM = {}", there.start));
    fixture.edit("UNTIL = 999", &format!("UNTIL = {}", there.end));
    let run = render(&fixture, "film.mp4", SIZE, more);
    assert!(run.ok, "{what}: {}", run.last());
    assert_eq!(
        run.result()["capture"],
        "begin-frame",
        "{what}: {}",
        run.last()
    );
    let said = run.result()["because"].as_str().unwrap();
    assert!(said.contains(because), "{what}: {said}");
    let pictures = decode(&fixture.path("film.mp4"), SIZE.0, SIZE.1, &[]);
    assert_eq!(pictures.len(), frames as usize, "{what}");
    for (frame, picture) in (0..).zip(&pictures) {
        assert_eq!(barcode(picture), frame, "{what}");
        let seen = picture.get_pixel(SIZE.0 / 2, SIZE.1 * 3 / 4).0;
        let wanted = if there.contains(&frame) { RED } else { GREEN };
        assert!(
            apart(seen, wanted) <= 6,
            "{what}: frame {frame} has {seen:?}"
        );
    }
}

#[test]
fn what_html_in_canvas_leaves_out_comes_as_pictures_and_is_in_every_frame() {
    for (kind, because) in [
        ("iframe", "<iframe>"),
        ("webgl", "drawn by webgl2"),
        ("size", "not shown in its own size"),
        ("outside", "outside of the stage"),
        ("shadow", "drawn by webgl2"),
    ] {
        comes_as_pictures(kind, 12, &(0..999), because, "--quality draft");
    }
}

#[test]
fn what_comes_in_the_middle_of_a_film_has_all_of_it_come_as_pictures() {
    // None of the frames that are looked at before filming.
    let amid = 7..10;
    for (kind, because) in [
        ("iframe", "<iframe>"),
        ("webgl", "drawn by webgl2"),
        ("size", "not shown in its own size"),
        ("outside", "outside of the stage"),
        ("shadow", "drawn by webgl2"),
    ] {
        comes_as_pictures(kind, 60, &amid, because, "--quality draft");
    }
    // By two browsers, of which one does not show it.
    let two = "--quality draft --browsers 2";
    comes_as_pictures("iframe", 90, &(7..8), "<iframe>", two);
    // What stays is in frames that are looked at.
    for (kind, because) in [
        ("outside", "outside of the stage"),
        ("shadow", "drawn by webgl2"),
    ] {
        comes_as_pictures(kind, 60, &(7..999), because, "--quality draft");
    }
}
