//! What an uploaded file is by its content, whatever it was said to be.

use crate::{
    Code,
    error::{ApiError, ApiResult},
};
use bytes::Bytes;
use koda_domain::asset::AssetKind;
use nom_exif::{MediaParser, MediaSource, TrackInfoTag};
use svg_hush::{Filter, data_url_filter};
use xml::{EventReader, reader::XmlEvent};

/// The most pixels of a picture, on a side and in all.
const SIDE: usize = 16_384;
const PIXELS: usize = 100_000_000;
/// The largest drawing, in bytes: it is XML, and read whole.
const SVG_BYTES: usize = 5 << 20;
const SVG: &str = "image/svg+xml";

/// What was found.
pub(crate) struct Sniffed {
    pub media_type: &'static str,
    pub kind: AssetKind,
    pub size: Option<Size>,
    pub seconds: Option<f64>,
    /// What is kept: the bytes themselves, or a drawing without what could do something.
    pub bytes: Bytes,
}

pub(crate) fn unsupported() -> ApiError {
    ApiError::new(
        Code::UnsupportedMediaType,
        "This kind of file cannot be used. Pictures: PNG, JPEG, WebP, GIF, SVG. Video: MP4, WebM, MOV. Sound: MP3, WAV, OGG, M4A. \
         Fonts: TTF, OTF, WOFF, WOFF2.",
    )
}

/// What is accepted, and what such a file is called.
pub(crate) fn extension_of(media_type: &str) -> Option<&'static str> {
    Some(match media_type {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/webp" => "webp",
        "image/gif" => "gif",
        SVG => "svg",
        "video/mp4" => "mp4",
        "video/webm" => "webm",
        "video/quicktime" => "mov",
        "audio/mpeg" => "mp3",
        "audio/wav" | "audio/x-wav" => "wav",
        "audio/ogg" => "ogg",
        "audio/m4a" | "audio/mp4" | "audio/x-m4a" => "m4a",
        "font/ttf" | "application/font-sfnt" => "ttf",
        "font/otf" => "otf",
        "font/woff" | "application/font-woff" => "woff",
        "font/woff2" => "woff2",
        _ => return None,
    })
}

/// Looks at a file that was uploaded with this ending.
///
/// # Errors
/// `unsupported_media_type` where it is something else; `bad_request` with what is wrong with it.
pub(crate) fn sniff(bytes: Bytes, extension: &str) -> ApiResult<Sniffed> {
    if extension == "svg" {
        return drawing(&bytes);
    }
    let found = infer::get(&bytes).ok_or_else(unsupported)?;
    let media_type = found.mime_type();
    let actual = extension_of(media_type).ok_or_else(unsupported)?;
    if actual != extension {
        let message = format!(
            "The file says it is {extension}, but its content is {actual}; upload it as what it is."
        );
        return Err(ApiError::new(Code::UnsupportedMediaType, message));
    }
    let kind = match media_type.split('/').next() {
        Some("image") => AssetKind::Image,
        Some("video") => AssetKind::Video,
        Some("audio") => AssetKind::Audio,
        _ => AssetKind::Font,
    };
    let (size, seconds) = match kind {
        AssetKind::Image => (Some(picture(&bytes, media_type)?), None),
        AssetKind::Video => film(&bytes)?,
        AssetKind::Audio | AssetKind::Font => (None, None),
    };
    Ok(Sniffed {
        media_type,
        kind,
        size,
        seconds,
        bytes,
    })
}

fn damaged(what: &str) -> ApiError {
    ApiError::field(
        "file",
        &format!(
            "The {what} is damaged, or of a kind that cannot be read. Save it again, and upload that."
        ),
    )
}

fn within_limits(width: usize, height: usize) -> ApiResult<Size> {
    let narrow = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    if width == 0 || height == 0 || width > SIDE || height > SIDE || width * height > PIXELS {
        return Err(ApiError::field(
            "file",
            "A picture has at most 16384 pixels on a side and 100 million in all.",
        ));
    }
    Ok((narrow(width), narrow(height)))
}

