//! `render` and `still` with the real browser and the real encoder.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use std::path::Path;
use std::time::Duration;

use support::film::{barcode, decode};
use support::{Fixture, Run, collect, listing, processes};

fn render(fixture: &Fixture, out: &str, more: &[&str]) -> Run {
    let path = fixture.path(out);
    let mut arguments = vec!["render", "--out", path.to_str().unwrap()];
    arguments.extend(more);
    fixture.run(&arguments)
}

fn near(pixel: [u8; 4], wanted: [u8; 4], tolerance: u8) -> bool {
    pixel
        .iter()
        .zip(wanted)
        .all(|(a, b)| a.abs_diff(b) <= tolerance)
}

#[test]
fn every_frame_of_an_mp4_is_the_frame_of_its_number_in_true_colours() {
    let fixture = Fixture::new("barcode", 30);
    for quality in ["draft", "standard", "high"] {
        let run = render(
            &fixture,
            "film.mp4",
            &[
                "--width",
                "640",
                "--height",
                "360",
                "--quality",
                quality,
                "--poster",
                fixture.path("p.jpg").to_str().unwrap(),
            ],
        );
        let result = run.result();
        assert_eq!(result["type"], "rendered");
        assert_eq!(
            (&result["frames"], &result["width"], &result["height"]),
            (&30.into(), &640.into(), &360.into())
        );
        assert_eq!(result["duration_seconds"], 1.0);
        assert_eq!(result["verified"], true);
        assert_eq!(
            result["bytes"],
            std::fs::metadata(fixture.path("film.mp4")).unwrap().len()
        );
        let frames = decode(&fixture.path("film.mp4"), 640, 360, &[]);
        let numbers: Vec<u32> = frames.iter().map(barcode).collect();
        assert_eq!(numbers, (0..30).collect::<Vec<_>>(), "{quality}");
        // The ground is #10a040, and frame 0 has the box, #e01010, at the left.
        assert!(
            near(frames[0].get_pixel(620, 350).0, [0x10, 0xa0, 0x40, 255], 6),
            "{quality} {:?}",
            frames[0].get_pixel(620, 350)
        );
        assert!(
            near(frames[0].get_pixel(60, 270).0, [0xe0, 0x10, 0x10, 255], 6),
            "{quality} {:?}",
            frames[0].get_pixel(60, 270)
        );
        assert!(image::open(fixture.path("p.jpg")).unwrap().width() == 640);
    }
    assert_eq!(
        listing(&fixture.path("tmp")),
        Vec::<String>::new(),
        "no profile stays behind"
    );
}

#[test]
fn a_part_at_another_rate_shows_the_frames_of_the_same_times() {
    let fixture = Fixture::new("barcode", 60);
    render(
        &fixture,
        "slow.mp4",
        &[
            "--width", "640", "--height", "360", "--from", "10", "--to", "50", "--fps", "15",
        ],
    )
    .result();
    let numbers: Vec<u32> = decode(&fixture.path("slow.mp4"), 640, 360, &[])
        .iter()
        .map(barcode)
        .collect();
    assert_eq!(
        numbers,
        (0..20).map(|index| 10 + 2 * index).collect::<Vec<_>>()
    );
    render(
        &fixture,
        "fast.mp4",
        &[
            "--width", "640", "--height", "360", "--from", "10", "--to", "20", "--fps", "60",
        ],
    )
    .result();
    let numbers: Vec<u32> = decode(&fixture.path("fast.mp4"), 640, 360, &[])
        .iter()
        .map(barcode)
        .collect();
    assert_eq!(numbers.len(), 20);
    assert!(
        numbers.windows(2).all(|pair| pair[0] <= pair[1]) && numbers[0] == 10 && numbers[19] == 19,
        "{numbers:?}"
    );
}

