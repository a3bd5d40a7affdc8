//! Facts about pictures: how filled they are, and how alike two of them are.

use std::fmt::Write as _;

use image::imageops::FilterType;
use image::{Rgb, RgbImage, RgbaImage};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::error::{Code, Failure, Result};

/// Largest difference of a channel within a picture that still counts as one colour: what dithering and JPEG leave.
const ONE_COLOUR: u8 = 3;
/// Longer side at which two pictures are compared. Compression noise is gone at this size, wrong frames and wrong colours are not.
const COMPARED_AT: u32 = 480;

/// What a picture looks like in numbers.
#[derive(Debug, Clone, Serialize)]
pub struct Facts {
    /// SHA-256 of the pixels.
    pub sha256: String,
    /// Mean luma, 0 to 1.
    pub luma_mean: f64,
    /// Standard deviation of luma, 0 to 1.
    pub luma_stddev: f64,
    /// How many different colours there are.
    pub colors: u32,
    /// True where there is but one colour.
    #[serde(skip)]
    pub blank: bool,
}

/// Decodes a PNG or JPEG.
///
/// # Errors
/// `frame_failed` where it is neither.
pub fn decode(bytes: &[u8]) -> Result<RgbaImage> {
    image::load_from_memory(bytes)
        .map(image::DynamicImage::into_rgba8)
        .map_err(|error| {
            Failure::new(
                Code::FrameFailed,
                format!("a picture cannot be read: {error}"),
            )
        })
}

/// SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn luma(pixel: [u8; 3]) -> f64 {
    let [r, g, b] = pixel.map(f64::from);
    (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255.0
}

/// Numbers of a picture.
pub fn facts(picture: &RgbaImage) -> Facts {
    let mut seen = vec![0_u64; 1 << 18];
    let (mut colors, mut sum, mut squares) = (0, 0.0, 0.0);
    let (mut least, mut most) = ([255_u8; 4], [0_u8; 4]);
    for pixel in picture.pixels() {
        let [r, g, b, _] = pixel.0;
        let index = usize::from(r) << 16 | usize::from(g) << 8 | usize::from(b);
        let bit = 1_u64 << (index & 63);
        if seen[index >> 6] & bit == 0 {
            seen[index >> 6] |= bit;
            colors += 1;
        }
        let value = luma([r, g, b]);
        sum += value;
        squares += value * value;
        for channel in 0..4 {
            least[channel] = least[channel].min(pixel.0[channel]);
            most[channel] = most[channel].max(pixel.0[channel]);
        }
    }
    let count = f64::from(picture.width()) * f64::from(picture.height());
    let mean = sum / count;
    Facts {
        sha256: sha256(picture.as_raw()),
        luma_mean: crate::output::round(mean, 4),
        luma_stddev: crate::output::round((squares / count - mean * mean).max(0.0).sqrt(), 4),
        colors,
        blank: (0..4).all(|channel| most[channel] - least[channel] <= ONE_COLOUR),
    }
}

/// How alike two pictures are.
#[derive(Debug, Clone, Copy)]
pub struct Likeness {
    /// Peak signal-to-noise ratio over the colour channels in decibels, at most 99.
    pub psnr: f64,
    /// Structural similarity of luma, at most 1.
    pub ssim: f64,
    /// Largest difference of a channel's mean, 0 to 255.
    pub tint: f64,
}

/// Compares two pictures of one size at a common small size, over grey where they are transparent.
pub fn compare(one: &RgbaImage, other: &RgbaImage) -> Likeness {
    let (one, other) = (small(one), small(other));
    let mut error = 0.0;
    let (mut one_sum, mut other_sum) = ([0.0; 3], [0.0; 3]);
    for (a, b) in one.pixels().zip(other.pixels()) {
        for channel in 0..3 {
            let (a, b) = (f64::from(a.0[channel]), f64::from(b.0[channel]));
            error += (a - b) * (a - b);
            one_sum[channel] += a;
            other_sum[channel] += b;
        }
    }
    let count = f64::from(one.width()) * f64::from(one.height());
    let mse = error / (count * 3.0);
    let psnr = if mse <= 0.0 {
        99.0
    } else {
        (10.0 * (255.0 * 255.0 / mse).log10()).min(99.0)
    };
    let tint = (0..3)
        .map(|channel| (one_sum[channel] - other_sum[channel]).abs() / count)
        .fold(0.0, f64::max);
    Likeness {
        psnr,
        ssim: ssim(&one, &other),
        tint,
    }
}

