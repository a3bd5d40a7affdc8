//! Colours in films of every kind: patches of one colour come back as they were, whoever draws them and however they are written.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use std::fmt::Write as _;
use std::path::Path;

use support::film::{apart, decode, probe, render};
use support::{Fixture, Workspace};

const TINY: (u32, u32) = (320, 180);
/// Every format that holds colours as video does, in every quality that differs.
const FILMS: [(&str, &str); 5] = [
    ("film.mp4", "draft"),
    ("film.mp4", "standard"),
    ("film.mp4", "high"),
    ("film.webm", "standard"),
    ("film.mov", "standard"),
];
/// Those of fixtures/compositions/patches.js, four in a row.
const COLORS: [[u8; 4]; 12] = [
    [0, 0, 0, 255],
    [255, 255, 255, 255],
    [128, 128, 128, 255],
    [255, 0, 0, 255],
    [0, 255, 0, 255],
    [0, 0, 255, 255],
    [0x7c, 0x5c, 0xff, 255],
    [0x22, 0xd3, 0xee, 255],
    [0xe0, 0x10, 0x10, 255],
    [0x10, 0xa0, 0x40, 255],
    [0xf6, 0xc1, 0x77, 255],
    [0x3b, 0x2f, 0x1e, 255],
];

/// Something of a colour that lies in a column and a row of the picture.
fn patches(one: impl Fn(&str, usize, usize) -> String) -> String {
    (0..).zip(COLORS).fold(String::new(), |mut all, (at, it)| {
        let color = format!("#{:02x}{:02x}{:02x}", it[0], it[1], it[2]);
        // Writing to a String cannot fail.
        let _ = write!(all, "{}", one(&color, at % 4, at / 4));
        all
    })
}

/// All frames of a film have the patches within two of 255, in each of so many pictures that lie beside each other.
fn has_patches(path: &Path, beside: u32, what: &str) {
    let about = probe(path);
    let stream = &about["streams"][0];
    for tag in ["color_space", "color_primaries", "color_transfer"] {
        assert_eq!(stream[tag], "bt709", "{what}: {tag}");
    }
    assert_eq!(stream["color_range"], "tv", "{what}");
    let frames = decode(path, TINY.0, TINY.1, &[]);
    assert!(!frames.is_empty(), "{what}");
    for picture in frames {
        for one in 0..beside {
            for (patch, color) in (0..).zip(COLORS) {
                let (x, y) = (patch % 4 * 2 + 1, patch / 4 * 2 + 1);
                let (width, left) = (TINY.0 / beside, TINY.0 / beside * one);
                let seen = picture.get_pixel(left + width * x / 8, TINY.1 * y / 6).0;
                assert!(apart(seen, color) <= 2, "{what}: {color:?} is {seen:?}");
            }
        }
    }
}

#[test]
fn colours_come_back_as_they_were_whether_by_pixels_or_by_pictures() {
    for (nested, way) in [("canvas", "pixels"), ("iframe", "begin-frame")] {
        let fixture = Fixture::new("patches", 2);
        fixture.edit("NESTED = \"\"", &format!("NESTED = \"{nested}\""));
        for (name, quality) in FILMS {
            let what = format!("{name}, {quality}, {way}");
            let run = render(&fixture, name, TINY, &format!("--quality {quality}"));
            assert_eq!(run.result()["capture"], way, "{what}");
            has_patches(&fixture.path(name), 1, &what);
        }
    }
}

/// Renders two frames of a workspace in each of these ways, which come as told.
fn films(workspace: &Workspace, films: &[(&str, &str)], way: &str, beside: u32) {
    for (name, quality) in films {
        let what = format!("{name}, {quality}, {way}");
        let out = workspace.app.path().join(name);
        let size = "render --width 320 --height 180 --to 2 --quality".split(' ');
        let mut arguments: Vec<&str> = size.collect();
        arguments.extend([quality, "--out", out.to_str().unwrap()]);
        let run = workspace.run(&arguments);
        assert_eq!(run.result()["capture"], way, "{what}: {}", run.last());
        has_patches(&out, beside, &what);
    }
}

#[test]
fn colours_of_a_3d_scene_come_back_as_they_were() {
    let Some(workspace) = Workspace::new("theatre") else {
        return;
    };
    // What the stage's camera sees at its origin: 35 degrees from 8 away.
    let (width, height) = (8.968 / 4.0, 5.045 / 3.0);
    let meshes = patches(|color, column, row| {
        let (x, y) = ((column as f64 - 1.5) * width, (1.0 - row as f64) * height);
        format!(
            "<mesh position={{[{x}, {y}, 0]}}><planeGeometry args={{[{width}, {height}]}} /><meshBasicMaterial color=\"{color}\" toneMapped={{false}} /></mesh>"
        )
    });
    workspace.write(
        "src/Composition.tsx",
        &format!(
            "import \"./design\";\nexport default () => <><color attach=\"background\" args={{[\"#123\"]}} />{meshes}</>;"
        ),
    );
    films(&workspace, &[FILMS[0], FILMS[2], FILMS[4]], "pixels", 1);
}

#[test]
fn colours_come_back_as_they_were_from_remotions_own_renderer_also_where_html_in_canvas_drew_them()
{
    let Some(workspace) = Workspace::new("remotion") else {
        return;
    };
    let patches = patches(|color, column, row| {
        format!(
            "<div style={{{{ position: \"absolute\", left: {}, top: {}, width: 240, height: 360, background: \"{color}\" }}}} />",
            column * 240,
            row * 360
        )
    });
    workspace.write(
        "src/Composition.tsx",
        &format!(
            r##"import {{ AbsoluteFill, HtmlInCanvas }} from "remotion";
import "./design";

type Paint = NonNullable<React.ComponentProps<typeof HtmlInCanvas>["onPaint"]>;
const asItIs: Paint = ({{ canvas, elementImage }}) => {{
  const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
  context.reset();
  context.drawElementImage(elementImage, 0, 0);
}};
const patches = <div style={{{{ position: "relative", width: 960, height: 1080 }}}}>{patches}</div>;

/** The same twice: as it is, and painted anew. */
export default () => (
  <AbsoluteFill style={{{{ flexDirection: "row" }}}}>
    {{patches}}
    <HtmlInCanvas width={{960}} height={{1080}} onPaint={{asItIs}}>{{patches}}</HtmlInCanvas>
  </AbsoluteFill>
);
"##
        ),
    );
    films(&workspace, &FILMS[..3], "remotion", 2);
}
