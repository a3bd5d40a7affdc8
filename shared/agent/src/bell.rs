//! Tells listeners of this process what it appended, so that they need not read it from the store.

use koda_domain::{Event, ProjectId, SessionId, store::SessionHead};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::broadcast;

/// What a listener may be behind before it must read the store.
const BEHIND: usize = 64;
/// Rooms from which on those that nobody listens in any more are looked for.
const SWEEP: usize = 256;

/// What was appended to a session's log.
#[derive(Debug)]
pub struct News {
    /// Which session.
    pub session: SessionId,
    /// In order and without a gap; none where a session is new.
    pub events: Vec<Event>,
}

/// Of what a listener hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Room {
    /// One session.
    Session(SessionId),
    /// The sessions of one project.
    Project(ProjectId),
}

/// A bell in each room: nobody is woken by what does not concern them.
#[derive(Debug)]
pub(crate) struct Bell {
    rooms: Mutex<Rooms>,
}

#[derive(Debug)]
struct Rooms {
    bells: HashMap<Room, broadcast::Sender<Arc<News>>>,
    sweep_at: usize,
}

impl Default for Bell {
    fn default() -> Self {
        let rooms = Rooms {
            bells: HashMap::new(),
            sweep_at: SWEEP,
        };
        Self {
            rooms: Mutex::new(rooms),
        }
    }
}

impl Bell {
    /// Hears what is told from now on.
    pub fn listen(&self, room: Room) -> broadcast::Receiver<Arc<News>> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if rooms.bells.len() >= rooms.sweep_at {
            rooms.bells.retain(|_, bell| bell.receiver_count() > 0);
            rooms.sweep_at = SWEEP.max(rooms.bells.len() * 2);
        }
        let bell = rooms.bells.entry(room);
        bell.or_insert_with(|| broadcast::channel(BEHIND).0)
            .subscribe()
    }

    pub fn tell(&self, head: &SessionHead, events: Vec<Event>) {
        let news = Arc::new(News {
            session: head.id,
            events,
        });
        let rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        for room in [Room::Session(head.id), Room::Project(head.project_id)] {
            if let Some(bell) = rooms.bells.get(&room) {
                // Nobody listening is fine.
                let _ = bell.send(news.clone());
            }
        }
    }
}
