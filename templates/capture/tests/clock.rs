//! The virtual clock, in the real browser.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use koda_capture::browser::{Browser, Graphics};
use koda_capture::page::Page;
use support::Fixture;

fn hashes(run: &support::Run) -> Vec<(u64, String)> {
    run.result();
    run.of("still")
        .iter()
        .map(|line| {
            (
                line["frame"].as_u64().unwrap(),
                line["sha256"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

#[test]
fn everything_that_a_clock_moves_is_the_same_in_any_order_and_in_any_run() {
    let fixture = Fixture::new("clocks", 60);
    let forwards = hashes(&fixture.run(&[
        "still",
        "--frames",
        "0,1,12,40,41,59",
        "--out",
        fixture.path("a").to_str().unwrap(),
    ]));
    let about = hashes(&fixture.run(&[
        "still",
        "--frames",
        "40,12,59,0,41,1,40",
        "--out",
        fixture.path("b").to_str().unwrap(),
    ]));
    for (frame, hash) in &about {
        let same = forwards.iter().find(|(other, _)| other == frame).unwrap();
        assert_eq!(
            &same.1, hash,
            "frame {frame} depends on what was shown before"
        );
    }
    let mut distinct: Vec<&String> = forwards.iter().map(|(_, hash)| hash).collect();
    distinct.sort();
    distinct.dedup();
    assert_eq!(
        distinct.len(),
        forwards.len(),
        "every frame must differ: all of it moves"
    );
}

#[tokio::test]
async fn clocks_timers_and_animations_stand_at_the_time_of_the_frame() {
    let fixture = Fixture::new("clocks", 60);
    let browser = Browser::start(Graphics::None).await.unwrap();
    let page = Page::open(&browser, fixture.options()).await.unwrap();
    page.load().await.unwrap();
    page.show(25).await.unwrap();
    let frame_25 = page.measure().await.unwrap();
    // A transition of one second from 80 to 600 px that began with frame 10.
    assert!(
        (frame_25["late"].as_f64().unwrap() - 340.0).abs() < 1.0,
        "{frame_25}"
    );
    page.show(40).await.unwrap();
    let frame_40 = page.measure().await.unwrap();
    assert_eq!(frame_40["now"], "1333.333");
    assert_eq!(frame_40["date"], "2024-01-01T00:00:01.333Z");
    assert_eq!(frame_40["called"], "string");
    assert_eq!(frame_40["instance"], true);
    assert_eq!(frame_40["year"], 2020);
    // Frames 0 to 40, one callback each.
    assert_eq!(frame_40["rafs"], 41);
    assert_eq!(frame_40["last"], "1333.333");
    // 1333 / 70 and 1333 / 110.
    assert_eq!(frame_40["ticks"], 19);
    assert_eq!(frame_40["chained"], 12);
    assert!((frame_40["timeline"].as_f64().unwrap() - 1333.333).abs() < 0.01);
    // 900 px in two seconds.
    assert!(
        (frame_40["css"].as_f64().unwrap() - 600.0).abs() < 0.5,
        "{frame_40}"
    );
    // Nearly at its end after 1.33 of 1.5 seconds, by the easing of its keyframes.
    let waapi = frame_40["waapi"].as_f64().unwrap();
    assert!((950.0..1000.0).contains(&waapi), "{frame_40}");
    // 1000 px in three seconds.
    assert!(
        (frame_40["smil"].as_f64().unwrap() - 444.4).abs() < 0.5,
        "{frame_40}"
    );
    // The same numbers each time the frame is drawn.
    page.show(40).await.unwrap();
    assert_eq!(page.measure().await.unwrap()["random"], frame_40["random"]);
    page.show(41).await.unwrap();
    assert_ne!(page.measure().await.unwrap()["random"], frame_40["random"]);
}

#[test]
fn a_composition_that_waits_for_its_own_timers_comes_up_and_goes_on() {
    let fixture = Fixture::new("waits", 10);
    let run = fixture.run(&[
        "still",
        "--frames",
        "0,3,4",
        "--out",
        fixture.path("out").to_str().unwrap(),
    ]);
    let shot = hashes(&run);
    assert_eq!(shot.len(), 3);
    assert_ne!(shot[0].1, shot[1].1);
    assert_ne!(shot[1].1, shot[2].1);
}

#[test]
fn a_picture_is_the_same_to_the_last_bit_whatever_was_shown_before() {
    let fixture = Fixture::new("edges", 40);
    let size = ["--width", "960", "--height", "540"];
    let shoot = |frames: &[u32], out: &str| {
        let list: Vec<String> = frames.iter().map(ToString::to_string).collect();
        let (list, out) = (list.join(","), fixture.path(out));
        let mut arguments = vec!["still", "--frames", &list, "--out", out.to_str().unwrap()];
        arguments.extend(size);
        hashes(&fixture.run(&arguments))
    };
    let forwards = shoot(&(0..40).collect::<Vec<_>>(), "a");
    let mixed: Vec<u32> = (0..40).map(|index| (index * 27 + 11) % 40).collect();
    for (frame, hash) in shoot(&mixed, "b") {
        let same = forwards.iter().find(|(other, _)| *other == frame).unwrap();
        assert_eq!(
            same.1, hash,
            "frame {frame} depends on what was shown before"
        );
    }
}
