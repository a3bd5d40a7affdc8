//! What Remotion does in its renderer, and otherwise or not at all in its player, which films are made of.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use std::path::PathBuf;

use support::film::decode;
use support::sound::{samples, strength, tone};
use support::{Run, Workspace, ffmpeg, here};

/// How strong FFmpeg's own sine is, as one channel made of two.
const FULL: f64 = 0.125 * std::f64::consts::SQRT_2;

/// The fixture of pictures that are not there, and what is shown in their place.
fn fallbacks() -> Option<Workspace> {
    let workspace = workspace("fallback")?;
    for colour in ["red", "green"] {
        let picture = format!("-f lavfi -i color={colour}:size=16x9 -frames:v 1");
        let path = format!("public/{colour}.png");
        ffmpeg(&picture, &workspace.app.path().join(path));
    }
    workspace.write("public/broken.png", "no picture");
    Some(workspace)
}

/// A workspace with one of the compositions of `fixtures/remotion`. None where the template's packages are not installed.
fn workspace(composition: &str) -> Option<Workspace> {
    let workspace = Workspace::new("remotion")?;
    let text = here().join(format!("tests/fixtures/remotion/{composition}.tsx"));
    let text = std::fs::read_to_string(text).unwrap();
    workspace.write("src/Composition.tsx", &text);
    Some(workspace)
}

fn render(workspace: &Workspace, out: &str, arguments: &str) -> (Run, PathBuf) {
    let out = workspace.app.path().join(out);
    let mut all = vec!["render", "--width", "320", "--height", "180", "--out"];
    all.push(out.to_str().unwrap());
    all.extend(arguments.split_whitespace());
    let run = workspace.run(&all);
    run.result();
    (run, out)
}

fn loudest_of(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |most, it| most.max(it.abs()))
}

#[test]
fn sounds_are_as_loud_as_high_and_as_fast_as_they_say_from_their_first_frame_on() {
    let Some(workspace) = workspace("sound") else {
        return;
    };
    let public = workspace.app.path().join("public");
    tone(&public.join("tone.wav"), 440, &[]);
    let two = "-f lavfi -i sine=frequency=330:duration=2 -f lavfi -i sine=frequency=1760:duration=2 -map 0 -map 1 -c:a aac";
    ffmpeg(two, &public.join("two.m4a"));
    let picture = "-f lavfi -i color=blue:size=160x90:rate=30:duration=2 -c:v libx264 -pix_fmt yuv420p -c:a pcm_s16le";
    let picture: Vec<&str> = picture.split(' ').collect();
    tone(&public.join("clip.mov"), 880, &picture);
    // Frames come as pixels, by one browser and by two, and at last by Remotion's own renderer.
    for browsers in ["1", "2", "Remotion's"] {
        if browsers == "Remotion's" {
            let path = workspace.app.path().join("src/Composition.tsx");
            let text = std::fs::read_to_string(&path).unwrap();
            let needs =
                "import { HtmlInCanvas } from \"remotion\";\nexport const unused = HtmlInCanvas;\n";
            std::fs::write(path, format!("{needs}{text}")).unwrap();
        }
        let many = browsers.parse().unwrap_or(2);
        let arguments = format!("--to 135 --quality draft --browsers {many}");
        let (run, film) = render(&workspace, "film.mov", &arguments);
        assert_eq!(run.result()["sound"], true);
        assert_eq!(run.result()["browsers"], many);
        assert_eq!(
            run.result()["capture"] == "remotion",
            browsers == "Remotion's"
        );
        let samples = samples(&film);
        let part =
            |from: f64, to: f64| &samples[(from * 48_000.0) as usize..(to * 48_000.0) as usize];
        let heard = |from: f64| {
            [440.0, 660.0, 330.0, 1760.0]
                .map(|hertz| (strength(part(from, from + 0.1), hertz) / FULL * 20.0).round() / 20.0)
        };
        assert_eq!(heard(0.2), [0.0, 0.0, 0.0, 0.0], "{browsers}");
        // From the first frame on, and never louder.
        assert_eq!(heard(0.5), [0.1, 0.0, 0.0, 0.0], "{browsers}");
        let loudest = loudest_of(part(0.4, 0.98));
        assert!((0.015..0.02).contains(&loudest), "{browsers}: {loudest}");
        assert_eq!(heard(1.2), [2.0, 0.0, 0.0, 0.0], "{browsers}");
        let [low, high, ..] = heard(1.7);
        assert!(
            low < 0.1 && (0.8..1.2).contains(&high),
            "{browsers}: {low} {high}"
        );
        // Slower and faster it is as high as before, more or less.
        let [slow, ..] = heard(2.2);
        assert!((0.4..1.3).contains(&slow), "{browsers}: {slow}");
        let [fast, ..] = heard(2.6);
        assert!((0.4..1.3).contains(&fast), "{browsers}: {fast}");
        // Two seconds at six times their pace are over by then.
        assert_eq!(heard(2.88), [0.0, 0.0, 0.0, 0.0], "{browsers}");
        assert_eq!(heard(3.2), [0.0, 0.0, 0.0, 1.0], "{browsers}");
        for (at, loud) in [(3.5, 0.1), (3.7, 0.5), (3.9, 0.9)] {
            let seen = heard(at)[0];
            assert!((seen - loud).abs() < 0.06, "{browsers}: {seen} at {at}");
        }
        // What comes again as its length is known is no louder for that.
        let loudest = loudest_of(part(4.0, 4.5));
        assert!((0.08..0.1).contains(&loudest), "{browsers}: {loudest}");
    }
}

