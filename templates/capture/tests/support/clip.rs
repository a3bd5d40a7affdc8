//! A clip whose frames can be told apart.

use std::path::Path;
use std::process::Command;

use image::RgbaImage;

use super::film::decode;

/// A clip of 60 frames, 30 a second, with few key frames, each of one grey and lighter than the one before. Returns the greys.
pub fn clip(path: &Path) -> Vec<f64> {
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i"])
        .arg("color=black:size=320x180:rate=30:duration=2")
        .args(["-vf", "format=yuv444p,geq=lum='20+3.4*N':cb=128:cr=128"])
        .args([
            "-c:v", "libx264", "-g", "250", "-crf", "8", "-pix_fmt", "yuv420p",
        ])
        .args(["-colorspace", "bt709", "-color_range", "tv"])
        .arg(path)
        .status()
        .unwrap();
    assert!(made.success());
    let greys: Vec<f64> = decode(path, 320, 180, &[])
        .iter()
        .map(|frame| grey(frame, 160))
        .collect();
    assert_eq!(greys.len(), 60);
    assert!(
        greys.windows(2).all(|pair| pair[1] > pair[0] + 2.0),
        "{greys:?}"
    );
    greys
}

/// How light a picture is in the middle of a column.
pub fn grey(picture: &RgbaImage, x: u32) -> f64 {
    f64::from(picture.get_pixel(x, picture.height() / 2).0[1])
}

/// Which of the clip's frames has a grey.
pub fn nearest(greys: &[f64], seen: f64) -> usize {
    let apart = |frame: &usize| (greys[*frame] - seen).abs();
    (0..greys.len())
        .min_by(|one, other| apart(one).total_cmp(&apart(other)))
        .unwrap()
}
