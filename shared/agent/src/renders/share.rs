//! Sharing a render: other sandboxes draw some parts of a long film each, and the session's own joins them.

use super::{
    Ended, Watch,
    parts::{of_share, whole_of},
};
use crate::StudioError;
use futures_util::future::join_all;
use koda_domain::{
    EventBody, SandboxId,
    sandbox::{SandboxError, SandboxSpec},
    version::Version,
};
use serde_json::Value;
use std::time::Duration;
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
        let making = join_all((1..of).map(|share| self.helper(version, share)));
        let made = self.to_its_end(making).await;
        let mut helpers = Vec::new();
        for (share, made) in (1..of).zip(made) {
            match made {
                Ok(helper) => helpers.push((share, helper)),
                Err(error) => self.done_without(&error.into()),
            }
        }
        if helpers.is_empty() {
            return Ok(());
        }
        let sandboxes: Vec<SandboxId> = helpers.iter().map(|(_, id)| id.clone()).collect();
        self.render.helpers.clone_from(&sandboxes);
        // Before anything is laid into them: the janitor ends those that no render names.
        self.tell(vec![EventBody::RenderShared {
            render_id: self.render.id,
            sandboxes,
        }])
        .await?;
        // One after the other: parts pass through this process's memory.
        for (share, helper) in &helpers {
            self.still_wanted()?;
            let begun = self.begin_share(version, helper, (*share, of));
            if let Err(error) = self.to_its_end(begun).await {
                self.done_without(&error);
                self.end_helper(helper).await;
            }
        }
        info!(render.id = %self.render.id, "{} other sandboxes draw shares", helpers.len());
        Ok(())
    }

    fn done_without(&self, error: &StudioError) {
        warn!(render.id = %self.render.id, %error, "A share is drawn by the session's own sandbox: {error}");
    }

    async fn helper(&self, version: &Version, share: u32) -> Result<SandboxId, SandboxError> {
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
        Ok(made.id)
    }

    async fn begin_share(
        &self,
        version: &Version,
        helper: &SandboxId,
        (share, of): (u32, u32),
    ) -> Result<(), StudioError> {
        // An attempt before this one may draw there still.
        let sandboxes = self.studio.sandboxes();
        sandboxes
            .kill(helper, &self.process(), Duration::ZERO)
            .await?;
        self.lay_workspace(version, helper).await?;
        let parts = of_share(self.render.parts(), share, of);
        self.lay_parts(helper, parts, &[]).await?;
        let command = self.command(self.process(), Some((share, of)));
        Ok(sandboxes.spawn(helper, &command).await?)
    }

    /// All parts are in one sandbox then, and the renderer joins them there; what is missing, it draws.
    pub(super) async fn join(&mut self, sandbox: &SandboxId, said: &Value) -> Result<(), Ended> {
        let there = whole_of(said);
        let laid = self.lay_parts(sandbox, 0..self.render.parts(), &there);
        laid.await.map_err(|error| self.not_laid(error))?;
        self.still_wanted()?;
        let command = self.command(self.joiner(), None);
        match self.studio.sandboxes().spawn(sandbox, &command).await {
            // Another worker was faster.
            Ok(()) | Err(SandboxError::Busy(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the sandboxes that helped.
    pub(super) async fn let_helpers_go(&mut self) {
        let helpers = std::mem::take(&mut self.render.helpers);
        join_all(helpers.iter().map(|helper| self.end_helper(helper))).await;
    }

    pub(super) async fn end_helper(&self, helper: &SandboxId) {
        if let Err(error) = self.studio.sandboxes().destroy(helper).await {
            // The janitor ends it.
            warn!(sandbox.id = %helper, %error, "Could not end {helper}: {error}");
        }
    }
}
