// The whole job without a browser, through the HTTP API: prompt, plan, approval, check, render, download.
// Uses the server at KODA_URL, or starts one of its own on a free port with throw-away data.
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { freePort } from "./port.mjs";

const { values: args } = parseArgs({
  options: {
    prompt: { type: "string" },
    out: { type: "string" },
    edit: { type: "string", multiple: true, default: [] },
    resolution: { type: "string", default: "720p" },
    quality: { type: "string", default: "standard" },
    format: { type: "string", default: "mp4" },
  },
});
if (!args.prompt || !args.out) {
  console.error('Usage: make demo PROMPT="…" OUT=file.mp4');
  process.exit(2);
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const started = Date.now();
const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`.padStart(7);
const say = (line) => console.log(`${seconds()}  ${line}`);
let live = false;
const progress = (line) => {
  if (!process.stdout.isTTY) return;
  process.stdout.write(`\r\x1b[2K${seconds()}  ${line}`);
  live = true;
};
const settle = () => {
  if (live) process.stdout.write("\n");
  live = false;
};

async function startServer() {
  // A folder that is given is kept.
  const given = process.env.KODA_DATA_DIR;
  const data = given ?? (await mkdtemp(join(tmpdir(), "koda-demo-")));
  const port = await freePort();
  const child = spawn(join(root, "infra/dev/run.sh"), {
    env: { ...process.env, KODA_DATA_DIR: data, PORT: String(port), KODA_LOG: process.env.KODA_LOG ?? "warn" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    if (child.exitCode !== null) throw new Error("The server ended before it was ready; its log is above.");
    const health = await fetch(`${url}/api/health`).catch(() => null);
    if (health?.ok) break;
    if (tries > 900) throw new Error("The server did not become ready within three minutes.");
    await new Promise((r) => setTimeout(r, 200));
  }
  return {
    url,
    async stop() {
      const ended = new Promise((r) => child.once("exit", r));
      child.kill("SIGTERM");
      await ended;
      if (!given) await rm(data, { recursive: true, force: true });
    },
  };
}

const own = process.env.KODA_URL ? null : await startServer();
const base = process.env.KODA_URL ?? own.url;

async function call(method, path, body) {
  const response = await fetch(base + path, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const value = text ? JSON.parse(text) : null;
  if (!response.ok) throw new Error(value?.error?.message ?? `${method} ${path}: ${response.status}`);
  return value;
}

try {
  const project = await call("POST", "/api/v1/projects", { name: "Demo" });
  const session = await call("POST", `/api/v1/projects/${project.id}/sessions`, { node_id: "demo" });
  const at = `/api/v1/sessions/${session.id}`;
  let after = 0;
  let sandbox;
  // Follows the log until `until` gives something for an event.
  const follow = async (until) => {
    for (;;) {
      const page = await call("GET", `${at}/log?after=${after}&limit=500`);
      for (const event of page.items) {
        after = event.seq;
        tell(event);
        const found = until(event);
        if (found !== undefined) return found;
      }
      if (page.items.length === 0) await new Promise((r) => setTimeout(r, 150));
    }
  };
  const tell = (event) => {
    const settled = (line) => {
      settle();
      say(line);
    };
    switch (event.type) {
      case "plan_proposed":
        settled(`Plan “${event.plan.title}” (${event.plan.engine}): ${event.plan.summary}`);
        for (const scene of event.plan.scenes) settled(`   ${scene.duration_seconds} s  ${scene.title}`);
        break;
      case "tool_finished":
        settled(`${event.is_error ? "✗" : "✓"} ${event.summary}`);
        break;
      case "version_created":
        settled(`Version ${event.version.number}: ${event.version.summary}`);
        break;
      case "sandbox_changed":
        // It starts once without an id and once with the one that it got.
        if (event.status === sandbox && event.status === "starting") break;
        sandbox = event.status;
        settled(`Sandbox (${event.provider}): ${event.status}${event.seconds ? ` after ${event.seconds.toFixed(1)} s` : ""}`);
        break;
      case "render_progressed": {
        const { stage, frame, total, fps } = event.progress;
        progress(`${stage} ${frame}/${total}  ${fps.toFixed(1)} frames/s`);
        break;
      }
      default:
    }
  };
  const turn = async () => {
    const outcome = await follow((e) => (e.type === "turn_finished" ? e.outcome : undefined));
    if (outcome.type === "check_failed") throw new Error(`The check failed: ${outcome.diagnostic.message}`);
    if (outcome.type === "failed") throw new Error(outcome.message);
    return outcome;
  };

  say(`“${args.prompt}”`);
  await call("POST", `${at}/messages`, { text: args.prompt });
  let proposal;
  await follow((e) => {
    if (e.type === "plan_proposed") proposal = e.hash;
    return e.type === "turn_finished" ? e : undefined;
  });
  if (!proposal) throw new Error("No plan was proposed; say more about what you would like to see.");
  say("Approving the plan");
  await call("POST", `${at}/plan`, { decision: "approve", hash: proposal });
  if ((await turn()).type !== "ready") throw new Error("Nothing was built.");
  for (const edit of args.edit) {
    say(`“${edit}”`);
    await call("POST", `${at}/messages`, { text: edit });
    await turn();
  }
  const { resolution, quality, format } = args;
  const render = await call("POST", `${at}/renders`, { resolution, quality, format });
  const done = await follow((e) =>
    e.render_id === render.id && ["render_ready", "render_failed", "render_cancelled"].includes(e.type) ? e : undefined,
  );
  settle();
  if (done.type !== "render_ready") throw new Error(done.failure?.message ?? "The render was cancelled.");
  const file = await fetch(`${base}${at}/renders/${render.id}/file?download=1`);
  if (!file.ok) throw new Error(`The download failed with ${file.status}.`);
  const out = resolve(args.out);
  await mkdir(dirname(out), { recursive: true });
  await pipeline(Readable.fromWeb(file.body), createWriteStream(out));
  const { size, fps, frames, bytes } = done.output;
  say(`${args.out}: ${size.width}×${size.height}, ${fps} fps, ${frames} frames, ${(bytes / 1024).toFixed(0)} KB`);
  await call("DELETE", `/api/v1/projects/${project.id}`);
} catch (error) {
  settle();
  console.error(`✗ ${error.message}`);
  process.exitCode = 1;
} finally {
  await own?.stop();
}