#[test]
fn a_composition_is_told_that_it_is_rendered_and_which_files_there_are() {
    let Some(workspace) = workspace("environment") else {
        return;
    };
    workspace.write("public/seen/a b.txt", "hello");
    let (run, _) = render(&workspace, "film.mp4", "--to 3 --quality draft");
    assert_eq!(run.result()["frames"], 3);
}

#[test]
fn a_slow_video_shows_the_same_frame_whichever_was_shown_before() {
    let Some(workspace) = workspace("slow") else {
        return;
    };
    let clip = "-f lavfi -i color=black:size=320x180:rate=120:duration=0.75 -vf format=yuv444p,geq=lum='20+2.2*N':cb=128:cr=128 -c:v libx264 -g 12 -crf 8 -pix_fmt yuv420p";
    let public = workspace.app.path().join("public/clip.mp4");
    ffmpeg(clip, &public);
    let mut films = Vec::new();
    for browsers in ["1", "2"] {
        let arguments = format!("--to 84 --quality draft --browsers {browsers}");
        let (run, film) = render(&workspace, "film.mp4", &arguments);
        assert_eq!(run.result()["browsers"].to_string(), browsers);
        films.push(run.result()["sha256"].clone());
        let shown: Vec<u8> = decode(&film, 320, 180, &[])
            .iter()
            .map(|frame| frame.get_pixel(100, 60).0[0])
            .collect();
        // A clip of four times as many frames a second, at a quarter of its pace: none is left out.
        let rising = shown.windows(2).all(|pair| pair[1] > pair[0]);
        assert!(rising, "{browsers}: {shown:?}");
    }
    assert_eq!(films[0], films[1]);
}

#[test]
fn a_sound_that_has_ended_does_not_have_every_frame_stepped_through() {
    let Some(workspace) = workspace("ends") else {
        return;
    };
    tone(&workspace.app.path().join("public/tone.wav"), 440, &[]);
    let out = workspace.app.path().join("stills");
    let frames = [45, 20, 70];
    let mut arguments: Vec<&str> = "still --width 320 --height 180 --frames 45,20,70 --out"
        .split(' ')
        .collect();
    arguments.push(out.to_str().unwrap());
    workspace.run(&arguments).result();
    for frame in frames {
        let picture = image::open(out.join(format!("frame_{frame:05}.png"))).unwrap();
        let corner = picture.to_rgb8().get_pixel(5, 5).0;
        assert_eq!(corner, [255; 3], "frame {frame} was not leapt to");
    }
}

