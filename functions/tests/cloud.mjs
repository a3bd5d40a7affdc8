// A cloud on this machine: DynamoDB, S3, E2B and Lambda's control plane, each by an emulator, and what of Koda runs in it.
import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttp } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "../../infra/dev/port.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const BIN = process.env.KODA_BIN_DIR ?? join(ROOT, "target/debug");
const EMULATORS = process.env.AWS_EMULATORS_BIN ?? join(ROOT, "target/aws/debug/aws-emulators");
const CARGO_LAMBDA = process.env.CARGO_LAMBDA_BIN ?? "cargo-lambda";
const E2B_KEY = `e2b_${"0".repeat(40)}`;

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Waits until `look` gives something, and gives that. */
export async function until(what, look, seconds = 60) {
  for (const end = Date.now() + seconds * 1000; ; await pause(100)) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain: ${what}`);
  }
}

/** The environment without what would change how Koda or an SDK behaves. */
const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|KODA|E2B|SANDBOX|S3|R2|DYNAMODB)_/.test(name)));

export class Cloud {
  #processes = new Set();
  #said = [];
  #planes = new Set();

  /** Starts the emulators, makes the table, and builds the sandboxes' templates. */
  static async start() {
    const cloud = new Cloud();
    cloud.folder = await mkdtemp(join(tmpdir(), "koda-cloud-"));
    cloud.gateway = `http://127.0.0.1:${await freePort()}`;
    const emulators = ["--with-parent", "--lambda", "127.0.0.1:0", "--functions", cloud.gateway];
    const aws = cloud.run(EMULATORS, emulators, clean, ["pipe", "pipe", "pipe"]);
    const where = {};
    for await (const line of createInterface({ input: aws.stdout })) {
      const [name, url] = line.split(" ");
      where[name] = url;
      if (where.dynamodb && where.s3 && where.lambda) break;
    }
    const e2b = cloud.run(join(BIN, "e2b-emulator"), ["serve", "--listen", "127.0.0.1:0"], clean, ["ignore", "pipe", "pipe"]);
    const [url] = await once(createInterface({ input: e2b.stdout }), "line");
    cloud.environment = {
      ...clean,
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local-secret",
      AWS_REGION: "us-east-1",
      AWS_ENDPOINT_URL_LAMBDA: where.lambda,
      DYNAMODB_TABLE: "koda",
      DYNAMODB_ENDPOINT: where.dynamodb,
      S3_BUCKET: "koda",
      S3_ENDPOINT: where.s3,
      E2B_API_KEY: E2B_KEY,
      E2B_API_URL: url,
      E2B_SANDBOX_URL: url,
      KODA_SECRET: "a secret of at least thirty-two characters",
      KODA_LOG: "info",
    };
    cloud.do(join(BIN, "koda-server"), ["create-table"]);
    cloud.do("node", ["e2b/templates/build.mjs", "remotion", "--bin", BIN, "--out", join(cloud.folder, "e2b")], { E2B_BUILD_LOG: "quiet" });
    return cloud;
  }

  /** Runs a program to its end. */
  do(program, args, more = {}) {
    const done = spawnSync(program, args, { cwd: ROOT, env: { ...this.environment, ...more }, encoding: "utf8" });
    if (done.status !== 0) throw new Error(`${program} ${args.join(" ")}:\n${done.stdout}${done.stderr}`);
  }

  /** Starts a program that is ended with the cloud. */
  run(program, args, env, stdio = ["ignore", "pipe", "pipe"]) {
    const child = spawn(program, args, { cwd: ROOT, env, stdio });
    this.#processes.add(child);
    child.once("exit", () => this.#processes.delete(child));
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => this.#said.push(`${text}`));
    return child;
  }

  /** What everything said so far. */
  said() {
    return this.#said.join("").slice(-20_000);
  }

  /** A koda-server of its own, which shares nothing with others but the stores. */
  async server() {
    const port = await freePort();
    const url = `http://localhost:${port}`;
    const data = await mkdtemp(join(this.folder, "server-"));
    const process = this.run(join(BIN, "koda-server"), [], { ...this.environment, PORT: `${port}`, KODA_DATA_DIR: data });
    await until("koda-server did not start", () => healthy(url));
    return { url, kill: () => kill(process) };
  }

  /** Lambda's control plane, with every function running below it; its address answers all routes. */
  async functions() {
    const port = new URL(this.gateway).port;
    const args = ["lambda", "--global", "infra/dev/watch.toml", "watch", "--only-lambda-apis", "--timeout", "900", "-A", "127.0.0.1", "-P", port];
    this.run(CARGO_LAMBDA, args, this.environment);
    // It holds requests of a function that has not come yet: whether it listens is seen by a connection alone.
    await until("cargo lambda did not start", () => connects(port));
    for (const name of ["canvas", "chat", "file", "render", "sandbox", "status"]) this.function(name);
    await until("status does not answer", () => healthy(this.gateway));
    return this.gateway;
  }

  /** One process of a function, as Lambda starts one, below this control plane; its calls go where `calls` says. */
  function(name, runtime = `${this.gateway}/.rt/${name}`, calls = this.environment.AWS_ENDPOINT_URL_LAMBDA, more = {}) {
    const own = {
      AWS_ENDPOINT_URL_LAMBDA: calls,
      AWS_LAMBDA_RUNTIME_API: runtime,
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "512",
      KODA_PUBLIC_URL: "https://koda.example.com",
      // Functions pass no preview on; browsers find it at the sandbox's own host.
      E2B_PREVIEW_URL: `http://PORT-ID.localhost:${new URL(this.environment.E2B_API_URL).port}`,
      KODA_WORKER_FUNCTION: "janitor",
      ...more,
    };
    const process = this.run(join(BIN, name), [], { ...this.environment, ...own });
    return { kill: () => kill(process) };
  }

  /** Calls a function as the schedule does. */
  async schedule(name) {
    await fetch(`${this.environment.AWS_ENDPOINT_URL_LAMBDA}/2015-03-31/functions/${name}/invocations`, { method: "POST", body: '{"source":"aws.scheduler"}' });
  }

  /** Runs a function whose invocations may take this long, on the calls that it makes for itself and those put into `calls`. */
  async shortLived(name, milliseconds, more) {
    const plane = await runtime(milliseconds);
    this.#planes.add(plane);
    this.function(name, plane.url, `http://${plane.url}`, more);
    return plane;
  }

  async stop() {
    for (const plane of this.#planes) plane.close();
    await Promise.all([...this.#processes].map((process) => kill(process, "SIGTERM")));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/**
 * Lambda's control plane for one process, with deadlines as Lambda gives them, which cargo-lambda's lacks; and its API for calls
 * that nobody waits for. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
async function runtime(milliseconds) {
  const calls = [];
  const waiting = [];
  const ended = [];
  const give = () => {
    while (calls.length > 0 && waiting.length > 0) {
      const headers = {
        "lambda-runtime-aws-request-id": randomUUID(),
        "lambda-runtime-deadline-ms": `${Date.now() + milliseconds}`,
        "lambda-runtime-invoked-function-arn": "arn:aws:lambda:us-east-1:1:function:f",
        "lambda-runtime-trace-id": "Root=1-0;Sampled=0",
      };
      waiting.shift().writeHead(200, headers).end(calls.shift());
    }
  };
  const server = createHttp(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    if (request.url.endsWith("/invocation/next")) {
      waiting.push(response);
    } else if (request.url.startsWith("/2015-03-31/functions/")) {
      calls.push(body);
      response.writeHead(202).end();
    } else {
      ended.push({ at: Date.now(), failed: request.url.endsWith("/error") });
      response.writeHead(202).end();
    }
    give();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `127.0.0.1:${server.address().port}`,
    /** How each invocation ended, in order. */
    ended,
    call(payload) {
      calls.push(JSON.stringify(payload));
      give();
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Whether health is answered, and soon. */
const healthy = (url) => fetch(`${url}/api/health`, { signal: AbortSignal.timeout(1000) }).then((r) => r.ok, () => false);

function connects(port) {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => done(true)).once("error", () => done(false));
    socket.once("connect", () => socket.destroy());
  });
}

async function kill(process, signal = "SIGKILL") {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const ended = once(process, "exit");
  process.kill(signal);
  await ended;
}
