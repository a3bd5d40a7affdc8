// `make eval`: every case through the HTTP API of a server, with the model that is configured or the demo model, a table, and
// target/report/eval.json. Uses the server at KODA_URL, or starts one of its own. CASES picks cases by a part of their names.
// DAILY=1 takes those that say `daily`, and those with a script that do not say `daily: false`.
// Cases with a `script` bring their own model, which says what the script says, and a server of their own. `assets` of a case or of a
// step are files of assets.mjs, each with its role; they go with the words of that step.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { freePort } from "../dev/port.mjs";
import { faults } from "./expect.mjs";
import { startModel } from "./scripted.mjs";
import { Session, client } from "./session.mjs";
import { source } from "./words.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const out = resolve(root, process.argv[2] ?? "target/report/eval.json");
/** How long one turn may take, in seconds. */
const TURN_SECONDS = 600;

async function readCases() {
  const names = (await readdir(join(here, "cases"))).filter((name) => name.endsWith(".yaml")).sort();
  const lists = await Promise.all(names.map(async (name) => parse(await readFile(join(here, "cases", name), "utf8"))));
  const cases = lists.flatMap((list) => list.cases ?? list);
  const twice = cases.map((it) => it.id).filter((id, at, all) => all.indexOf(id) !== at);
  if (twice.length > 0) throw new Error(`two cases are named ${twice[0]}`);
  return cases;
}

async function startServer(more = {}) {
  const data = await mkdtemp(join(tmpdir(), "koda-eval-"));
  const port = await freePort();
  const env = { ...process.env, KODA_DATA_DIR: data, PORT: String(port), KODA_LOG: process.env.KODA_LOG ?? "warn", KODA_TURNS_PER_MINUTE: "0", KODA_CREATIONS_PER_MINUTE: "0", ...more };
  const child = spawn(join(root, "infra/dev/run.sh"), { env, stdio: ["ignore", "ignore", "inherit"] });
  const url = `http://127.0.0.1:${port}`;
  const healthy = () => fetch(`${url}/api/health`).then((r) => r.ok, () => false);
  while (!(await healthy())) {
    if (child.exitCode !== null) throw new Error("The server ended before it was ready; its log is above.");
    await new Promise((done) => setTimeout(done, 200));
  }
  const stop = async () => {
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGTERM");
    await ended;
    await rm(data, { recursive: true, force: true });
  };
  return { url, stop };
}

function take(session, step) {
  if (step.set) return session.set(step.set);
  if (step.edit) return session.edit(step.edit);
  return session.say(step.say, step.answer, (step.assets ?? []).map(({ file }) => file));
}

/** Runs a case whose model says what a script says, on a server of its own. */
async function runScripted(given) {
  const model = await startModel(given);
  const server = await startServer(model.environment);
  try {
    return await run(client(server.url), given, model);
  } finally {
    await server.stop();
    model.stop();
  }
}

