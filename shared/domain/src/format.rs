//! What a picture's shape and rate can be.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoEnumIterator};
use utoipa::ToSchema;

/// What draws the composition.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    ToSchema,
    Display,
    EnumString,
    EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Engine {
    /// 2D motion graphics with Remotion.
    Remotion,
    /// 3D scenes with Theatre.js and React Three Fiber.
    Theatre,
}

/// Width to height of the picture.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    Display,
    EnumString,
    EnumIter,
    Default,
)]
pub enum Aspect {
    /// Landscape.
    #[default]
    #[serde(rename = "16:9")]
    #[strum(serialize = "16:9")]
    Landscape,
    /// Portrait.
    #[serde(rename = "9:16")]
    #[strum(serialize = "9:16")]
    Portrait,
    /// Square.
    #[serde(rename = "1:1")]
    #[strum(serialize = "1:1")]
    Square,
    /// Classic television.
    #[serde(rename = "4:3")]
    #[strum(serialize = "4:3")]
    Classic,
    /// Ultra-wide.
    #[serde(rename = "21:9")]
    #[strum(serialize = "21:9")]
    Wide,
}

/// Pixels, width by height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Aspect {
    /// The picture's size when its short side has this many pixels. Always even, as H.264 needs.
    #[must_use]
    pub const fn size(self, short_side: u32) -> Size {
        let (long, short) = match self {
            Self::Landscape | Self::Portrait => (16, 9),
            Self::Square => (1, 1),
            Self::Classic => (4, 3),
            Self::Wide => (21, 9),
        };
        let long_side = short_side * long / short / 2 * 2;
        match self {
            Self::Portrait => Size {
                width: short_side,
                height: long_side,
            },
            _ => Size {
                width: long_side,
                height: short_side,
            },
        }
    }

    /// The size that a composition is laid out in, whatever the output: a short side of 1080.
    #[must_use]
    pub const fn layout(self) -> Size {
        self.size(1080)
    }
}

/// How many pixels the short side of an output has.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    Display,
    EnumString,
    EnumIter,
    Default,
)]
pub enum Resolution {
    /// 720 pixels.
    #[serde(rename = "720p")]
    #[strum(serialize = "720p")]
    Hd,
    /// 1080 pixels.
    #[default]
    #[serde(rename = "1080p")]
    #[strum(serialize = "1080p")]
    FullHd,
    /// 2160 pixels.
    #[serde(rename = "4k")]
    #[strum(serialize = "4k")]
    UltraHd,
}

impl Resolution {
    /// Pixels of the short side.
    #[must_use]
    pub const fn short_side(self) -> u32 {
        match self {
            Self::Hd => 720,
            Self::FullHd => 1080,
            Self::UltraHd => 2160,
        }
    }
}

/// Frames per second: 24, 25, 30, 50 or 60.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Fps(u32);

impl Fps {
    /// Every rate that there is.
    pub const ALL: [u32; 5] = [24, 25, 30, 50, 60];

    /// Frames per second.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for Fps {
    fn default() -> Self {
        Self(30)
    }
}

impl TryFrom<u32> for Fps {
    type Error = String;

    fn try_from(fps: u32) -> Result<Self, String> {
        if Self::ALL.contains(&fps) {
            Ok(Self(fps))
        } else {
            Err(format!("fps must be one of {:?}", Self::ALL))
        }
    }
}

impl From<Fps> for u32 {
    fn from(fps: Fps) -> Self {
        fps.0
    }
}

impl utoipa::PartialSchema for Fps {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Integer)
            .enum_values(Some(Self::ALL))
            .into()
    }
}

impl ToSchema for Fps {}

/// Every name that a closed list accepts, for messages: `16:9, 9:16, …`.
#[must_use]
pub fn names<T: IntoEnumIterator + std::fmt::Display>() -> String {
    T::iter()
        .map(|x| x.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_aspect_at_every_resolution_has_the_asked_size() {
        let wh = |a: Aspect, r: Resolution| {
            let s = a.size(r.short_side());
            (s.width, s.height)
        };
        assert_eq!(wh(Aspect::Landscape, Resolution::Hd), (1280, 720));
        assert_eq!(wh(Aspect::Landscape, Resolution::FullHd), (1920, 1080));
        assert_eq!(wh(Aspect::Landscape, Resolution::UltraHd), (3840, 2160));
        assert_eq!(wh(Aspect::Portrait, Resolution::Hd), (720, 1280));
        assert_eq!(wh(Aspect::Square, Resolution::FullHd), (1080, 1080));
        assert_eq!(wh(Aspect::Classic, Resolution::Hd), (960, 720));
        assert_eq!(wh(Aspect::Wide, Resolution::FullHd), (2520, 1080));
        for aspect in Aspect::iter() {
            for resolution in Resolution::iter() {
                let size = aspect.size(resolution.short_side());
                assert!(size.width % 2 == 0 && size.height % 2 == 0);
            }
        }
    }

    #[test]
    fn a_rate_outside_the_list_is_refused() {
        for fps in [0, 1, 23, 29, 31, 61, 1000] {
            assert!(serde_json::from_value::<Fps>(fps.into()).is_err());
        }
    }
}
