//! Parts of a film. Each comes home when it is whole, so that a sandbox that is lost costs no more than the part it was at, and so
//! that what one sandbox drew can be joined in another.

use super::Watch;
use crate::{Studio, StudioError, workspace::own_path};
use bytes::Bytes;
use futures_util::StreamExt;
use koda_domain::{
    SandboxId, TenantId,
    objects::{ObjectError, ObjectKey, read_all},
    render::Render,
    sandbox::FileWrite,
};
use serde_json::Value;
use std::ops::Range;
use tracing::warn;

/// The largest part that is laid into a sandbox: it passes through this process's memory. A larger one is drawn again.
const PART_BYTES: u64 = 96 << 20;
/// The largest account of one: what can be heard at each of its frames.
const ACCOUNT_BYTES: u64 = 8 << 20;

/// Whether parts of this render are kept.
pub(super) fn kept(render: &Render) -> bool {
    render.parts() > 1
}

/// The parts of a share, as `koda-capture` deals them out.
pub(super) fn of_share(parts: u32, share: u32, of: u32) -> Range<u32> {
    let at = |share: u32| u64::from(parts) * u64::from(share) / u64::from(of.max(1));
    let at = |share: u32| u32::try_from(at(share)).unwrap_or(parts);
    at(share)..at(share + 1)
}

impl Watch<'_> {
    /// Where parts lie in a sandbox, within `/app`.
    pub(super) fn parts_folder(&self) -> String {
        format!("{}/parts", self.folder())
    }

    fn part_key(&self, file: &str) -> ObjectKey {
        part_key(&self.tenant, &self.render, file)
    }

    fn files_of(&self, part: u32) -> [String; 2] {
        files_of(&self.render, part)
    }

    /// Whether any part is at home already.
    pub(super) async fn has_parts(&self) -> bool {
        if !kept(&self.render) {
            return false;
        }
        let [_, account] = self.files_of(0);
        let there = self.studio.objects().head(&self.part_key(&account)).await;
        matches!(there, Ok(Some(_)))
    }

    /// Brings home the parts that sandboxes say are whole; returns which are there now, and whether each is new. One that does
    /// not come is drawn again if its sandbox is lost.
    pub(super) async fn bring_parts(&self, said: Vec<(SandboxId, Value)>) -> Vec<(u32, bool)> {
        let mut brought = Vec::new();
        if !kept(&self.render) {
            return brought;
        }
        for (sandbox, said) in said {
            let whole = whole_of(&said);
            for part in whole.into_iter().filter(|part| !self.home.contains(part)) {
                match self.bring_part(&sandbox, part).await {
                    Ok(new) => brought.push((part, new)),
                    Err(error) => {
                        warn!(%error, "Part {part} of {} stays in its sandbox: {error}", self.render.id);
                        break;
                    }
                }
            }
        }
        brought
    }

    /// Whether it was not at home yet.
    async fn bring_part(&self, sandbox: &SandboxId, part: u32) -> Result<bool, StudioError> {
        let [film, account] = self.files_of(part);
        // Another worker may have brought it.
        if self
            .studio
            .objects()
            .head(&self.part_key(&account))
            .await?
            .is_some()
        {
            return Ok(false);
        }
        for (file, media_type) in [
            (film, self.render.spec.format.media_type()),
            (account, "application/json"),
        ] {
            let path = own_path(&format!("{}/{file}", self.parts_folder()))?;
            let stream = self.studio.sandboxes().read_stream(sandbox, &path).await?;
            let stream =
                stream.map(|piece| piece.map_err(|e| ObjectError::Unavailable(e.to_string())));
            let key = self.part_key(&file);
            self.studio
                .objects()
                .put_stream(&key, media_type, stream.boxed())
                .await?;
        }
        Ok(true)
    }

    /// Puts those of these parts that are at home into a sandbox where they are not, for as long as the render is wanted.
    pub(super) async fn lay_parts(
        &self,
        sandbox: &SandboxId,
        parts: Range<u32>,
        there: &[u32],
    ) -> Result<(), StudioError> {
        for part in parts {
            if self.still_wanted().is_err() {
                break;
            }
            if there.contains(&part) {
                continue;
            }
            let [film, account] = self.files_of(part);
            let Some(about) = self.part(&account, ACCOUNT_BYTES).await? else {
                continue;
            };
            let Some(bytes) = self.part(&film, PART_BYTES).await? else {
                continue;
            };
            let files = [(account, about), (film, bytes)].map(|(file, bytes)| {
                own_path(&format!("{}/{file}", self.parts_folder()))
                    .map(|path| FileWrite { path, bytes })
            });
            // The account first: where the film is, it is there too.
            for file in files {
                self.studio.sandboxes().write(sandbox, vec![file?]).await?;
            }
        }
        Ok(())
    }

    async fn part(&self, file: &str, most: u64) -> Result<Option<Bytes>, StudioError> {
        let key = self.part_key(file);
        match read_all(self.studio.objects(), &key, most).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(ObjectError::NotFound | ObjectError::Mismatch(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes all parts from the object store: the render is over.
    pub(super) async fn forget_parts(&self) {
        self.studio.delete_parts(&self.tenant, &self.render).await;
    }
}

/// Which parts a renderer says are whole.
pub(super) fn whole_of(said: &Value) -> Vec<u32> {
    let parts = said["parts"].as_array().into_iter().flatten();
    parts
        .filter_map(|part| u32::try_from(part.as_u64()?).ok())
        .collect()
}

/// Files of a part: the film, and the account that says that it is whole.
fn files_of(render: &Render, part: u32) -> [String; 2] {
    let extension = render.spec.format.extension();
    [format!("{part:05}.{extension}"), format!("{part:05}.json")]
}

fn part_key(tenant: &TenantId, render: &Render, file: &str) -> ObjectKey {
    ObjectKey::render(tenant, render.id, &format!("part-{file}"))
}

impl Studio {
    /// Removes what is kept of a render while it runs.
    pub(crate) async fn delete_parts(&self, tenant: &TenantId, render: &Render) {
        if !kept(render) {
            return;
        }
        for file in (0..render.parts()).flat_map(|part| files_of(render, part)) {
            if let Err(error) = self
                .objects()
                .delete(&part_key(tenant, render, &file))
                .await
            {
                warn!(render.id = %render.id, %error, "A part of {} is left: {error}", render.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::of_share;

    #[test]
    fn shares_are_dealt_as_the_renderer_deals_them() {
        for parts in 1..20 {
            for of in 1..6 {
                let all: Vec<u32> = (0..of)
                    .flat_map(|share| of_share(parts, share, of))
                    .collect();
                assert_eq!(all, (0..parts).collect::<Vec<_>>());
            }
        }
    }
}
