//! `serve-info`: what is installed here.

use serde_json::{Value, json};

use crate::browser::{self, Browser, Graphics};
use crate::error::Result;
use crate::output::line;
use crate::process::command;
use crate::render::program;

/// Says which versions, fonts and renderers there are. What is missing is null.
///
/// # Errors
/// None: a missing program is an answer here.
pub async fn run() -> Result<()> {
    let chromium = browser::find();
    let mut info = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "chromium": Value::Null,
        "chromium_path": chromium.as_ref().ok(),
        "begin_frame": chromium.as_ref().is_ok_and(|path| path.to_string_lossy().contains("headless")),
        "ffmpeg": first_line(program("KODA_FFMPEG", "ffmpeg"), "-version").await,
        "ffprobe": first_line(program("KODA_FFPROBE", "ffprobe"), "-version").await,
        "node": first_line("node".into(), "--version").await,
        "encoders": encoders().await,
        "fonts": fonts().await,
        "renderer": Value::Null,
    });
    match Browser::start(Graphics::Mesa).await {
        Ok(browser) => {
            info["chromium"] = browser.product.clone().into();
            info["renderer"] = browser.renderer().await.unwrap_or_default().into();
        }
        Err(failure) => info["chromium_error"] = failure.message.into(),
    }
    if info["renderer"]
        .as_str()
        .is_none_or(|renderer| !renderer.contains("llvmpipe"))
        && let Ok(browser) = Browser::start(Graphics::SwiftShader).await
    {
        info["renderer"] = browser.renderer().await.unwrap_or_default().into();
    }
    line("serve-info", &info);
    Ok(())
}

async fn stdout(program: std::ffi::OsString, arguments: &[&str]) -> Option<String> {
    let output = command(program).args(arguments).output().await.ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

async fn first_line(program: std::ffi::OsString, argument: &str) -> Option<String> {
    stdout(program, &[argument])
        .await?
        .lines()
        .next()
        .map(str::to_owned)
}

async fn encoders() -> Vec<String> {
    let listed = stdout(
        program("KODA_FFMPEG", "ffmpeg"),
        &["-hide_banner", "-encoders"],
    )
    .await
    .unwrap_or_default();
    [
        "libx264",
        "libvpx-vp9",
        "prores_ks",
        "gif",
        "aac",
        "libopus",
    ]
    .into_iter()
    .filter(|encoder| {
        listed
            .lines()
            .any(|line| line.split_whitespace().nth(1) == Some(encoder))
    })
    .map(str::to_owned)
    .collect()
}

async fn fonts() -> Vec<String> {
    let listed = stdout("fc-list".into(), &[":", "family"])
        .await
        .unwrap_or_default();
    let mut families: Vec<String> = listed
        .lines()
        .filter_map(|line| line.split(',').next())
        .map(str::to_owned)
        .collect();
    families.sort();
    families.dedup();
    families
}
