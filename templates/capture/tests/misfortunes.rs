//! What goes wrong with a render, with the real browser and the real encoder: each ends soon, says what happened, and leaves nothing.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use support::film::{decode, render};
use support::{Fixture, Run, collect, listing, processes};

const TINY: (u32, u32) = (320, 180);
/// In the middle of nowhere: none of the frames that are looked at before and after filming.
const AT: u32 = 7;

/// How frames come: as pixels, or as pictures because of a nested document.
const WAYS: [&str; 2] = ["pixels", "begin-frame"];

/// A composition of a box that moves, and that does something at one frame.
fn doing(what: &str, way: &str) -> Fixture {
    let fixture = Fixture::new("barcode", 60);
    let nested = if way == "pixels" {
        ""
    } else {
        "<iframe hidden></iframe>"
    };
    let code = format!(
        r##"export function mount(stage) {{
  stage.style.background = "#123";
  stage.innerHTML = `<div id="box" style="position:absolute;top:20%;width:20%;height:40%;background:#e80"></div>{nested}`;
}}
export async function draw(frame) {{
  document.getElementById("box").style.left = `${{frame}}%`;
  if (frame === {AT}) {{ {what} }}
}}"##
    );
    std::fs::write(fixture.path("src/composition.js"), code).unwrap();
    fixture
}

/// No process, no profile, no partial file.
fn nothing_is_left(fixture: &Fixture, what: &str) {
    let none = Vec::<String>::new();
    assert_eq!(listing(&fixture.path("tmp")), none, "{what}");
    assert_eq!(
        processes(fixture.app.path().to_str().unwrap()),
        none,
        "{what}"
    );
    let made: Vec<String> = listing(fixture.app.path())
        .into_iter()
        .filter(|name| name.contains("film") || name.contains("parts") || name.contains("clips"))
        .collect();
    assert_eq!(made, none, "{what}");
}

/// It failed in this way, soon enough, and nothing is left.
fn failed(fixture: &Fixture, run: &Run, code: &str, sign: &str) {
    assert!(!run.ok, "{sign}: {}", run.last());
    let last = run.last();
    assert_eq!(last["code"], code, "{sign}: {last}");
    let said = last["message"].as_str().unwrap();
    assert!(said.contains(sign), "{sign}: {last}");
    nothing_is_left(fixture, sign);
}

fn seconds(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64()
}

#[test]
fn what_a_composition_must_not_do_fails_its_render_at_once_and_by_name() {
    for (what, sign, ways) in [
        (
            "throw new Error('no such colour')",
            "no such colour",
            &WAYS[..],
        ),
        (
            "new ArrayBuffer(2 ** 44)",
            "Invalid array buffer length",
            &WAYS[..1],
        ),
        (
            "await fetch('http://example.com/data.json')",
            "http://example.com/data.json is asked of the network",
            &WAYS[..],
        ),
        (
            "await fetch('http://10.255.255.1/data.json')",
            "http://10.255.255.1/data.json is asked of the network",
            &WAYS[1..],
        ),
        (
            "stage.append(Object.assign(new Image(), { src: 'https://example.com/a.png' }))",
            "https://example.com/a.png is asked of the network",
            &WAYS[..],
        ),
        (
            "location = 'http://example.com/'",
            "leaves its page for http://example.com/",
            &WAYS[..1],
        ),
        ("location = '/other.html'", "leaves its page for", &WAYS[..]),
        (
            "stage.insertAdjacentHTML('beforeend', '<form action=/sent><input name=a></form>'); stage.querySelector('form').submit()",
            "leaves its page for",
            &WAYS[1..],
        ),
        (
            "location.reload(); await new Promise(() => {})",
            "loads itself anew again and again",
            &WAYS[..],
        ),
    ] {
        for way in ways {
            let fixture = doing(what, way);
            let took = seconds(|| {
                let run = render(&fixture, "film.mp4", TINY, "--quality draft");
                failed(&fixture, &run, "frame_failed", sign);
                assert_eq!(run.last()["frame"], AT, "{what} {way}: {}", run.last());
            });
            assert!(took < 12.0, "{what}, {way}: {took} s");
        }
    }
}

#[test]
fn dialogs_and_windows_hold_up_nothing() {
    let what = "addEventListener('beforeunload', (event) => { event.preventDefault(); event.returnValue = 'stay'; }); \
        alert('a'); if (confirm('b') || prompt('c')) throw new Error('answered'); print(); window.open('/other.html'); \
        const link = Object.assign(document.createElement('a'), { href: '/other.html', target: '_blank' }); link.click();";
    for way in WAYS {
        let fixture = doing(what, way);
        let run = render(&fixture, "film.mp4", TINY, "--quality draft");
        assert_eq!(run.result()["capture"], way);
    }
}

