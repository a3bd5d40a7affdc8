//! Renders in every format, with the real browser and the real encoder: sizes, rates and alpha are what was asked for.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use std::io::Read as _;
use std::path::Path;

use image::RgbaImage;
use serde_json::Value;
use support::film::{apart, barcode, decode, probe, render};
use support::{Fixture, Run, Workspace};

const TINY: (u32, u32) = (320, 180);

/// What a file says of its picture.
fn stream(path: &Path) -> Value {
    probe(path)["streams"][0].take()
}

fn numbers(path: &Path, (width, height): (u32, u32)) -> Vec<u32> {
    decode(path, width, height, &[])
        .iter()
        .map(barcode)
        .collect()
}

fn sha256(run: &Run) -> &Value {
    &run.result()["sha256"]
}

/// The pictures of a sequence, as they lie in its archive.
fn archived(path: &Path) -> Vec<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut bytes = Vec::new();
            let mut entry = archive.by_index(index).unwrap();
            assert_eq!(entry.name().unwrap(), format!("frame_{index:05}.png"));
            entry.read_to_end(&mut bytes).unwrap();
            bytes
        })
        .collect()
}

#[test]
fn what_lets_light_through_keeps_its_colour_and_its_alpha() {
    // Three fifths, and a half: 127.5 is rounded up.
    let (three_fifths, half) = ([200, 100, 40, 153], [30, 120, 240, 128]);
    let panes = |picture: &RgbaImage| {
        let (width, height) = picture.dimensions();
        [1, 3].map(|quarter| picture.get_pixel(width * quarter / 4, height * 3 / 4).0)
    };
    let fixture = Fixture::new("glass", 4);
    for (name, decoder) in [
        ("film.webm", ["-c:v", "libvpx-vp9"].as_slice()),
        ("film.mov", &[]),
    ] {
        let run = render(&fixture, name, TINY, "--transparent --quality high");
        assert_eq!(run.result()["capture"], "pixels", "{name}");
        for picture in decode(&fixture.path(name), TINY.0, TINY.1, decoder) {
            for (seen, wanted) in panes(&picture).into_iter().zip([three_fifths, half]) {
                assert!(apart(seen, wanted) <= 2, "{name}: {wanted:?} is {seen:?}");
            }
            assert_eq!(picture.get_pixel(310, 80).0[3], 0, "{name}");
        }
    }
    render(&fixture, "film.zip", TINY, "--transparent").result();
    for picture in archived(&fixture.path("film.zip")) {
        let picture = image::load_from_memory(&picture).unwrap().into_rgba8();
        let [exact, near] = panes(&picture);
        assert_eq!(exact, three_fifths);
        assert_eq!(near[3], half[3]);
        assert!(apart(near, half) <= 1, "{near:?}");
        assert_eq!(picture.get_pixel(310, 80).0, [0, 0, 0, 0]);
    }
}

#[test]
fn a_transparent_film_of_a_3d_scene_has_the_colours_and_the_alpha_of_its_pictures() {
    let Some(workspace) = Workspace::new("theatre") else {
        return;
    };
    workspace.write(
        "src/Composition.tsx",
        r##"import "./design";
export default function Glass() {
  return (
    <>
      <mesh position={[-1, 0, 0]}><planeGeometry args={[1.5, 3]} /><meshBasicMaterial color="#ff8000" transparent opacity={0.5} toneMapped={false} /></mesh>
      <mesh position={[1, 0, 0]}><planeGeometry args={[1.5, 3]} /><meshBasicMaterial color="#2060e0" toneMapped={false} /></mesh>
    </>
  );
}
"##,
    );
    let file = |name: &str| workspace.app.path().join(name);
    let film = |name: &str, way: &str| {
        let out = file(name);
        let size = "render --width 640 --height 360 --to 2 --transparent --out";
        let mut arguments: Vec<&str> = size.split(' ').collect();
        arguments.push(out.to_str().unwrap());
        let run = workspace.run(&arguments);
        assert_eq!(run.result()["capture"], way, "{name}: {}", run.last());
        out
    };
    let pictures = film("film.zip", "begin-frame");
    let film = film("film.mov", "pixels");
    let picture = image::load_from_memory(&archived(&pictures)[0])
        .unwrap()
        .into_rgba8();
    let frames = decode(&film, 640, 360, &[]);
    let alphas = [0.42, 0.58, 0.5].map(|x: f64| {
        let at = ((640.0 * x) as u32, 180);
        let (drawn, seen) = (
            picture.get_pixel(at.0, at.1).0,
            frames[0].get_pixel(at.0, at.1).0,
        );
        if drawn[3] > 0 {
            assert!(apart(drawn, seen) <= 3, "{drawn:?} is {seen:?}");
        }
        drawn[3]
    });
    assert_eq!(alphas, [128, 255, 0]);
}

