//! `check`: the mistakes that it finds in code, each with its file and line.
#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without is a failure of the test"
)]

mod support;

use serde_json::Value;
use support::Workspace;

/// Checks a workspace whose composition is this, and returns the first finding.
fn finding(workspace: &Workspace, composition: &str) -> Value {
    // Whatever a test is about, the design is used.
    finding_exactly(workspace, &format!("{composition}\nimport \"./design\";\n"))
}

fn finding_exactly(workspace: &Workspace, composition: &str) -> Value {
    workspace.write("src/Composition.tsx", composition);
    let run = workspace.run(&["check"]);
    run.first_finding().clone()
}

fn place(found: &Value) -> (String, u64) {
    (
        found["file"].as_str().unwrap_or("?").to_owned(),
        found["line"].as_u64().unwrap_or(0),
    )
}

fn composition(line: usize) -> (String, u64) {
    ("src/Composition.tsx".to_owned(), line as u64)
}

#[test]
fn mistakes_in_a_script_are_found_before_a_browser_starts() {
    let Some(workspace) = Workspace::new("remotion") else {
        return;
    };
    let found = finding(
        &workspace,
        "export default function Composition() {\n  return <div>\n}\n",
    );
    assert_eq!(
        (found["gate"].as_str(), found["code"].as_str()),
        (Some("lint"), Some("syntax")),
        "{found}"
    );
    assert_eq!(found["file"], "src/Composition.tsx");
    assert!(found["line"].as_u64().unwrap() >= 2, "{found}");

    let cases = [
        (
            "const x = Math.random();\nexport default () => <p>{x}</p>;",
            "unseeded_random",
            1,
        ),
        (
            "export default () => {\n  const t = Date.now();\n  return <p>{t}</p>;\n};",
            "wall_clock",
            2,
        ),
        (
            "export default () => {\n  window.setTimeout(() => {}, 5);\n  return <p />;\n};",
            "timer",
            2,
        ),
        (
            "import { gsap } from \"gsap\";\nexport default () => <p>{String(gsap)}</p>;",
            "unknown_package",
            1,
        ),
        (
            "\nimport { a } from \"./missing\";\nexport default () => <p>{a}</p>;",
            "missing_import",
            2,
        ),
        (
            "export default () => (\n  <img src=\"https://example.com/a.png\" />\n);",
            "network_url",
            2,
        ),
        (
            "import { Img, staticFile } from \"remotion\";\nexport default () => <Img src={staticFile(\"assets/no.png\")} />;",
            "missing_asset",
            2,
        ),
        (
            "export default () => (\n  <p style={{ width: \"50vw\" }}>is 100vw wide</p>\n);",
            "window_size",
            2,
        ),
        (
            "export default () => {\n  const wide = window.innerWidth;\n  return <p>{wide}</p>;\n};",
            "window_size",
            2,
        ),
        (
            "export default () => {\n  const share = 4;\n  return <p style={{ left: `${share}vw` }} />;\n};",
            "window_size",
            3,
        ),
        (
            "export const Composition = () => <p />;",
            "missing_default_export",
            1,
        ),
    ];
    workspace.write(
        "src/style.css",
        "p {\n  color: red;\n}\n@import \"./nowhere.css\";\n",
    );
    let found = finding(
        &workspace,
        "import \"./style.css\";\nexport default () => <p />;",
    );
    assert_eq!(
        (found["code"].as_str(), place(&found)),
        (Some("missing_import"), ("src/style.css".to_owned(), 4))
    );
    std::fs::remove_file(workspace.app.path().join("src/style.css")).unwrap();
    for (text, code, line) in cases {
        let found = finding(&workspace, text);
        assert_eq!(found["code"], code, "{found}");
        assert_eq!(place(&found), composition(line), "{found}");
        assert_eq!(found["gate"], "lint");
    }
}

#[test]
fn a_design_that_controls_could_not_change_is_an_error_at_its_place() {
    let Some(workspace) = Workspace::new("remotion") else {
        return;
    };
    let uses = "import { design } from \"./design\";\nexport default () => <p>{design.title}</p>;";
    let colors = r##"{ "background": "#000000", "primary": "#112233", "accent": "#445566", "text": "#ffffff" }"##;
    let design = |body: &str| {
        format!(
            "import type {{ Design }} from \"./koda/design\";\n\nexport const design = {body} satisfies Design;\n"
        )
    };
    let good = format!("{{\n  \"title\": \"A\",\n  \"colors\": {colors}\n}}");
    let cases = [
        (good.replace("\"title\"", "title"), "design_not_json", 4),
        (
            good.replace("\"A\"", "\"A\", // mine"),
            "design_not_json",
            4,
        ),
        (good.replace("#112233", "navy"), "design_color", 5),
    ];
    for (body, code, line) in cases {
        workspace.write("src/design.ts", &design(&body));
        let found = finding(&workspace, uses);
        assert_eq!(
            (found["gate"].as_str(), found["code"].as_str()),
            (Some("lint"), Some(code)),
            "{found}"
        );
        assert_eq!(place(&found), ("src/design.ts".to_owned(), line), "{found}");
    }
    workspace.write("src/design.ts", "export const design = { title: 'A' };\n");
    assert_eq!(finding(&workspace, uses)["code"], "design_not_json");
    workspace.write("src/design.ts", &design(&good));
    let found = finding_exactly(&workspace, "export default () => <p>Hello</p>;");
    assert_eq!(found["code"], "design_unused", "{found}");
}

#[test]
fn mistakes_of_type_and_at_run_time_are_found_with_their_line() {
    let Some(workspace) = Workspace::new("remotion") else {
        return;
    };
    let found = finding(
        &workspace,
        "export default function Composition() {\n  const size: number = \"large\";\n  return <p>{size}</p>;\n}\n",
    );
    assert_eq!(
        (found["gate"].as_str(), found["code"].as_str()),
        (Some("types"), Some("TS2322")),
        "{found}"
    );
    assert_eq!(place(&found), composition(2));

    let throws = "import { useCurrentFrame } from \"remotion\";\nexport default function Composition() {\n  const frame = useCurrentFrame();\n\n  if (frame === 40) throw new Error(\"nothing at forty\");\n  return <p style={{ marginLeft: frame }}>text</p>;\n}\n";
    let found = finding(&workspace, throws);
    assert_eq!(
        (found["gate"].as_str(), found["code"].as_str()),
        (Some("frames"), Some("exception")),
        "{found}"
    );
    assert_eq!(found["frame"], 40);
    assert_eq!(place(&found), composition(5));
    assert_eq!(found["message"], "nothing at forty");

    let at_load = "const broken: { value?: { deep: string } } = {};\nexport default function Composition() {\n  return <p>{broken.value!.deep}</p>;\n}\n";
    let found = finding(&workspace, at_load);
    assert_eq!(found["gate"], "load", "{found}");
    assert_eq!(place(&found), composition(3), "{found}");

    let found = finding(
        &workspace,
        "export default function Composition() {\n  return <div />;\n}\n",
    );
    assert_eq!(found["code"], "blank_frames", "{found}");

    let counter = "let calls = 0;\nimport { useCurrentFrame } from \"remotion\";\nexport default function Composition() {\n  useCurrentFrame();\n  calls++;\n  return <p style={{ color: \"white\", fontSize: 20 + (calls % 50) }}>text</p>;\n}\n";
    let found = finding(&workspace, counter);
    assert_eq!(found["code"], "nondeterministic_frame", "{found}");
}
