// What a chat costs in DynamoDB: read and write units as AWS charges them, of a turn, of a minute in which text streams, and
// of a minute in which a tab stands open.
// Usage: units.mjs BIN EMULATORS DYNAMODB_LOCAL OUT.json
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, request as ask } from "node:http";
import { once } from "node:events";
import { dirname, resolve } from "node:path";
import { call, follow, newSession, pause, room, until } from "./room.mjs";

const [bin, emulators, dynamo, out] = process.argv.slice(2, 6).map((path) => path && resolve(path));
if (!out) {
  process.stderr.write("usage: units.mjs BIN EMULATORS DYNAMODB_LOCAL OUT.json\n");
  process.exit(2);
}
/** US dollars for a million units on demand, us-east-1. */
const PRICE = { read: 0.125, write: 0.625 };
const READS = new Set(["GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"]);
const spent = { read: 0, write: 0, calls: {} };

/** Bytes of an attribute, about. */
function size(value) {
  if (value === null || typeof value !== "object") return String(value).length;
  if (typeof value.B === "string") return (value.B.length * 3) / 4;
  return Object.entries(value).reduce((sum, [name, part]) => sum + (/^[SNBMLU]$|^[SNB]S$|^BOOL$/.test(name) ? 0 : name.length) + size(part), 0);
}

/**
 * What one call is charged. DynamoDB Local charges a transaction as if it were single writes, its conditions nothing, and a query
 * that finds nothing nothing; AWS charges each item of a transaction twice, and half a unit at least for a query.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html
 */
function charge(operation, request, answer) {
  if (operation === "TransactWriteItems") {
    const items = request.TransactItems.map((item) => Math.ceil(Math.max(1, size(item.Put?.Item ?? {})) / 1024));
    return items.reduce((sum, units) => sum + 2 * units, 0);
  }
  const consumed = [answer.ConsumedCapacity ?? []].flat();
  const units = consumed.reduce((sum, one) => sum + one.CapacityUnits, 0);
  return operation === "Query" ? Math.max(0.5, units) : units;
}

/** Passes everything on, and counts what it costs. */
async function meter(dynamodb) {
  const target = new URL(dynamodb);
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const operation = (request.headers["x-amz-target"] ?? "").split(".")[1];
    const charged = READS.has(operation) || /Item/.test(operation ?? "");
    const body = charged ? JSON.stringify({ ...JSON.parse(text), ReturnConsumedCapacity: "TOTAL" }) : text;
    const headers = { ...request.headers, "content-length": Buffer.byteLength(body) };
    const onward = ask({ host: target.hostname, port: target.port, path: request.url, method: request.method, headers }, async (answer) => {
      const chunks = [];
      for await (const chunk of answer) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      if (charged) {
        const units = charge(operation, JSON.parse(text), JSON.parse(bytes.toString() || "{}"));
        spent[READS.has(operation) ? "read" : "write"] += units;
        const seen = (spent.calls[operation] ??= { calls: 0, units: 0 });
        seen.calls += 1;
        seen.units += units;
      }
      response.writeHead(answer.statusCode, answer.headers).end(bytes);
    });
    onward.on("error", () => response.destroy());
    onward.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  return `http://127.0.0.1:${server.address().port}`;
}

/** What is spent while this happens. */
async function cost(act) {
  const before = structuredClone(spent);
  const events = await act();
  const read = spent.read - before.read;
  const write = spent.write - before.write;
  const calls = Object.fromEntries(Object.entries(spent.calls).map(([name, { calls, units }]) => [name, { calls: calls - (before.calls[name]?.calls ?? 0), units: units - (before.calls[name]?.units ?? 0) }]).filter(([, one]) => one.calls));
  return { events, read_units: read, write_units: write, dollars: Number(((read * PRICE.read + write * PRICE.write) / 1e6).toPrecision(3)), calls };
}

async function turn(url, session, message, decide) {
  let events = 0;
  let ended = 0;
  let hash;
  const began = Date.now();
  const stream = follow(url, session, (event) => {
    // The stream begins with what was before.
    if (Date.parse(event.at) < began) return;
    events += 1;
    if (event.type === "turn_finished") ended += 1;
    if (event.type === "plan_proposed") hash = event.hash;
  });
  await call(url, "POST", `/api/v1/sessions/${session}/messages`, { text: message });
  await until("the plan or the answer", async () => ended === 1, 120);
  if (decide) {
    await call(url, "POST", `/api/v1/sessions/${session}/plan`, { decision: "approve", hash });
    await until("the first version", async () => ended === 2, 180);
  }
  stream.end();
  return events;
}

const here = await room();
try {
  const cloud = await here.cloud(emulators, dynamo);
  const metered = { ...cloud, dynamodb: await meter(cloud.dynamodb) };
  const report = {};
  const demo = await here.server(bin, metered, { KODA_MODEL_PROVIDERS: "demo", KODA_TURNS_PER_MINUTE: "60" });
  const session = await newSession(demo.url, { duration_seconds: 4 });
  report.plan_and_build = await cost(() => turn(demo.url, session, "A logo reveal for Acme in blue", true));
  report.edit = await cost(() => turn(demo.url, session, "make it red", false));
  const tab = follow(demo.url, session, () => {});
  report.first_minute_of_a_tab = await cost(() => pause(60_000));
  // By then it looks as seldom as it ever does.
  await pause(30_000);
  report.later_minute_of_a_tab = await cost(() => pause(60_000));
  tab.end();
  report.nobody_there_minute = await cost(() => pause(60_000));
  const words = await here.model(bin, [{ again: true, say: "word ".repeat(1_200).trim(), pace_ms: 50 }]);
  const talking = await here.server(bin, metered, { ...words, KODA_DATA_DIR: undefined });
  const talk = await newSession(talking.url);
  report.streamed_minute = await cost(() => turn(talking.url, talk, "Tell me something.", false));
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
} finally {
  await here.end();
}