/** Runs one case; its faults are sentences, each with the step at which it showed. */
async function run(api, given, model) {
  const began = Date.now();
  const wrong = [];
  const session = await Session.begin(api, given.settings ?? {}, TURN_SECONDS);
  try {
    const steps = [{ say: given.prompt, answer: given.answer, assets: given.assets, expect: given.expect }, ...(given.then ?? [])];
    for (const asset of steps.flatMap((step) => step.assets ?? [])) await session.upload(asset);
    await model?.name(new Map([...session.assets].map(([file, { path }]) => [file, path.replace("public/", "")])));
    for (const [at, step] of steps.entries()) {
      const outcome = await take(session, step);
      const found = await faults(session, outcome, step.expect ?? {});
      wrong.push(...found.map((fault) => (steps.length > 1 ? `step ${at + 1}: ${fault}` : fault)));
      if (found.length > 0) break;
    }
  } catch (error) {
    wrong.push(error.message);
  }
  const state = await session.state();
  await session.end();
  const { usage } = state;
  return {
    id: given.id,
    engine: given.engine,
    techniques: given.techniques ?? [],
    passed: wrong.length === 0,
    wrong,
    words: source(state.approved?.engine, session.seen()?.report.texts),
    repairs: session.events.filter((event) => event.type === "model_told").length,
    tokens: usage.input_tokens + usage.cached_tokens + usage.cache_write_tokens + usage.output_tokens,
    cached_tokens: usage.cached_tokens,
    cost_usd: usage.cost_micros / 1e6,
    seconds: (Date.now() - began) / 1000,
  };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** Cases and passes, by a name or several of each result. */
function tally(results, names) {
  const groups = {};
  for (const result of results) {
    for (const name of [names(result)].flat()) {
      groups[name] ??= { cases: 0, passed: 0 };
      groups[name].cases++;
      if (result.passed) groups[name].passed++;
    }
  }
  return groups;
}

const own = process.env.KODA_URL ? null : await startServer();
try {
  const api = client(process.env.KODA_URL ?? own.url);
  const { models } = await api.json("GET", "/api/v1/config");
  const real = models.orchestrator.is_ai;
  // A model of one's own is asked for what is its own; scripts are for everyday.
  const fits = (it) => (real ? !it.script : it.needs !== "model" && (own || !it.script));
  const today = (it) => !process.env.DAILY || (it.daily ?? Boolean(it.script));
  const wanted = (await readCases()).filter((it) => it.id.includes(process.env.CASES ?? "") && fits(it) && today(it));
  console.log(`${wanted.length} cases with ${models.orchestrator.model}${real ? "" : ", which is not AI"}\n`);
  console.log(`${"case".padEnd(34)}${"repairs".padStart(8)}${"tokens".padStart(9)}${"cached".padStart(9)}${"US$".padStart(9)}${"s".padStart(7)}${"words".padStart(8)}`);
  const results = [];
  for (const given of wanted) {
    const result = await (given.script ? runScripted(given) : run(api, given));
    results.push(result);
    const { id, passed, repairs, tokens, cached_tokens, cost_usd, seconds, words, wrong } = result;
    const row = [String(repairs).padStart(8), String(tokens).padStart(9), String(cached_tokens).padStart(9), cost_usd.toFixed(4).padStart(9), seconds.toFixed(1).padStart(7), words.padStart(8)];
    console.log(`${`${passed ? "✓" : "✗"} ${id}`.padEnd(34)}${row.join("")}`);
    for (const fault of wrong) console.log(`    ${fault}`);
  }
  const report = {
    model: models.orchestrator.model,
    cases: results.length,
    passed: results.filter((it) => it.passed).length,
    by_engine: tally(results, (it) => it.engine),
    by_technique: tally(results, (it) => it.techniques),
    repairs_median: median(results.map((it) => it.repairs)),
    tokens: sum(results.map((it) => it.tokens)),
    cost_usd: sum(results.map((it) => it.cost_usd)),
    seconds_median: median(results.map((it) => it.seconds)),
    results,
  };
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify(report, null, 2)}\n`);
  const share = ([name, { cases, passed }]) => `${name} ${passed}/${cases}`;
  if (results.some((it) => it.words === "scene")) console.log("words: scene = as the texts of a 3D scene say, whose letters are shapes that cannot be read; page = as read on the page");
  console.log(`\n${report.passed} of ${report.cases} passed; ${Object.entries(report.by_engine).map(share).join(", ")}`);
  console.log(`by technique: ${Object.entries(report.by_technique).map(share).join(", ")}`);
  console.log(`repairs ${report.repairs_median}, ${report.seconds_median.toFixed(1)} s (medians); ${report.tokens} tokens, $${report.cost_usd.toFixed(4)} in all`);
  if (report.cases === 0 || report.passed < report.cases) process.exitCode = 1;
} finally {
  await own?.stop();
}
