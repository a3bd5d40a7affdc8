//! Versions: reading them, and going back to one.

use crate::{Studio, StudioError, commit::Writer};
use koda_domain::{
    EventBody, SessionId, TenantId, VersionId,
    store::SessionHead,
    version::{Files, Version},
};

impl Studio {
    /// A version with its files.
    ///
    /// # Errors
    /// Unknown session or version, or the store's.
    pub async fn version(
        &self,
        tenant: &TenantId,
        session: SessionId,
        version: VersionId,
    ) -> Result<Version, StudioError> {
        let head = self.store().session(tenant, session).await?;
        self.version_of(&head, version).await
    }

    pub(crate) async fn version_of(
        &self,
        head: &SessionHead,
        version: VersionId,
    ) -> Result<Version, StudioError> {
        let seq = head
            .state
            .version(version)
            .ok_or(StudioError::NotFound)?
            .seq;
        let events = self.store().events(head.id, seq - 1, 1).await?;
        match events.into_iter().next().map(|event| event.body) {
            Some(EventBody::VersionCreated { version }) => Ok(version),
            _ => Err(StudioError::NotFound),
        }
    }

    /// Makes a new version with an older one's files and settings.
    ///
    /// # Errors
    /// [`StudioError::Conflict`] while a turn runs; unknown session or version; or the store's.
    pub async fn restore(
        &self,
        tenant: &TenantId,
        session: SessionId,
        version: VersionId,
    ) -> Result<Version, StudioError> {
        let old = self.version(tenant, session, version).await?;
        let id = VersionId::new(self.ids().ulid());
        let at = self.clock().now();
        let mut made = None;
        self.commit(session, Writer::default(), |head| {
            if head.state.turn.is_some() {
                return Err(StudioError::Conflict(
                    "The agent is at work; stop it or wait, then restore.".into(),
                ));
            }
            let (changed, removed) = old.files.changes_since(&head.state.files);
            let version = Version {
                id,
                number: head.state.versions.last().map_or(1, |v| v.number + 1),
                summary: format!("Restored version {}", old.number),
                created_at: at,
                turn_id: None,
                restored_from: Some(old.id),
                changed,
                removed,
                ..old.clone()
            };
            made = Some(version.clone());
            Ok(vec![EventBody::VersionCreated { version }])
        })
        .await?;
        self.ring_for_refresh(session).await;
        made.ok_or(StudioError::NotFound)
    }

    /// The working files, or those of a version.
    ///
    /// # Errors
    /// Unknown session or version, or the store's.
    pub async fn files(
        &self,
        tenant: &TenantId,
        session: SessionId,
        version: Option<VersionId>,
    ) -> Result<Files, StudioError> {
        match version {
            Some(version) => Ok(self.version(tenant, session, version).await?.files),
            None => Ok(self.store().session(tenant, session).await?.state.files),
        }
    }
}
