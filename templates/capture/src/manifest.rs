//! `koda.json`, the workspace's manifest.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Failure, Result};

/// What draws the composition, and with that which way Chromium is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// 2D: DOM, no graphics processor wanted.
    Remotion,
    /// 3D: WebGL.
    Theatre,
}

/// The manifest of contract 1.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Version of the composition contract.
    pub contract: u32,
    /// What draws it.
    pub engine: Engine,
    /// Its name.
    #[serde(default)]
    pub title: String,
    /// Width of the layout, in layout pixels.
    pub width: u32,
    /// Height of the layout, in layout pixels.
    pub height: u32,
    /// Frames a second.
    pub fps: f64,
    /// How many frames there are.
    pub duration_in_frames: u32,
}

impl Manifest {
    /// Reads `koda.json` of a workspace.
    ///
    /// # Errors
    /// `bad_manifest` where it is missing, is no JSON or does not fit the contract.
    pub fn read(app: &Path) -> Result<Self> {
        let path = app.join("koda.json");
        let bad = |message: String| Failure::new(Code::BadManifest, message);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| bad(format!("koda.json cannot be read: {error}")))?;
        let manifest: Self =
            serde_json::from_str(&text).map_err(|error| bad(format!("koda.json: {error}")))?;
        if manifest.contract != 1 {
            return Err(bad(format!(
                "koda.json has contract {}, this program knows contract 1",
                manifest.contract
            )));
        }
        if !(1..=16384).contains(&manifest.width) || !(1..=16384).contains(&manifest.height) {
            return Err(bad(format!(
                "koda.json has an impossible size: {}×{}",
                manifest.width, manifest.height
            )));
        }
        if !(manifest.fps > 0.0 && manifest.fps <= 240.0) {
            return Err(bad(format!(
                "koda.json has an impossible fps: {}",
                manifest.fps
            )));
        }
        if manifest.duration_in_frames == 0 {
            return Err(bad(
                "koda.json has no frames: durationInFrames is 0".to_owned()
            ));
        }
        Ok(manifest)
    }
}
