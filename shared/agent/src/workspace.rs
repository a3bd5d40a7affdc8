//! Filling a sandbox's `/app` from the store, and reading from it.

use crate::{Studio, StudioError};
use bytes::Bytes;
use koda_domain::{
    SandboxId, TenantId, WorkPath,
    sandbox::{FileWrite, SandboxError},
    version::{Files, Manifest},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The largest contact sheet or still that is taken out of a sandbox, in bytes.
pub(crate) const PICTURE_BYTES: u64 = 32 << 20;

/// What `/app` was last filled with. Kept inside the sandbox, so that any process can tell.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Filled {
    files: BTreeMap<WorkPath, String>,
    manifest: String,
}

/// A path below `/app` that we made ourselves.
pub(crate) fn own_path(text: &str) -> Result<WorkPath, SandboxError> {
    WorkPath::parse(text).map_err(|e| SandboxError::Rejected(format!("{text}: {e}")))
}

impl Studio {
    /// Makes `/app` hold exactly these files and this manifest, moving only what differs. All files of a change arrive
    /// together, so that hot reload sees one change.
    pub(crate) async fn fill(
        &self,
        tenant: &TenantId,
        sandbox: &SandboxId,
        files: &Files,
        manifest: Option<&Manifest>,
    ) -> Result<(), StudioError> {
        let marker = own_path(".koda/filled.json")?;
        let had: Filled = match self.sandboxes().read(sandbox, &marker, 1 << 20).await {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(SandboxError::NotFound(_)) => Filled::default(),
            Err(error) => return Err(error.into()),
        };
        let want = Filled {
            files: files
                .0
                .iter()
                .map(|(path, entry)| (path.clone(), entry.blob.to_string()))
                .collect(),
            manifest: manifest.map(Manifest::to_json).unwrap_or_default(),
        };
        if had == want {
            return Ok(());
        }
        let mut writes = Vec::new();
        for (path, entry) in &files.0 {
            if had.files.get(path).map(String::as_str) != Some(entry.blob.as_str()) {
                let bytes = self.read_blob(tenant, &entry.blob).await?;
                writes.push(FileWrite {
                    path: path.clone(),
                    bytes,
                });
            }
        }
        if had.manifest != want.manifest && !want.manifest.is_empty() {
            writes.push(FileWrite {
                path: own_path("koda.json")?,
                bytes: Bytes::from(want.manifest.clone()),
            });
        }
        let gone: Vec<_> = had
            .files
            .keys()
            .filter(|path| !want.files.contains_key(*path))
            .cloned()
            .collect();
        self.sandboxes().write(sandbox, writes).await?;
        if !gone.is_empty() {
            self.sandboxes().remove(sandbox, gone).await?;
        }
        let text = serde_json::to_vec(&want).unwrap_or_default();
        self.sandboxes()
            .write(
                sandbox,
                vec![FileWrite {
                    path: marker,
                    bytes: text.into(),
                }],
            )
            .await?;
        Ok(())
    }

    /// Writes a whole workspace, template included, below a folder of the sandbox: a place where nobody edits.
    pub(crate) async fn lay_out(
        &self,
        tenant: &TenantId,
        sandbox: &SandboxId,
        folder: &str,
        files: &Files,
        manifest: &Manifest,
    ) -> Result<(), StudioError> {
        let mut writes = Vec::new();
        for (path, bytes) in crate::scaffold(manifest.engine) {
            let path = own_path(&format!("{folder}/{path}"))?;
            writes.push(FileWrite {
                path,
                bytes: Bytes::from(bytes.into_owned()),
            });
        }
        for (path, entry) in &files.0 {
            let bytes = self.read_blob(tenant, &entry.blob).await?;
            writes.push(FileWrite {
                path: own_path(&format!("{folder}/{path}"))?,
                bytes,
            });
        }
        let manifest = Bytes::from(manifest.to_json());
        writes.push(FileWrite {
            path: own_path(&format!("{folder}/koda.json"))?,
            bytes: manifest,
        });
        Ok(self.sandboxes().write(sandbox, writes).await?)
    }

    /// Takes a picture out of a sandbox and keeps it as a blob; none where it is not there.
    pub(crate) async fn keep_picture(
        &self,
        tenant: &TenantId,
        sandbox: &SandboxId,
        path: &str,
    ) -> Option<koda_domain::BlobId> {
        let path = own_path(path.trim_start_matches("/app/")).ok()?;
        let bytes = self
            .sandboxes()
            .read(sandbox, &path, PICTURE_BYTES)
            .await
            .ok()?;
        self.put_blob(tenant, bytes).await.ok()
    }
}
