//! Films by Remotion's own renderer that fail, are cancelled, or lose the renderer or its browser: what is said, and that nothing is
//! left.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use support::renderer::{doing, render};
use support::{Workspace, collect, listing, pids, processes};

/// No process, no profile, no partial file.
fn nothing_is_left(app: &Path) {
    let none = Vec::<String>::new();
    assert_eq!(listing(&app.join("tmp")), none);
    assert_eq!(processes(app.to_str().unwrap()), none);
    let made = listing(app).into_iter();
    assert_eq!(
        made.filter(|it| it.contains("film") || it.contains("parts") || it.contains("clips"))
            .collect::<Vec<_>>(),
        none
    );
}

#[test]
fn what_goes_wrong_within_the_renderer_fails_the_film_by_its_name_and_its_frame() {
    for (what, code, sign) in [
        (
            "throw new Error(\"no such colour\")",
            "frame_failed",
            "no such colour",
        ),
        (
            "delayRender(\"the weather\", { timeoutInMilliseconds: 1500 })",
            "frame_failed",
            "the weather",
        ),
        (
            "window.location.href = \"/src/koda/nowhere.html\"",
            "frame_failed",
            "",
        ),
    ] {
        let Some(workspace) = doing(what) else {
            return;
        };
        let began = Instant::now();
        let run = render(&workspace, "film.mp4", "--quality draft --to 20");
        assert!(!run.ok, "{what}");
        let last = run.last();
        assert_eq!(last["code"], code, "{what}: {last}");
        let said = last["message"].as_str().unwrap();
        assert!(said.contains(sign), "{what}: {last}");
        assert_eq!(last["frame"], 7, "{what}: {last}");
        assert!(began.elapsed() < Duration::from_secs(50), "{what}");
        nothing_is_left(workspace.app.path());
    }
}

#[test]
fn an_effect_that_the_sources_do_not_show_is_refused_and_never_left_out_of_a_film() {
    let Some(workspace) = doing("return <Circle radius={99} {...hidden} />") else {
        return;
    };
    let path = workspace.app.path().join("src/Composition.tsx");
    let text = std::fs::read_to_string(&path).unwrap();
    let hidden =
        "import { Circle } from \"@remotion/shapes\";\nconst hidden = { effects: [1 as never] };\n";
    let text = text
        .replace(" HtmlInCanvas,", "")
        .replace("HtmlInCanvas, ", "");
    std::fs::write(&path, format!("{hidden}{text}")).unwrap();
    let check = workspace.run(&["check"]);
    assert_eq!(check.first_finding()["code"], "hidden_effect");
    // Whoever films it all the same: nor does a second attempt find it whole.
    let parts = workspace.app.path().join("kept");
    let more = format!("--quality draft --to 20 --parts {}", parts.display());
    for attempt in 0..2 {
        let run = render(&workspace, "film.mp4", &more);
        assert_eq!(
            run.last()["code"],
            "frame_failed",
            "{attempt}: {}",
            run.last()
        );
        let said = run.last()["message"].as_str().unwrap();
        assert!(said.contains("html-in-canvas"), "{attempt}: {said}");
    }
}

#[test]
fn what_cannot_be_loaded_is_told_of_as_what_it_is() {
    let Some(workspace) = doing("") else {
        return;
    };
    workspace.write(
        "src/Composition.tsx",
        "import { HtmlInCanvas } from \"remotion\";\nthrow new Error(\"no such module\");\nexport default () => <p>{String(HtmlInCanvas)}</p>;",
    );
    let run = render(&workspace, "film.mp4", "--quality draft --to 20");
    assert_eq!(run.last()["code"], "page_failed", "{}", run.last());
    let said = run.last()["message"].as_str().unwrap();
    assert!(said.contains("no such module"), "{said}");
    nothing_is_left(workspace.app.path());
}

/// A long film that is being drawn.
fn running(workspace: &Workspace) -> (std::process::Child, Pid) {
    let out = workspace.app.path().join("film.mp4");
    let arguments = "render --width 320 --height 180 --quality draft --out".split(' ');
    let mut arguments: Vec<&str> = arguments.collect();
    arguments.push(out.to_str().unwrap());
    let mut child = workspace.start(&arguments);
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("\"capture\"") {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0, "it ended");
    }
    // What it goes on to say is read, so that it never waits for that.
    let rest = std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    drop(rest);
    let own = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    (child, own)
}

#[test]
fn a_film_that_is_cancelled_is_gone_within_a_second_with_the_renderer_and_its_browser() {
    let Some(workspace) = doing("") else {
        return;
    };
    let (mut child, own) = running(&workspace);
    let began = Instant::now();
    kill_process(own, Signal::TERM).unwrap();
    child.wait().unwrap();
    assert!(began.elapsed() < Duration::from_secs(1));
    nothing_is_left(workspace.app.path());
}

/// A film of which the renderer's browser has come up a while ago.
fn browsing(workspace: &Workspace) -> std::process::Child {
    let out = workspace.app.path().join("film.mp4");
    let arguments = "render --width 320 --height 180 --quality draft --out".split(' ');
    let mut arguments: Vec<&str> = arguments.collect();
    arguments.push(out.to_str().unwrap());
    let child = workspace.start(&arguments);
    let home = home(workspace);
    let began = Instant::now();
    while pids(&home).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(1500));
    child
}

/// What the command line of a renderer's browser holds.
fn home(workspace: &Workspace) -> String {
    let home = workspace.app.path().join("tmp/koda-remotion-");
    home.to_str().unwrap().to_owned()
}

#[test]
fn a_renderer_that_is_killed_fails_the_film_with_that_and_takes_its_browser_along() {
    let Some(workspace) = doing("") else {
        return;
    };
    let child = browsing(&workspace);
    for pid in pids("src/koda/server/film.mjs") {
        let at = std::fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero()));
        if at.is_ok_and(|at| at == workspace.app.path()) {
            kill_process(pid, Signal::KILL).unwrap();
        }
    }
    let run = collect(child);
    assert_eq!(run.last()["code"], "browser_failed", "{}", run.last());
    let said = run.last()["message"].as_str().unwrap();
    assert!(said.contains("Remotion's renderer ended"), "{said}");
    nothing_is_left(workspace.app.path());
}

#[test]
fn a_film_whose_renderer_loses_its_browser_is_whole_or_fails_with_that_and_is_never_another() {
    let Some(workspace) = doing("") else {
        return;
    };
    let undisturbed = render(&workspace, "other.mp4", "--quality draft");
    let child = browsing(&workspace);
    // The first of them is the browser itself.
    let browsers = pids(&home(&workspace));
    kill_process(*browsers.first().unwrap(), Signal::KILL).unwrap();
    let began = Instant::now();
    let run = collect(child);
    assert!(began.elapsed() < Duration::from_secs(60));
    if run.ok {
        assert_eq!(run.result()["sha256"], undisturbed.result()["sha256"]);
    } else {
        assert_eq!(run.last()["code"], "browser_failed", "{}", run.last());
    }
    let _ = std::fs::remove_file(workspace.app.path().join("film.mp4"));
    nothing_is_left(workspace.app.path());
}
