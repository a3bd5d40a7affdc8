//! What frames are handed to the encoder as.

use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPlanarImageMut, YuvRange, YuvStandardMatrix,
    rgba_to_yuv420,
};

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
    pub fn of(self, pixels: Pixels, shape: Shape) -> Result<Vec<u8>> {
        let failed =
            |error: &dyn std::fmt::Display| Failure::new(Code::FrameFailed, error.to_string());
        let width = shape.width as usize;
        let rgba = pixels.rgba;
        match self {
            Self::I420 => {
                let mut planes = i420(&rgba, shape).map_err(|error| failed(&error))?;
                if pixels.bottom_up {
                    let (luma, chroma) = planes.split_at_mut(width * shape.height as usize);
                    let (u, v) = chroma.split_at_mut(chroma.len() / 2);
                    flip(luma, width);
                    flip(u, width / 2);
                    flip(v, width / 2);
                }
                Ok(planes)
            }
            Self::Rgba | Self::Picture(_) => Ok(upright(rgba, pixels.bottom_up, width)),
        }
    }
}

/// Rows from the top.
pub fn upright(mut rgba: Vec<u8>, bottom_up: bool, width: usize) -> Vec<u8> {
    if bottom_up {
        flip(&mut rgba, width * 4);
    }
    rgba
}

/// True where every pixel covers what lies behind it.
pub fn opaque(rgba: &[u8]) -> bool {
    rgba.as_chunks::<4>()
        .0
        .iter()
        .fold(u8::MAX, |all, [.., alpha]| all & alpha)
        == u8::MAX
}

fn i420(rgba: &[u8], shape: Shape) -> std::result::Result<Vec<u8>, yuv::YuvError> {
    let luma = shape.width as usize * shape.height as usize;
    let mut planes = vec![0; luma + luma / 2];
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
    rgba_to_yuv420(
        &mut image,
        rgba,
        shape.width * 4,
        YuvRange::Limited,
        YuvStandardMatrix::Bt709,
        YuvConversionMode::Balanced,
    )?;
    Ok(planes)
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

    fn rows(colors: [[u8; 4]; 4]) -> Vec<u8> {
        colors.iter().flat_map(|color| color.repeat(4)).collect()
    }

    #[test]
    fn planes_are_of_bt_709_at_tv_range_and_upright() {
        let white = [255, 255, 255, 255];
        let red = [255, 0, 0, 255];
        let pixels = |bottom_up| Pixels {
            rgba: rows([white, white, red, red]),
            bottom_up,
        };
        let planes = Handover::I420.of(pixels(false), SHAPE).unwrap();
        assert_eq!(planes.len(), 24);
        // ITU-R BT.709, 8 bits: white is 235, 128, 128, and red is 63, 102, 240.
        assert!(planes[0].abs_diff(235) <= 1 && planes[15].abs_diff(63) <= 1);
        assert!(planes[16].abs_diff(128) <= 1 && planes[19].abs_diff(102) <= 1);
        assert!(planes[23].abs_diff(240) <= 1);
        let flipped = Handover::I420.of(pixels(true), SHAPE).unwrap();
        assert!(flipped[0].abs_diff(63) <= 1 && flipped[15].abs_diff(235) <= 1);
        assert!(flipped[20].abs_diff(240) <= 1);
    }

    #[test]
    fn one_pixel_that_lets_through_is_seen() {
        let mut rgba = rows([[1, 2, 3, 255]; 4]);
        assert!(opaque(&rgba));
        rgba[39] = 254;
        assert!(!opaque(&rgba));
    }
}
