//! FFmpeg and FFprobe that are killed in the steps after a film is drawn: each time it is that which is said, and nothing is left.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use std::os::unix::fs::PermissionsExt as _;

use support::sound::tone;
use support::{Fixture, finish, listing};

/// A program that is killed where its arguments hold a text, and else is the one of this name.
fn dying(fixture: &Fixture, name: &str, holding: &str) -> std::path::PathBuf {
    let script = fixture.path(&format!("dying-{name}"));
    let text = format!(
        "#!/bin/sh\ncase \"$*\" in *'{holding}'*) kill -9 $$ ;; esac\nexec {name} \"$@\"\n"
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    script
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
        let fixture = Fixture::new(composition, frames);
        if composition == "sound" {
            tone(&fixture.path("low.wav"), 440, &[]);
            tone(&fixture.path("high.wav"), 1760, &[]);
            let picture = "-f lavfi -i color=blue:size=160x90:rate=30:duration=2 -c:v libx264 -pix_fmt yuv420p -c:a aac";
            let picture: Vec<&str> = picture.split(' ').collect();
            tone(&fixture.path("clip.mp4"), 880, &picture);
        }
        let out = fixture.path("film.mp4");
        let arguments = "render --width 64 --height 36 --quality draft --out".split(' ');
        let mut arguments: Vec<&str> = arguments.collect();
        arguments.push(out.to_str().unwrap());
        let mut command = fixture.command(&arguments);
        command.env(variable, dying(&fixture, program, holding));
        let run = finish(command);
        let last = run.last();
        assert_eq!(last["code"], "encoder_failed", "{holding}: {last}");
        let said = last["message"].as_str().unwrap();
        assert!(said.contains("killed from outside"), "{holding}: {said}");
        let left = listing(fixture.app.path()).into_iter();
        let left: Vec<String> = left.filter(|name| name.contains("film")).collect();
        assert_eq!(left, Vec::<String>::new(), "{holding}");
    }
}