/// How far two pictures of one size are from each other: the peak signal-to-noise ratio in decibels, at most 99, and the largest
/// mean difference of a block of 16×16 pixels, 0 to 255.
pub fn distance(one: &RgbaImage, other: &RgbaImage) -> (f64, f64) {
    const BLOCK: usize = 16;
    if one.dimensions() != other.dimensions() {
        return (0.0, 255.0);
    }
    let width = one.width() as usize;
    let mut squares = 0_u64;
    let mut worst = 0_u64;
    let (a, b) = (one.as_raw(), other.as_raw());
    let mut blocks = vec![0_u64; width.div_ceil(BLOCK)];
    let lines = a.chunks_exact(width * 4).zip(b.chunks_exact(width * 4));
    for (y, (a, b)) in lines.enumerate() {
        for (block, (a, b)) in a.chunks(BLOCK * 4).zip(b.chunks(BLOCK * 4)).enumerate() {
            let (mut sum, mut square) = (0_u32, 0_u32);
            for (a, b) in a.iter().zip(b) {
                let apart = u32::from(a.abs_diff(*b));
                sum += apart;
                square += apart * apart;
            }
            blocks[block] += u64::from(sum);
            squares += u64::from(square);
        }
        if (y + 1) % BLOCK == 0 {
            worst = blocks.iter().fold(worst, |worst, &sum| worst.max(sum));
            blocks.fill(0);
        }
    }
    worst = blocks.iter().fold(worst, |worst, &sum| worst.max(sum));
    let count = a.len() as f64;
    let mse = squares as f64 / count;
    let psnr = if mse <= 0.0 {
        99.0
    } else {
        (10.0 * (255.0 * 255.0 / mse).log10()).min(99.0)
    };
    (psnr, worst as f64 / (BLOCK * BLOCK * 4) as f64)
}

/// How many pixels of either picture, at a common small size, hold what the other has nowhere near: more than a trace of them
/// means that something else is shown, none that at most edges moved by a fraction of a pixel.
pub fn strangers(one: &RgbaImage, other: &RgbaImage) -> usize {
    let (one, other) = (small(one), small(other));
    beyond(&one, &other).max(beyond(&other, &one))
}

/// Pixels of one picture outside the range of their neighbourhood in the other.
fn beyond(one: &RgbImage, other: &RgbImage) -> usize {
    /// What an edge on another fraction of a pixel can add.
    const SLACK: u8 = 16;
    let (width, height) = other.dimensions();
    one.enumerate_pixels()
        .filter(|&(x, y, pixel)| {
            if pixel == other.get_pixel(x, y) {
                return false;
            }
            let (mut least, mut most) = ([255_u8; 3], [0_u8; 3]);
            for near_y in y.saturating_sub(1)..=(y + 1).min(height - 1) {
                for near_x in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                    let near = other.get_pixel(near_x, near_y).0;
                    for channel in 0..3 {
                        least[channel] = least[channel].min(near[channel]);
                        most[channel] = most[channel].max(near[channel]);
                    }
                }
            }
            (0..3).any(|channel| {
                let value = pixel.0[channel];
                value < least[channel].saturating_sub(SLACK)
                    || value > most[channel].saturating_add(SLACK)
            })
        })
        .count()
}

