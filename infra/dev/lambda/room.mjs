// One koda-server with DynamoDB Local, S3's emulator and a model that is a script, for measurements.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request as ask } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "../port.mjs";

/** The environment without what configures Koda or AWS. */
export const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|KODA|E2B|SANDBOX|S3|R2|DYNAMODB|OTEL|OPENAI|ANTHROPIC)_/.test(name)));

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export async function until(what, look, seconds = 60) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await pause(200)) if (await look().catch(() => false)) return;
  throw new Error(`waited in vain: ${what}`);
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
/** A request whose whole answer is read, as JSON. */
export function call(url, method, path, body) {
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

/** A session on a project of its own. */
export async function newSession(url, settings = {}) {
  const project = await call(url, "POST", "/api/v1/projects", { name: "Measured" });
  return (await call(url, "POST", `/api/v1/projects/${project.id}/sessions`, { node_id: "n1", settings })).id;
}

/** Follows a session's stream from its beginning; `seen` is given each event and when it came. */
export function follow(url, session, seen) {
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
export async function each(list, width, act) {
  const todo = [...list.entries()];
  await Promise.all(Array.from({ length: width }, async () => {
    for (let next = todo.shift(); next; next = todo.shift()) await act(next[1], next[0]);
  }));
}

/** The folder for what is written meanwhile, and the processes that are ended when it is over. */
export async function room() {
  const scratch = await mkdtemp(join(tmpdir(), "koda-measured-"));
  const children = [];
  const run = (program, args, env = clean) => {
    const child = spawn(program, args, { cwd: scratch, env, stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    return child;
  };

  /** AWS's services: their addresses. */
  async function cloud(emulators, dynamo) {
    const port = await freePort();
    const local = run("java", ["-cp", `${dynamo}/*`, `-Djava.library.path=${dynamo}`, "software.amazon.dynamodb.services.local.main.ServerRunner", "-inMemory", "-sharedDb", "-port", `${port}`]);
    local.stdout.resume();
    const aws = run(emulators, ["--with-parent"]);
    let s3;
    for await (const line of createInterface({ input: aws.stdout })) if (line.startsWith("s3 ")) { s3 = line.slice(3); break; }
    const dynamodb = `http://127.0.0.1:${port}`;
    await until("DynamoDB Local", async () => (await fetch(dynamodb)).status > 0);
    return { dynamodb, s3 };
  }

  /** A model that says what the script says, as an environment. */
  async function model(bin, script) {
    const path = join(scratch, "script.json");
    await writeFile(path, JSON.stringify(script));
    const server = run(join(bin, "model-server"), [path]);
    const [line] = await once(createInterface({ input: server.stdout }), "line");
    const [url, key] = line.split(" ");
    return { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: url };
  }

  /** A server that takes as much as it is given, and its table. */
  async function server(bin, { dynamodb, s3 }, more) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const environment = {
      ...clean,
      PORT: `${port}`,
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local-secret",
      AWS_REGION: "us-east-1",
      DYNAMODB_TABLE: "koda",
      DYNAMODB_ENDPOINT: dynamodb,
      S3_BUCKET: "koda",
      S3_ENDPOINT: s3,
      KODA_SECRET: "a secret of at least thirty-two characters",
      KODA_DATA_DIR: join(scratch, "data"),
      KODA_LOG: "warn",
      KODA_TURNS_PER_MINUTE: "0",
      KODA_CREATIONS_PER_MINUTE: "0",
      KODA_WEB_DIR: resolve(import.meta.dirname, "../../../web/dist"),
      KODA_TEMPLATES_DIR: resolve(import.meta.dirname, "../../../templates"),
      KODA_CAPTURE_BIN: join(bin, "koda-capture"),
      KODA_SANDBOXD_BIN: join(bin, "koda-sandboxd"),
      ...more,
    };
    const [status] = await once(run(join(bin, "koda-server"), ["create-table"], environment), "exit");
    if (status !== 0) throw new Error("the table could not be made");
    const child = run(join(bin, "koda-server"), [], environment);
    child.stdout.resume();
    await until("koda-server", async () => (await fetch(`${url}/api/health`)).ok);
    return { url, pid: child.pid };
  }

  async function end() {
    for (const child of children) child.kill("SIGTERM");
    await rm(scratch, { recursive: true, force: true });
  }
  return { cloud, model, server, end };
}