#[test]
fn formats_that_can_keep_transparency_keep_it() {
    let fixture = Fixture::new("barcode", 12);
    let size = ["--width", "320", "--height", "180", "--transparent"];
    for (name, decoder) in [
        ("film.webm", &["-c:v", "libvpx-vp9"][..]),
        ("film.mov", &[]),
        ("film.gif", &[]),
    ] {
        render(&fixture, name, &size).result();
        let frames = decode(&fixture.path(name), 320, 180, decoder);
        assert_eq!(
            frames.iter().map(barcode).collect::<Vec<_>>(),
            (0..12).collect::<Vec<_>>(),
            "{name}"
        );
        assert!(
            frames[0].get_pixel(310, 170).0[3] < 8,
            "{name}: the ground is clear"
        );
        assert!(
            frames[0].get_pixel(30, 135).0[3] > 247,
            "{name}: the box is not"
        );
    }
    let run = render(&fixture, "film.mp4", &size);
    assert!(!run.ok);
    assert_eq!(run.last()["code"], "bad_argument");
}

#[test]
fn a_png_sequence_holds_exactly_what_stills_show() {
    let fixture = Fixture::new("barcode", 10);
    render(
        &fixture,
        "film.zip",
        &["--width", "1280", "--height", "720", "--format", "png"],
    )
    .result();
    let stills = fixture.run(&[
        "still",
        "--frames",
        "7,3",
        "--out",
        fixture.path("stills").to_str().unwrap(),
        "--sheet",
        fixture.path("s.png").to_str().unwrap(),
    ]);
    assert_eq!(stills.result()["count"], 2);
    let mut archive =
        zip::ZipArchive::new(std::fs::File::open(fixture.path("film.zip")).unwrap()).unwrap();
    assert_eq!(archive.len(), 10);
    for frame in [3, 7] {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(
            &mut archive.by_name(&format!("frame_{frame:05}.png")).unwrap(),
            &mut bytes,
        )
        .unwrap();
        let archived = image::load_from_memory(&bytes).unwrap().into_rgba8();
        let still = image::open(fixture.path("stills").join(format!("frame_{frame:05}.png")))
            .unwrap()
            .into_rgba8();
        assert_eq!(barcode(&archived), frame);
        assert!(
            archived == still,
            "frame {frame} is the same picture bit for bit"
        );
    }
    assert!(image::open(fixture.path("s.png")).unwrap().width() > 500);
}

#[test]
fn progress_comes_in_order_and_not_too_often() {
    let fixture = Fixture::new("barcode", 60);
    let run = render(
        &fixture,
        "film.mp4",
        &["--width", "640", "--height", "360", "--quality", "draft"],
    );
    let seconds = run.result()["seconds"].as_f64().unwrap();
    let progress = run.of("progress");
    assert!(
        progress.len() as f64 <= seconds * 10.0 + 4.0,
        "{} lines in {seconds} s",
        progress.len()
    );
    let order = ["start", "capture", "encode", "verify"];
    let stages: Vec<usize> = progress
        .iter()
        .map(|line| {
            order
                .iter()
                .position(|stage| line["stage"] == *stage)
                .unwrap()
        })
        .collect();
    assert!(
        stages.windows(2).all(|pair| pair[0] <= pair[1])
            && stages.first() == Some(&0)
            && stages.last() == Some(&3),
        "{stages:?}"
    );
    assert!(progress.iter().all(|line| line["total"] == 60));
}

