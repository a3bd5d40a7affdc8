//! What people ask of a session.

use crate::{Studio, StudioError, commit::Writer};
use koda_domain::{
    AssetId, EventBody, MessageId, ProjectId, SessionId, SessionState, Settings, SettingsPatch,
    TenantId, event::Actor, limits, plan::Plan, rate::Costly, store::SessionHead, timing::Timing,
};

/// A message that a person posts.
#[derive(Debug, Clone, Default)]
pub struct NewMessage {
    /// As typed.
    pub text: String,
    /// Assets given with it.
    pub attachments: Vec<AssetId>,
    /// Words of connected text nodes.
    pub context: Vec<String>,
    /// The client's idempotency key.
    pub key: Option<String>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted {
    /// Its name.
    pub message_id: MessageId,
    /// Whether it waits for a turn that runs.
    pub queued: bool,
}

/// What a person decides about a plan.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Build it, with these edits.
    Approve {
        /// Hash of the open proposal.
        hash: String,
        /// The plan as edited; as proposed where left out.
        plan: Option<Box<Plan>>,
    },
    /// Do not.
    Reject {
        /// Hash of the open proposal.
        hash: String,
        /// Why.
        reason: Option<String>,
    },
}

impl Studio {
    /// Begins a session on a project's node.
    ///
    /// # Errors
    /// Unknown project, settings that break rules, or the store's.
    pub async fn create_session(
        &self,
        tenant: &TenantId,
        project: ProjectId,
        node_id: &str,
        patch: &SettingsPatch,
    ) -> Result<SessionHead, StudioError> {
        self.store().project(tenant, project).await?;
        let settings = koda_domain::Settings::default()
            .patched(patch)
            .map_err(StudioError::Invalid)?;
        let created = EventBody::SessionCreated {
            project_id: project,
            node_id: node_id.to_owned(),
            settings,
        };
        self.admit(tenant, Costly::Creation).await?;
        self.begin(tenant, project, vec![created]).await
    }

    pub(crate) async fn begin(
        &self,
        tenant: &TenantId,
        project: ProjectId,
        events: Vec<EventBody>,
    ) -> Result<SessionHead, StudioError> {
        let at = self.clock().now();
        let mut head = SessionHead {
            id: SessionId::new(self.ids().ulid()),
            tenant: tenant.clone(),
            project_id: project,
            seq: 0,
            state: SessionState::default(),
        };
        for event in &events {
            head.seq += 1;
            head.state.apply(head.seq, at, None, event);
        }
        self.store().create_session(&head, at, &events).await?;
        self.bell.tell(&head, vec![]);
        Ok(head)
    }

    /// Appends a message and sees that a turn takes it. The same key twice is one message.
    ///
    /// # Errors
    /// Empty or too long, unknown attachments, too many waiting, unknown session, or the store's.
    pub async fn post_message(
        &self,
        tenant: &TenantId,
        session: SessionId,
        message: NewMessage,
    ) -> Result<Posted, StudioError> {
        let bytes = message.text.len() + message.context.iter().map(String::len).sum::<usize>();
        if message.text.trim().is_empty() && message.context.iter().all(|c| c.trim().is_empty()) {
            return Err(StudioError::field(
                "text",
                "Write what you would like to see.",
            ));
        }
        let all = || std::iter::once(&message.text).chain(&message.context);
        if all().any(|text| text.contains(|c: char| c.is_control() && !c.is_whitespace())) {
            return Err(StudioError::field(
                "text",
                "A message holds plain text, without control characters.",
            ));
        }
        if bytes > limits::MESSAGE_BYTES {
            return Err(StudioError::field(
                "text",
                "A message holds at most 32 KB; put long material into assets.",
            ));
        }
        let head = self.store().session(tenant, session).await?;
        for asset in &message.attachments {
            let found = self.store().asset(tenant, *asset).await.map_err(|_| {
                StudioError::field(
                    "attachments",
                    "An attachment does not exist; upload it again.",
                )
            })?;
            if found.project_id != head.project_id || found.blob.is_none() {
                return Err(StudioError::field(
                    "attachments",
                    "An attachment is not ready; finish its upload first.",
                ));
            }
        }
        self.admit(tenant, Costly::Turn).await?;
        let message_id = MessageId::new(self.ids().ulid());
        let mut posted = Posted {
            message_id,
            queued: false,
        };
        self.commit(session, Writer::default(), |head| {
            let known = message
                .key
                .as_ref()
                .and_then(|key| head.state.keys.iter().find(|(k, _)| k == key));
            if let Some((_, id)) = known {
                posted = Posted {
                    message_id: *id,
                    queued: false,
                };
                return Ok(vec![]);
            }
            if head.state.queue.len() >= limits::QUEUED_MESSAGES {
                return Err(StudioError::TooMany(
                    "20 messages are waiting already; let the agent catch up.".into(),
                ));
            }
            posted.queued = head.state.turn.is_some() || !head.state.queue.is_empty();
            Ok(vec![EventBody::MessagePosted {
                message_id,
                text: message.text.clone(),
                attachments: message.attachments.clone(),
                context: message.context.clone(),
                key: message.key.clone(),
            }])
        })
        .await?;
        self.ring(session).await;
        Ok(posted)
    }

