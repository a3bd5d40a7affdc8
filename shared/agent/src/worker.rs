//! The worker of a process: takes up work that somebody rang for, or that nobody finished.

use crate::{
    Studio,
    studio::held,
    turn::{SharedStudio, wants_turn},
};
use koda_domain::{
    SessionId,
    dispatch::Errand,
    store::{SessionHead, StoreError},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// The most sessions that one look finds.
const LOOK: usize = 200;
/// How often what is left over is cleared away.
const JANITOR: Duration = Duration::from_secs(30);
/// How often it is seen to that sandboxes wait.
const WARM: Duration = Duration::from_secs(3);

/// Jobs at work; each says at its end whether what is left of it is left to whoever looks next.
type Tasks = JoinSet<bool>;

/// Jobs that this process is doing, so that none is begun twice here.
#[derive(Default)]
struct Doing(Mutex<HashSet<(Kind, SessionId)>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Turns,
    Renders,
    Refresh,
}

impl Doing {
    /// Whether anything of a session is done here.
    fn has(&self, session: SessionId) -> bool {
        let kinds = [Kind::Turns, Kind::Renders];
        let doing = held(&self.0);
        kinds.iter().any(|kind| doing.contains(&(*kind, session)))
    }

    fn begin(self: &Arc<Self>, kind: Kind, session: SessionId) -> Option<Claim> {
        let mut doing = held(&self.0);
        doing.insert((kind, session)).then(|| Claim {
            doing: self.clone(),
            job: (kind, session),
        })
    }
}

struct Claim {
    doing: Arc<Doing>,
    job: (Kind, SessionId),
}

impl Drop for Claim {
    fn drop(&mut self) {
        held(&self.doing.0).remove(&self.job);
    }
}

impl Studio {
    /// Does turns, renders and housekeeping until the shutdown; then lets go of everything within seconds.
    /// Work that is cut off goes on where the next worker finds it.
    pub async fn run_worker(self: Arc<Self>, shutdown: CancellationToken) {
        let doing = Arc::new(Doing::default());
        let mut tasks = JoinSet::new();
        let mut sweep = tokio::time::interval(JANITOR);
        let mut warm = tokio::time::interval(WARM);
        warm.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut warming = None::<tokio::task::AbortHandle>;
        let mut look = tokio::time::interval(self.options().poll);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut elsewhere = HashMap::new();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.work.notified() => self.take_up_rung(&doing, &mut tasks, &shutdown).await,
                _ = look.tick() => self.take_up(&doing, &mut tasks, &mut elsewhere, &shutdown).await,
                _ = warm.tick(), if self.options().warm > 0 => {
                    if warming.as_ref().is_none_or(|task| task.is_finished()) {
                        let studio = self.clone();
                        warming = Some(tasks.spawn(async move {
                            studio.keep_warm().await;
                            false
                        }));
                    }
                }
                _ = sweep.tick() => {
                    let studio = self.clone();
                    tasks.spawn(async move {
                        studio.housekeep().await;
                        false
                    });
                }
            }
            while tasks.try_join_next().is_some() {}
        }
        if let Some(warming) = warming {
            warming.abort();
        }
        let ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(Duration::from_secs(8), ended)
            .await
            .is_err()
        {
            warn!("Some work did not let go in time; it goes on after the next start");
        }
        if self.options().warm > 0 {
            // What is left ends by itself.
            let _ = tokio::time::timeout(Duration::from_secs(3), self.stop_waiting()).await;
        }
    }

    /// Runs an errand until nothing is left of it that this worker can do, or until it is told to let go. Whether work is left
    /// that nobody does: then somebody else is to be called.
    pub async fn run_errand(self: Arc<Self>, errand: Errand, let_go: CancellationToken) -> bool {
        let doing = Arc::new(Doing::default());
        let mut tasks = Tasks::new();
        if errand.refresh {
            self.environments.mark_stale(errand.session);
        }
        loop {
            self.refresh_stale(&doing, &mut tasks);
            let head = match self.store().session_any(errand.session).await {
                Ok(head) => head,
                Err(StoreError::NotFound) => return false,
                Err(error) => {
                    warn!(session.id = %errand.session, %error, "Could not look at session {}: {error}", errand.session);
                    return true;
                }
            };
            if !let_go.is_cancelled() {
                self.take_up_session(&head, &doing, &mut tasks, &let_go);
            }
            if tasks.is_empty() {
                return head.state.has_work();
            }
            let ended = tokio::select! {
                ended = tasks.join_next() => ended,
                () = self.work.notified() => None,
                () = tokio::time::sleep(self.options().poll) => None,
            };
            // Another worker has it, and looks again when it lets go; or it failed, and is found by the schedule.
            let left = ended.is_some_and(|ended| ended.unwrap_or(true));
            if left && tasks.is_empty() && !let_go.is_cancelled() {
                return false;
            }
        }
    }

    /// Housekeeping, and sessions with work that nobody may be doing: the worker of a deployment that has no process that
    /// stays. Returns them.
    pub async fn tend(&self) -> Vec<SessionId> {
        self.housekeep().await;
        self.store()
            .sessions_with_work(LOOK)
            .await
            .unwrap_or_else(|error| {
                warn!(%error, "Could not look for work: {error}");
                vec![]
            })
    }

    fn refresh_stale(self: &SharedStudio, doing: &Arc<Doing>, tasks: &mut Tasks) {
        for session in self.environments.take_stale() {
            if let Some(claim) = doing.begin(Kind::Refresh, session) {
                let studio = self.clone();
                tasks.spawn(async move {
                    studio.refresh(session).await;
                    drop(claim);
                    false
                });
            }
        }
    }

    /// Takes up what this process was given.
    async fn take_up_rung(
        self: &SharedStudio,
        doing: &Arc<Doing>,
        tasks: &mut Tasks,
        shutdown: &CancellationToken,
    ) {
        self.refresh_stale(doing, tasks);
        let rung: Vec<SessionId> = held(&self.rung).drain().collect();
        for session in rung {
            if let Ok(head) = self.store().session_any(session).await {
                self.take_up_session(&head, doing, tasks, shutdown);
            }
        }
    }

    /// Takes up what nobody does any more, and lets listeners here know of what others do. A session that somebody else may be
    /// at work on is looked at again only after a part of a lease's life: each look costs a write that is refused.
    async fn take_up(
        self: &SharedStudio,
        doing: &Arc<Doing>,
        tasks: &mut Tasks,
        elsewhere: &mut HashMap<SessionId, Instant>,
        shutdown: &CancellationToken,
    ) {
        self.refresh_stale(doing, tasks);
        let sessions = match self.store().sessions_with_work(LOOK).await {
            Ok(sessions) => sessions,
            Err(error) => {
                warn!(%error, "Could not look for work: {error}");
                return;
            }
        };
        let again = self.options().lease / 4;
        elsewhere.retain(|_, looked| looked.elapsed() < again);
        for session in sessions {
            if doing.has(session) || elsewhere.contains_key(&session) {
                continue;
            }
            elsewhere.insert(session, Instant::now());
            if let Ok(head) = self.store().session_any(session).await {
                self.bell.tell(&head, vec![]);
                self.take_up_session(&head, doing, tasks, shutdown);
            }
        }
    }

    fn take_up_session(
        self: &SharedStudio,
        head: &SessionHead,
        doing: &Arc<Doing>,
        tasks: &mut Tasks,
        shutdown: &CancellationToken,
    ) {
        let session = head.id;
        if wants_turn(&head.state)
            && let Some(claim) = doing.begin(Kind::Turns, session)
        {
            let (studio, shutdown) = (self.clone(), shutdown.clone());
            tasks.spawn(async move {
                let left = Box::pin(studio.work_turns(session, &shutdown)).await;
                drop(claim);
                left
            });
        }
        let renders = head.state.renders.iter().any(|r| !r.status.is_final());
        if renders && let Some(claim) = doing.begin(Kind::Renders, session) {
            let (studio, shutdown) = (self.clone(), shutdown.clone());
            tasks.spawn(async move {
                let left = Box::pin(studio.work_renders(session, &shutdown)).await;
                drop(claim);
                left
            });
        }
    }

    async fn refresh(&self, session: SessionId) {
        let Ok(head) = self.store().session_any(session).await else {
            return;
        };
        if let Err(error) = self.prepare_working(&head).await {
            debug!(session.id = %session, %error, "Could not refresh the sandbox of {session}: {error}");
        }
    }
}