#[test]
fn an_effect_on_a_picture_is_waited_for_and_does_not_hold_up_the_film() {
    let Some(workspace) = workspace("effect") else {
        return;
    };
    let picture = "-f lavfi -i color=0x808080:size=160x90 -frames:v 1";
    ffmpeg(picture, &workspace.app.path().join("public/grey.png"));
    let (run, film) = render(&workspace, "film.mp4", "--to 40 --quality draft");
    let shown = decode(&film, 320, 180, &[]);
    for (frame, picture) in shown.iter().enumerate() {
        let seen = picture.get_pixel(100, 60).0[0];
        let wanted = 40 + 3 * frame;
        assert!(
            usize::from(seen).abs_diff(wanted) < 6,
            "frame {frame} has {seen}, not {wanted}"
        );
    }
    let text = std::fs::read_to_string(workspace.app.path().join("src/Composition.tsx")).unwrap();
    workspace.write(
        "src/Composition.tsx",
        &text.replace(" effects=", " data-effects="),
    );
    let seconds = |run: &Run| run.result()["seconds"].as_f64().unwrap();
    let (plain, _) = render(&workspace, "film.mp4", "--to 40 --quality draft");
    // What waits for nothing that comes is let go after a while, in every frame.
    assert!(
        seconds(&run) < 4.0 * seconds(&plain),
        "{} and {}",
        seconds(&run),
        seconds(&plain)
    );
}

#[test]
fn what_a_composition_shows_in_place_of_a_missing_picture_is_waited_for() {
    let Some(workspace) = fallbacks() else {
        return;
    };
    for browsers in ["1", "2"] {
        let arguments = format!("--to 84 --quality draft --browsers {browsers}");
        let (run, film) = render(&workspace, "film.mp4", &arguments);
        assert_eq!(run.result()["browsers"].to_string(), browsers);
        for (frame, picture) in decode(&film, 320, 180, &[]).iter().enumerate() {
            let [red, green] = [(80, 0), (240, 1)].map(|(x, of)| picture.get_pixel(x, 90).0[of]);
            let wanted = if frame < 3 { 0 } else { 128 };
            assert!(red > 240, "frame {frame}: {red}");
            assert!(green.abs_diff(wanted) < 8, "frame {frame}: {green}");
        }
    }
}

#[test]
fn a_render_that_is_delayed_and_not_continued_ends_when_the_call_said_and_by_its_name() {
    let Some(message) = message_where("continueRender(handle), [", "undefined, [") else {
        return;
    };
    assert!(message.contains("a moment"), "{message}");
    assert!(message.contains("within 0.7 seconds"), "{message}");
}

#[test]
fn a_picture_that_is_missing_and_has_none_in_its_place_fails_the_render_by_its_name() {
    let handler = "onError={() => setOwn(staticFile(\"red.png\"))} ";
    // One address after the other is no picture either.
    let for_ever = "onError={() => setOwn((last) => last + \"?\")} ";
    for instead in ["", for_ever] {
        let Some(message) = message_where(handler, instead) else {
            return;
        };
        assert!(message.contains("/not-there.png"), "{message}");
    }
}

/// What the render of the fixture fails with, where this is written in place of that.
fn message_where(that: &str, this: &str) -> Option<String> {
    let workspace = fallbacks()?;
    let path = workspace.app.path().join("src/Composition.tsx");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(that), "{that}");
    let text = text.replace(that, this).replace("5000", "700");
    workspace.write("src/Composition.tsx", &text);
    let arguments = "render --width 320 --height 180 --to 6 --out film.mp4";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let run = workspace.run(&arguments);
    assert!(!run.ok);
    Some(run.last()["message"].to_string())
}
