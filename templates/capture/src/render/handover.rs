//! What frames are handed to the encoder as.

use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPlanarImageMut, YuvRange, YuvStandardMatrix,
    bgra_to_yuv420, rgba_to_yuv420,
};

use crate::buffers::{Buffer, Buffers};
use crate::error::{Code, Failure, Result};
use crate::page::{Picture, Pixels};

/// What an encoder is fed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handover {
    /// Pictures as the browser writes them.
    Picture(Picture),
    /// Planes of luma and of halved chroma: BT.709 at TV range, as video holds them.
    I420,
    /// Four bytes a pixel.
    Rgba,
}

/// The size of a frame, and whether its alpha counts.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Width in pixels, even.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// Whether alpha is kept.
    pub transparent: bool,
}

impl Handover {
    /// The bytes of a frame.
    ///
    /// # Errors
    /// `frame_failed` where the pixels are not what they should be.
    pub fn of(self, pixels: Pixels, shape: Shape, buffers: &Buffers) -> Result<Buffer> {
        let failed =
            |error: &dyn std::fmt::Display| Failure::new(Code::FrameFailed, error.to_string());
        let width = shape.width as usize;
        match self {
            Self::I420 => {
                let mut planes = buffers.take(width * shape.height as usize * 3 / 2);
                i420(&pixels, shape, &mut planes).map_err(|error| failed(&error))?;
                if pixels.bottom_up {
                    let (luma, chroma) = planes.split_at_mut(width * shape.height as usize);
                    let (u, v) = chroma.split_at_mut(chroma.len() / 2);
                    flip(luma, width);
                    flip(u, width / 2);
                    flip(v, width / 2);
                }
                Ok(planes)
            }
            Self::Rgba | Self::Picture(_) => {
                let mut bytes = pixels.bytes;
                if pixels.bgr {
                    for pixel in bytes.as_chunks_mut::<4>().0 {
                        *pixel = [pixel[2], pixel[1], pixel[0], u8::MAX];
                    }
                }
                if pixels.multiplied {
                    divide(&mut bytes);
                }
                if pixels.bottom_up {
                    flip(&mut bytes, width * 4);
                }
                Ok(bytes)
            }
        }
    }
}

/// True where every pixel covers what lies behind it.
pub fn opaque(rgba: &[u8]) -> bool {
    rgba.as_chunks::<4>()
        .0
        .iter()
        .fold(u8::MAX, |all, [.., alpha]| all & alpha)
        == u8::MAX
}

/// Takes alpha out of colours, as the browser does for its pictures. Light that was added to nothing is brighter than its alpha.
fn divide(rgba: &mut [u8]) {
    for pixel in rgba.as_chunks_mut::<4>().0 {
        let [.., alpha] = *pixel;
        if alpha != u8::MAX {
            for color in &mut pixel[..3] {
                let whole = u32::from(*color) * 255 + u32::from(alpha) / 2;
                let straight = whole.checked_div(alpha.into()).unwrap_or(0);
                *color = u8::try_from(straight).unwrap_or(u8::MAX);
            }
        }
    }
}

fn i420(
    pixels: &Pixels,
    shape: Shape,
    planes: &mut [u8],
) -> std::result::Result<(), yuv::YuvError> {
    let luma = shape.width as usize * shape.height as usize;
    let (y_plane, chroma) = planes.split_at_mut(luma);
    let (u_plane, v_plane) = chroma.split_at_mut(luma / 4);
    let mut image = YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(y_plane),
        y_stride: shape.width,
        u_plane: BufferStoreMut::Borrowed(u_plane),
        u_stride: shape.width / 2,
        v_plane: BufferStoreMut::Borrowed(v_plane),
        v_stride: shape.width / 2,
        width: shape.width,
        height: shape.height,
    };
    let convert = if pixels.bgr {
        bgra_to_yuv420
    } else {
        rgba_to_yuv420
    };
    convert(
        &mut image,
        &pixels.bytes,
        shape.width * 4,
        YuvRange::Limited,
        YuvStandardMatrix::Bt709,
        YuvConversionMode::Balanced,
    )
}

fn flip(rows: &mut [u8], stride: usize) {
    let mut rows = rows.chunks_exact_mut(stride);
    while let (Some(first), Some(last)) = (rows.next(), rows.next_back()) {
        first.swap_with_slice(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape {
        width: 4,
        height: 4,
        transparent: false,
    };
    const WHITE: [u8; 4] = [255, 255, 255, 255];
    const RED: [u8; 4] = [255, 0, 0, 255];
    /// As the browser's own order has it, with a byte that says nothing.
    const RED_AS_BGR: [u8; 4] = [0, 0, 255, 9];

    fn pixels(colors: [[u8; 4]; 4], bgr: bool, bottom_up: bool) -> Pixels {
        let mut bytes = Buffers::default().take(64);
        let rows = colors.iter().flat_map(|color| color.repeat(4));
        for (to, from) in bytes.iter_mut().zip(rows) {
            *to = from;
        }
        Pixels {
            bytes,
            bgr,
            bottom_up,
            multiplied: false,
        }
    }

    fn handed(as_what: Handover, pixels: Pixels) -> Buffer {
        as_what.of(pixels, SHAPE, &Buffers::default()).unwrap()
    }

    #[test]
    fn planes_are_of_bt_709_at_tv_range_and_upright() {
        let colors = [WHITE, WHITE, RED, RED];
        let planes = handed(Handover::I420, pixels(colors, false, false));
        assert_eq!(planes.len(), 24);
        // ITU-R BT.709, 8 bits: white is 235, 128, 128, and red is 63, 102, 240.
        assert!(planes[0].abs_diff(235) <= 1 && planes[15].abs_diff(63) <= 1);
        assert!(planes[16].abs_diff(128) <= 1 && planes[19].abs_diff(102) <= 1);
        assert!(planes[23].abs_diff(240) <= 1);
        let flipped = handed(Handover::I420, pixels(colors, false, true));
        assert!(flipped[0].abs_diff(63) <= 1 && flipped[15].abs_diff(235) <= 1);
        assert!(flipped[20].abs_diff(240) <= 1);
        let swapped = [WHITE, WHITE, RED_AS_BGR, RED_AS_BGR];
        let same = handed(Handover::I420, pixels(swapped, true, false));
        assert_eq!(*same, *planes);
    }

    #[test]
    fn pixels_in_the_browsers_order_become_red_green_blue_and_opaque() {
        let rows = handed(Handover::Rgba, pixels([RED_AS_BGR; 4], true, false));
        assert_eq!(*rows, *RED.repeat(16));
    }

    #[test]
    fn alpha_is_taken_out_of_colours_that_were_multiplied_by_it() {
        let half = [100, 64, 255, 128];
        let mut multiplied = pixels([half, half, WHITE, [7, 7, 7, 0]], false, true);
        multiplied.multiplied = true;
        let rows = handed(Handover::Rgba, multiplied);
        assert_eq!(rows[..4], [0; 4]);
        assert_eq!(rows[16..20], WHITE);
        assert_eq!(rows[48..52], [199, 128, 255, 128]);
    }

    #[test]
    fn one_pixel_that_lets_through_is_seen() {
        let mut pixels = pixels([[1, 2, 3, 255]; 4], false, false);
        assert!(opaque(&pixels.bytes));
        pixels.bytes[39] = 254;
        assert!(!opaque(&pixels.bytes));
    }
}
