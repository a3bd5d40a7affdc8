//! FFmpeg and FFprobe in the steps around the drawing of a film: where they are killed it is that which is said, where the render is
//! cancelled it ends at once, and nothing is left.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use support::clip::clip;
use support::sound::tone;
use support::{Fixture, collect, finish, listing, processes};

/// A program that does something where its arguments hold a text, and else is the one of this name.
fn doing(fixture: &Fixture, name: &str, holding: &str, what: &str) -> PathBuf {
    let script = fixture.path(&format!("doing-{name}"));
    let text =
        format!("#!/bin/sh\ncase \"$*\" in *'{holding}'*) {what} ;; esac\nexec {name} \"$@\"\n");
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    script
}

fn fixture(composition: &str, frames: u32) -> Fixture {
    let fixture = Fixture::new(composition, frames);
    if composition == "sound" {
        tone(&fixture.path("low.wav"), 440, &[]);
        tone(&fixture.path("high.wav"), 1760, &[]);
        let picture = "-f lavfi -i color=blue:size=160x90:rate=30:duration=2 -c:v libx264 -pix_fmt yuv420p -c:a aac";
        let picture: Vec<&str> = picture.split(' ').collect();
        tone(&fixture.path("clip.mp4"), 880, &picture);
    }
    fixture
}

fn film(fixture: &Fixture) -> Command {
    let out = fixture.path("film.mp4");
    let arguments = "render --width 64 --height 36 --quality draft --out".split(' ');
    let mut arguments: Vec<&str> = arguments.collect();
    arguments.push(out.to_str().unwrap());
    fixture.command(&arguments)
}

fn nothing_is_left(fixture: &Fixture, what: &str) {
    let ours = ["film", "parts", "clips"];
    let mut left = listing(fixture.app.path());
    left.retain(|name| ours.iter().any(|part| name.contains(part)));
    assert_eq!(left, Vec::<String>::new(), "{what}");
}

#[test]
fn a_program_that_is_killed_after_the_film_is_drawn_fails_the_render_with_that() {
    for (composition, frames, variable, program, holding) in [
        // Frames are decoded to be looked at.
        (
            "sound",
            120,
            "KODA_FFMPEG",
            "ffmpeg",
            "-pix_fmt rgba pipe:1",
        ),
        // What the container says of itself is read.
        ("sound", 120, "KODA_FFPROBE", "ffprobe", "-count_packets"),
        // Sound is decoded, and put beside the picture.
        ("sound", 120, "KODA_FFMPEG", "ffmpeg", "-f f32le pipe:1"),
        ("sound", 120, "KODA_FFMPEG", "ffmpeg", "-c:a aac"),
        ("sound", 120, "KODA_FFPROBE", "ffprobe", "stream=channels"),
        // Parts are joined.
        ("barcode", 260, "KODA_FFMPEG", "ffmpeg", "-f concat"),
    ] {
        let fixture = fixture(composition, frames);
        let mut command = film(&fixture);
        command.env(variable, doing(&fixture, program, holding, "kill -9 $$"));
        let run = finish(command);
        let last = run.last();
        assert_eq!(last["code"], "encoder_failed", "{holding}: {last}");
        let said = last["message"].as_str().unwrap();
        assert!(said.contains("killed from outside"), "{holding}: {said}");
        nothing_is_left(&fixture, holding);
    }
}

#[test]
fn a_render_that_is_cancelled_while_a_program_works_is_gone_at_once() {
    for (composition, frames, variable, program, holding) in [
        // A video is copied, while the composition is looked at.
        ("video", 60, "KODA_FFMPEG", "ffmpeg", "-g 1 -threads 4"),
        ("video", 60, "KODA_FFPROBE", "ffprobe", "packet=pts_time"),
        ("sound", 120, "KODA_FFMPEG", "ffmpeg", "-f f32le pipe:1"),
        ("sound", 120, "KODA_FFMPEG", "ffmpeg", "-c:a aac"),
        (
            "sound",
            120,
            "KODA_FFMPEG",
            "ffmpeg",
            "-pix_fmt rgba pipe:1",
        ),
        ("barcode", 260, "KODA_FFMPEG", "ffmpeg", "-f concat"),
    ] {
        let fixture = fixture(composition, frames);
        if composition == "video" {
            clip(&fixture.path("clip.mp4"));
        }
        let reached = fixture.path("reached");
        // What is left of it would be found by the workspace's name.
        let waits = format!("touch {0}; exec tail -f {0}", reached.display());
        let mut command = film(&fixture);
        command.env(variable, doing(&fixture, program, holding, &waits));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let began = Instant::now();
        while !reached.exists() {
            assert!(began.elapsed() < Duration::from_secs(40), "{holding}");
            std::thread::sleep(Duration::from_millis(20));
        }
        let own = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        let asked = Instant::now();
        kill_process(own, Signal::TERM).unwrap();
        let run = collect(child);
        let took = asked.elapsed();
        assert!(took < Duration::from_secs(2), "{holding}: {took:?}");
        assert_eq!(run.last()["code"], "cancelled", "{holding}");
        nothing_is_left(&fixture, holding);
        let app = fixture.app.path().to_str().unwrap();
        assert_eq!(processes(app), Vec::<String>::new(), "{holding}");
    }
}
