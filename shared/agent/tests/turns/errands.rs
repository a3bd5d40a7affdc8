//! Work that is done where it is called for, in a process that does not stay.

use crate::room::*;
use koda_domain::{EventBody, dispatch::Errand};
use koda_testkit::ScriptedModel;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

impl Bench {
    fn errand(&self, let_go: &CancellationToken) -> tokio::task::JoinHandle<bool> {
        let errand = Errand {
            session: self.session,
            refresh: false,
        };
        tokio::spawn(self.studio.clone().run_errand(errand, let_go.clone()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_errand_that_is_told_to_let_go_leaves_its_turn_to_the_next() {
    let mut parts = setup();
    parts.model.pause = Duration::from_millis(400);
    let bench = bench(parts).await;
    bench.say("make something").await;
    let let_go = CancellationToken::new();
    let first = bench.errand(&let_go);
    bench.until("a turn", |s| s.turn.is_some()).await;
    let_go.cancel();
    assert!(first.await.unwrap(), "nothing is said to be left");
    assert!(bench.state().await.turn.is_some(), "the turn was ended");

    let second = bench.errand(&CancellationToken::new());
    assert!(!second.await.unwrap(), "something is said to be left");
    let log = bench.log().await;
    let resumed = |e: &EventBody| matches!(e, EventBody::TurnResumed { .. });
    let proposed = |e: &EventBody| matches!(e, EventBody::PlanProposed { .. });
    assert_eq!((count(&log, resumed), count(&log, proposed)), (1, 1));
    bench.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_errand_that_comes_twice_is_run_once() {
    let mut parts = setup();
    parts.model.pause = Duration::from_millis(200);
    let bench = bench(parts).await;
    bench.say("make something").await;
    let stay = CancellationToken::new();
    let (one, two) = (bench.errand(&stay), bench.errand(&stay));
    assert!(!one.await.unwrap() && !two.await.unwrap());
    let log = bench.log().await;
    let begun = |e: &EventBody| {
        matches!(
            e,
            EventBody::TurnStarted { .. } | EventBody::TurnResumed { .. }
        )
    };
    let proposed = |e: &EventBody| matches!(e, EventBody::PlanProposed { .. });
    assert_eq!((count(&log, begun), count(&log, proposed)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_breaks_is_left_to_the_schedule_instead_of_begun_again_at_once() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let mut parts = setup();
    parts.model = ScriptedModel::new(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        panic!("a fault of ours");
    });
    let bench = bench(parts).await;
    bench.say("make something").await;
    let errand = bench.errand(&CancellationToken::new());
    let ended = tokio::time::timeout(Duration::from_secs(10), errand).await;
    assert!(!ended.expect("it goes on for ever").unwrap());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}
