//! Compositions that need Remotion's own renderer, and films of them.

use super::{Run, Workspace};

/// A composition that moves and that needs the renderer, and what it does at the seventh frame.
pub fn doing(what: &str) -> Option<Workspace> {
    let workspace = Workspace::new("remotion")?;
    let text = format!(
        r##"import {{ AbsoluteFill, delayRender, HtmlInCanvas, OffthreadVideo, useCurrentFrame }} from "remotion";
import "./design";

export const unused = [delayRender, HtmlInCanvas, OffthreadVideo];

export default function Composition() {{
  const frame = useCurrentFrame();
  if (frame === 7) {{ {what} }}
  return <AbsoluteFill style={{{{ background: "#123" }}}}><div style={{{{ position: "absolute", left: frame * 8, width: 200, height: 900, background: "#e80" }}}} /></AbsoluteFill>;
}}
"##
    );
    workspace.write("src/Composition.tsx", &text);
    Some(workspace)
}

/// A film of 320×180.
pub fn render(workspace: &Workspace, out: &str, more: &str) -> Run {
    let out = workspace.app.path().join(out);
    let mut all = vec!["render", "--width", "320", "--height", "180", "--out"];
    all.push(out.to_str().unwrap());
    all.extend(more.split_whitespace());
    workspace.run(&all)
}
