//! Sandboxes that wait for a session, so that nobody waits for a sandbox.

use super::{LocalProvider, Meta};
use crate::{talk, wire::Request};
use koda_domain::{
    SandboxId, SessionId,
    sandbox::{Sandbox, SandboxError, SandboxProvider as _, SandboxSpec, Waiting},
};

impl LocalProvider {
    /// Makes one of those that wait this session's, where one fits and lives.
    pub(super) async fn take(
        &self,
        spec: &SandboxSpec,
        waiting: &[(Meta, Result<(), SandboxError>)],
    ) -> Option<Sandbox> {
        // A helper of a render needs no preview.
        if spec.place > 0 {
            return None;
        }
        for (meta, answer) in waiting {
            let fits = meta.sandbox.template == spec.template
                && meta.waits.as_ref() == Some(&spec.limits)
                && answer.is_ok();
            if !fits {
                continue;
            }
            let mut meta = meta.clone();
            let id = meta.sandbox.id.clone();
            let life_ms = talk::milliseconds(spec.life);
            let now = self.clock.now();
            meta.waits = None;
            meta.sandbox.session = spec.session;
            meta.sandbox.place = spec.place;
            meta.sandbox.created_at = now;
            meta.sandbox.expires_at = now.checked_add(spec.life).unwrap_or(now);
            let taken = match self.ask(&id, &Request::Extend { life_ms }).await {
                Ok(_) => self
                    .folder(&id)
                    .is_ok_and(|folder| folder.save(&meta).is_ok()),
                Err(_) => false,
            };
            if taken {
                return Some(meta.sandbox);
            }
        }
        None
    }

    /// Ends, once, those that an earlier server let wait: it may have had other templates.
    pub(super) async fn clear_earlier(&self) {
        let clear = || async {
            for (meta, _) in self.living().await {
                if meta.waits.is_some() {
                    let _ = self.destroy(&meta.sandbox.id).await;
                }
            }
        };
        self.cleared.get_or_init(clear).await;
    }

    /// See [`koda_domain::sandbox::SandboxProvider::keep_waiting`].
    pub(super) async fn keep(&self, kind: &Waiting) -> Result<Option<SandboxId>, SandboxError> {
        let _alone = self.alone().await?;
        self.clear_earlier().await;
        let living = self.living().await;
        let ours = living.iter().filter(|(meta, answer)| {
            meta.sandbox.template == kind.template
                && meta.waits.as_ref() == Some(&kind.limits)
                && answer.is_ok()
        });
        let mut waiting = 0;
        for (meta, _) in ours {
            if waiting == kind.count {
                self.destroy(&meta.sandbox.id).await?;
                continue;
            }
            waiting += 1;
            self.let_live_on(meta, kind).await;
        }
        if waiting == kind.count || living.len() >= self.config.max_sandboxes {
            return Ok(None);
        }
        let spec = SandboxSpec {
            // Nobody's: what waits is nowhere looked for by its session.
            session: SessionId::new(ulid::Ulid::generate()),
            place: 0,
            template: kind.template,
            limits: kind.limits.clone(),
            life: kind.life,
        };
        let made = self.make(&spec, Some(kind.limits.clone())).await?;
        Ok(Some(made.id))
    }

    async fn let_live_on(&self, meta: &Meta, kind: &Waiting) {
        let left = meta.sandbox.expires_at.duration_since(self.clock.now());
        if left.as_secs_f64() < kind.life.as_secs_f64() / 2.0 {
            // One that does not answer is made anew the next time.
            let _ = self.extend(&meta.sandbox.id, kind.life).await;
        }
    }
}
