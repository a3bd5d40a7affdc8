// Koda as on Lambda, on this machine: the functions under `cargo lambda watch`, which builds each when it is first asked and again
// when its source changes; DynamoDB Local, an S3 server, E2B's emulator; and the canvas by Vite in front. Ends with Ctrl+C.
// Usage: watch.mjs BIN EMULATORS DYNAMODB_LOCAL CARGO_LAMBDA, the folder of Koda's programs and three places of tools.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "./port.mjs";

const root = resolve(import.meta.dirname, "../..");
const [bin, emulators, dynamo, cargoLambda] = process.argv.slice(2).map((path) => resolve(path));
const data = resolve(process.env.KODA_DATA_DIR ?? join(root, "data/watch"));
mkdirSync(data, { recursive: true });

const say = (text) => process.stderr.write(`\x1b[1m▸ ${text}\x1b[0m\n`);
const children = [];
let ending = false;

function run(program, args, env, { quiet = false, cwd = root } = {}) {
  const child = spawn(program, args, { cwd, env, stdio: ["pipe", "pipe", quiet ? "ignore" : "inherit"] });
  children.push(child);
  child.once("exit", (code) => {
    if (!ending) end(`${program} ended with ${code}`);
  });
  return child;
}

async function end(why) {
  if (ending) return;
  ending = true;
  if (why) say(why);
  for (const child of children) child.kill("SIGTERM");
  await Promise.all(children.filter((it) => it.exitCode === null && it.signalCode === null).map((it) => once(it, "exit")));
  process.exit(why ? 1 : 0);
}
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => end());

async function until(what, look) {
  for (let tries = 0; tries < 300 && !ending; tries++) {
    if (await look().catch(() => false)) return;
    await new Promise((done) => setTimeout(done, 200));
  }
  if (!ending) await end(`${what} did not answer`);
}

const gatewayPort = Number(process.env.LAMBDA_PORT || 9000);
const gateway = `http://127.0.0.1:${gatewayPort}`;
const port = Number(process.env.PORT || 5180);

say("Starting DynamoDB Local, S3, Lambda's calls and E2B's emulator");
const dynamoPort = await freePort();
run("java", ["-cp", `${dynamo}/*`, `-Djava.library.path=${dynamo}`, "software.amazon.dynamodb.services.local.main.ServerRunner", "-inMemory", "-sharedDb", "-port", `${dynamoPort}`], process.env, { quiet: true, cwd: data }).stdout.resume();
const aws = run(emulators, ["--with-parent", "--lambda", "127.0.0.1:0", "--functions", gateway], process.env);
const where = {};
for await (const line of createInterface({ input: aws.stdout })) {
  const [name, url] = line.split(" ");
  where[name] = url;
  if (where.s3 && where.lambda) break;
}
const e2b = run(join(bin, "e2b-emulator"), ["serve", "--listen", "127.0.0.1:0", "--folder", join(data, "e2b")], process.env);
const [e2bUrl] = await once(createInterface({ input: e2b.stdout }), "line");

// What a developer has set for AWS or E2B is for the real ones.
const own = Object.entries(process.env).filter(([name]) => !/^(AWS|E2B|SANDBOX|S3|R2|DYNAMODB)_|^(KODA_DATA_DIR|LAMBDA_PORT)$/.test(name));
const environment = {
  ...Object.fromEntries(own),
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local-secret",
  AWS_REGION: "us-east-1",
  AWS_ENDPOINT_URL_LAMBDA: where.lambda,
  DYNAMODB_TABLE: "koda",
  DYNAMODB_ENDPOINT: `http://127.0.0.1:${dynamoPort}`,
  S3_BUCKET: "koda",
  S3_ENDPOINT: where.s3,
  E2B_API_KEY: `e2b_${"0".repeat(40)}`,
  E2B_API_URL: e2bUrl,
  E2B_SANDBOX_URL: e2bUrl,
  E2B_PREVIEW_URL: `http://PORT-ID.localhost:${new URL(e2bUrl).port}`,
  KODA_SECRET: "known to everybody, and good for this machine alone",
  KODA_PUBLIC_URL: `http://localhost:${port}`,
  KODA_WORKER_FUNCTION: "janitor",
};
const complete = (program, args) => {
  const { status } = spawnSync(program, args, { cwd: root, env: { ...environment, E2B_BUILD_LOG: "quiet" }, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) return end(`${program} ${args.join(" ")} ended with ${status}`);
};
await until("DynamoDB Local", async () => (await fetch(environment.DYNAMODB_ENDPOINT)).status > 0);
await complete(join(bin, "koda-server"), ["create-table"]);
say("Building the sandboxes' templates in the emulator");
await complete("node", ["e2b/templates/build.mjs", "--bin", bin, "--out", join(data, "context")]);

say("Starting cargo lambda watch; the first request of each function builds it");
run(cargoLambda, ["lambda", "--global", "infra/dev/watch.toml", "watch", "--timeout", "900", "-A", "127.0.0.1", "-P", `${gatewayPort}`], environment).stdout.pipe(process.stderr);
// Without npm between, which does not pass on that it shall end.
run(process.execPath, ["node_modules/vite/bin/vite.js", "--port", `${port}`, "--strictPort"], { ...process.env, KODA_URL: gateway, KODA_ORIGIN: environment.KODA_PUBLIC_URL }, { cwd: join(root, "web") }).stdout.resume();
await until("status", async () => (await fetch(`${gateway}/api/health`)).ok);
// As the schedule does every minute.
setInterval(() => {
  void fetch(`${where.lambda}/2015-03-31/functions/janitor/invocations`, { method: "POST", body: "{}" }).catch(() => undefined);
}, 60_000).unref();
process.stdout.write(`Koda is at http://localhost:${port}\n`);
