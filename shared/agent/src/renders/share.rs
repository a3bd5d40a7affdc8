//! Sharing a render: other sandboxes draw some parts of a long film each, and the session's own joins them.

use super::{Ended, Watch, parts::of_share};
use crate::{StudioError, workspace::own_path};
use futures_util::future::join_all;
use koda_domain::{
    EventBody, SandboxId,
    sandbox::{SandboxError, SandboxSpec},
    version::Version,
};
use serde_json::Value;
use tracing::{info, warn};

impl Watch<'_> {
    /// How many sandboxes draw this render.
    pub(super) fn shares(&self) -> u32 {
        self.studio
            .options()
            .render_sandboxes
            .min(self.render.parts())
            .max(1)
    }

    /// Has other sandboxes begin their shares. Those that cannot be had are done without.
    pub(super) async fn share(&mut self, version: &Version) -> Result<(), Ended> {
        let of = self.shares();
        let begun = join_all((1..of).map(|share| self.helper(version, share, of))).await;
        let mut helpers = Vec::new();
        for helper in begun {
            match helper {
                Ok(helper) => helpers.push(helper),
                Err(error) => {
                    warn!(render.id = %self.render.id, %error, "A share is drawn by the session's own sandbox: {error}");
                }
            }
        }
        if helpers.is_empty() {
            return Ok(());
        }
        info!(render.id = %self.render.id, "{} other sandboxes draw shares", helpers.len());
        self.render.helpers.clone_from(&helpers);
        self.tell(vec![EventBody::RenderShared {
            render_id: self.render.id,
            sandboxes: helpers,
        }])
        .await?;
        Ok(())
    }

    async fn helper(
        &self,
        version: &Version,
        share: u32,
        of: u32,
    ) -> Result<SandboxId, StudioError> {
        let spec = SandboxSpec {
            session: self.session,
            place: share,
            template: version.engine,
            limits: self.studio.options().limits.clone(),
            life: self.studio.options().idle,
        };
        let mut made = self.studio.sandboxes().create(&spec).await?;
        if made.template != version.engine {
            // One that an earlier render left behind.
            self.studio.sandboxes().destroy(&made.id).await?;
            made = self.studio.sandboxes().create(&spec).await?;
        }
        let begun = async {
            self.lay_workspace(version, &made.id).await?;
            let parts = of_share(self.render.parts(), share, of);
            self.lay_parts(&made.id, parts, &[]).await?;
            let command = self.command(Some((share, of)));
            Ok::<_, StudioError>(self.studio.sandboxes().spawn(&made.id, &command).await?)
        };
        if let Err(error) = begun.await {
            self.end_helper(&made.id).await;
            return Err(error);
        }
        Ok(made.id)
    }

    /// All parts are in one sandbox then, and the renderer joins them there; what is missing, it draws.
    pub(super) async fn join(&mut self, sandbox: &SandboxId, said: &Value) -> Result<(), Ended> {
        let there = said["parts"].as_array().into_iter().flatten();
        let there: Vec<u32> = there
            .filter_map(|part| u32::try_from(part.as_u64()?).ok())
            .collect();
        self.lay_parts(sandbox, 0..self.render.parts(), &there)
            .await?;
        // Its last word was the share's.
        let said = vec![own_path(&self.progress_file())?];
        self.studio.sandboxes().remove(sandbox, said).await?;
        let command = self.command(None);
        match self.studio.sandboxes().spawn(sandbox, &command).await {
            // Another worker was faster.
            Ok(()) | Err(SandboxError::Busy(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the sandboxes that helped.
    pub(super) async fn let_helpers_go(&mut self) {
        for helper in std::mem::take(&mut self.render.helpers) {
            self.end_helper(&helper).await;
        }
    }

    async fn end_helper(&self, helper: &SandboxId) {
        if let Err(error) = self.studio.sandboxes().destroy(helper).await {
            // The janitor ends it.
            warn!(sandbox.id = %helper, %error, "Could not end {helper}: {error}");
        }
    }
}
