// Many at once: turns that stream, and tabs in which nothing happens, on one koda-server with DynamoDB Local, S3's emulator and a
// model that is a script. Every event is counted, every word is timed, and the server's memory is looked at.
// Usage: load.mjs BIN EMULATORS DYNAMODB_LOCAL OUT.json [TURNS] [IDLE]
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { call, each, follow, newSession, pause, room, until } from "./room.mjs";

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

const at = (list, share) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))];
const rss = async (pid) => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
const cpu = async (pid) => (await readFile(`/proc/${pid}/stat`, "utf8")).split(" ").slice(13, 15).reduce((a, b) => a + Number(b), 0) / 100;

async function measure() {
  const cloud = await here.cloud(emulators, dynamo);
  const model = await here.model(bin, [{ again: true, say: "@now ".repeat(WORDS).trim(), pace_ms: PACE_MS }]);
  const server = await here.server(bin, cloud, model);
  const { url } = server;

  process.stderr.write(`▸ ${TURNS + IDLE} sessions\n`);
  const sessions = [];
  await each(Array.from({ length: TURNS + IDLE }), 16, async () => sessions.push(await newSession(url)));
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

const here = await room();
try {
  await measure();
} finally {
  await here.end();
}
