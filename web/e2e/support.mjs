// A real server with throw-away data, a real browser, and looks at what is left over.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { freePort } from "../../infra/dev/port.mjs";

const root = resolve(import.meta.dirname, "../..");

/** A koda-server that can be killed and started again on the same data and port; `more` is set in its environment. */
export async function startServer(more = {}) {
  const data = await mkdtemp(join(tmpdir(), "koda-e2e-"));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  let child;
  let log = "";
  const start = async () => {
    child = spawn(join(root, "infra/dev/run.sh"), {
      env: { ...process.env, ...more, KODA_DATA_DIR: data, PORT: String(port), KODA_LOG: "info" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr.on("data", (text) => {
      log += text;
    });
    for (let tries = 0; ; tries++) {
      if (child.exitCode !== null) throw new Error(`koda-server ended:\n${log}`);
      if (
        await fetch(`${url}/api/health`).then(
          (r) => r.ok,
          () => false,
        )
      )
        return;
      // With E2B's emulator it first builds the templates.
      if (tries > 1800) {
        // What runs on would keep the test's process.
        await end("SIGTERM");
        throw new Error(`koda-server did not start:\n${log}`);
      }
      await pause(100);
    }
  };
  const end = async (signal) => {
    const ended = new Promise((r) => child.once("exit", r));
    child.kill(signal);
    await ended;
  };
  await start();
  return {
    url,
    data,
    log: () => log,
    start,
    kill: () => end("SIGKILL"),
    /** Ends everything: projects with their sandboxes, the server, its data. */
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const { items } = await fetch(`${url}/api/v1/projects?limit=100`).then((r) => r.json());
        for (const { id } of items)
          await fetch(`${url}/api/v1/projects/${id}`, { method: "DELETE" });
        await end("SIGTERM");
      }
      await rm(data, { recursive: true, force: true });
    },
  };
}

/** A model that answers by a script, over the wires of real ones. */
export async function startModel(script) {
  const bin = process.env.KODA_BIN_DIR ?? join(root, "target/debug");
  const folder = await mkdtemp(join(tmpdir(), "koda-model-"));
  const file = join(folder, "script.json");
  await writeFile(file, JSON.stringify(script));
  const child = spawn(join(bin, "model-server"), [file], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const [url, key] = line.split(" ");
  return {
    url,
    key,
    /** What a server is told of it. */
    environment: { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: url },
    async stop() {
      child.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const pause = (ms) => new Promise((r) => setTimeout(r, ms));

/** Waits until `look` gives something, and gives that. */
export async function until(what, look, seconds = 60) {
  for (const end = Date.now() + seconds * 1000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain: ${what}`);
    await pause(100);
  }
}

export async function api(server, method, path, body) {
  const response = await fetch(server.url + path, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

/** Every event of a session. */
export async function logOf(server, session) {
  const events = [];
  for (;;) {
    const page = await api(
      server,
      "GET",
      `/api/v1/sessions/${session}/log?after=${events.length}&limit=1000`,
    );
    events.push(...page.items);
    if (page.items.length < 1000) return events;
  }
}

/** Fails unless the numbers of a log begin with 1 and have neither gap nor repetition. */
export function wholeLog(events) {
  events.forEach((event, n) => {
    if (event.seq !== n + 1) throw new Error(`event ${event.seq} stands at place ${n + 1}`);
  });
}

export async function startBrowser() {
  const executablePath = process.env.CHROMIUM ?? "/usr/lib/chromium/chromium";
  return chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-background-networking"],
  });
}

/** A page that fails the test when it reports an error of its own. */
export async function openPage(browser, problems, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    acceptDownloads: true,
    ...options,
  });
  const page = await context.newPage();
  page.on("pageerror", (error) => problems.push(error.message));
  return page;
}

/** From the dashboard: an empty canvas, an animation on it, and the first message to its agent. Answers where messages are written. */
export async function begin(page, words) {
  await page.getByRole("button", { name: "Empty canvas", exact: true }).click();
  await page.waitForURL(/\/p\/prj_/);
  await page.getByRole("button", { name: "Add an animation" }).click();
  const box = page.getByLabel("Message to the agent");
  await box.fill(words);
  await box.press("Enter");
  return box;
}

/** What ffprobe says of a video. */
export function probe(file) {
  const fields =
    "stream=width,height,avg_frame_rate,nb_read_packets,pix_fmt,color_space,codec_name:format=duration";
  const args = [
    "-v",
    "error",
    "-select_streams",
    "v",
    "-count_packets",
    "-show_entries",
    fields,
    "-of",
    "json",
    file,
  ];
  const { streams, format } = JSON.parse(execFileSync("ffprobe", args, { encoding: "utf8" }));
  return {
    ...streams[0],
    frames: Number(streams[0].nb_read_packets),
    duration: Number(format.duration),
  };
}

/** Hashes of the pictures of a video, a frame each. */
export function pictures(file) {
  const out = execFileSync("ffmpeg", ["-v", "error", "-i", file, "-f", "framemd5", "-"], {
    encoding: "utf8",
  });
  return out
    .split("\n")
    .filter((l) => l && !l.startsWith("#"))
    .map((l) => l.split(",").at(-1).trim());
}

/** Command lines of the processes inside a server's sandboxes: those that have a mount from its data. */
export function inSandboxes(server) {
  const found = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/mountinfo`, "utf8").includes(`${server.data}/sandboxes/`))
        continue;
      found.push(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

/** Sandboxes of a server that have a folder. */
export function sandboxes(server) {
  const folder = join(server.data, "sandboxes");
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith("sbx-")) : [];
}

/** Posts a message and waits for the plan; approves it. */
export async function approve(server, session, text) {
  await api(server, "POST", `/api/v1/sessions/${session}/messages`, { text });
  const state = await until("a plan", async () => {
    const { state } = await api(server, "GET", `/api/v1/sessions/${session}`);
    return state.phase === "plan" && !state.turn && state.proposal?.open ? state : null;
  });
  await api(server, "POST", `/api/v1/sessions/${session}/plan`, {
    decision: "approve",
    hash: state.proposal.hash,
  });
}

export async function newSession(server) {
  const project = await api(server, "POST", "/api/v1/projects", { name: "Test" });
  const session = await api(server, "POST", `/api/v1/projects/${project.id}/sessions`, {
    node_id: "n1",
  });
  return { project: project.id, session: session.id };
}

/** Keeps pictures of pages in the folder E2E_SHOTS, where it is set. */
export async function shoot(page, name) {
  const folder = process.env.E2E_SHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
