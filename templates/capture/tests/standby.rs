//! The browser on standby: work is done in it, one after the other, and nothing waits for it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use support::{Fixture, Run, finish, listing, processes};

/// A browser on standby beside a fixture.
struct Standby {
    child: Child,
    socket: PathBuf,
    fixture: Fixture,
}

impl Standby {
    fn new() -> Self {
        let fixture = Fixture::new("barcode", 90);
        let socket = fixture.path("standby");
        let mut command = fixture.command(&["standby"]);
        let mut child = command.env("KODA_STANDBY", &socket).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        assert!(said.contains("\"standby\""), "{said}");
        Self {
            child,
            socket,
            fixture,
        }
    }

    /// The profile of the browser that waits.
    fn profile(&self) -> Vec<String> {
        listing(&self.fixture.path("tmp"))
    }

    /// Shoots two frames, with the Chromium given for those that have to start their own.
    fn shoot(&self, chromium: Option<&str>) -> Run {
        let out = self.fixture.path("out");
        let mut command =
            self.fixture
                .command(&["still", "--frames", "0,60", "--out", out.to_str().unwrap()]);
        command.env("KODA_STANDBY", &self.socket);
        if let Some(chromium) = chromium {
            command.env("KODA_CHROMIUM", chromium);
        }
        finish(command)
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whoever needs a browser finds none but the one on standby.
const NONE_OF_ONES_OWN: Option<&str> = Some("/no/such/chromium");

fn soon(what: &str, mut check: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !check() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn pictures(run: &Run) -> Vec<String> {
    assert!(run.ok, "{} {}", run.last(), run.stderr);
    run.of("still")
        .iter()
        .map(|still| still["sha256"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn work_is_done_in_the_browser_on_standby_and_the_next_work_in_another() {
    let standby = Standby::new();
    let mut before = standby.profile();
    let mut shot = Vec::new();
    for _ in 0..2 {
        // On a busy machine the one on standby may come up later than its profile, and nobody waits for it for long.
        let mut run = None;
        soon("nobody lends a browser", || {
            let shot = run.insert(standby.shoot(NONE_OF_ONES_OWN));
            shot.ok || shot.last()["code"] != "browser_failed"
        });
        shot.push(pictures(&run.unwrap()));
        soon("the used browser stays", || {
            let now = standby.profile();
            now.len() == 1 && now != before
        });
        before = standby.profile();
    }
    // By a browser of one's own the pictures are the same.
    let socket = standby.socket.clone();
    std::fs::remove_file(&socket).unwrap();
    shot.push(pictures(&standby.shoot(None)));
    assert_eq!(shot[0], shot[1]);
    assert_eq!(shot[0], shot[2]);
}

#[test]
fn a_browser_that_is_taken_or_dead_keeps_nobody_waiting() {
    let standby = Standby::new();
    let profile = standby.profile();
    let taken = std::os::unix::net::UnixStream::connect(&standby.socket).unwrap();
    // Whoever comes now starts a browser of their own.
    assert_eq!(pictures(&standby.shoot(None)).len(), 2);
    drop(taken);
    soon("the one that was taken stays", || {
        let now = standby.profile();
        now.len() == 1 && now != profile
    });

    let profile = standby.profile();
    let folder = standby.fixture.path("tmp").join(&profile[0]);
    let folder = folder.to_str().unwrap();
    soon("it does not start", || !processes(folder).is_empty());
    for process in support::pids(folder) {
        let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
    }
    soon("no other took the dead one's place", || {
        let now = standby.profile();
        now.len() == 1 && now != profile
    });
    soon("the other is not lent", || {
        standby.shoot(NONE_OF_ONES_OWN).ok
    });
}

#[test]
fn nothing_is_left_of_one_that_is_ended() {
    let standby = Standby::new();
    let folder = standby.fixture.path("tmp").to_string_lossy().into_owned();
    assert!(!processes(&folder).is_empty(), "a browser runs");
    let pid = i32::try_from(standby.child.id()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    soon("a process or a profile is left", || {
        processes(&folder).is_empty() && standby.profile().is_empty()
    });
}
