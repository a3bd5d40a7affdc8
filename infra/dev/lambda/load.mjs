// Many at once: turns that stream, and tabs in which nothing happens, on one koda-server with DynamoDB Local, S3's emulator and a
// model that is a script. Every event is counted, every word is timed, and the server's memory is looked at.
// Usage: load.mjs BIN EMULATORS DYNAMODB_LOCAL OUT.json [TURNS] [IDLE]
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, request as ask } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "../port.mjs";

const [bin, emulators, dynamo] = process.argv.slice(2, 5).map((path) => path && resolve(path));
const [out, turns = "200", idle = "1000"] = process.argv.slice(5);
if (!out) {
  process.stderr.write("usage: load.mjs BIN EMULATORS DYNAMODB_LOCAL OUT.json [TURNS] [IDLE]\n");
  process.exit(2);
}
const TURNS = Number(turns);
const IDLE = Number(idle);
/** Words of one answer and the pause before each: fifteen seconds at twenty words a second. */
const WORDS = 300;
const PACE_MS = 50;

const scratch = await mkdtemp(join(tmpdir(), "koda-load-"));
const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|KODA|E2B|SANDBOX|S3|R2|DYNAMODB|OTEL|OPENAI|ANTHROPIC)_/.test(name)));
const children = [];
function run(program, args, env = clean) {
  const child = spawn(program, args, { cwd: scratch, env, stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  return child;
}
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
async function until(what, look, seconds = 60) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await pause(200)) if (await look().catch(() => false)) return;
  throw new Error(`waited in vain: ${what}`);
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
/** A request whose whole answer is read, as JSON. */
function call(url, method, path, body) {
  return new Promise((done, fail) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const request = ask(url + path, { method, agent, headers: text ? { "content-type": "application/json", "content-length": Buffer.byteLength(text) } : {} }, async (response) => {
      let said = "";
      for await (const chunk of response) said += chunk;
      if (response.statusCode >= 300) fail(new Error(`${method} ${path}: ${response.statusCode} ${said}`));
      else done(said ? JSON.parse(said) : null);
    });
    request.on("error", fail);
    request.end(text);
  });
}

/** Follows a session's stream from its beginning; `seen` is given each event and when it came. */
function follow(url, session, seen) {
  const request = ask(`${url}/api/v1/sessions/${session}/events`, { agent: false });
  let text = "";
  let closed = false;
  request.on("response", (response) => {
    response.setEncoding("utf8");
    response.on("data", (chunk) => {
      const at = Date.now();
      const parts = (text + chunk).split("\n\n");
      text = parts.pop();
      for (const part of parts) {
        const data = part.split("\n").find((line) => line.startsWith("data: "));
        if (data) seen(JSON.parse(data.slice(6)), at);
      }
    });
    response.on("close", () => (closed = true));
  });
  request.on("error", () => (closed = true));
  request.end();
  return { end: () => request.destroy(), get closed() { return closed; } };
}

/** Does something for each, some at once. */
async function each(list, width, act) {
  const todo = [...list.entries()];
  await Promise.all(Array.from({ length: width }, async () => {
    for (let next = todo.shift(); next; next = todo.shift()) await act(next[1], next[0]);
  }));
}

const at = (list, share) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))];
const rss = async (pid) => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
const cpu = async (pid) => (await readFile(`/proc/${pid}/stat`, "utf8")).split(" ").slice(13, 15).reduce((a, b) => a + Number(b), 0) / 100;

