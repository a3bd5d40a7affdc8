// How soon a preview is there, beside Vite with React and Remotion's own player: from nothing to the first picture, from the page's
// address to the first picture where the server runs, and from a written file to the picture that shows it. And how soon the
// canvas shows an animation after its plan was approved.
// Usage: preview.mjs KODA_BIN_DIR OUT.json; ROUNDS=3 EDITS=10 choose.
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import puppeteer from "puppeteer-core";
import { freePort } from "../dev/port.mjs";
import { approved } from "./canvas.mjs";
import { makeWorkspace, scenes } from "./scenes.mjs";

const [bin, out] = process.argv.slice(2);
if (!out) {
  process.stderr.write("usage: preview.mjs KODA_BIN_DIR OUT.json\n");
  process.exit(2);
}
const rounds = Number(process.env.ROUNDS ?? 3);
const edits = Number(process.env.EDITS ?? 10);
const chromium = process.env.KODA_CHROMIUM || "/usr/lib/chromium/chromium-headless-shell";
const scratch = await mkdtemp(join(tmpdir(), "koda-preview-"));
const scene = scenes.find(({ name }) => name === "text");
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const color = (n) => `rgb(${20 + n}, 30, 40)`;

/** Each way: a folder with the same composition, and how it is served; `fresh` makes it as it is before it ever ran. */
const ways = {
  koda: {
    folder: join(scratch, "koda"),
    async fresh() {
      // What is prepared with the image stays; what a server keeps for itself goes.
      await rm(join(scratch, "koda-cache"), { recursive: true, force: true });
    },
    serve: (port) => spawn("node", ["dev.mjs"], { cwd: join(scratch, "koda"), env: { ...process.env, KODA_PORT: `${port}`, KODA_VITE_CACHE: join(scratch, "koda-cache") }, stdio: "ignore" }),
  },
  vite: {
    folder: join(scratch, "vite"),
    fresh: () => rm(join(scratch, "vite-cache"), { recursive: true, force: true }),
    serve: (port) => spawn("node", [join(import.meta.dirname, "player/serve.mjs"), join(scratch, "vite"), join(scratch, "vite-cache"), `${port}`], { stdio: "ignore" }),
  },
};

await mkdir(join(scratch, "public"));
await makeWorkspace(ways.koda.folder, scene, join(scratch, "public"), 90);
await cp(join(import.meta.dirname, "player"), ways.vite.folder, { recursive: true });
await symlink(join(import.meta.dirname, "node_modules"), join(ways.vite.folder, "node_modules"));
await cp(join(import.meta.dirname, "scenes/text.tsx"), join(ways.vite.folder, "src/Composition.tsx"));

/** Runs in the page: notes when the composition's text, and when a ground of each colour, is first on the screen. */
function notice() {
  window.seen = {};
  const look = () => {
    const note = (name) => {
      // What is in the document now is on the screen when the frame after this one begins.
      if (!(name in window.seen)) window.seen[name] = requestAnimationFrame(() => (window.seen[name] = Date.now())) && null;
    };
    if (document.body?.textContent.includes("Every")) {
      note("text");
      for (const element of document.querySelectorAll("div[style]")) if (element.style.backgroundColor) note(element.style.backgroundColor);
    }
    requestAnimationFrame(look);
  };
  look();
}

const browser = await puppeteer.launch({ executablePath: chromium, headless: "shell", args: ["--no-sandbox"] });

async function open(port) {
  // Nothing that another page left is used.
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport({ width: 960, height: 540 });
  await page.evaluateOnNewDocument(notice);
  const seen = async (name) => (await page.waitForFunction((wanted) => window.seen[wanted], { polling: 5, timeout: 60_000 }, name)).jsonValue();
  return { seen, visit: () => page.goto(`http://127.0.0.1:${port}/`, { waitUntil: "domcontentloaded" }), close: () => context.close() };
}

async function answers(port) {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    if (await fetch(`http://127.0.0.1:${port}/`).then(({ ok }) => ok, () => false)) return;
    await new Promise((done) => setTimeout(done, 5));
  }
  throw new Error("the server did not start");
}

async function measure(way) {
  const port = await freePort();
  await way.fresh();
  const composition = join(way.folder, "src/Composition.tsx");
  const text = await readFile(join(import.meta.dirname, "scenes/text.tsx"), "utf8");
  await writeFile(composition, text);
  let page = await open(port);
  const began = Date.now();
  const server = way.serve(port);
  try {
    await answers(port);
    await page.visit();
    const cold = (await page.seen("text")) - began;
    await page.close();
    page = await open(port);
    const visited = Date.now();
    await page.visit();
    const warm = (await page.seen("text")) - visited;
    const visible = [];
    for (let n = 0; n < edits; n++) {
      await writeFile(composition, text.replace("#10131f", color(n)));
      const written = Date.now();
      visible.push((await page.seen(color(n))) - written);
      // Editors and agents do not write in the middle of a reload.
      await new Promise((done) => setTimeout(done, 250));
    }
    await page.close();
    return { cold, warm, visible };
  } finally {
    const ended = new Promise((done) => server.once("exit", done));
    server.kill();
    await ended;
  }
}

try {
  const runs = { koda: [], vite: [] };
  for (let round = 0; round < rounds; round++) for (const [name, way] of Object.entries(ways)) runs[name].push(await measure(way));
  const row = (name, of) => {
    const [koda, peer] = [runs.koda, runs.vite].map((list) => median(list.flatMap(of)));
    return { name, size: "p50", koda, peer, peer_name: "Vite, React, @remotion/player", unit: "ms", ratio: Number((peer / koda).toFixed(2)) };
  };
  const rows = [
    row("server started, first picture of a preview", ({ cold }) => [cold]),
    row("page opened, first picture of a preview", ({ warm }) => [warm]),
    row("file written, visible in the preview", ({ visible }) => visible),
  ];
  const { cold, read, waiting } = await approved(resolve(bin), rounds);
  rows.push({ name: "plan approved as soon as it was there, first picture in the canvas", size: "p50", koda: median(cold), unit: "ms" });
  rows.push({ name: "plan approved after it was read, first picture in the canvas", size: "p50", koda: median(read), unit: "ms" });
  rows.push({ name: "plan approved as soon as it was there where a sandbox waited, first picture in the canvas", size: "p50", koda: median(waiting), unit: "ms" });
  for (const { name, koda, peer, peer_name, ratio } of rows) process.stdout.write(`${name}: ${koda} ms${peer === undefined ? "" : `, ${peer_name} ${peer} ms: ${ratio} × as fast`}\n`);
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify(rows, null, 2)}\n`);
} finally {
  await browser.close();
  await rm(scratch, { recursive: true, force: true });
}
process.exit(0);