/// Those of shared/domain/src/format.rs, and how many pixels the short side of an output has.
const ASPECTS: [(u32, u32); 5] = [(16, 9), (9, 16), (1, 1), (4, 3), (21, 9)];
const SHORT_SIDES: [u32; 3] = [720, 1080, 2160];

fn sized((across, down): (u32, u32), short: u32) -> (u32, u32) {
    let side = |of: u32| short * of / across.min(down);
    (side(across), side(down))
}

#[test]
fn a_film_of_every_aspect_has_exactly_the_size_that_was_asked_for() {
    for aspect in ASPECTS {
        let layout = sized(aspect, 1080);
        let fixture = Fixture::sized("barcode", 3, layout.0, layout.1);
        for short in SHORT_SIDES {
            let size = sized(aspect, short);
            let poster = fixture.path("poster.png");
            let more = format!("--quality draft --to 2 --poster {}", poster.display());
            let run = render(&fixture, "film.mp4", size, &more);
            assert_eq!(run.result()["capture"], "pixels");
            let path = fixture.path("film.mp4");
            let about = stream(&path);
            let held = (&about["width"], &about["height"]);
            assert_eq!(held, (&size.0.into(), &size.1.into()));
            assert_eq!(numbers(&path, size), [0, 1], "{size:?}");
            let bytes = std::fs::read(poster).unwrap();
            assert!(bytes.starts_with(b"\x89PNG"));
            let poster = image::load_from_memory(&bytes).unwrap().into_rgba8();
            assert_eq!(poster.dimensions(), size);
            assert_eq!(barcode(&poster), 1, "the one in the middle");
        }
    }
}

#[test]
fn a_film_of_every_format_has_exactly_the_size_that_was_asked_for() {
    for (name, aspect, short) in [
        ("film.webm", (16, 9), 1080),
        ("film.mov", (9, 16), 1080),
        ("film.gif", (21, 9), 1080),
        ("film.zip", (16, 9), 2160),
    ] {
        let layout = sized(aspect, 1080);
        let size = sized(aspect, short);
        let fixture = Fixture::sized("barcode", 3, layout.0, layout.1);
        let run = render(&fixture, name, size, "--to 2");
        assert_eq!(run.result()["frames"], 2);
        let path = fixture.path(name);
        let seen: Vec<u32> = if name == "film.zip" {
            let pictures = archived(&path).into_iter();
            let pictures = pictures.map(|it| image::load_from_memory(&it).unwrap().into_rgba8());
            let told = pictures.map(|it| (it.dimensions() == size).then(|| barcode(&it)));
            told.map(Option::unwrap).collect()
        } else {
            let about = stream(&path);
            let held = (&about["width"], &about["height"]);
            assert_eq!(held, (&size.0.into(), &size.1.into()), "{name}");
            numbers(&path, size)
        };
        assert_eq!(seen, [0, 1], "{name}");
    }
}

#[test]
fn a_film_of_every_rate_has_its_frames_at_their_times() {
    let thirty = Fixture::new("barcode", 30);
    for fps in [24, 25, 30, 50, 60] {
        // Of its own rate, every frame once; of another, the frame that the composition shows at the time.
        let own = Fixture::new("barcode", fps / 2).rate(fps);
        let same_time = |frame| (f64::from(frame) * 30.0 / f64::from(fps)).round() as u32;
        let every: Vec<u32> = (0..fps / 2).collect();
        let resampled: Vec<u32> = (0..fps).map(|frame| same_time(frame).min(29)).collect();
        for (fixture, wanted) in [(&own, every), (&thirty, resampled)] {
            let more = format!("--quality draft --fps {fps}");
            let frames = wanted.len();
            let run = render(fixture, "film.mp4", TINY, &more);
            assert_eq!(run.result()["frames"], frames);
            let path = fixture.path("film.mp4");
            let about = probe(&path);
            let (stream, packets) = (&about["streams"][0], about["packets"].as_array().unwrap());
            for rate in ["r_frame_rate", "avg_frame_rate"] {
                assert_eq!(stream[rate], format!("{fps}/1"));
            }
            let seconds = frames as f64 / f64::from(fps);
            assert_eq!(stream["duration"], format!("{seconds:.6}"));
            assert_eq!(about["format"]["duration"], format!("{seconds:.6}"));
            let mut times: Vec<&str> = packets
                .iter()
                .map(|it| it["pts_time"].as_str().unwrap())
                .collect();
            times.sort_by(|one, other| one.len().cmp(&other.len()).then(one.cmp(other)));
            let even = |frame| format!("{:.6}", frame as f64 / f64::from(fps));
            assert_eq!(times, (0..frames).map(even).collect::<Vec<_>>());
            assert_eq!(numbers(&path, TINY), wanted, "at {fps}");
        }
    }
}

