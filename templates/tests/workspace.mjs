// Workspaces in temporary folders, their development servers, and browsers to look at them with.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { chromium } from "playwright-core";
import { freePort } from "../../infra/dev/port.mjs";

export const templates = resolve(import.meta.dirname, "..");
export const recipes = readdirSync(join(templates, "recipes")).filter((name) => existsSync(join(templates, "recipes", name, "recipe.json")));

const notCopied = new Set(["node_modules", "dist", ".vite-cache"]);

export function readRecipe(name) {
  return JSON.parse(readFileSync(join(templates, "recipes", name, "recipe.json"), "utf8"));
}

/** Layout sizes: the short side is 1080. */
export const sizes = { "16:9": [1920, 1080], "9:16": [1080, 1920], "1:1": [1080, 1080], "4:3": [1440, 1080], "21:9": [2520, 1080] };

/** A workspace of this engine in a folder of its own, with a recipe's files where one is named. */
export class Workspace {
  constructor(engine, { recipe, manifest = {} } = {}) {
    if (!existsSync(join(templates, engine, "node_modules"))) throw new Error(`run npm ci in templates/${engine} first`);
    this.engine = engine;
    this.root = mkdtempSync(join(tmpdir(), "koda-test-"));
    const from = join(templates, engine);
    cpSync(from, this.root, { recursive: true, filter: (path) => !notCopied.has(relative(from, path).split("/")[0]) });
    if (recipe) cpSync(join(templates, "recipes", recipe, "src"), join(this.root, "src"), { recursive: true });
    symlinkSync(join(from, "node_modules"), join(this.root, "node_modules"));
    this.manifest = { ...JSON.parse(readFileSync(join(this.root, "koda.json"), "utf8")), ...manifest };
    this.write("koda.json", JSON.stringify(this.manifest));
  }

  read(path) {
    return readFileSync(join(this.root, path), "utf8");
  }

  /** Replaces a file as the runtime does: by renaming a complete one over it. */
  write(path, content) {
    const target = join(this.root, path);
    const temporary = join(dirname(target), `.${Date.now()}-${Math.round(performance.now() * 1000)}.tmp`);
    writeFileSync(temporary, content);
    renameSync(temporary, target);
  }

  setManifest(change) {
    this.manifest = { ...this.manifest, ...change };
    this.write("koda.json", JSON.stringify(this.manifest));
  }

  async start(environment = {}, stderr = "inherit") {
    const port = await freePort();
    this.origin = `http://127.0.0.1:${port}`;
    this.server = spawn(process.execPath, ["dev.mjs"], {
      cwd: this.root,
      env: { ...process.env, KODA_SOCKET: "", KODA_PORT: String(port), ...environment },
      stdio: ["ignore", "pipe", stderr],
    });
    await new Promise((done, failed) => {
      this.server.stdout.once("data", done);
      this.server.once("exit", (code) => failed(new Error(`dev.mjs ended with ${code}`)));
    });
    return this;
  }

  captureUrl(width, height, extra = "") {
    return `${this.origin}/?mode=capture&width=${width}&height=${height}${extra}`;
  }

  async close() {
    if (this.server && this.server.exitCode === null) {
      const ended = new Promise((done) => this.server.once("exit", done));
      this.server.kill();
      await ended;
    }
    rmSync(this.root, { recursive: true, force: true });
  }
}

const graphics = {
  remotion: ["--disable-gpu"],
  theatre: ["--use-gl=angle", "--use-angle=gl-egl", "--ignore-gpu-blocklist"],
};

export function launch(engine, more = []) {
  const executablePath = process.env.CHROMIUM ?? "/usr/lib/chromium/chromium";
  return chromium.launch({ executablePath, args: [...graphics[engine], "--disable-partial-raster", "--no-sandbox", ...more] });
}

/** A page that embeds the preview, and keeps what it says; the scripts run in both before any of theirs. `lines` are both's consoles. */
export async function embed(browser, workspace, ...scripts) {
  const page = await browser.newPage({ viewport: { width: 800, height: 450 } });
  const lines = [];
  page.on("console", (message) => lines.push(message.text()));
  for (const script of scripts) await page.addInitScript(script);
  const body = `<iframe src="${workspace.origin}/" sandbox="allow-scripts allow-same-origin" allow="autoplay; fullscreen" style="border:0;width:760px;height:420px"></iframe>
    <script>window.said = []; addEventListener("message", (event) => { if (event.data?.koda === 1) said.push(event.data); });
    window.tell = (message) => document.querySelector("iframe").contentWindow.postMessage({ koda: 1, ...message }, "*");</script>`;
  // Served from an origin of its own, as in Koda: to set a page's content is taken for something that a person does.
  const around = createServer((_, answer) => answer.setHeader("content-type", "text/html").end(body));
  await new Promise((done) => around.listen(0, "127.0.0.1", done));
  await page.goto(`http://127.0.0.1:${around.address().port}/`);
  around.close();
  const said = (type, from = 0, match = {}) =>
    page.waitForFunction(
      ([wanted, start, fields]) => window.said.slice(start).find((message) => message.type === wanted && Object.entries(fields).every(([name, value]) => message[name] === value)),
      [type, from, match],
      { polling: 20 },
    ).then((handle) => handle.jsonValue());
  return {
    page,
    lines,
    said,
    tell: (message) => page.evaluate((sent) => window.tell(sent), message),
    count: () => page.evaluate(() => window.said.length),
    all: () => page.evaluate(() => window.said),
  };
}

/** A page in capture mode that has become ready, and everything that it complained of. */
export async function openCapture(browser, workspace, width, height, extra = "") {
  const page = await browser.newPage({ viewport: { width, height } });
  const complaints = watch(page, workspace.origin);
  await page.goto(workspace.captureUrl(width, height, extra));
  await page.evaluate(() => window.koda.ready);
  return { page, complaints };
}

/** Collects console errors, exceptions, failed requests, and requests that leave the machine. */
export function watch(page, origin) {
  const complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(data|blob):/.test(url)) complaints.push(`leaves the machine: ${url}`);
  });
  return complaints;
}

/** Shows a frame and answers its picture as a PNG. */
export async function shoot(page, frame) {
  await page.evaluate((number) => window.koda.show(number), frame);
  return page.screenshot();
}

/** How much there is to see in a picture: how many colours, and how far its brightness spreads. */
export async function look(page, png) {
  return page.evaluate(async (base64) => {
    const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob());
    const canvas = new OffscreenCanvas(160, Math.round((160 * bitmap.height) / bitmap.width));
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const colors = new Set();
    let sum = 0;
    let squares = 0;
    for (let at = 0; at < data.length; at += 4) {
      colors.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
      const luma = 0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2];
      sum += luma;
      squares += luma * luma;
    }
    const count = data.length / 4;
    return { colors: colors.size, spread: Math.sqrt(squares / count - (sum / count) ** 2) };
  }, png.toString("base64"));
}