#[test]
fn what_never_ends_is_ended_and_said_what_was_waited_for() {
    let endless = doing("while (true);", WAYS[0]);
    let endless_pictures = doing("while (true);", WAYS[1]);
    let [never, never_pictures] = WAYS.map(|way| {
        let never = doing("", way);
        never.edit(
            "export function mount(stage) {",
            "export async function mount(stage) { await new Promise(() => {});",
        );
        never
    });
    let cases = [
        (&endless, "frame_failed", "frame 7 was not", 50.0),
        (&endless_pictures, "frame_failed", "frame 7 was not", 50.0),
        (&never, "page_failed", "did not become ready", 75.0),
        (&never_pictures, "page_failed", "did not become ready", 75.0),
    ];
    std::thread::scope(|scope| {
        for (fixture, code, sign, within) in cases {
            scope.spawn(move || {
                let took = seconds(|| {
                    let run = render(fixture, "film.mp4", TINY, "--quality draft");
                    failed(fixture, &run, code, sign);
                });
                assert!(took < within, "{sign}: {took} s");
            });
        }
    });
}

#[test]
fn a_page_whose_memory_runs_out_says_so() {
    let what = "const all = []; for (;;) all.push(new Array(1e6).fill(1.5));";
    for way in WAYS {
        let fixture = doing(what, way);
        let out = fixture.path("film.mp4");
        let size = ["render", "--width", "320", "--height", "180", "--out"];
        let own = fixture.command(&[&size[..], &[out.to_str().unwrap()]].concat());
        // No process may have more than this of memory that it writes to.
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -d 1500000; exec \"$0\" \"$@\""]);
        limited.arg(own.get_program()).args(own.get_args());
        for (name, value) in own.get_envs() {
            limited.env(name, value.unwrap());
        }
        limited.stdout(std::process::Stdio::piped());
        limited.stderr(std::process::Stdio::piped());
        let took = seconds(|| {
            let run = support::finish(limited);
            failed(&fixture, &run, "browser_failed", "memory ran out");
        });
        assert!(took < 30.0, "{took} s");
    }
}

/// A render that is under way.
struct Running {
    fixture: Fixture,
    child: Child,
}

impl Running {
    fn new(composition: &str, edit: Option<(&str, &str)>) -> Self {
        let fixture = Fixture::new(composition, 4000);
        if let Some((from, to)) = edit {
            fixture.edit(from, to);
        }
        let (out, last) = (fixture.path("film.mp4"), fixture.path("last.json"));
        let mut command = fixture.command(&[
            "render",
            "--width",
            "640",
            "--height",
            "360",
            "--browsers",
            "2",
            "--quality",
            "draft",
            "--out",
            out.to_str().unwrap(),
        ]);
        let child = command.env("KODA_PROGRESS", &last).spawn().unwrap();
        let drawn = || -> Option<u64> {
            let told: Value =
                serde_json::from_str(std::fs::read_to_string(&last).ok()?.trim()).ok()?;
            (told["stage"] == "capture").then(|| told["frame"].as_u64())?
        };
        let end = Instant::now() + Duration::from_secs(40);
        while drawn().is_none_or(|frames| frames < 20) {
            assert!(Instant::now() < end, "nothing is drawn");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { fixture, child }
    }

    /// Processes that it started, whose command line holds a text.
    fn children(&self, holding: &str) -> Vec<Pid> {
        below(i32::try_from(self.child.id()).unwrap(), holding)
    }

    /// What it came to, and how many seconds after now.
    fn end(self) -> (Fixture, Run, f64) {
        let began = Instant::now();
        let run = collect(self.child);
        (self.fixture, run, began.elapsed().as_secs_f64())
    }
}

/// Processes below one, near or far, whose command line holds a text.
fn below(parent: i32, holding: &str) -> Vec<Pid> {
    let mut found = Vec::new();
    for pid in support::pids("") {
        let number = pid.as_raw_nonzero().get();
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{number}/stat")) else {
            continue;
        };
        let ours = stat
            .rsplit(')')
            .next()
            .and_then(|rest| rest.split(' ').nth(2))
            == Some(&parent.to_string());
        if !ours {
            continue;
        }
        let line = std::fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(holding) {
            found.push(pid);
        }
        found.extend(below(number, holding));
    }
    found.sort_by_key(|pid| pid.as_raw_nonzero());
    found.dedup();
    found
}

fn kill(pids: &[Pid]) {
    assert!(!pids.is_empty());
    for pid in pids {
        kill_process(*pid, Signal::KILL).unwrap();
    }
}

const NESTED: Option<(&str, &str)> = Some((
    "<div id=\"bars\"",
    "<iframe hidden></iframe><div id=\"bars\"",
));

#[test]
fn an_encoder_that_is_killed_fails_the_render_with_that() {
    for edit in [None, NESTED] {
        let running = Running::new("barcode", edit);
        kill(&running.children("libx264"));
        let (fixture, run, took) = running.end();
        failed(&fixture, &run, "encoder_failed", "killed");
        assert!(took < 5.0, "{took} s");
    }
}

