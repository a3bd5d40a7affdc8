// Measures how the functions start on Lambda: each is spawned as Lambda does, below an imitation of its Runtime API, and given one
// request that reads from the table; beside it, in turns, a handler on Node that does the same reads.
// Usage: cold-start.mjs FUNCTIONS SERVER EMULATORS OUT.json [RUNS]; FUNCTIONS is where `cargo lambda build` put them, and SERVER is
// koda-server, which makes the table.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, request as ask } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { deflateRawSync } from "node:zlib";
import { build } from "esbuild";

const [functions, server, emulators, out, runs = "30"] = process.argv.slice(2);
if (!out) {
  process.stderr.write("usage: cold-start.mjs FUNCTIONS SERVER EMULATORS OUT.json [RUNS]\n");
  process.exit(2);
}
const scratch = await mkdtemp(join(tmpdir(), "koda-cold-start-"));
const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|KODA|E2B|SANDBOX|S3|R2|DYNAMODB|OTEL|SSL)_/.test(name)));
const aws = spawn(resolve(emulators), ["--with-parent"], { env: clean, stdio: ["pipe", "pipe", "inherit"] });
const where = {};
for await (const line of createInterface({ input: aws.stdout })) {
  const [name, url] = line.split(" ");
  where[name] = url;
  if (where.dynamodb && where.s3) break;
}
// An account at E2B in which nothing runs: the function that looks after sandboxes asks for those that are left over.
const e2b = createServer((_, response) => response.writeHead(200, { "content-type": "application/json" }).end("[]"));
e2b.listen(0, "127.0.0.1");
await once(e2b, "listening");
const environment = {
  ...clean,
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local-secret",
  AWS_REGION: "us-east-1",
  AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "512",
  AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH: "1",
  DYNAMODB_TABLE: "koda",
  DYNAMODB_ENDPOINT: where.dynamodb,
  S3_BUCKET: "koda",
  S3_ENDPOINT: where.s3,
  E2B_API_KEY: `e2b_${"0".repeat(40)}`,
  E2B_API_URL: `http://127.0.0.1:${e2b.address().port}`,
  E2B_PREVIEW_URL: "https://PORT-ID.example.com",
  KODA_SECRET: "a secret of at least thirty-two characters",
  KODA_PUBLIC_URL: "https://koda.example.com",
  KODA_WORKER_FUNCTION: "janitor",
  // As in infra/aws/template.yaml, by the name that it has here. A folder of certificates that this machine's own environment names
  // would be read file by file, which doubles the time of a start.
  ...Object.fromEntries(
    ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"].filter((path) => existsSync(path)).map((path) => ["SSL_CERT_FILE", path]),
  ),
};

/**
 * Lambda's Runtime API for one process, which is given one event: when it asked for it, when the first byte of the answer came, and
 * what the answer was. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
async function invoke(program, args, env, event) {
  const times = {};
  let answer;
  let fail;
  const answered = new Promise((resolve, reject) => ([answer, fail] = [resolve, reject]));
  const server = createServer(async (request, response) => {
    if (request.url.endsWith("/invocation/next")) {
      if (times.polled) return; // the second poll waits for an event that does not come
      times.polled = performance.now();
      response.writeHead(200, {
        "lambda-runtime-aws-request-id": randomUUID(),
        "lambda-runtime-deadline-ms": `${Date.now() + 60_000}`,
        "lambda-runtime-invoked-function-arn": "arn:aws:lambda:us-east-1:1:function:f",
        "lambda-runtime-trace-id": "Root=1-0;Sampled=0",
        "content-type": "application/json",
      });
      response.end(JSON.stringify(event));
      return;
    }
    let body = Buffer.alloc(0);
    for await (const chunk of request) {
      body = Buffer.concat([body, chunk]);
      // A stream begins with status and headers, and eight bytes of zero.
      const start = request.headers["lambda-runtime-function-response-mode"] === "streaming" ? body.indexOf(Buffer.alloc(8)) + 8 : 0;
      if (start !== 7 && body.length > start) times.first ??= performance.now();
      if (times.first && start > 0) break;
    }
    times.first ??= performance.now();
    answer({ url: request.url, body: body.toString() });
    response.writeHead(202).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const api = `127.0.0.1:${server.address().port}`;
  const began = performance.now();
  const child = spawn(program, args, { env: { ...env, AWS_LAMBDA_RUNTIME_API: api }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
  const gone = once(child, "exit").then(() => fail(new Error(`${program} ended:\n${said}`)));
  const late = setTimeout(() => fail(new Error(`${program} does not answer:\n${said}`)), 30_000);
  const { url, body } = await answered.finally(() => clearTimeout(late));
  const memory = /VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${child.pid}/status`, "utf8"))?.[1];
  child.kill("SIGKILL");
  await gone.catch(() => undefined);
  server.closeAllConnections();
  server.close();
  if (!url.endsWith("/response")) throw new Error(`${program} failed: ${body}\n${said}`);
  return { init: times.polled - began, first: times.first - times.polled, memory: Number(memory) / 1024, body };
}

/** A request as the REST API of API Gateway hands it on. */
function rest(method, path, body) {
  const [bare, query = ""] = path.split("?");
  const headers = { host: "koda.example.com", "content-type": "application/json", "x-forwarded-proto": "https" };
  return {
    resource: "/{proxy+}",
    path: bare,
    httpMethod: method,
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: Object.fromEntries(new URLSearchParams(query)),
    multiValueQueryStringParameters: Object.fromEntries([...new URLSearchParams(query)].map(([name, value]) => [name, [value]])),
    requestContext: { accountId: "1", apiId: "a", httpMethod: method, identity: { sourceIp: "127.0.0.1" }, path: bare, protocol: "HTTP/1.1", requestId: randomUUID(), resourcePath: "/{proxy+}", stage: "live" },
    body: body === undefined ? null : JSON.stringify(body),
    isBase64Encoded: false,
  };
}

