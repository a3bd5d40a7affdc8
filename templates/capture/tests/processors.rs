//! How many browsers draw a film: by the processors and the memory that were given, and by how much there is to do.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use std::process::{Command, Stdio};

use serde_json::Value;
use support::{Fixture, finish};

/// Two browsers are worth it from here on.
const FRAMES: u32 = 80;

fn arguments(out: &std::path::Path, more: &str) -> Vec<String> {
    let size = "render --width 320 --height 180 --out".split(' ');
    let mut all: Vec<String> = size.map(str::to_owned).collect();
    all.push(out.to_str().unwrap().to_owned());
    all.extend(more.split_whitespace().map(str::to_owned));
    all
}

/// What a render of the fixture says, with these variables in its environment.
fn told(fixture: &Fixture, told: &[(&str, &str)], more: &str) -> Value {
    let all = arguments(&fixture.path("film.mp4"), more);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut command = fixture.command(&all);
    for (name, value) in told {
        command.env(name, value);
    }
    finish(command).result().clone()
}

/// As many as are wanted, or as the machine has.
fn at_most(wanted: usize) -> usize {
    wanted.min(std::thread::available_parallelism().unwrap().get())
}

#[test]
fn a_film_is_drawn_by_a_browser_for_each_whole_processor_that_was_granted_and_is_the_same() {
    let fixture = Fixture::new("barcode", FRAMES);
    let mut films = Vec::new();
    for (cpus, browsers) in [("0.5", 1), ("1", 1), ("1.5", 1), ("2", at_most(2))] {
        let result = told(&fixture, &[("KODA_CPUS", cpus)], "--quality draft");
        assert_eq!(result["browsers"], browsers, "{cpus} processors");
        assert_eq!(result["frames"], FRAMES);
        films.push(result["sha256"].clone());
    }
    assert!(films.windows(2).all(|pair| pair[0] == pair[1]), "{films:?}");
}

#[test]
fn few_frames_or_little_memory_are_drawn_by_one_browser() {
    let fixture = Fixture::new("barcode", FRAMES);
    let two = [("KODA_CPUS", "2")];
    let memory = |bytes| [("KODA_CPUS", "2"), ("KODA_MEMORY", bytes)];
    let short = format!("--quality draft --to {}", FRAMES - 1);
    for (what, more, browsers) in [
        (&two[..], short.as_str(), 1),
        (&memory("1073741824"), "--quality draft", 1),
        (&memory("2147483648"), "--quality draft", at_most(2)),
    ] {
        let result = told(&fixture, what, more);
        assert_eq!(result["browsers"], browsers, "{what:?} {more}");
    }
}

#[test]
fn a_film_is_the_same_file_on_a_machine_of_one_processor() {
    let fixture = Fixture::new("clocks", FRAMES);
    for (name, quality) in [
        ("film.mp4", "standard"),
        ("film.webm", "standard"),
        ("film.webm", "high"),
    ] {
        let out = fixture.path(name);
        let more = format!("--quality {quality}");
        let all = arguments(&out, &more);
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let free = finish(fixture.command(&all));
        let usual = fixture.command(&all);
        // The first processor that this process may use.
        let mut alone = Command::new("taskset");
        alone
            .args(["--cpu-list", &first_processor()])
            .arg(usual.get_program())
            .args(usual.get_args())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in usual.get_envs() {
            alone.env(name, value.unwrap_or_default());
        }
        let alone = finish(alone);
        assert_eq!(alone.result()["browsers"], 1, "{name}");
        assert_eq!(alone.result()["sha256"], free.result()["sha256"], "{name}");
    }
}

/// The number of a processor that this process may use.
fn first_processor() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let allowed = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let digits = |it: &char| it.is_ascii_digit();
    allowed.unwrap().trim().chars().take_while(digits).collect()
}
