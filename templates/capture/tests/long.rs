//! A film of four minutes at thirty frames a second.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use image::RgbaImage;
use support::Fixture;
use support::film::{decode, probe, render};

const FRAMES: u32 = 7_200;
/// Digits of the last frame's number.
const BITS: u32 = 13;
const SIZE: (u32, u32) = (64, 36);

fn number(picture: &RgbaImage) -> u32 {
    (0..BITS).fold(0, |number, bit| {
        let pixel = picture.get_pixel((2 * bit + 1) * SIZE.0 / (2 * BITS), SIZE.1 / 5);
        number | (u32::from(pixel.0[1] > 127) << bit)
    })
}

#[test]
fn a_film_of_thousands_of_frames_has_each_of_them_in_its_place() {
    let fixture = Fixture::new("barcode", FRAMES);
    fixture.edit("BITS = 12", &format!("BITS = {BITS}"));
    let run = render(&fixture, "film.mp4", SIZE, "--quality draft");
    assert_eq!(run.result()["capture"], "pixels");
    let path = fixture.path("film.mp4");
    let about = probe(&path);
    assert_eq!(about["packets"].as_array().unwrap().len(), FRAMES as usize);
    assert_eq!(about["format"]["duration"], "240.000000");
    let told: Vec<u32> = decode(&path, SIZE.0, SIZE.1, &[])
        .iter()
        .map(number)
        .collect();
    assert_eq!(told.len(), FRAMES as usize);
    let wrong = (0..).zip(&told).find(|(frame, told)| frame != *told);
    assert_eq!(wrong, None);
}
