// Renders the same compositions by Koda, by Remotion's own renderer and by screenshots of puppeteer with FFmpeg, one after the other
// and in turns, and prints frames a second, ratios, memory, and how alike the videos are.
// Usage: bench.mjs KODA_CAPTURE OUT.json; SCENES=text,meshes SIZES=720,1080 FOURK=gradients FRAMES=90 ROUNDS=2 choose.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { makePublic, makeWorkspace, scenes, serve } from "./scenes.mjs";
import { peak, similarity } from "./tools.mjs";

const [program, out] = process.argv.slice(2);
if (!out) {
  process.stderr.write("usage: bench.mjs KODA_CAPTURE OUT.json\n");
  process.exit(2);
}
const { SCENES = "", SIZES = "720,1080", FRAMES = "90", ROUNDS = "2", FOURK = "gradients" } = process.env;
const frames = Number(FRAMES);
const length = Math.max(90, frames);
const heights = SIZES.split(",").filter(Boolean).map(Number);
const chosen = scenes.filter(({ name }) => !SCENES || SCENES.split(",").includes(name));
const scratch = await mkdtemp(join(tmpdir(), "koda-bench-"));

/** Seconds from the first frame to the finished video, and the most memory. */
async function koda({ port, folder, width, height, out, quality }, watched) {
  const args = ["render", "--app", folder, "--out", out, "--width", `${width}`, "--height", `${height}`, "--quality", quality, "--to", `${frames}`];
  const child = spawn(resolve(program), args, { env: { ...process.env, KODA_PORT: `${port}` }, stdio: ["ignore", "pipe", "inherit"] });
  const times = {};
  const began = performance.now();
  const work = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const said = JSON.parse(line);
      const now = performance.now();
      if (said.type === "error") throw new Error(`koda-capture: ${said.message}`);
      if (said.stage === "capture") times.first ??= now;
      if (said.stage === "verify") times.encoded ??= now;
      if (said.type === "rendered") return { seconds: (times.encoded - times.first) / 1000 + said.copying_seconds, capture: said.capture, browsers: said.browsers, because: said.because };
    }
    throw new Error("koda-capture ended without a result");
  })();
  const { result, bytes } = watched ? await peak(child.pid, work) : { result: await work, bytes: 0 };
  return { ...result, bytes, whole: (performance.now() - began) / 1000 };
}

async function peer(way, job, watched) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "peers.mjs"), way, JSON.stringify(job)], { stdio: ["ignore", "pipe", "inherit"] });
  const began = performance.now();
  const work = (async () => {
    let text = "";
    for await (const chunk of child.stdout) text += chunk;
    if (!text) throw new Error(`${way} said nothing`);
    return JSON.parse(text.trim().split("\n").at(-1));
  })();
  const { result, bytes } = watched ? await peak(child.pid, work) : { result: await work, bytes: 0 };
  return { ...result, bytes, whole: (performance.now() - began) / 1000 };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const rate = (runs) => Number((frames / median(runs.map(({ seconds }) => seconds))).toFixed(1));
const whole = (runs) => Number(median(runs.map((it) => it.whole)).toFixed(1));

