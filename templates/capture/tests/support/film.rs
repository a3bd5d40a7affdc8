//! Rendering films, and looking at what is in them.

use std::path::Path;
use std::process::Command;

use image::RgbaImage;
use serde_json::Value;

use super::{Fixture, Run};

const BITS: u32 = 12;

/// Renders a composition into a file of its workspace. Arguments have no blanks in them.
pub fn render(fixture: &Fixture, out: &str, size: (u32, u32), more: &str) -> Run {
    let path = fixture.path(out);
    let (width, height) = (size.0.to_string(), size.1.to_string());
    let mut arguments = vec!["render", "--out", path.to_str().unwrap()];
    arguments.extend(["--width", &width, "--height", &height]);
    arguments.extend(more.split_whitespace());
    fixture.run(&arguments)
}

/// What FFmpeg makes of a file with these arguments.
pub fn raw(path: &Path, arguments: &str) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(arguments.split(' '))
        .arg("pipe:1")
        .output()
        .unwrap();
    assert!(output.status.success());
    output.stdout
}

/// The frame number that the barcode composition wrote into a picture.
pub fn barcode(picture: &RgbaImage) -> u32 {
    let (width, height) = picture.dimensions();
    (0..BITS).fold(0, |number, bit| {
        let pixel = picture.get_pixel((2 * bit + 1) * width / (2 * BITS), height / 5);
        number | (u32::from(pixel.0[1] > 127) << bit)
    })
}

/// All frames of a video, decoded by FFmpeg.
pub fn decode(path: &Path, width: u32, height: u32, decoder: &[&str]) -> Vec<RgbaImage> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error"])
        .args(decoder)
        .arg("-i")
        .arg(path)
        // What a careful player does: the tags are honoured, and nothing is rounded twice.
        .args(["-vf", "scale=flags=bicubic+accurate_rnd+full_chroma_int"])
        .args([
            "-vsync", "0", "-f", "rawvideo", "-pix_fmt", "rgba", "pipe:1",
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let size = (width * height * 4) as usize;
    assert_eq!(output.stdout.len() % size, 0);
    output
        .stdout
        .chunks(size)
        .map(|frame| RgbaImage::from_raw(width, height, frame.to_vec()).unwrap())
        .collect()
}

/// What ffprobe says of a file's picture: its `streams`, its `packets`, its `format`.
pub fn probe(path: &Path) -> Value {
    let output = Command::new("ffprobe")
        .args(
            "-v error -select_streams v:0 -show_streams -show_packets -show_format -of json"
                .split(' '),
        )
        .arg(path)
        .output()
        .unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// How far two colours are from each other, in the channel that is farthest.
pub fn apart(one: [u8; 4], other: [u8; 4]) -> u8 {
    let channels = one.iter().zip(other);
    channels.map(|(a, b)| a.abs_diff(b)).max().unwrap()
}
