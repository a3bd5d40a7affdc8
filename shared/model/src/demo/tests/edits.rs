//! What a message about a finished animation changes.

use super::studio::Studio;
use crate::demo::{
    color::{READABLE, Rgb},
    design::Design,
};

const CARD: &str = "Title \"Hello World\" with subtitle \"It begins\", blue, 10 seconds";
const CHART: &str = "bar chart of sales: Q1 10, Q2 25, Q3 40";
const KINETIC: &str = "kinetic typography 'Dream' 'Plan' 'Do'";
const TITLE_3D: &str = "3D title saying KODA in Playfair Display";
const LOGO: &str = "logo reveal for Acme in teal";

/// One edit: what was built, what is said, and what must hold after it.
type Row = (&'static str, &'static str, fn(&Design, &Studio) -> bool);

fn hue(hex: &str) -> f32 {
    Rgb::parse(hex).unwrap().hsl().h
}

fn light(hex: &str) -> f64 {
    Rgb::parse(hex).unwrap().luminance()
}

fn data(design: &Design) -> Vec<(&str, f64)> {
    design
        .data
        .iter()
        .map(|d| (d.label.as_str(), d.value))
        .collect()
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn table() -> Vec<Row> {
    vec![
        (CARD, "make it red", |d, _| d.colors.primary == "#e5323b"),
        (CARD, "make it dark green and gold", |d, _| {
            (90.0..170.0).contains(&hue(&d.colors.primary)) && d.colors.accent == "#d4a72c"
        }),
        (CARD, "background white", |d, _| {
            d.colors.background == "#ffffff" && light(&d.colors.text) < 0.2
        }),
        (
            CARD,
            "make the background black and the text yellow",
            |d, _| d.colors.background == "#0b0b0c" && d.colors.text == "#facc15",
        ),
        (CARD, "text yellow", |d, _| d.colors.text == "#facc15"),
        (CARD, "accent #ff0", |d, _| d.colors.accent == "#ffff00"),
        (CARD, "change the blue to orange", |d, _| {
            d.colors.primary == "#f97316"
        }),
        (CARD, "use blue and orange", |d, _| {
            d.colors.primary == "#2f6bff" && d.colors.accent == "#f97316"
        }),
        (CARD, "light mode please", |d, _| {
            light(&d.colors.background) > 0.5
        }),
        (CARD, "dark mode", |d, _| light(&d.colors.background) < 0.2),
        (CARD, "use different colours", |d, s| {
            d.colors != first(s).colors
        }),
        (CARD, "make it look retro", |d, _| {
            d.colors.background == "#f2e3c6"
        }),
        (CARD, "darker background", |d, s| {
            light(&d.colors.background) < light(&first(s).colors.background)
        }),
        (CARD, "a bit brighter", |d, s| d.colors != first(s).colors),
        (CARD, "make it warmer", |d, s| d.colors != first(s).colors),
        (CARD, "more muted colours", |d, s| {
            Rgb::parse(&d.colors.primary).unwrap().hsl().s
                < Rgb::parse(&first(s).colors.primary).unwrap().hsl().s
        }),
        (CARD, "slower", |_, s| s.settings.duration_seconds == 15.0),
        (CARD, "faster", |_, s| s.settings.duration_seconds == 6.7),
        (CARD, "twice as fast", |_, s| {
            s.settings.duration_seconds == 5.0
        }),
        (CARD, "slow it down a bit", |_, s| {
            s.settings.duration_seconds == 12.5
        }),
        (CARD, "speed it up by making it 4 seconds", |_, s| {
            s.settings.duration_seconds == 4.0
        }),
        (CARD, "half the speed", |_, s| {
            s.settings.duration_seconds == 20.0
        }),
        (CARD, "make it 8 seconds", |_, s| {
            s.settings.duration_seconds == 8.0
        }),
        (CARD, "3 seconds longer", |_, s| {
            s.settings.duration_seconds == 13.0
        }),
        (CARD, "make it 500 seconds", |_, s| {
            s.settings.duration_seconds == 120.0
        }),
        (CARD, "make it shorter", |_, s| {
            s.settings.duration_seconds < 8.0
        }),
        (CARD, "change the title to Good Morning", |d, s| {
            d.title == "Good Morning" && s.plan.as_ref().unwrap().title == "Good Morning"
        }),
        (CARD, "title: Made for the web", |d, _| {
            d.title == "Made for the web"
        }),
        (CARD, "say Goodbye instead", |d, _| d.title == "Goodbye"),
        (CARD, "it should say \"Salt and Pepper\"", |d, _| {
            d.title == "Salt and Pepper"
        }),
        (CARD, "change the text to \"Make it blue\"", |d, s| {
            d.title == "Make it blue" && d.colors == first(s).colors
        }),
        (CARD, "rename it to Dawn Chorus", |d, _| {
            d.title == "Dawn Chorus"
        }),
        (CARD, "\"Brand new words\"", |d, _| {
            d.title == "Brand new words"
        }),
        (CARD, "replace World with Mars", |d, _| {
            d.title == "Hello Mars"
        }),
        (CARD, "use Mars instead of World", |d, _| {
            d.title == "Hello Mars"
        }),
        (CARD, "all caps", |d, _| d.title == "HELLO WORLD"),
        (CARD, "add a subtitle See you soon", |d, _| {
            d.subtitle == "See you soon"
        }),
        (CARD, "subtitle: Coming in May", |d, _| {
            d.subtitle == "Coming in May"
        }),
        (CARD, "change the tagline to 'Less, but better'", |d, _| {
            d.subtitle == "Less, but better"
        }),
        (CARD, "remove the subtitle", |d, _| {
            d.subtitle.is_empty() && d.title == "Hello World"
        }),
        (
            CARD,
            "change the title to Salt and Pepper and make it red",
            |d, _| d.title == "Salt and Pepper" && d.colors.primary == "#e5323b",
        ),
        (CARD, "use Playfair", |d, _| {
            d.fonts.title == "Playfair Display"
        }),
        (CARD, "use a serif font", |d, _| {
            ["Playfair Display", "DM Serif Display", "Fraunces"].contains(&d.fonts.title.as_str())
        }),
        (CARD, "monospace", |d, _| d.fonts.title == "JetBrains Mono"),
        (CARD, "make it bolder", |d, _| {
            ["Archivo Black", "Anton"].contains(&d.fonts.title.as_str())
        }),
        (CARD, "handwritten title font", |d, s| {
            d.fonts.title == "Caveat" && d.fonts.body == first(s).fonts.body
        }),
        (CARD, "portrait", |_, s| {
            s.settings.aspect.to_string() == "9:16"
        }),
        (CARD, "make it square and 60 fps", |_, s| {
            s.settings.aspect.to_string() == "1:1" && s.settings.fps.get() == 60
        }),
        (CARD, "render it in 4k", |_, s| {
            s.settings.resolution.to_string() == "4k"
        }),
        (CARD, "for TikTok please", |_, s| {
            s.settings.aspect.to_string() == "9:16"
        }),
        (CARD, "make it red and slower, portrait", |d, s| {
            d.colors.primary == "#e5323b"
                && s.settings.duration_seconds == 15.0
                && s.settings.aspect.to_string() == "9:16"
        }),
        (
            CARD,
            "title: KODA, subtitle: Made in motion, background black, 24 fps",
            |d, s| {
                d.title == "KODA"
                    && d.subtitle == "Made in motion"
                    && d.colors.background == "#0b0b0c"
                    && s.settings.fps.get() == 24
            },
        ),
        (CHART, "set Q3 to 45", |d, _| {
            data(d) == [("Q1", 10.0), ("Q2", 25.0), ("Q3", 45.0)]
        }),
        (CHART, "Q1 = 12 and Q2 = 30", |d, _| {
            data(d) == [("Q1", 12.0), ("Q2", 30.0), ("Q3", 40.0)]
        }),
        (CHART, "add Q4 60", |d, _| {
            data(d).last() == Some(&("Q4", 60.0)) && d.data.len() == 4
        }),
        (CHART, "add a bar Q4 with 1,200", |d, _| {
            data(d).last() == Some(&("Q4", 1200.0))
        }),
        (CHART, "remove Q1", |d, _| {
            data(d) == [("Q2", 25.0), ("Q3", 40.0)]
        }),
        (CHART, "change the numbers to 5, 6, 7", |d, _| {
            data(d) == [("Q1", 5.0), ("Q2", 6.0), ("Q3", 7.0)]
        }),
        (CHART, "use Jan 3, Feb 4, Mar 5, Apr 6", |d, _| {
            data(d) == [("Jan", 3.0), ("Feb", 4.0), ("Mar", 5.0), ("Apr", 6.0)]
        }),
        (CHART, "rename Q1 to Winter", |d, _| {
            data(d).first() == Some(&("Winter", 10.0))
        }),
        (CHART, "make it a line chart", |d, _| {
            d.more["style"] == "line"
        }),
        (CHART, "green bars", |d, _| d.colors.primary == "#22a055"),
        (KINETIC, "add a line Celebrate", |d, _| {
            d.lines == ["Dream", "Plan", "Celebrate"]
        }),
        (KINETIC, "remove the first line", |d, _| d.lines == ["Plan"]),
        (KINETIC, "change line 2 to Make a plan", |d, _| {
            d.lines == ["Dream", "Make a plan"]
        }),
        (KINETIC, "lines: One, Two, Three", |d, _| {
            d.lines == ["One", "Two", "Three"]
        }),
        (KINETIC, "remove the line Dream", |d, _| d.lines == ["Plan"]),
        (KINETIC, "replace Plan with Try", |d, _| {
            d.lines == ["Dream", "Try"]
        }),
        (CARD, "it's too fast", |_, s| {
            s.settings.duration_seconds == 15.0
        }),
        (CARD, "I don't like the colours", |d, s| {
            d.colors != first(s).colors
        }),
        (CARD, "add \"by Koda\" below", |d, _| {
            d.title == "Hello World" && d.subtitle == "by Koda"
        }),
        (CARD, "Hello World → Hallo Welt", |d, _| {
            d.title == "Hallo Welt"
        }),
        (CARD, "set duration to 12s and fps to 24", |_, s| {
            s.settings.duration_seconds == 12.0 && s.settings.fps.get() == 24
        }),
        (CARD, "neon style please", |d, _| {
            d.colors.primary == "#39ff88"
        }),
        (CARD, "turn it into a chart: A 1, B 2, C 3", |d, _| {
            data(d) == [("A", 1.0), ("B", 2.0), ("C", 3.0)] && d.title == "Hello World"
        }),
        (
            CARD,
            "make it blue, but keep the background black",
            |d, _| d.colors.primary == "#2f6bff" && d.colors.background == "#0b0b0c",
        ),
        (CHART, "add Q4 7 and Q5 8", |d, _| {
            d.data.len() == 5 && data(d).last() == Some(&("Q5", 8.0))
        }),
        (CHART, "new data: A 10%, B 20%, C 70%", |d, s| {
            data(d) == [("A", 10.0), ("B", 20.0), ("C", 70.0)]
                && d.more["suffix"] == "%"
                && d.colors == first(s).colors
        }),
        (LOGO, "make the logo green", |d, _| {
            d.colors.primary == "#22a055"
        }),
        (TITLE_3D, "use Bebas Neue", |d, _| {
            d.fonts.title == "Bebas Neue"
        }),
        (TITLE_3D, "use Playfair and make it red", |d, _| {
            d.fonts.title == "DM Serif Display" && d.colors.primary == "#e5323b"
        }),
        (LOGO, "turn it into a particle animation", |d, s| {
            d.title == "Acme"
                && d.colors == first(s).colors
                && s.files["src/design.ts"].contains("Recipe: particles")
        }),
        (LOGO, "use the kinetic typography recipe", |d, s| {
            d.title == "Acme" && s.files["src/design.ts"].contains("Recipe: kinetic-typography")
        }),
    ]
}

/// The design of the first version.
fn first(studio: &Studio) -> Design {
    Design::read(&studio.versions[0].0["src/design.ts"]).unwrap()
}

#[test]
fn edits_change_what_they_name_and_say_so() {
    let mut wrong = Vec::new();
    let table = table();
    assert!(table.len() >= 50);
    for (prompt, edit, holds) in table {
        let mut studio = Studio::built(prompt);
        assert!(studio.summary.is_some(), "{prompt}");
        studio.say(edit);
        let design = studio.design();
        if !holds(&design, &studio) {
            wrong.push(format!(
                "{edit:?}: {:?}\n    {} s, {}\n    {}",
                design, studio.settings.duration_seconds, studio.settings.aspect, studio.told
            ));
        }
        if studio.summary.as_ref().is_none_or(String::is_empty) {
            wrong.push(format!("{edit:?}: no summary; {}", studio.told));
        }
        let contrast = Rgb::parse(&design.colors.text)
            .unwrap()
            .contrast(Rgb::parse(&design.colors.background).unwrap());
        if contrast < READABLE {
            wrong.push(format!(
                "{edit:?}: the text cannot be read: {:?}",
                design.colors
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
