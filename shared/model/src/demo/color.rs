//! Colours as numbers: contrast, lightness, hue.

use csscolorparser::Color;

/// An opaque colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rgb([u8; 3]);

/// Hue in degrees, saturation and lightness 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Hsl {
    pub h: f32,
    pub s: f32,
    pub l: f32,
}

/// The least contrast at which body text is readable (WCAG 2.2, success criterion 1.4.3).
pub(crate) const READABLE: f64 = 4.5;

impl Rgb {
    pub const BLACK: Self = Self([0, 0, 0]);
    pub const WHITE: Self = Self([255, 255, 255]);

    /// Reads `#rgb` and `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let color: Color = text.strip_prefix('#').and(text.parse().ok())?;
        let [r, g, b, _] = color.to_rgba8();
        Some(Self([r, g, b]))
    }

    /// `#rrggbb`.
    pub fn hex(self) -> String {
        let [r, g, b] = self.0;
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    pub fn hsl(self) -> Hsl {
        let [r, g, b] = self.0;
        let [h, s, l, _] = Color::from_rgba8(r, g, b, 255).to_hsla();
        Hsl {
            h: if h.is_nan() { 0.0 } else { h },
            s,
            l,
        }
    }

    /// Relative luminance (WCAG 2.2).
    pub fn luminance(self) -> f64 {
        let [r, g, b] = self.0.map(|c| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// Contrast ratio, 1 to 21 (WCAG 2.2).
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    pub fn is_dark(self) -> bool {
        self.contrast(Self::WHITE) >= self.contrast(Self::BLACK)
    }

    /// How unlike two colours look: distance in RGB.
    pub fn distance(self, other: Self) -> u32 {
        self.0
            .iter()
            .zip(other.0)
            .map(|(a, b)| u32::from(a.abs_diff(b)).pow(2))
            .sum()
    }

    /// This colour, lighter or darker by as little as makes this contrast against the background.
    pub fn readable_on(self, background: Self, contrast: f64) -> Self {
        if self.contrast(background) >= contrast {
            return self;
        }
        let hsl = self.hsl();
        let step = if background.is_dark() { 0.02 } else { -0.02 };
        let mut l = hsl.l;
        while (0.0..=1.0).contains(&l) {
            l += step;
            let next = Self::from(Hsl {
                l: l.clamp(0.0, 1.0),
                ..hsl
            });
            if next.contrast(background) >= contrast {
                return next;
            }
        }
        if background.is_dark() {
            Self::WHITE
        } else {
            Self::BLACK
        }
    }
}

impl From<Hsl> for Rgb {
    fn from(Hsl { h, s, l }: Hsl) -> Self {
        let color = Color::from_hsla(
            h.rem_euclid(360.0),
            s.clamp(0.0, 1.0),
            l.clamp(0.0, 1.0),
            1.0,
        );
        let [r, g, b, _] = color.to_rgba8();
        Self([r, g, b])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_the_wcag_examples() {
        assert!((Rgb::BLACK.contrast(Rgb::WHITE) - 21.0).abs() < 1e-9);
        let gray = Rgb::parse("#777").unwrap();
        assert!((gray.contrast(Rgb::WHITE) - 4.48).abs() < 0.01);
    }

    #[test]
    fn an_unreadable_colour_is_moved_until_it_can_be_read() {
        let navy = Rgb::parse("#0a1a3a").unwrap();
        let blue = Rgb::parse("#1d3fbb").unwrap();
        assert!(blue.contrast(navy) < READABLE);
        assert!(blue.readable_on(navy, READABLE).contrast(navy) >= READABLE);
        assert_eq!(Rgb::WHITE.readable_on(navy, READABLE), Rgb::WHITE);
    }

    #[test]
    fn words_that_only_look_like_colours_are_refused() {
        for text in ["#12", "fff", "red", "#ggg", ""] {
            assert_eq!(Rgb::parse(text), None, "{text}");
        }
    }
}
