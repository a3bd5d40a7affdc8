//! Tones, and what is heard of them in a film.

use std::path::Path;

use super::film::raw;

/// A file of two seconds with a tone of this many hertz.
pub fn tone(path: &Path, hertz: u32, picture: &[&str]) {
    let made = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i"])
        .arg(format!(
            "sine=frequency={hertz}:duration=2:sample_rate=48000"
        ))
        .args(picture)
        .arg(path)
        .status()
        .unwrap();
    assert!(made.success());
}

/// How much of a tone is in a part of the sound, by Goertzel's filter: about 0.125 for FFmpeg's own sine.
pub fn strength(samples: &[f32], hertz: f64) -> f64 {
    let turn = 2.0 * std::f64::consts::PI * hertz / 48_000.0;
    let (real, imaginary) = samples
        .iter()
        .enumerate()
        .fold((0.0, 0.0), |sum, (at, sample)| {
            let (angle, sample) = (turn * at as f64, f64::from(*sample));
            (sum.0 + sample * angle.cos(), sum.1 + sample * angle.sin())
        });
    2.0 * f64::hypot(real, imaginary) / samples.len() as f64
}

/// The sound of a film as one channel of 48,000 samples a second.
pub fn samples(film: &Path) -> Vec<f32> {
    let sound = raw(film, "-vn -ac 1 -ar 48000 -f f32le");
    let (samples, _) = sound.as_chunks::<4>();
    samples
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}