async function measure() {
  const dynamoPort = await freePort();
  const local = run("java", ["-cp", `${dynamo}/*`, `-Djava.library.path=${dynamo}`, "software.amazon.dynamodb.services.local.main.ServerRunner", "-inMemory", "-sharedDb", "-port", `${dynamoPort}`]);
  local.stdout.resume();
  const aws = run(emulators, ["--with-parent"]);
  const where = {};
  for await (const line of createInterface({ input: aws.stdout })) {
    const [name, url] = line.split(" ");
    where[name] = url;
    if (where.s3) break;
  }
  const script = join(scratch, "script.json");
  await writeFile(script, JSON.stringify([{ again: true, say: "@now ".repeat(WORDS).trim(), pace_ms: PACE_MS }]));
  const model = run(join(bin, "model-server"), [script]);
  const [line] = await once(createInterface({ input: model.stdout }), "line");
  const [modelUrl, key] = line.split(" ");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const environment = {
    ...clean,
    PORT: `${port}`,
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local-secret",
    AWS_REGION: "us-east-1",
    DYNAMODB_TABLE: "koda",
    DYNAMODB_ENDPOINT: `http://127.0.0.1:${dynamoPort}`,
    S3_BUCKET: "koda",
    S3_ENDPOINT: where.s3,
    KODA_SECRET: "a secret of at least thirty-two characters",
    KODA_DATA_DIR: join(scratch, "data"),
    KODA_LOG: "warn",
    ANTHROPIC_API_KEY: key,
    ANTHROPIC_BASE_URL: modelUrl,
    KODA_WEB_DIR: resolve(import.meta.dirname, "../../../web/dist"),
    KODA_TEMPLATES_DIR: resolve(import.meta.dirname, "../../../templates"),
    KODA_CAPTURE_BIN: join(bin, "koda-capture"),
    KODA_SANDBOXD_BIN: join(bin, "koda-sandboxd"),
  };
  await until("DynamoDB Local", async () => (await fetch(environment.DYNAMODB_ENDPOINT)).status > 0);
  const made = spawnSync(join(bin, "koda-server"), ["create-table"], { env: environment, encoding: "utf8" });
  if (made.status !== 0) throw new Error(made.stderr);
  const server = run(join(bin, "koda-server"), [], environment);
  server.stdout.resume();
  await until("koda-server", async () => (await fetch(`${url}/api/health`)).ok);

  process.stderr.write(`▸ ${TURNS + IDLE} sessions\n`);
  const sessions = [];
  await each(Array.from({ length: TURNS + IDLE }), 16, async () => {
    const project = await call(url, "POST", "/api/v1/projects", { name: "Load" });
    sessions.push((await call(url, "POST", `/api/v1/projects/${project.id}/sessions`, { node_id: "n1" })).id);
  });
  const memory = { before: await rss(server.pid) };

  const quiet = sessions.slice(TURNS).map((id) => {
    const one = { id, seqs: [] };
    one.stream = follow(url, id, (event) => one.seqs.push(event.seq));
    return one;
  });
  await until("idle streams", async () => quiet.every((one) => one.seqs.length > 0));
  await pause(20_000);
  memory.idle = await rss(server.pid);
  let [cpuBefore, began] = [await cpu(server.pid), Date.now()];
  await pause(10_000);
  const idleCores = (await cpu(server.pid) - cpuBefore) / ((Date.now() - began) / 1000);

  process.stderr.write(`▸ ${TURNS} turns at once\n`);
  const samples = [];
  const sampler = setInterval(async () => samples.push(await rss(server.pid).catch(() => 0)), 1000);
  const oldest = [];
  const newest = [];
  const talks = sessions.slice(0, TURNS).map((id) => {
    const one = { id, seqs: [], text: "", said: undefined, finished: false };
    one.stream = follow(url, id, (event, when) => {
      one.seqs.push(event.seq);
      if (event.type === "text_delta") {
        one.text += event.text;
        const stamps = event.text.trim().split(/\s+/).map(Number);
        oldest.push(when - stamps[0]);
        newest.push(when - stamps.at(-1));
      } else if (event.type === "model_finished") {
        one.said = event.answer.content.find((c) => c.type === "text")?.text;
      } else if (event.type === "turn_finished") {
        one.finished = event.outcome;
      }
    });
    return one;
  });
  [cpuBefore, began] = [await cpu(server.pid), Date.now()];
  await each(talks, 64, (one) => call(url, "POST", `/api/v1/sessions/${one.id}/messages`, { text: "Tell me something." }));
  await until("all turns", async () => talks.every((one) => one.finished), 180);
  const seconds = (Date.now() - began) / 1000;
  const busyCores = (await cpu(server.pid) - cpuBefore) / seconds;
  memory.turns = Math.max(...samples);

  // What happens in a session whose tab was silent all the time is told as well.
  const touched = quiet.slice(0, 50);
  await each(touched, 16, (one) => call(url, "PATCH", `/api/v1/sessions/${one.id}/settings`, { fps: 24 }));
  await until("news in idle tabs", async () => touched.every((one) => one.seqs.length > 1));
  await pause(10_000);
  memory.after = await rss(server.pid);
  clearInterval(sampler);

  const gaps = [...talks, ...quiet].filter((one) => one.seqs.some((seq, n) => seq !== one.seqs[0] + n)).length;
  const wrong = talks.filter((one) => one.text !== one.said || one.said.split(/\s+/).length !== WORDS || one.finished.type !== "answered").length;
  const dropped = [...talks, ...quiet].filter((one) => one.stream.closed).length;
  for (const one of [...talks, ...quiet]) one.stream.end();
  const round = (values) => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value.toFixed(2))]));
  const report = {
    turns: TURNS,
    idle_streams: IDLE,
    words_a_second: Math.round((TURNS * WORDS) / seconds),
    seconds: Number(seconds.toFixed(1)),
    events_lost_or_doubled: gaps,
    turns_not_as_the_model_said: wrong,
    streams_dropped: dropped,
    // A word waits for others that follow within the window in which they are gathered, 300 ms with DynamoDB.
    first_word_of_event_ms: round({ p50: at(oldest, 0.5), p99: at(oldest, 0.99) }),
    last_word_of_event_ms: round({ p50: at(newest, 0.5), p99: at(newest, 0.99) }),
    memory_mb: round(memory),
    cores: round({ idle: idleCores, turns: busyCores }),
  };
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  if (gaps + wrong + dropped > 0) process.exitCode = 1;
}

try {
  await measure();
} finally {
  for (const child of children) child.kill("SIGTERM");
  await rm(scratch, { recursive: true, force: true });
}