/// Names of a file's outermost boxes (ISO/IEC 14496-12, 4.2).
fn boxes(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap();
    let (mut at, mut names) = (0, Vec::new());
    while let Some(head) = bytes.get(at..at + 8) {
        let (length, name) = head.split_at(4);
        names.push(String::from_utf8_lossy(name).into_owned());
        let length = u32::from_be_bytes(length.try_into().unwrap());
        assert!(length >= 8, "{names:?}");
        at += length as usize;
    }
    names
}

#[test]
fn an_mp4_plays_before_all_of_it_is_there_also_when_parts_were_joined_and_sound_was_put_in() {
    let (short, long) = (Fixture::new("barcode", 12), Fixture::new("barcode", 300));
    let sounds = Fixture::new("sound", 300);
    for name in ["low.wav", "high.wav"] {
        let tone = "-f lavfi -i sine=frequency=440:duration=2:sample_rate=48000";
        support::ffmpeg(tone, &sounds.path(name));
    }
    let clip = "-f lavfi -i color=blue:size=160x90:rate=30:duration=9 -c:v libx264";
    support::ffmpeg(clip, &sounds.path("clip.mp4"));
    // At three frames a second, a part has 24 of the 30 frames.
    for (fixture, more, seams, sound) in [
        (&short, "--quality draft", [0].as_slice(), false),
        (&short, "--quality high", &[0], false),
        (&long, "--fps 3", &[0, 24], false),
        (&sounds, "--fps 3", &[0, 24], true),
    ] {
        let run = render(fixture, "film.mp4", TINY, more);
        assert_eq!(run.result()["sound"], sound);
        let path = fixture.path("film.mp4");
        let boxes = boxes(&path);
        let place = |name: &str| boxes.iter().position(|it| it == name).unwrap();
        assert_eq!(place("ftyp"), 0, "{boxes:?}");
        assert!(place("moov") < place("mdat"), "{boxes:?}");
        let about = probe(&path);
        assert_eq!(about["streams"][0]["pix_fmt"], "yuv420p");
        assert_eq!(about["streams"][0]["color_range"], "tv");
        for &frame in seams {
            let flags = about["packets"][frame]["flags"].as_str().unwrap();
            assert!(flags.starts_with('K'), "{more}: packet {frame} is {flags}");
        }
    }
}

#[test]
fn a_frame_rendered_alone_is_to_the_byte_the_one_of_the_whole_sequence() {
    let fixture = Fixture::new("clocks", 24);
    render(&fixture, "whole.zip", TINY, "").result();
    let whole = archived(&fixture.path("whole.zip"));
    assert_eq!(whole.len(), 24);
    for frame in [0, 13, 23] {
        let more = format!("--from {frame} --to {}", frame + 1);
        render(&fixture, "one.zip", TINY, &more).result();
        let one = archived(&fixture.path("one.zip"));
        assert_eq!(one.len(), 1);
        assert!(one[0] == whole[frame], "frame {frame}");
    }
}

#[test]
fn a_film_of_what_clocks_move_is_the_same_file_each_time_however_many_draw_it() {
    let fixture = Fixture::new("clocks", 84);
    let film = |quality: &str, browsers: usize| {
        let more = format!("--quality {quality} --browsers {browsers}");
        let run = render(&fixture, "film.mp4", TINY, &more);
        assert_eq!(run.result()["capture"], "pixels");
        assert_eq!(run.result()["browsers"], browsers);
        sha256(&run).clone()
    };
    for quality in ["draft", "standard", "high"] {
        let first = film(quality, 1);
        if quality == "draft" {
            assert_eq!(first, film(quality, 1));
        }
        assert_eq!(first, film(quality, 2), "{quality}");
    }
}
