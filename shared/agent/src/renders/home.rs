//! Ending a render: what it made goes into the object store, and its folder in the sandbox goes.

use super::{Ended, Watch};
use crate::{StudioError, workspace::own_path};
use futures_util::StreamExt;
use koda_domain::{
    EventBody, SandboxId,
    format::Size,
    objects::{ObjectError, ObjectKey, ObjectMeta},
    render::{RenderFailure, RenderOutput, RenderProgress},
    store::SessionHead,
    version::Version,
};
use serde_json::Value;
use tracing::warn;

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
        self.tell(vec![self.uploading()]).await?;
        let spec = &self.render.spec;
        let (extension, media_type) = (spec.format.extension(), spec.format.media_type());
        let (key, meta) = self
            .bring(head, sandbox, &self.file_name(), (extension, media_type))
            .await?;
        let number = |name: &str| {
            last[name]
                .as_u64()
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or_default()
        };
        Ok(RenderOutput {
            object: key.to_string(),
            filename: file_name(&version.title, version.number, extension),
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
            poster: self.keep_poster(head, sandbox, last).await,
        })
    }

    fn uploading(&self) -> EventBody {
        let frames = self.render.frames;
        EventBody::RenderProgressed {
            render_id: self.render.id,
            progress: RenderProgress {
                stage: "upload".into(),
                frame: frames,
                total: frames,
                fps: 0.0,
                seconds_left: None,
            },
        }
    }

    /// Puts a file of the render's folder into the object store under a name there, however large it is.
    async fn bring(
        &self,
        head: &SessionHead,
        sandbox: &SandboxId,
        file: &str,
        (name, media_type): (&str, &str),
    ) -> Result<(ObjectKey, ObjectMeta), StudioError> {
        let path = own_path(&format!("{}/{file}", self.folder()))?;
        let stream = self.studio.sandboxes().read_stream(sandbox, &path).await?;
        let stream = stream.map(|piece| piece.map_err(|e| ObjectError::Unavailable(e.to_string())));
        let key = ObjectKey::render(&head.tenant, self.render.id, name);
        let objects = self.studio.objects();
        let meta = objects.put_stream(&key, media_type, stream.boxed()).await?;
        Ok((key, meta))
    }

    /// Its key in the object store. A film is worth having without its poster, too.
    async fn keep_poster(
        &self,
        head: &SessionHead,
        sandbox: &SandboxId,
        last: &Value,
    ) -> Option<String> {
        let id = self.render.id;
        let Some((file, media_type)) = poster_of(last) else {
            warn!(render.id = %id, "The renderer made no poster: it says {}", last["poster"]);
            return None;
        };
        match self.bring(head, sandbox, file, (file, media_type)).await {
            Ok((key, _)) => Some(key.to_string()),
            Err(error) => {
                warn!(render.id = %id, %error, "The poster does not come home: {error}");
                None
            }
        }
    }

    pub(super) async fn clear(&self, sandbox: &SandboxId) {
        if let Ok(path) = own_path(&self.folder()) {
            let _ = self.studio.sandboxes().remove(sandbox, vec![path]).await;
        }
    }
}

/// The poster's file in the render's folder as the renderer names it, and its media type.
fn poster_of(last: &Value) -> Option<(&str, &'static str)> {
    let (_, file) = last["poster"].as_str()?.rsplit_once('/')?;
    match file {
        "poster.jpg" => Some((file, "image/jpeg")),
        "poster.png" => Some((file, "image/png")),
        _ => None,
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