#[test]
fn a_cancelled_render_leaves_nothing_behind() {
    let fixture = Fixture::new("barcode", 4000);
    let out = fixture.path("out/film.mp4");
    let command = fixture.command(&[
        "render",
        "--width",
        "1280",
        "--height",
        "720",
        "--out",
        out.to_str().unwrap(),
    ]);
    let mut command = command;
    let child = command.spawn().unwrap();
    // Wait until frames are being encoded.
    while !listing(&fixture.path("out"))
        .iter()
        .any(|name| name.starts_with(".koda-parts-"))
    {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    let profile = fixture.path("tmp").to_string_lossy().into_owned();
    assert!(!processes(&profile).is_empty(), "a browser runs");
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let run = collect(child);
    assert!(!run.ok);
    assert_eq!(
        (&run.last()["type"], &run.last()["code"]),
        (&"error".into(), &"cancelled".into())
    );
    assert_eq!(listing(&fixture.path("out")), Vec::<String>::new());
    assert_eq!(listing(&fixture.path("tmp")), Vec::<String>::new());
    assert_eq!(processes(&profile), Vec::<String>::new());
    assert_eq!(
        processes(out.parent().unwrap().to_str().unwrap()),
        Vec::<String>::new(),
        "no encoder runs"
    );
}

#[test]
fn a_composition_that_fails_at_a_frame_fails_the_render_with_its_number() {
    let fixture = Fixture::new("throws", 60);
    let run = render(&fixture, "film.mp4", &["--width", "640", "--height", "360"]);
    assert!(!run.ok);
    assert_eq!(run.last()["code"], "frame_failed");
    assert_eq!(run.last()["frame"], 40);
    assert_eq!(run.last()["message"], "the fortieth frame is missing");
    assert!(!fixture.path("film.mp4").exists());
}

#[test]
fn a_render_whose_frames_cannot_be_told_again_does_not_pass_its_own_verification() {
    let fixture = Fixture::new("flicker", 60);
    let run = render(&fixture, "film.mp4", &["--width", "640", "--height", "360"]);
    assert!(!run.ok);
    assert_eq!(run.last()["code"], "verify_failed");
    assert_eq!(
        listing(fixture.app.path())
            .iter()
            .filter(|name| name.contains("film"))
            .count(),
        0
    );
    let blank = Fixture::new("blank", 30);
    let run = render(&blank, "film.mp4", &["--width", "640", "--height", "360"]);
    assert_eq!(run.last()["code"], "verify_failed");
}

#[test]
fn what_cannot_be_rendered_is_refused_before_anything_starts() {
    let fixture = Fixture::new("barcode", 30);
    let run = render(&fixture, "film.mp4", &["--width", "641", "--height", "360"]);
    assert_eq!(run.last()["code"], "bad_argument");
    assert!(run.last()["hint"].as_str().unwrap().contains("even"));
    let run = fixture.run(&[
        "still",
        "--frames",
        "30",
        "--out",
        fixture.path("o").to_str().unwrap(),
    ]);
    assert_eq!(run.last()["code"], "bad_argument");
    std::fs::write(fixture.path("koda.json"), "{}").unwrap();
    let run = render(&fixture, "film.mp4", &["--width", "640", "--height", "360"]);
    assert_eq!(run.last()["code"], "bad_manifest");
    let run = fixture.run(&["render", "--nonsense"]);
    assert_eq!(run.last()["code"], "bad_argument");
}

#[test]
fn an_encoder_that_dies_is_an_error_with_its_own_words() {
    let fixture = Fixture::new("barcode", 200);
    let script = fixture.path("broken-ffmpeg");
    std::fs::write(&script, "#!/bin/sh\nhead -c 100000 >/dev/null\necho 'av_interleaved_write_frame(): No space left on device' >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let out = fixture.path("film.mp4");
    let mut command = fixture.command(&[
        "render",
        "--width",
        "640",
        "--height",
        "360",
        "--out",
        out.to_str().unwrap(),
    ]);
    command.env("KODA_FFMPEG", &script);
    let run = support::finish(command);
    assert!(!run.ok);
    assert_eq!(run.last()["code"], "out_of_space");
}

#[test]
fn a_browser_without_begin_frame_control_renders_the_same_by_screenshots() {
    let full = "/usr/lib/chromium/chromium";
    if !Path::new(full).is_file() {
        assert!(std::env::var_os("CI").is_none(), "{full} is not installed");
        eprintln!("skipped: {full} is not installed");
        return;
    }
    let fixture = Fixture::new("barcode", 12);
    let out = fixture.path("film.mp4");
    let mut command = fixture.command(&[
        "render",
        "--width",
        "640",
        "--height",
        "360",
        "--out",
        out.to_str().unwrap(),
    ]);
    command.env("KODA_CHROMIUM", full);
    let run = support::finish(command);
    assert_eq!(run.result()["capture"], "screenshot");
    let numbers: Vec<u32> = decode(&out, 640, 360, &[]).iter().map(barcode).collect();
    assert_eq!(numbers, (0..12).collect::<Vec<_>>());
}
