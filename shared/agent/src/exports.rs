//! What people ask of renders; `renders` does them.

use crate::{Studio, StudioError, commit::Writer};
use koda_domain::{
    EventBody, RenderId, SessionId, TenantId, limits,
    rate::Costly,
    render::{Render, RenderSpec, RenderStatus},
};

impl Studio {
    /// Adds a render to the session's queue.
    ///
    /// # Errors
    /// Nothing to render yet, a specification that breaks rules, too many waiting, or the store's.
    pub async fn queue_render(
        &self,
        tenant: &TenantId,
        session: SessionId,
        spec: RenderSpec,
    ) -> Result<Render, StudioError> {
        let head = self.store().session(tenant, session).await?;
        let newest = head.state.head_version().map(|v| v.id);
        let Some(version_id) = spec.version_id.or(newest) else {
            return Err(StudioError::Conflict(
                "There is nothing to export yet; let the agent finish a version.".into(),
            ));
        };
        let version = self.version_of(&head, version_id).await?;
        let total = version.settings.duration_in_frames();
        let problems = spec.problems(total);
        if !problems.is_empty() {
            return Err(StudioError::Invalid(problems));
        }
        let own = version.settings.fps;
        let resolution = spec.resolution.unwrap_or(version.settings.resolution);
        let render = Render {
            id: RenderId::new(self.ids().ulid()),
            version_id,
            size: version.settings.aspect.size(resolution.short_side()),
            fps: spec.output_fps(own),
            frames: spec.output_frames(total, own),
            created_at: self.clock().now(),
            status: RenderStatus::Queued,
            attempts: 0,
            helpers: Vec::new(),
            progress: None,
            output: None,
            failure: None,
            cancel_requested: false,
            spec,
        };
        self.admit(tenant, Costly::Render).await?;
        self.commit(session, Writer::default(), |head| {
            let waiting = head
                .state
                .renders
                .iter()
                .filter(|r| !r.status.is_final())
                .count();
            if waiting >= limits::QUEUED_RENDERS {
                return Err(StudioError::TooMany(
                    "10 exports are waiting already; wait or cancel one.".into(),
                ));
            }
            Ok(vec![EventBody::RenderQueued {
                render: render.clone(),
            }])
        })
        .await?;
        self.ring(session).await;
        Ok(render)
    }

    /// Ends a render that waits or runs; one that is over stays as it is.
    ///
    /// # Errors
    /// Unknown session or render, or the store's.
    pub async fn cancel_render(
        &self,
        tenant: &TenantId,
        session: SessionId,
        render: RenderId,
    ) -> Result<Render, StudioError> {
        self.store().session(tenant, session).await?;
        let head = self
            .commit::<StudioError>(session, Writer::default(), |head| {
                let found = head.state.render(render).ok_or(StudioError::NotFound)?;
                Ok(match found.status {
                    RenderStatus::Queued => vec![
                        EventBody::RenderCancelRequested { render_id: render },
                        EventBody::RenderCancelled { render_id: render },
                    ],
                    RenderStatus::Running if !found.cancel_requested => {
                        vec![EventBody::RenderCancelRequested { render_id: render }]
                    }
                    _ => vec![],
                })
            })
            .await?;
        head.state
            .render(render)
            .cloned()
            .ok_or(StudioError::NotFound)
    }

    /// Removes a render that is over, with its files.
    ///
    /// # Errors
    /// [`StudioError::Conflict`] while it waits or runs; unknown; or the stores'.
    pub async fn delete_render(
        &self,
        tenant: &TenantId,
        session: SessionId,
        render: RenderId,
    ) -> Result<(), StudioError> {
        let head = self.store().session(tenant, session).await?;
        let found = head
            .state
            .render(render)
            .cloned()
            .ok_or(StudioError::NotFound)?;
        self.commit(session, Writer::default(), |head| {
            match head.state.render(render) {
                None => Ok(vec![]),
                Some(r) if !r.status.is_final() => Err(StudioError::Conflict(
                    "This export is still at work; cancel it first.".into(),
                )),
                Some(_) => Ok(vec![EventBody::RenderDeleted { render_id: render }]),
            }
        })
        .await?;
        self.delete_output(&found).await;
        Ok(())
    }
}