const koda = (name, event, env = environment) => invoke(resolve(functions, name, "bootstrap"), [], { ...env, AWS_LAMBDA_FUNCTION_NAME: name }, event);

/** What a function answers, as JSON. */
async function call(name, method, path, body) {
  const { body: answer } = await koda(name, rest(method, path, body));
  const { statusCode, body: text } = JSON.parse(answer);
  if (statusCode >= 300) throw new Error(`${method} ${path}: ${statusCode} ${text}`);
  return JSON.parse(text);
}

/** Reads of the table that a function makes for an event, seen by a proxy in front of the table. */
async function readsOf(name, event) {
  const reads = [];
  const proxy = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const sent = Buffer.concat(chunks);
    const operation = request.headers["x-amz-target"]?.split(".")[1];
    reads.push({ name: operation, input: JSON.parse(sent.toString() || "null") });
    const onward = ask(where.dynamodb, { method: request.method, path: request.url, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.end(sent);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { body } = await koda(name, event, { ...environment, DYNAMODB_ENDPOINT: `http://127.0.0.1:${proxy.address().port}` });
  proxy.closeAllConnections();
  proxy.close();
  const writes = reads.filter((it) => !["GetItem", "Query", "TransactGetItems"].includes(it.name));
  if (writes.length > 0) throw new Error(`${name} does more than read: ${JSON.stringify(writes)}`);
  return { reads, bytes: body.length };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const round = (value) => Number(value.toFixed(1));

async function measure() {
  await makeTable();
  const project = await call("canvas", "POST", "/api/v1/projects", { name: "Cold" });
  const session = await call("canvas", "POST", `/api/v1/projects/${project.id}/sessions`, { node_id: "n1" });
  const path = `/api/v1/sessions/${session.id}`;
  const events = {
    canvas: rest("GET", `/api/v1/projects/${project.id}`),
    chat: rest("GET", path),
    file: rest("GET", `${path}/versions`),
    render: rest("GET", `${path}/renders`),
    sandbox: rest("POST", `${path}/preview`, {}),
    status: rest("GET", `${path}/events`),
    janitor: { source: "aws.scheduler" },
  };
  const bundle = join(scratch, "peer.mjs");
  const banner = { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' };
  await build({ entryPoints: [join(import.meta.dirname, "peer.mjs")], outfile: bundle, bundle: true, minify: true, platform: "node", target: "node20", format: "esm", banner });

  const rows = [];
  for (const [name, event] of Object.entries(events)) {
    const { reads, bytes } = await readsOf(name, event);
    const peer = { ...environment, PEER_READS: JSON.stringify(reads), PEER_ANSWER_BYTES: `${bytes}` };
    const [ours, theirs] = [[], []];
    for (let run = 0; run < Number(runs); run++) {
      ours.push(await koda(name, event));
      theirs.push(await invoke(process.execPath, [bundle], peer, event));
    }
    const of = (list, figure) => round(median(list.map((it) => it[figure])));
    const program = await readFile(resolve(functions, name, "bootstrap"));
    rows.push({
      function: name,
      zip_bytes: deflateRawSync(program).length,
      init_ms_p50: of(ours, "init"),
      first_byte_ms_p50: of(ours, "first"),
      memory_mb: of(ours, "memory"),
      peer_name: `Node ${process.versions.node} with the AWS SDK, one bundled file`,
      peer_ms_p50: round(of(theirs, "init") + of(theirs, "first")),
      peer_init_ms_p50: of(theirs, "init"),
      peer_first_byte_ms_p50: of(theirs, "first"),
      peer_memory_mb: of(theirs, "memory"),
      peer_zip_bytes: deflateRawSync(await readFile(bundle)).length,
      reads: reads.length,
      runs: Number(runs),
    });
    process.stderr.write(`${name} done\n`);
  }
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify(rows, null, 2)}\n`);
  console.table(Object.fromEntries(rows.map(({ function: name, peer_name: _, runs: __, ...row }) => [name, row])));
}

/** Makes the table as the server does. */
async function makeTable() {
  const made = spawn(resolve(server), ["create-table"], { env: environment, stdio: ["ignore", "ignore", "inherit"] });
  const [code] = await once(made, "exit");
  if (code !== 0) throw new Error("the table was not made");
}

try {
  await measure();
} finally {
  aws.kill("SIGTERM");
  e2b.closeAllConnections();
  e2b.close();
  await rm(scratch, { recursive: true, force: true });
}
