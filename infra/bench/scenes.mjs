// What is rendered: workspaces made from the templates, each with one scene, and the pictures and the clip that scenes show.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { run } from "./tools.mjs";

const templates = join(import.meta.dirname, "../../templates");

export const scenes = [
  { name: "text", engine: "remotion", what: "text and SVG" },
  { name: "elements", engine: "remotion", what: "600 DOM elements" },
  { name: "gradients", engine: "remotion", what: "gradients and shadows" },
  { name: "images", engine: "remotion", what: "images" },
  { name: "video", engine: "remotion", what: "an embedded video" },
  { name: "canvas", engine: "remotion", what: "a canvas below words" },
  { name: "webgl", engine: "remotion", what: "a shader's canvas below words" },
  { name: "features", engine: "remotion", what: "what Remotion has of its own" },
  { name: "meshes", engine: "theatre", what: "lit 3D meshes with shadows" },
  { name: "particles", engine: "theatre", what: "6,000 particles in 3D" },
];

/** The pictures and the clip, made by FFmpeg: the same every time. */
export async function makePublic(folder) {
  await mkdir(folder, { recursive: true });
  const patterns = ["mandelbrot=size=2560x1440:start_scale=0.3", "testsrc2=size=2560x1440", "gradients=size=2560x1440:seed=7:n=6"];
  for (const [index, pattern] of patterns.entries()) {
    await run("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", pattern, "-frames:v", "1", "-q:v", "2", join(folder, `picture-${index}.jpg`)]);
  }
  await run("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30:duration=4", "-c:v", "libx264", "-preset", "fast", "-g", "30", "-pix_fmt", "yuv420p", join(folder, "clip.mp4")]);
}

async function workspace(folder, engine) {
  const template = join(templates, engine);
  await cp(template, folder, { recursive: true, filter: (path) => !path.includes("node_modules") });
  await symlink(join(template, "node_modules"), join(folder, "node_modules"));
}

async function describe(folder, title, frames) {
  const manifest = JSON.parse(await readFile(join(folder, "koda.json"), "utf8"));
  await writeFile(join(folder, "koda.json"), JSON.stringify({ ...manifest, title, durationInFrames: frames }));
}

/** A workspace with this scene. */
export async function makeWorkspace(folder, scene, publicFolder, frames) {
  await workspace(folder, scene.engine);
  await cp(join(import.meta.dirname, "scenes", `${scene.name}.tsx`), join(folder, "src/Composition.tsx"));
  await cp(publicFolder, join(folder, "public"), { recursive: true });
  await describe(folder, scene.name, frames);
}

/** A workspace with a recipe in it, as long as it is meant to be. */
export async function makeRecipe(folder, name) {
  const recipe = join(templates, "recipes", name);
  const { engine, title, duration_seconds } = JSON.parse(await readFile(join(recipe, "recipe.json"), "utf8"));
  await workspace(folder, engine);
  await cp(join(recipe, "src"), join(folder, "src"), { recursive: true });
  await describe(folder, title, duration_seconds * 30);
}

/** Serves a workspace; answers its port and how to end it. */
export async function serve(folder) {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  const server = spawn("node", ["dev.mjs"], { cwd: folder, env: { ...process.env, KODA_PORT: `${port}` }, stdio: "ignore" });
  for (let tries = 0; ; tries++) {
    const there = await fetch(`http://127.0.0.1:${port}/`).then(({ ok }) => ok, () => false);
    if (there) break;
    if (tries > 200) throw new Error(`nothing serves ${folder}`);
    await new Promise((done) => setTimeout(done, 100));
  }
  return { port, stop: () => server.kill() };
}
