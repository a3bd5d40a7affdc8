//! What a person changed by hand, concluded: where code has passed, other values and another format are a version at once, and
//! looked at afterwards.

use super::{
    Interrupted, Job,
    conclude::{Next, Passed},
};
use koda_domain::{
    EventBody, Settings, VersionId,
    design::DESIGN_PATH,
    event::TurnOutcome,
    report::Severity,
    store::SessionHead,
    timing::Timing,
    version::{Manifest, Version},
};

impl Job<'_> {
    /// Concludes a turn in which a person changed the design, the pace or the format; none where code was changed, or nothing.
    pub(super) async fn conclude_values(
        &self,
        head: &SessionHead,
    ) -> Result<Option<Next>, Interrupted> {
        let Some(newest) = head.state.head_version() else {
            return Ok(None);
        };
        let newest = self.studio.version_of(head, newest.id).await?;
        let mut head = head.clone();
        if head.state.has_changes() {
            if code_changed(&head, &newest) {
                return Ok(None);
            }
            self.make_version(&head, Passed::Will).await?;
            head = self.studio.store().session_any(self.session).await?;
        } else if newest.turn_id != Some(self.turn) || head.state.is_checked() {
            // Nothing of this turn is left to be looked at.
            return Ok(None);
        }
        let Some(made) = head.state.head_version().map(|made| made.id) else {
            return Ok(None);
        };
        let digest = head.state.digest();
        let before = self.before_this_turn(&head).await?;
        let head = match before {
            Some(before) if only_values_changed(&head, &before) => self.check_values(&head).await?,
            _ => self.check(&head).await?,
        };
        if head.state.digest() != digest {
            // The person went on meanwhile.
            return Ok(Some(Next::Repair(Box::new(head))));
        }
        if head.state.is_checked() {
            return Ok(Some(Next::Outcome(TurnOutcome::Ready { version_id: made })));
        }
        self.take_back(&head).await.map(Some)
    }

    async fn before_this_turn(&self, head: &SessionHead) -> Result<Option<Version>, Interrupted> {
        for summary in head.state.versions.iter().rev() {
            let version = self.studio.version_of(head, summary.id).await?;
            if version.turn_id != Some(self.turn) {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// Makes the newest version of before this turn the newest again, as one of its own.
    async fn take_back(&self, head: &SessionHead) -> Result<Next, Interrupted> {
        let found = head.state.check.iter().flat_map(|c| &c.diagnostics);
        let mut errors = found.filter(|d| d.severity == Severity::Error);
        let Some(first) = errors.next().cloned() else {
            return Err(Interrupted::Lost);
        };
        let Some(good) = self.before_this_turn(head).await? else {
            return Err(Interrupted::Lost);
        };
        let (changed, removed) = good.files.changes_since(&head.state.files);
        let version = Version {
            id: VersionId::new(self.studio.ids().ulid()),
            number: head.state.versions.last().map_or(1, |v| v.number + 1),
            summary: format!("Back to version {}: the change did not pass", good.number),
            created_at: self.studio.clock().now(),
            turn_id: None,
            restored_from: Some(good.id),
            changed,
            removed,
            ..good
        };
        let version_id = Some(version.id);
        self.tell(vec![EventBody::VersionCreated { version }])
            .await?;
        self.studio.refresh_soon(head.id);
        Ok(Next::Outcome(TurnOutcome::CheckFailed {
            diagnostic: first,
            repairs: 0,
            version_id,
        }))
    }

    /// A line on what was changed without the agent since a version.
    pub(super) async fn what_a_person_changed(
        &self,
        head: &SessionHead,
        since: &Version,
    ) -> String {
        let state = &head.state;
        let mut said = Vec::new();
        let design = self.studio.design_changes(head, &since.files, &state.files);
        said.extend(design.await);
        let manifest = Manifest::new(since.engine, &since.title, &since.settings);
        let now = state.manifest().map(|now| Manifest {
            title: manifest.title.clone(),
            ..now
        });
        if now != Some(manifest) {
            said.push(format!(
                "{}, {} s at {} fps",
                state.settings.aspect,
                (state.settings.film_seconds() * 100.0).round() / 100.0,
                state.settings.fps.get()
            ));
        }
        if code_changed(head, since) {
            said.push("with changes that were begun before".to_owned());
        }
        said.join("; ")
    }
}

/// Whether files other than the design differ from a version.
fn code_changed(head: &SessionHead, since: &Version) -> bool {
    let (changed, removed) = head.state.files.changes_since(&since.files);
    !removed.is_empty() || changed.iter().any(|path| path.as_str() != DESIGN_PATH)
}

/// Whether all that differs from a version is the design and the pace: code that was compiled and swept then need not be again.
fn only_values_changed(head: &SessionHead, since: &Version) -> bool {
    let written = |settings: &Settings| Settings {
        timing: Timing::default(),
        ..settings.clone()
    };
    let as_written = |s: &Settings| Manifest::new(since.engine, &since.title, &written(s));
    as_written(&since.settings) == as_written(&head.state.settings) && !code_changed(head, since)
}
