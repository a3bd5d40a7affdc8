//! Housekeeping: sandboxes that nobody owns or uses, and what dead ones left behind.

use crate::{Studio, StudioError, environment::is_rendering};
use koda_domain::{
    event::SandboxStatus,
    objects::ObjectKey,
    render::Render,
    store::{SessionHead, StoreError},
};
use tracing::{info, warn};

fn is_idle(head: &SessionHead) -> bool {
    head.state.turn.is_none() && !is_rendering(head)
}

impl Studio {
    /// Clears away what nobody needs. Two at once do no harm.
    pub(crate) async fn housekeep(&self) {
        if let Err(error) = self.clear_sandboxes().await {
            warn!(%error, "Could not clear sandboxes: {error}");
        }
        match self.sandboxes().sweep().await {
            Ok(0) => {}
            Ok(count) => info!(count, "Cleared what {count} dead sandboxes left behind"),
            Err(error) => warn!(%error, "Could not sweep: {error}"),
        }
    }

    async fn clear_sandboxes(&self) -> Result<(), StudioError> {
        for sandbox in self.sandboxes().owned().await? {
            let wanted = match self.store().session_any(sandbox.session).await {
                Ok(head) => {
                    // Whoever uses it goes on in another one.
                    if sandbox.place == 0
                        && self.is_at_its_end(&sandbox)
                        && self.was_used_lately(&sandbox.id)
                        && is_idle(&head)
                    {
                        self.refresh_soon(head.id);
                    }
                    let mut renders = head.state.renders.iter();
                    let helps = renders.any(|render| {
                        !render.status.is_final() && render.helpers.contains(&sandbox.id)
                    });
                    let known = head.state.sandbox.and_then(|s| s.id);
                    if sandbox.place > 0 {
                        helps
                    } else {
                        known.is_none_or(|id| id == sandbox.id)
                    }
                }
                Err(StoreError::NotFound) => false,
                Err(error) => return Err(error.into()),
            };
            let young = self.seconds_since(sandbox.created_at) < 60.0;
            let over = sandbox.expires_at <= self.clock().now();
            if over || (!wanted && !young) {
                info!(sandbox.id = %sandbox.id, "Ending sandbox {}: nobody uses it", sandbox.id);
                self.sandboxes().destroy(&sandbox.id).await?;
                if over && wanted && sandbox.place == 0 {
                    self.tell_sandbox(sandbox.session, SandboxStatus::Asleep, None, None)
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// Removes what a session that is gone had elsewhere. Best effort: the sweep finds the rest.
    pub(crate) async fn clear_away(&self, head: &SessionHead) {
        self.environments.forget(head.id);
        if let Some(id) = head.state.sandbox.as_ref().and_then(|s| s.id.as_ref())
            && let Err(error) = self.sandboxes().destroy(id).await
        {
            warn!(sandbox.id = %id, %error, "Could not end sandbox {id}: {error}");
        }
        for render in &head.state.renders {
            self.delete_output(render).await;
            if render.status.is_final() {
                continue;
            }
            self.delete_parts(&head.tenant, render).await;
            for helper in &render.helpers {
                // One that is left is nobody's, and the janitor ends it.
                let _ = self.sandboxes().destroy(helper).await;
            }
        }
    }

    /// Removes the files of a render.
    pub(crate) async fn delete_output(&self, render: &Render) {
        let Some(output) = &render.output else { return };
        for key in [Some(&output.object), output.poster.as_ref()]
            .into_iter()
            .flatten()
        {
            if let Some(key) = ObjectKey::parse(key)
                && let Err(error) = self.objects().delete(&key).await
            {
                warn!(render.id = %render.id, %error, "Could not delete a file of {}: {error}", render.id);
            }
        }
    }
}
