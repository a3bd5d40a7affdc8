//! Ending a render: what it made goes into the object store, and its folder in the sandbox goes.

use super::{Ended, Watch};
use crate::{StudioError, workspace::own_path};
use futures_util::StreamExt;
use koda_domain::{
    SandboxId,
    format::Size,
    objects::{ObjectError, ObjectKey},
    render::{RenderFailure, RenderOutput},
    store::SessionHead,
    version::Version,
};
use serde_json::Value;

impl Watch<'_> {
    /// Takes the file out of the sandbox into the object store.
    pub(super) async fn bring_home(
        &self,
        head: &SessionHead,
        version: &Version,
        sandbox: &SandboxId,
        last: &Value,
    ) -> Result<RenderOutput, Ended> {
        if last["type"] != "rendered" {
            let code = last["code"].as_str().unwrap_or("renderer_failed");
            let failure = RenderFailure {
                code: code.to_owned(),
                message: last["message"]
                    .as_str()
                    .unwrap_or("The renderer failed.")
                    .to_owned(),
                frame: last["frame"].as_u64().and_then(|f| u32::try_from(f).ok()),
            };
            return Err(match code {
                "cancelled" => Ended::Cancelled,
                "browser_failed" | "encoder_failed" => Ended::Again(failure),
                _ => Ended::Failed(failure),
            });
        }
        let spec = &self.render.spec;
        let key = ObjectKey::render(&head.tenant, self.render.id, spec.format.extension());
        let media_type = spec.format.media_type();
        let path = own_path(&format!("{}/{}", self.folder(), self.file_name()))?;
        let stream = self.studio.sandboxes().read_stream(sandbox, &path).await?;
        let stream = stream.map(|piece| piece.map_err(|e| ObjectError::Unavailable(e.to_string())));
        let meta = self
            .studio
            .objects()
            .put_stream(&key, media_type, stream.boxed())
            .await
            .map_err(|e| Ended::from(StudioError::from(e)))?;
        let number = |name: &str| {
            last[name]
                .as_u64()
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or_default()
        };
        Ok(RenderOutput {
            object: key.to_string(),
            filename: file_name(&version.title, version.number, spec.format.extension()),
            media_type: media_type.to_owned(),
            bytes: meta.size,
            sha256: last["sha256"].as_str().unwrap_or_default().to_owned(),
            size: Size {
                width: number("width"),
                height: number("height"),
            },
            fps: last["fps"].as_f64().unwrap_or_default(),
            frames: number("frames"),
            duration_seconds: last["duration_seconds"].as_f64().unwrap_or_default(),
            capture: last["capture"].as_str().unwrap_or_default().to_owned(),
            because: last["because"].as_str().map(ToOwned::to_owned),
            sandboxes: 1,
            seconds: last["seconds"].as_f64().unwrap_or_default(),
            poster: self.keep_poster(head, sandbox).await,
        })
    }

    async fn keep_poster(&self, head: &SessionHead, sandbox: &SandboxId) -> Option<String> {
        let path = own_path(&format!("{}/poster.png", self.folder())).ok()?;
        let bytes = self
            .studio
            .sandboxes()
            .read(sandbox, &path, crate::workspace::PICTURE_BYTES)
            .await
            .ok()?;
        let key = ObjectKey::render(&head.tenant, self.render.id, "poster.png");
        self.studio
            .objects()
            .put(&key, "image/png", bytes)
            .await
            .ok()?;
        Some(key.to_string())
    }

    pub(super) async fn clear(&self, sandbox: &SandboxId) {
        if let Ok(path) = own_path(&self.folder()) {
            let _ = self.studio.sandboxes().remove(sandbox, vec![path]).await;
        }
    }
}

/// A name to save a file under: plain, short, and different for each version.
fn file_name(title: &str, number: u32, extension: &str) -> String {
    let plain: String = title
        .chars()
        .map(|c| {
            if c.is_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let words: Vec<_> = plain.split('-').filter(|w| !w.is_empty()).collect();
    let name: String = words.join("-").chars().take(60).collect();
    let name = if name.is_empty() {
        "animation".to_owned()
    } else {
        name
    };
    format!("{name}-v{number}.{extension}")
}