fn picture(bytes: &Bytes, media_type: &str) -> ApiResult<Size> {
    let read = imagesize::blob_size(bytes).map_err(|_| damaged("picture"))?;
    let size = within_limits(read.width, read.height)?;
    if is_whole(media_type, bytes) {
        Ok(size)
    } else {
        Err(ApiError::field(
            "file",
            "The picture is cut off: its end is missing. Save it again, and upload that.",
        ))
    }
}

/// Whether a picture has its end, as its format marks it.
fn is_whole(media_type: &str, bytes: &[u8]) -> bool {
    let holds = |mark: &[u8]| bytes.windows(mark.len()).rev().any(|it| it == mark);
    match media_type {
        "image/png" => holds(b"IEND"),
        "image/jpeg" => holds(&[0xff, 0xd9]),
        "image/gif" => bytes.trim_ascii_end().ends_with(b";") || holds(&[0x00, 0x3b]),
        "image/webp" => bytes
            .get(4..8)
            .and_then(|size| size.try_into().ok())
            .is_some_and(|size| u32::from_le_bytes(size) as usize + 8 <= bytes.len()),
        _ => true,
    }
}

/// Pixels across and down.
type Size = (u32, u32);

/// Pixels and seconds of a video.
fn film(bytes: &Bytes) -> ApiResult<(Option<Size>, Option<f64>)> {
    let source = MediaSource::from_memory(bytes.clone()).map_err(|_| damaged("video"))?;
    let track = MediaParser::new().parse_track(source);
    let track = track.map_err(|_| damaged("video"))?;
    let number = |tag| {
        track
            .get(tag)
            .and_then(|value| value.as_u64().or(value.as_u32().map(u64::from)))
    };
    let side = |tag| number(tag).and_then(|side| usize::try_from(side).ok());
    let size = match (side(TrackInfoTag::Width), side(TrackInfoTag::Height)) {
        (Some(width), Some(height)) => Some(within_limits(width, height)?),
        _ => None,
    };
    let milliseconds = number(TrackInfoTag::DurationMs).filter(|it| *it > 0);
    Ok((
        size,
        milliseconds.map(|it| std::time::Duration::from_millis(it).as_secs_f64()),
    ))
}

/// A drawing without scripts, links, foreign content, and whatever it would load.
fn drawing(bytes: &Bytes) -> ApiResult<Sniffed> {
    if bytes.len() > SVG_BYTES {
        return Err(ApiError::field("file", "A drawing has at most 5 MB."));
    }
    let mut filter = Filter::new();
    filter.set_data_url_filter(data_url_filter::allow_standard_images);
    let mut clean = Vec::new();
    filter
        .filter(&mut bytes.as_ref(), &mut clean)
        .map_err(|_| damaged("drawing"))?;
    let size = match drawn_size(&clean)? {
        Some((width, height)) => Some(within_limits(width, height)?),
        None => None,
    };
    Ok(Sniffed {
        media_type: SVG,
        kind: AssetKind::Image,
        size,
        seconds: None,
        bytes: clean.into(),
    })
}

/// The size that a drawing gives itself, in pixels.
fn drawn_size(svg: &[u8]) -> ApiResult<Option<(usize, usize)>> {
    for event in EventReader::new(svg) {
        let XmlEvent::StartElement {
            name, attributes, ..
        } = event.map_err(|_| damaged("drawing"))?
        else {
            continue;
        };
        if name.local_name != "svg" {
            return Err(unsupported());
        }
        let text = |wanted: &str| {
            let found = attributes.iter().find(|it| it.name.local_name == wanted);
            found.map(|it| it.value.trim().trim_end_matches("px").to_owned())
        };
        let number = |text: &str| {
            text.parse::<f64>()
                .ok()
                .filter(|it| it.is_finite() && *it > 0.0)
        };
        let side = |wanted: &str| text(wanted).and_then(|it| number(&it));
        let seen: Vec<f64> = text("viewBox")
            .unwrap_or_default()
            .split([' ', ','])
            .filter_map(|it| it.parse().ok())
            .collect();
        let size = match (side("width"), side("height"), seen.as_slice()) {
            (Some(width), Some(height), _) | (_, _, &[_, _, width, height]) => (width, height),
            _ => return Ok(None),
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float becomes the nearest whole number, or the largest"
        )]
        let whole = |side: f64| side.ceil().max(1.0) as usize;
        return Ok(Some((whole(size.0), whole(size.1))));
    }
    Err(unsupported())
}
