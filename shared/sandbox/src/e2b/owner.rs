//! What marks a sandbox as ours.

use crate::wire;
use e2b_client::{ListQuery, SandboxInfo, SandboxState};
use koda_domain::{
    SandboxId, SessionId,
    sandbox::{Sandbox, SandboxSpec},
};
use std::{collections::BTreeMap, time::Duration};

const DEPLOYMENT: &str = "koda_deployment";
const SESSION: &str = "koda_session";
/// Only where it is not 0.
const PLACE: &str = "koda_place";
const ENGINE: &str = "koda_engine";
/// Of the supervisor's protocol: a sandbox of another version of Koda is not used.
const VERSION: &str = "koda_wire";

/// A deployment, as the account's metadata names it.
pub(super) struct Owner<'a> {
    pub deployment: &'a str,
}

/// Whether this can be a sandbox's id: others must not get into addresses.
pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 64
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

impl Owner<'_> {
    /// What a new sandbox is marked with.
    pub fn metadata(&self, spec: &SandboxSpec) -> BTreeMap<String, String> {
        let mut metadata = self.all().metadata;
        metadata.insert(SESSION.into(), spec.session.to_string());
        metadata.insert(ENGINE.into(), spec.template.to_string());
        if spec.place > 0 {
            metadata.insert(PLACE.into(), spec.place.to_string());
        }
        metadata
    }

    /// Every sandbox of this deployment.
    pub fn all(&self) -> ListQuery {
        ListQuery {
            metadata: BTreeMap::from([
                (DEPLOYMENT.to_owned(), self.deployment.to_owned()),
                (VERSION.to_owned(), wire::VERSION.to_string()),
            ]),
            ..ListQuery::default()
        }
    }

    /// Those of a session.
    pub fn of_session(&self, session: SessionId) -> ListQuery {
        let mut query = self.all();
        query.metadata.insert(SESSION.into(), session.to_string());
        query
    }

    /// Whether a sandbox is this deployment's.
    pub fn owns(&self, info: &SandboxInfo) -> bool {
        let wanted = self.all().metadata;
        wanted
            .iter()
            .all(|(key, value)| info.metadata.get(key) == Some(value))
    }
}

/// Which of its session's sandboxes it is.
pub(super) fn place_of(info: &SandboxInfo) -> u32 {
    let place = info.metadata.get(PLACE);
    place
        .and_then(|place| place.parse().ok())
        .unwrap_or_default()
}

/// A sandbox as Koda sees it; none where its marks are not ours.
pub(super) fn sandbox_of(info: &SandboxInfo, max_life: Duration) -> Option<Sandbox> {
    // The time that a plan gives begins anew when a sandbox is resumed.
    let runs = info.state == SandboxState::Running;
    Some(Sandbox {
        id: SandboxId(info.id.clone()),
        session: info.metadata.get(SESSION)?.parse().ok()?,
        place: place_of(info),
        template: info.metadata.get(ENGINE)?.parse().ok()?,
        created_at: info.started_at,
        expires_at: info.end_at,
        ends_at: info.started_at.checked_add(max_life).ok().filter(|_| runs),
    })
}
