/** The animation node by itself, fed with hand-made events: `?scene=plan&studio=export&theme=light`. */

import "@fontsource-variable/geist";
import "@fontsource-variable/geist-mono";
import "../src/theme.css";
import { createRoot } from "react-dom/client";
import type { SessionEvent } from "../src/api/types";
import { animation } from "../src/nodes/animation";
import { SESSION } from "../src/session/story";
import { createAssetStore } from "../src/store/assets";
import { configStore } from "../src/store/config";
import { createDocumentStore } from "../src/store/document";
import type { SessionHub } from "../src/store/hub";
import { type OpenProject, ProjectProvider } from "../src/store/project";
import { Toaster } from "../src/ui/Toast";
import { TooltipProvider } from "../src/ui/Tooltip";
import { scenes } from "./scenes";

const query = new URLSearchParams(location.search);
const scene = query.get("scene") ?? "idle";
const events: SessionEvent[] = scenes[scene]?.().events ?? [];
if (query.get("theme")) document.documentElement.dataset.theme = query.get("theme") ?? "dark";

const CODE = `import { AbsoluteFill, interpolate, useCurrentFrame, useVideoConfig } from "remotion";
import { design } from "./design";
import { Facts } from "./scenes/Facts";

/** The name builds, the facts follow, the logo settles. */
export default function Composition() {
  const frame = useCurrentFrame();
  const { durationInFrames } = useVideoConfig();
  const opacity = interpolate(frame, [0, durationInFrames * 0.1], [0, 1], { extrapolateRight: "clamp" });
  return (
    <AbsoluteFill style={{ background: design.colors.background, opacity }}>
      <h1 style={{ fontFamily: design.fonts.title }}>{design.title}</h1>
      <Facts lines={design.lines} />
    </AbsoluteFill>
  );
}
`;

const DIFF = `--- a/src/design.ts
+++ b/src/design.ts
@@ -3,7 +3,8 @@
 export const design = {
   "title": "Aurora",
   "subtitle": "",
-  "colors": { "background": "#0b1020", "primary": "#7c5cff", "accent": "#22d3ee", "text": "#f8fafc" },
+  "colors": { "background": "#1a0f0a", "primary": "#ff8a4c", "accent": "#ffc27a", "text": "#fff4e6" },
+  "pace": 1.4,
   "fonts": { "title": "Space Grotesk", "body": "Inter" },
   "lines": ["Twelve hours of light", "No cable", "Made of glass"],
   "data": [],
`;

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });

/** Answers like the server would; the page has none. */
const real = window.fetch;
window.fetch = async (input, init) => {
  const path =
    typeof input === "string" ? input : input instanceof URL ? input.pathname : input.url;
  if (!path.startsWith("/api/")) return real(input, init);
  if (path.endsWith("/preview")) {
    if (query.has("nopreview"))
      return json(
        { error: { code: "unavailable", message: "No sandbox can be started now." } },
        503,
      );
    await new Promise((resolve) => setTimeout(resolve, query.has("slow") ? 1e6 : 100));
    const host = `stub.preview.localhost:${location.port}`;
    return json({
      url: `http://${host}/dev/preview.html${query.has("broken") ? "?broken" : ""}`,
      handle: "stub",
      version_id: null,
    });
  }
  if (path.includes("/diff"))
    return json({ files: [{ path: "src/design.ts", status: "changed", diff: DIFF }] });
  if (path.includes("/files/")) return new Response(CODE);
  if (path.includes("/messages")) {
    return query.has("offline")
      ? json(
          {
            error: {
              code: "invalid",
              message: "20 messages are waiting already; let the agent catch up.",
            },
          },
          422,
        )
      : json({ message_id: "m", queued: true }, 202);
  }
  return json({});
};

const hub: SessionHub = {
  projectId: "prj_1",
  subscribe(_, listener) {
    listener(events);
    return () => {};
  },
  events: () => events,
  connection: { getState: () => ({ connection: { status: "live" } }) } as SessionHub["connection"],
  wake() {},
  close() {},
};

configStore.setState({
  config: {
    version: "0.1.0",
    models: {
      orchestrator: { provider: "anthropic", model: "claude-opus-4-5", is_ai: scene !== "demo" },
      code_generator: { provider: "anthropic", model: "claude-haiku-4-5", is_ai: scene !== "demo" },
    },
    sandbox: { name: "local", isolation: "bubblewrap, own network and files" },
    engines: ["remotion", "theatre"],
    fonts: ["Inter", "Space Grotesk", "Playfair Display"],
    limits: {},
    examples: [
      { title: "Product teaser", prompt: "A calm six-second teaser for a lamp called Aurora" },
      {
        title: "Kinetic quote",
        prompt: "“Less, but better” in bold kinetic typography, black and white",
      },
      { title: "Chart", prompt: "Quarterly revenue as growing bars: 12, 18, 25, 31" },
      { title: "Orbit in 3D", prompt: "A glossy sphere with orbiting rings, slow camera move" },
    ],
  },
});

const document_ = {
  schema: 1,
  nodes: [
    {
      id: "node-1",
      type: "animation" as const,
      x: 0,
      y: 0,
      data: { session_id: query.has("new") ? null : SESSION },
    },
    ...(query.has("connected")
      ? [
          {
            id: "text-1",
            type: "text" as const,
            x: 0,
            y: 0,
            data: { text: "Tone: warm, confident, never loud." },
          },
        ]
      : []),
  ],
  edges: query.has("connected")
    ? [{ id: "e1", source: "text-1", source_port: "text", target: "node-1", target_port: "prompt" }]
    : [],
  viewport: { x: 0, y: 0, zoom: 1 },
};

const project: OpenProject = {
  id: "prj_1",
  store: createDocumentStore({ id: "prj_1", name: "Fixture", document: document_ }),
  autosave: {} as OpenProject["autosave"],
  hub,
  assets: createAssetStore("prj_1"),
};

const { View } = animation;
const width = Number(query.get("width") ?? 440);
const height = Number(query.get("height") ?? 640);

createRoot(document.getElementById("root") as HTMLElement).render(
  <TooltipProvider>
    <ProjectProvider value={project}>
      <div style={{ display: "grid", placeItems: "center", height: "100%" }}>
        <div
          data-node-frame="node-1"
          style={{
            width,
            height,
            overflow: "hidden",
            borderRadius: 14,
            background: "var(--surface)",
            boxShadow: "0 0 0 1px var(--line), var(--shadow-2)",
          }}
          // The canvas makes nodes focusable; so does this page.
          // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
          tabIndex={0}
        >
          <View id="node-1" data={document_.nodes[0]?.data ?? {}} selected />
        </div>
      </div>
      <Toaster />
    </ProjectProvider>
  </TooltipProvider>,
);
