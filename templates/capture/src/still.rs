//! `still`: single frames as PNG files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use crate::browser::Browser;
use crate::error::{Code, Failure, Result};
use crate::manifest::Manifest;
use crate::output::line;
use crate::page::{Options, Page, Picture};
use crate::pixels;
use crate::remotion::{self, Renderer};
use crate::server::Server;

/// How long copies of videos that browsers cannot play may take.
const MEDIA_WITHIN: Duration = Duration::from_secs(30);

/// Most pictures on a contact sheet.
const ON_SHEET: usize = 12;

/// Which frames to shoot.
#[derive(Debug, Clone)]
pub struct Request {
    /// The workspace.
    pub app: PathBuf,
    /// The frames, in the order in which they are told of.
    pub frames: Vec<u32>,
    /// Folder for the pictures, `frame_00030.png` each.
    pub out: PathBuf,
    /// Width; with the height alone given, in proportion.
    pub width: Option<u32>,
    /// Height; with the width alone given, in proportion.
    pub height: Option<u32>,
    /// Whether alpha is kept.
    pub transparent: bool,
    /// Where to write a contact sheet.
    pub sheet: Option<PathBuf>,
}

/// Shoots the frames and says so on stdout.
///
/// # Errors
/// Any code of the list.
pub async fn run(request: &Request) -> Result<()> {
    let manifest = Manifest::read(&request.app)?;
    if let Some(frame) = request
        .frames
        .iter()
        .find(|&&frame| frame >= manifest.duration_in_frames)
    {
        let message = format!(
            "there is no frame {frame}: the last is {}",
            manifest.duration_in_frames - 1
        );
        return Err(Failure::new(Code::BadArgument, message));
    }
    let (width, height) = size(request, &manifest)?;
    let unwritable =
        |path: &Path, error: &std::io::Error| Failure::io(Code::BadArgument, path.display(), error);
    std::fs::create_dir_all(&request.out).map_err(|error| unwritable(&request.out, &error))?;

    let server = Server::find_or_start(&request.app).await?;
    server.media_ready(&request.app, MEDIA_WITHIN).await?;
    let options = Options {
        base: server.base(),
        width,
        height,
        fps: manifest.fps,
        transparent: request.transparent,
        smooth: true,
        observe: false,
    };
    let mut pictures = Vec::new();
    let mut take = |frame: u32, bytes: &[u8]| {
        let path = request.out.join(format!("frame_{frame:05}.png"));
        std::fs::write(&path, bytes).map_err(|error| unwritable(&path, &error))?;
        line(
            "still",
            &json!({ "frame": frame, "path": path, "sha256": pixels::sha256(bytes) }),
        );
        if request.sheet.is_some() && pictures.len() < ON_SHEET {
            pictures.push(pixels::decode(bytes)?);
        }
        Ok(())
    };
    if remotion::needed(&request.app, manifest.engine).is_some() {
        by_remotion(request, &manifest, &options, &mut take).await?;
    } else {
        let browser = Browser::for_engine(manifest.engine).await?;
        let shot = shoot(&browser, options, &request.frames, &mut take).await;
        shot.map_err(|failure| browser.explain(failure))?;
    }
    let mut result = json!({ "count": request.frames.len() });
    if let Some(path) = &request.sheet {
        write_sheet(path, &pictures)?;
        result["sheet"] = json!(path);
    }
    line("stills", &result);
    Ok(())
}

/// Has these frames shown by a page, and hands on their pictures.
async fn shoot(
    browser: &Browser,
    options: Options,
    frames: &[u32],
    take: &mut impl FnMut(u32, &[u8]) -> Result<()>,
) -> Result<()> {
    let page = Page::open(browser, options).await?;
    page.load().await.map_err(|error| Failure {
        code: Code::PageFailed,
        ..Failure::from(error)
    })?;
    for &frame in frames {
        page.show(frame).await?;
        let shot = page.shoot(Picture::Png).await;
        take(frame, &shot.map_err(|failure| failure.at(frame))?)?;
    }
    Ok(())
}

/// The same, by Remotion's own renderer, which draws each frame once and in order.
async fn by_remotion(
    request: &Request,
    manifest: &Manifest,
    options: &Options,
    take: &mut impl FnMut(u32, &[u8]) -> Result<()>,
) -> Result<()> {
    let graphics = Browser::fastest_graphics().await?;
    let mut renderer = Renderer::start(&request.app, manifest, options, graphics)?;
    let wanted: Vec<u32> = BTreeSet::from_iter(request.frames.iter().copied())
        .into_iter()
        .collect();
    renderer.ask(&wanted, Picture::Png).await?;
    let mut drawn = BTreeMap::new();
    while let Some(shot) = renderer.next().await? {
        drawn.insert(shot.frame, shot.picture);
    }
    for frame in &request.frames {
        if let Some(picture) = drawn.get(frame) {
            take(*frame, picture)?;
        }
    }
    Ok(())
}

/// Writes a contact sheet as PNG, making its folder where there is none.
///
/// # Errors
/// `bad_argument` where it cannot be written.
pub fn write_sheet(path: &Path, pictures: &[image::RgbaImage]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::io(Code::BadArgument, folder.display(), &error))?;
    }
    pixels::sheet(pictures)
        .save_with_format(path, image::ImageFormat::Png)
        .map_err(|error| {
            Failure::new(
                Code::BadArgument,
                format!("the contact sheet cannot be written: {error}"),
            )
        })
}

fn size(request: &Request, manifest: &Manifest) -> Result<(u32, u32)> {
    let scaled = |side: u32, to: u32, by: u32| {
        let exact = u64::from(side) * u64::from(to) / u64::from(by.max(1));
        u32::try_from(exact).unwrap_or(u32::MAX).max(1)
    };
    let (width, height) = match (request.width, request.height) {
        (Some(width), Some(height)) => (width, height),
        (Some(width), None) => (width, scaled(manifest.height, width, manifest.width)),
        (None, Some(height)) => (scaled(manifest.width, height, manifest.height), height),
        (None, None) => (manifest.width, manifest.height),
    };
    if (1..=8192).contains(&width) && (1..=8192).contains(&height) {
        Ok((width, height))
    } else {
        Err(Failure::new(
            Code::BadArgument,
            format!("the size {width}×{height} is not between 1 and 8192 pixels a side"),
        ))
    }
}
