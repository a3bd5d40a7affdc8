//! Records as tests put them into stores.

use jiff::Timestamp;
use koda_domain::{
    EventBody, MessageId, ProjectId, SessionId, SessionState, TenantId,
    project::{Document, Project},
    store::{Append, Lease, SessionHead},
};
use ulid::Ulid;

/// A project with nothing on its canvas.
#[must_use]
pub fn project(owner: &TenantId, at: Timestamp) -> Project {
    Project {
        id: ProjectId::new(Ulid::generate()),
        tenant: owner.clone(),
        name: "Naïve 名前 🎬".into(),
        revision: 1,
        created_at: at,
        updated_at: at,
        document: Document {
            schema: 1,
            ..Document::default()
        },
    }
}

/// A session in which nothing has happened.
#[must_use]
pub fn session(project: &Project) -> SessionHead {
    SessionHead {
        id: SessionId::new(Ulid::generate()),
        tenant: project.tenant.clone(),
        project_id: project.id,
        seq: 0,
        state: SessionState::default(),
    }
}

/// A message of a person's.
#[must_use]
pub fn message(text: &str) -> EventBody {
    EventBody::MessagePosted {
        message_id: MessageId::new(Ulid::generate()),
        text: text.into(),
        attachments: vec![],
        context: vec![],
        key: None,
    }
}

/// These events after a head's, with the state that they add up to.
#[must_use]
pub fn append(
    head: &SessionHead,
    at: Timestamp,
    lease: Option<&Lease>,
    events: Vec<EventBody>,
) -> Append {
    let mut state = head.state.clone();
    for (seq, event) in (head.seq + 1..).zip(&events) {
        state.apply(seq, at, None, event);
    }
    Append {
        session: head.id,
        expected_seq: head.seq,
        lease: lease.cloned(),
        at,
        turn: None,
        events,
        state,
    }
}