    /// Changes settings. Where something was built already, a change of format becomes a version.
    ///
    /// # Errors
    /// Settings that break rules, unknown session, or the store's.
    pub async fn patch_settings(
        &self,
        tenant: &TenantId,
        session: SessionId,
        patch: &SettingsPatch,
    ) -> Result<SessionHead, StudioError> {
        let head = self.store().session(tenant, session).await?;
        if let Some(Some(logo)) = patch.logo {
            let found = self.store().asset(tenant, logo).await;
            if !found.is_ok_and(|it| it.project_id == head.project_id && it.blob.is_some()) {
                return Err(StudioError::field(
                    "logo",
                    "There is no such asset in this project; upload it first.",
                ));
            }
        }
        let head = self
            .commit(session, Writer::default(), |head| {
                let settings = head.state.settings.patched(patch).map_err(StudioError::Invalid)?;
                if settings == head.state.settings {
                    return Ok(vec![]);
                }
                let engine = head.state.approved.as_ref().map(|plan| plan.engine);
                if engine.is_some_and(|e| settings.engine.is_some_and(|chosen| chosen != e)) {
                    return Err(StudioError::field(
                        "engine",
                        "The engine cannot change once a plan is approved; ask for a new plan or add another node.",
                    ));
                }
                Ok(vec![EventBody::SettingsChanged { settings, by: Actor::Person }])
            })
            .await?;
        self.ring(session).await;
        Ok(head)
    }

    /// Approves or rejects the open proposal.
    ///
    /// # Errors
    /// [`StudioError::Conflict`] where there is no open proposal with that hash; an edited plan that breaks rules.
    pub async fn decide_plan(
        &self,
        tenant: &TenantId,
        session: SessionId,
        decision: Decision,
    ) -> Result<SessionHead, StudioError> {
        self.store().session(tenant, session).await?;
        if matches!(decision, Decision::Approve { .. }) {
            self.admit(tenant, Costly::Turn).await?;
        }
        let head = self
            .commit(session, Writer::default(), |head| {
                let (Decision::Approve { hash, .. } | Decision::Reject { hash, .. }) = &decision;
                let proposal = head
                    .state
                    .proposal
                    .as_ref()
                    .filter(|p| p.open && p.hash == *hash);
                let Some(proposal) = proposal else {
                    return Err(StudioError::Conflict(
                        "This is not the plan that waits for a decision; look at the newest one."
                            .into(),
                    ));
                };
                match &decision {
                    Decision::Reject { reason, .. } => {
                        let reason = reason.clone().map(|r| r.chars().take(2_000).collect());
                        Ok(vec![EventBody::PlanRejected {
                            hash: hash.clone(),
                            reason,
                        }])
                    }
                    Decision::Approve { plan, .. } => {
                        let plan = plan.as_deref().unwrap_or(&proposal.plan).clone();
                        approval(&head.state, plan, Actor::Person)
                    }
                }
            })
            .await?;
        self.ring(session).await;
        Ok(head)
    }

    /// Asks the running turn to end; without one, nothing happens.
    ///
    /// # Errors
    /// Unknown session, or the store's.
    pub async fn stop(
        &self,
        tenant: &TenantId,
        session: SessionId,
    ) -> Result<SessionHead, StudioError> {
        self.store().session(tenant, session).await?;
        self.commit(session, Writer::default(), |head| {
            let runs = head
                .state
                .turn
                .as_ref()
                .is_some_and(|turn| !turn.stop_requested);
            Ok(if runs {
                vec![EventBody::StopRequested {}]
            } else {
                vec![]
            })
        })
        .await
    }

    /// Removes a session, its log, its renders' files and its sandbox.
    ///
    /// # Errors
    /// Unknown session, or the store's.
    pub async fn delete_session(
        &self,
        tenant: &TenantId,
        session: SessionId,
    ) -> Result<(), StudioError> {
        let head = self.store().session(tenant, session).await?;
        self.store().delete_session(tenant, session).await?;
        self.clear_away(&head).await;
        Ok(())
    }

    /// Removes a project with all its sessions.
    ///
    /// # Errors
    /// Unknown project, or the store's.
    pub async fn delete_project(
        &self,
        tenant: &TenantId,
        project: ProjectId,
    ) -> Result<(), StudioError> {
        let sessions = self.store().sessions(tenant, project).await?;
        self.store().delete_project(tenant, project).await?;
        for head in &sessions {
            self.clear_away(head).await;
        }
        Ok(())
    }
}

/// The events of an approval: settings follow the plan, and files of another engine go.
pub(crate) fn approval(
    state: &SessionState,
    plan: Plan,
    by: Actor,
) -> Result<Vec<EventBody>, StudioError> {
    let problems = plan.problems();
    if !problems.is_empty() {
        return Err(StudioError::Invalid(problems));
    }
    // A pace was about the scenes of the plan before.
    let as_written = Settings {
        timing: Timing::default(),
        ..state.settings.clone()
    };
    let mut settings = as_written
        .patched(&plan.settings)
        .map_err(StudioError::Invalid)?;
    let fixed = settings.duration_fixed;
    let seconds = (plan.duration_seconds() * 100.0).round() / 100.0;
    settings.duration_seconds = seconds.clamp(
        koda_domain::settings::MIN_SECONDS,
        koda_domain::settings::MAX_SECONDS,
    );
    settings.duration_fixed = fixed;
    let mut events = Vec::new();
    if state
        .approved
        .as_ref()
        .is_some_and(|before| before.engine != plan.engine)
    {
        events.extend(
            state
                .files
                .0
                .keys()
                .map(|path| EventBody::FileDeleted { path: path.clone() }),
        );
        settings.engine = settings.engine.map(|_| plan.engine);
    }
    if settings != state.settings {
        events.push(EventBody::SettingsChanged {
            settings,
            by: Actor::Agent,
        });
    }
    let hash = plan.hash();
    events.push(EventBody::PlanApproved { plan, hash, by });
    Ok(events)
}