async function measure(scene, height, serveUrl, folder, port) {
  const width = (height * 16) / 9;
  const file = (name) => join(scratch, `${scene.name}-${height}-${name}.mp4`);
  const shape = { port, folder, width, height, frames, engine: scene.engine, scene: scene.name };
  const ways = { standard: (watched) => koda({ ...shape, quality: "standard", out: file("standard") }, watched), screenshots: (watched) => peer("screenshots", { ...shape, out: file("screenshots") }, watched) };
  ways.high = (watched) => koda({ ...shape, quality: "high", out: file("high") }, watched);
  ways.draft = (watched) => koda({ ...shape, quality: "draft", out: file("draft") }, watched);
  if (scene.engine === "remotion") {
    const remotion = { ...shape, serveUrl, length };
    ways.remotion = (watched) => peer("remotion", { ...remotion, out: file("remotion") }, watched);
    ways.remotionHigh = (watched) => peer("remotion", { ...remotion, preset: "medium", crf: 16, out: file("remotionHigh") }, watched);
  } else ways.screenshotsHigh = (watched) => peer("screenshots", { ...shape, preset: "medium", crf: 16, out: file("screenshotsHigh") }, watched);
  const runs = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < Number(ROUNDS); round++) for (const [name, way] of Object.entries(ways)) runs[name].push(await way());
  // Looking at memory holds processes up: that is a round of its own, whose times do not count.
  const used = {};
  if (!process.env.NO_MEMORY) for (const [name, way] of Object.entries(ways)) used[name] = await way(true);
  const row = { scene: scene.name, size: `${width}×${height}`, capture: runs.standard[0].capture, browsers: runs.standard[0].browsers };
  if (runs.standard[0].because) row.because = runs.standard[0].because;
  for (const [name, list] of Object.entries(runs)) Object.assign(row, { [`${name}_fps`]: rate(list), [`${name}_whole_s`]: whole(list), ...(used[name] ? { [`${name}_mb`]: Math.round(used[name].bytes / 2 ** 20) } : {}) });
  const times = (one, other) => Number((row[`${one}_fps`] / row[`${other}_fps`]).toFixed(2));
  row.standard_to_screenshots = times("standard", "screenshots");
  row.draft_to_screenshots = times("draft", "screenshots");
  if (runs.screenshotsHigh) row.high_to_screenshots = times("high", "screenshotsHigh");
  if (runs.remotion) Object.assign(row, { draft_to_remotion: times("draft", "remotion"), standard_to_remotion: times("standard", "remotion"), high_to_remotion: times("high", "remotionHigh") });
  if (runs.remotion) {
    // What Remotion draws, without what its own JPEG and x264 lose.
    await peer("remotion", { ...shape, serveUrl, length, preset: "ultrafast", crf: 1, imageFormat: "png", out: file("drawn") });
    for (const quality of ["draft", "standard", "high", "remotion"]) row[`ssim_${quality}_to_drawn`] = Number((await similarity(file(quality), file("drawn"))).least.toFixed(4));
  }
  if (runs.remotion) row.ssim_to_screenshots = Number((await similarity(file("standard"), file("screenshots"))).least.toFixed(4));
  const { least, mean, frames: compared } = await similarity(file("standard"), file(runs.remotion ? "remotion" : "screenshots"));
  if (compared !== frames) throw new Error(`${scene.name}: ${compared} frames instead of ${frames}`);
  Object.assign(row, { ssim_least: Number(least.toFixed(4)), ssim_mean: Number(mean.toFixed(4)) });
  return row;
}

try {
  const publicFolder = join(scratch, "public");
  await makePublic(publicFolder);
  const { bundle } = await import("@remotion/bundler");
  const serveUrl = chosen.some(({ engine }) => engine === "remotion") ? await bundle({ entryPoint: join(import.meta.dirname, "scenes/index.tsx"), publicDir: publicFolder }) : "";
  const rows = [];
  for (const scene of chosen) {
    const folder = join(scratch, scene.name);
    await makeWorkspace(folder, scene, publicFolder, length);
    const { port, stop } = await serve(folder);
    const sizes = FOURK.split(",").includes(scene.name) ? [...heights, 2160] : heights;
    for (const height of sizes) {
      const row = await measure(scene, height, serveUrl, folder, port);
      rows.push(row);
      const list = (names) => names.filter((name) => row[`${name}_fps`]).map((name) => `${name} ${row[`${name}_fps`]}/s${row[`${name}_mb`] ? ` ${row[`${name}_mb`]} MB` : ""}`);
      process.stdout.write(`${scene.what}, ${row.size} (${row.capture}${row.because ? `, because ${row.because}` : ""}): ${list(["draft", "standard", "high", "remotion", "remotionHigh", "screenshots", "screenshotsHigh"]).join(", ")}\n`);
      process.stdout.write(`  against Remotion: draft ${row.draft_to_remotion ?? "–"} ×, standard ${row.standard_to_remotion ?? "–"} ×, high ${row.high_to_remotion ?? "–"} ×; against screenshots: draft ${row.draft_to_screenshots} ×, standard ${row.standard_to_screenshots} ×, high ${row.high_to_screenshots ?? "–"} ×; SSIM at least ${row.ssim_least}, mean ${row.ssim_mean}${row.ssim_to_screenshots ? `; to screenshots at least ${row.ssim_to_screenshots}` : ""}\n`);
      if (row.ssim_draft_to_drawn) process.stdout.write(`  SSIM to what Remotion draws, at least: draft ${row.ssim_draft_to_drawn}, standard ${row.ssim_standard_to_drawn}, high ${row.ssim_high_to_drawn}; Remotion's own file ${row.ssim_remotion_to_drawn}\n`);
    }
    stop();
  }
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify(rows, null, 2)}\n`);
} finally {
  if (process.env.KEEP) process.stdout.write(`${scratch} is kept\n`);
  else await rm(scratch, { recursive: true, force: true });
}
process.exit(0);
