//! What the server does when the model has said all: check, repair within limits, and make a version.

use super::{Interrupted, Job, describe};
use koda_domain::{
    EventBody, VersionId,
    event::{TurnInput, TurnOutcome},
    report::Severity,
    state::{TurnState, signature},
    store::SessionHead,
    version::{Files, Version},
};

/// Whether files are a version before they have passed the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// They are not.
    Must,
    /// They are, and it is made at once.
    Will,
}

/// How a turn goes on.
pub(super) enum Next {
    /// It is over.
    Outcome(TurnOutcome),
    /// The model was told what is wrong, or there is something new to check.
    Repair(Box<SessionHead>),
}

impl Job<'_> {
    pub(super) async fn conclude(&self, head: &SessionHead) -> Result<Next, Interrupted> {
        let state = &head.state;
        let Some(turn) = &state.turn else {
            return Err(Interrupted::Lost);
        };
        if matches!(turn.input, TurnInput::Settings {})
            && let Some(next) = self.conclude_values(head).await?
        {
            return Ok(next);
        }
        if state.approved.is_none() || !state.has_changes() {
            let building = matches!(turn.input, TurnInput::Plan { .. });
            if building && state.versions.is_empty() {
                return Err(Interrupted::Failed {
                    code: "nothing_built",
                    message:
                        "The agent ended without writing anything. Send a message to try again."
                            .into(),
                });
            }
            return Ok(Next::Outcome(match turn.version {
                Some(version_id) => TurnOutcome::Ready { version_id },
                None => TurnOutcome::Answered,
            }));
        }
        let seen = state.is_checked();
        let head = self.check(head).await?;
        if !head.state.is_checked() {
            return self.repair_or_give_up(&head).await;
        }
        let next = self.make_version(&head, Passed::Must).await?;
        match next {
            // The model's own check told it.
            Next::Outcome(TurnOutcome::Ready { .. }) if !seen => {
                self.tell_findings(&head, next).await
            }
            next => Ok(next),
        }
    }

    /// Tells the model once what a check found that passed, so that it can mend what is not meant. The version stays.
    async fn tell_findings(&self, head: &SessionHead, next: Next) -> Result<Next, Interrupted> {
        let state = &head.state;
        let (Some(check), Some(turn)) = (&state.check, &state.turn) else {
            return Ok(next);
        };
        let noted: Vec<String> = check.diagnostics.iter().map(signature).collect();
        let known = noted.iter().all(|finding| state.noted.contains(finding));
        let by_hand = matches!(turn.input, TurnInput::Settings {});
        let asked = TurnState {
            told_all: false,
            ..turn.clone()
        };
        if known || by_hand || self.exhausted(state, &asked).is_some() {
            return Ok(next);
        }
        let text = format!(
            "The check passed and there is a new version. It found this; mend what is not meant to be so and finish, or just \
             finish where all is as it should be.\n\n{}",
            describe(&check.diagnostics)
        );
        let told = EventBody::ModelTold {
            text,
            picture: check.sheet.clone(),
            noted,
        };
        Ok(Next::Repair(Box::new(self.tell(vec![told]).await?)))
    }
    async fn repair_or_give_up(&self, head: &SessionHead) -> Result<Next, Interrupted> {
        let state = &head.state;
        let Some(turn) = &state.turn else {
            return Err(Interrupted::Lost);
        };
        let found = state
            .check
            .as_ref()
            .map(|c| c.diagnostics.clone())
            .unwrap_or_default();
        let Some(first) = found
            .iter()
            .find(|d| d.severity == Severity::Error)
            .cloned()
        else {
            return Err(Interrupted::Lost);
        };
        let same = turn.last_error.as_ref() == Some(&signature(&first));
        let no_model = matches!(turn.input, TurnInput::Settings {});
        if !same && !no_model && turn.repairs < self.studio.options().budget.repairs {
            let text = format!(
                "The check failed. Mend the first error at its cause, change nothing else, then finish.\n\n{}",
                describe(&found)
            );
            let told = EventBody::ModelTold {
                text,
                picture: state.check.as_ref().and_then(|c| c.sheet.clone()),
                noted: vec![],
            };
            let head = self.tell(vec![told]).await?;
            return Ok(Next::Repair(Box::new(head)));
        }
        let kept = match state.head_version() {
            Some(newest) => Some(self.studio.version_of(head, newest.id).await?),
            None => None,
        };
        let repairs = turn.repairs;
        if let Some(version) = &kept {
            let restored = EventBody::FilesRestored {
                version_id: version.id,
                files: version.files.clone(),
                settings: version.settings.clone(),
            };
            let head = self.tell(vec![restored]).await?;
            self.studio.refresh_soon(head.id);
        }
        Ok(Next::Outcome(TurnOutcome::CheckFailed {
            diagnostic: first,
            repairs,
            version_id: kept.map(|v| v.id),
        }))
    }

    pub(super) async fn make_version(
        &self,
        head: &SessionHead,
        passed: Passed,
    ) -> Result<Next, Interrupted> {
        let id = VersionId::new(self.studio.ids().ulid());
        let at = self.studio.clock().now();
        let turn_id = self.turn;
        let (before, by_hand) = match head.state.head_version() {
            Some(newest) => {
                let newest = self.studio.version_of(head, newest.id).await?;
                let said = self.what_a_person_changed(head, &newest).await;
                (newest.files, said)
            }
            None => (Files::default(), String::new()),
        };
        let head = self
            .studio
            .commit::<Interrupted>(self.session, self.writer(), |head| {
                let state = &head.state;
                if passed == Passed::Must && !state.is_checked() {
                    // Settings changed since the check; look again.
                    return Ok(vec![]);
                }
                let (Some(plan), Some(turn)) = (&state.approved, &state.turn) else {
                    return Err(Interrupted::Lost);
                };
                let (changed, removed) = state.files.changes_since(&before);
                let summary = match (&turn.input, &turn.summary) {
                    (TurnInput::Settings {}, _) => by_hand.clone(),
                    (_, Some(summary)) => summary.clone(),
                    (TurnInput::Plan { .. }, None) => format!("Built “{}”", plan.title),
                    (TurnInput::Message { .. }, None) => "Edited".to_owned(),
                };
                Ok(vec![EventBody::VersionCreated {
                    version: Version {
                        id,
                        number: state.versions.last().map_or(1, |v| v.number + 1),
                        summary,
                        created_at: at,
                        turn_id: Some(turn_id),
                        restored_from: None,
                        title: plan.title.clone(),
                        engine: plan.engine,
                        settings: state.settings.clone(),
                        files: state.files.clone(),
                        changed,
                        removed,
                    },
                }])
            })
            .await?;
        Ok(match head.state.version(id) {
            Some(_) => Next::Outcome(TurnOutcome::Ready { version_id: id }),
            None => Next::Repair(Box::new(head)),
        })
    }
}
