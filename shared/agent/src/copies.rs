//! Copies of projects.

use crate::{Studio, StudioError};
use koda_domain::{
    AssetId, EventBody, ProjectId, TenantId, VersionId,
    event::{Actor, TurnInput},
    project::Project,
    rate::Costly,
    store::SessionHead,
    version::Version,
};
use std::collections::HashMap;

impl Studio {
    /// Copies a project: same nodes; fresh sessions that begin with the newest version of the old ones.
    ///
    /// # Errors
    /// Unknown project, or the store's.
    pub async fn duplicate_project(
        &self,
        tenant: &TenantId,
        project: ProjectId,
    ) -> Result<Project, StudioError> {
        let mut copy = self.store().project(tenant, project).await?;
        self.admit(tenant, Costly::Creation).await?;
        let old_sessions = self.store().sessions(tenant, project).await?;
        copy.id = ProjectId::new(self.ids().ulid());
        copy.name = format!("{} (copy)", copy.name).chars().take(120).collect();
        copy.revision = 1;
        copy.created_at = self.clock().now();
        copy.updated_at = copy.created_at;
        let document = std::mem::take(&mut copy.document);
        self.store().create_project(&copy).await?;
        let assets = self.copy_assets(tenant, project, copy.id).await?;
        let mut renamed = HashMap::new();
        for old in old_sessions {
            let head = self.copy_session(&old, copy.id, &assets).await?;
            renamed.insert(old.id.to_string(), head.id.to_string());
        }
        renamed.extend(
            assets
                .iter()
                .map(|(old, new)| (old.to_string(), new.to_string())),
        );
        copy.document = document;
        for node in &mut copy.document.nodes {
            for key in ["session_id", "asset_id"] {
                let new = node
                    .data
                    .get(key)
                    .and_then(|v| v.as_str())
                    .and_then(|old| renamed.get(old))
                    .cloned();
                if let Some(new) = new {
                    node.data.insert(key.into(), new.into());
                }
            }
        }
        copy.revision = self.store().update_project(&copy, 1).await?;
        Ok(copy)
    }

    async fn copy_assets(
        &self,
        tenant: &TenantId,
        from: ProjectId,
        to: ProjectId,
    ) -> Result<HashMap<AssetId, AssetId>, StudioError> {
        let mut renamed = HashMap::new();
        for mut asset in self.store().assets(tenant, from).await? {
            let old = asset.id;
            asset.id = AssetId::new(self.ids().ulid());
            asset.project_id = to;
            self.store().put_asset(tenant, &asset).await?;
            renamed.insert(old, asset.id);
        }
        Ok(renamed)
    }

    async fn copy_session(
        &self,
        old: &SessionHead,
        project: ProjectId,
        assets: &HashMap<AssetId, AssetId>,
    ) -> Result<SessionHead, StudioError> {
        let mut settings = old.state.settings.clone();
        settings.logo = settings.logo.and_then(|logo| assets.get(&logo).copied());
        let node_id = old.state.node_id.clone();
        let mut events = vec![EventBody::SessionCreated {
            project_id: project,
            node_id,
            settings,
        }];
        if let (Some(plan), Some(newest)) = (&old.state.approved, old.state.head_version()) {
            let version = self.version_of(old, newest.id).await?;
            let hash = plan.hash();
            events.push(EventBody::PlanProposed {
                plan: plan.clone(),
                hash: hash.clone(),
            });
            events.push(EventBody::PlanApproved {
                plan: plan.clone(),
                hash: hash.clone(),
                by: Actor::Person,
            });
            events.push(EventBody::TurnStarted {
                input: TurnInput::Plan { hash },
            });
            events.push(EventBody::VersionCreated {
                version: Version {
                    id: VersionId::new(self.ids().ulid()),
                    number: 1,
                    summary: format!("Copied: {}", version.summary),
                    created_at: self.clock().now(),
                    turn_id: None,
                    restored_from: None,
                    ..version
                },
            });
        }
        self.begin(&old.tenant, project, events).await
    }
}