fn small(picture: &RgbaImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let flat = RgbImage::from_fn(width, height, |x, y| {
        let [r, g, b, a] = picture.get_pixel(x, y).0;
        let over = |value: u8| {
            let alpha = u32::from(a);
            u8::try_from((u32::from(value) * alpha + 128 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
        };
        Rgb([over(r), over(g), over(b)])
    });
    let longer = width.max(height);
    if longer <= COMPARED_AT {
        return flat;
    }
    let scaled = |side: u32| (side * COMPARED_AT / longer).max(1);
    image::imageops::resize(&flat, scaled(width), scaled(height), FilterType::Triangle)
}

/// Structural similarity of luma over blocks of 8×8 pixels, after Wang et al. 2004.
fn ssim(one: &RgbImage, other: &RgbImage) -> f64 {
    const BLOCK: u32 = 8;
    const C1: f64 = 0.01 * 0.01;
    const C2: f64 = 0.03 * 0.03;
    let (mut total, mut blocks) = (0.0, 0.0);
    for top in (0..one.height()).step_by(BLOCK as usize) {
        for left in (0..one.width()).step_by(BLOCK as usize) {
            let (mut count, mut a, mut b, mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
            for y in top..(top + BLOCK).min(one.height()) {
                for x in left..(left + BLOCK).min(one.width()) {
                    let (p, q) = (luma(one.get_pixel(x, y).0), luma(other.get_pixel(x, y).0));
                    count += 1.0;
                    a += p;
                    b += q;
                    aa += p * p;
                    bb += q * q;
                    ab += p * q;
                }
            }
            let (a, b) = (a / count, b / count);
            let (var_a, var_b, cov) = (aa / count - a * a, bb / count - b * b, ab / count - a * b);
            total += ((2.0 * a * b + C1) * (2.0 * cov + C2))
                / ((a * a + b * b + C1) * (var_a + var_b + C2));
            blocks += 1.0;
        }
    }
    if blocks > 0.0 { total / blocks } else { 1.0 }
}

/// A contact sheet: pictures side by side, small, in rows of at most three.
pub fn sheet(pictures: &[RgbaImage]) -> RgbImage {
    const WIDTH: u32 = 528;
    const GAP: u32 = 4;
    let columns = u32::try_from(pictures.len()).unwrap_or(1).clamp(1, 3);
    let cell = (WIDTH - GAP * (columns - 1)) / columns;
    let tallest = pictures
        .iter()
        .map(|picture| cell * picture.height() / picture.width().max(1))
        .max()
        .unwrap_or(1)
        .max(1);
    let rows = u32::try_from(pictures.len())
        .unwrap_or(1)
        .div_ceil(columns)
        .max(1);
    let mut sheet =
        RgbImage::from_pixel(WIDTH, rows * tallest + (rows - 1) * GAP, Rgb([24, 24, 27]));
    for (index, picture) in (0_u32..).zip(pictures) {
        let thumb = image::imageops::resize(picture, cell, tallest, FilterType::Triangle);
        let flat = RgbImage::from_fn(cell, tallest, |x, y| {
            let [r, g, b, a] = thumb.get_pixel(x, y).0;
            let over =
                |value: u8| u8::try_from(u32::from(value) * u32::from(a) / 255).unwrap_or(u8::MAX);
            Rgb([over(r), over(g), over(b)])
        });
        let (x, y) = (
            index % columns * (cell + GAP),
            index / columns * (tallest + GAP),
        );
        image::imageops::replace(&mut sheet, &flat, i64::from(x), i64::from(y));
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgba;

    fn gradient(shift: u32) -> RgbaImage {
        RgbaImage::from_fn(320, 180, |x, y| {
            let value = |n: u32| u8::try_from(n % 256).unwrap();
            Rgba([value(x + shift), value(y * 2 + shift), value(x * 3), 255])
        })
    }

    #[test]
    fn a_picture_is_like_itself_and_unlike_another() {
        let same = compare(&gradient(0), &gradient(0));
        assert!(
            same.psnr > 98.0 && same.ssim > 0.999 && same.tint < 0.01,
            "{same:?}"
        );
        let other = compare(&gradient(0), &gradient(100));
        assert!(other.psnr < 20.0 && other.ssim < 0.8, "{other:?}");
    }

    #[test]
    fn an_edge_on_another_fraction_of_a_pixel_is_no_stranger_but_a_small_thing_elsewhere_is() {
        let scene = |edge: u8, star: u32| {
            RgbaImage::from_fn(480, 270, |x, y| match (x, y) {
                (0..100, _) => Rgba([240, 240, 240, 255]),
                (100, _) => Rgba([edge, edge, edge, 255]),
                _ if (star..star + 4).contains(&x) && (50..54).contains(&y) => {
                    Rgba([255, 200, 0, 255])
                }
                _ => Rgba([10, 10, 30, 255]),
            })
        };
        assert_eq!(strangers(&scene(40, 300), &scene(200, 300)), 0);
        assert!(strangers(&scene(40, 300), &scene(40, 306)) > 8);
    }

    #[test]
    fn only_a_picture_of_one_colour_is_blank() {
        let mut picture = RgbaImage::from_pixel(64, 64, Rgba([10, 20, 30, 255]));
        assert!(facts(&picture).blank);
        assert_eq!(facts(&picture).colors, 1);
        picture.put_pixel(3, 3, Rgba([90, 20, 30, 255]));
        assert!(!facts(&picture).blank);
        assert_eq!(facts(&picture).colors, 2);
    }
}