#[test]
fn a_browser_or_a_page_that_is_killed_fails_the_render_with_that_whichever_of_two_it_is() {
    for (edit, members) in [(None, [0, 1].as_slice()), (NESTED, &[1])] {
        for &member in members {
            for (whose, sign) in [
                ("--type=renderer", "the page's process ended"),
                ("", "Chromium went away"),
            ] {
                let running = Running::new("barcode", edit);
                let browsers: Vec<Pid> = running
                    .children("--remote-debugging-pipe")
                    .into_iter()
                    .filter(|pid| {
                        let line = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()))
                            .unwrap();
                        !String::from_utf8_lossy(&line).contains("--type=")
                    })
                    .collect();
                assert_eq!(browsers.len(), 2);
                let browser = browsers[member];
                if whose.is_empty() {
                    kill(&[browser]);
                } else {
                    kill(&below(browser.as_raw_nonzero().get(), whose));
                }
                let (fixture, run, took) = running.end();
                failed(&fixture, &run, "browser_failed", sign);
                assert!(took < 5.0, "{sign}: {took} s");
            }
        }
    }
}

#[test]
fn a_render_by_pixels_with_two_browsers_is_gone_within_a_second_of_being_cancelled() {
    let running = Running::new("barcode", None);
    let own = i32::try_from(running.child.id()).unwrap();
    kill_process(Pid::from_raw(own).unwrap(), Signal::TERM).unwrap();
    let (fixture, run, took) = running.end();
    failed(&fixture, &run, "cancelled", "cancelled");
    assert!(took < 1.0, "{took} s");
}

#[test]
fn films_of_one_frame_and_of_more_than_a_thousand_are_whole() {
    let one = Fixture::new("barcode", 1);
    let run = render(&one, "film.mp4", TINY, "");
    assert_eq!(run.result()["frames"], 1);
    assert_eq!(decode(&one.path("film.mp4"), TINY.0, TINY.1, &[]).len(), 1);
    let odd = render(&one, "film.mp4", (319, 180), "");
    assert_eq!(odd.last()["code"], "bad_argument");
    let long = Fixture::new("barcode", 1200);
    let run = render(&long, "film.mp4", (64, 36), "--quality draft");
    assert_eq!(run.result()["frames"], 1200);
    assert_eq!(run.result()["duration_seconds"], 40.0);
    // The barcode has twelve bits.
    let frames = decode(&long.path("film.mp4"), 64, 36, &[]);
    let numbers: Vec<u32> = frames.iter().map(support::film::barcode).collect();
    assert!(numbers.into_iter().eq(0..1200));
}

/// A small disk.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    /// One of so many pages of four kilobytes.
    fn new(at: &'a Path, pages: u32) -> Self {
        std::fs::create_dir_all(at).unwrap();
        let mount = Command::new("mount")
            .args("-t tmpfs -o".split(' '))
            .args([format!("size={}k", pages * 4), "koda-test".to_owned()])
            .arg(at)
            .status()
            .unwrap();
        assert!(mount.success());
        Self(at)
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_is_told_of_and_is_as_empty_as_before() {
    if !rustix::process::geteuid().is_root() {
        assert!(
            std::env::var_os("CI").is_none(),
            "disks are mounted by root"
        );
        eprintln!("skipped: disks are mounted by root");
        return;
    }
    for name in ["film.mp4", "film.mov", "film.zip"] {
        let fixture = Fixture::new("clocks", 60);
        let at = fixture.path("disk");
        let _disk = Disk::new(&at, 6);
        let run = render(
            &fixture,
            &format!("disk/{name}"),
            (640, 360),
            "--quality high",
        );
        failed(&fixture, &run, "out_of_space", "");
        assert_eq!(listing(&at), Vec::<String>::new(), "{name}");
    }
    // Parts that are whole stay where they are kept.
    let fixture = Fixture::new("clocks", 60);
    let at = fixture.path("disk");
    let _disk = Disk::new(&at, 6);
    let more = format!("--quality high --parts {}", at.join("kept").display());
    let run = render(&fixture, "other.mov", (640, 360), &more);
    assert_eq!(run.last()["code"], json!("out_of_space"), "{}", run.last());
    assert!(!fixture.path("other.mov").exists());
    // A film that has its place, and a poster that has none.
    let fixture = Fixture::new("clocks", 60);
    let at = fixture.path("disk");
    let _disk = Disk::new(&at, 1);
    let more = format!("--poster {}", at.join("poster.png").display());
    let run = render(&fixture, "film.mp4", (640, 360), &more);
    failed(&fixture, &run, "out_of_space", "");
    assert_eq!(listing(&at), Vec::<String>::new());
}
