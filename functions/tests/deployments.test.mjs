// The main job where several processes do it together: as functions of Lambda's, and as servers behind a load balancer. The
// process that works is killed in the middle.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cloud, pause, until } from "./cloud.mjs";
import { collector } from "./collector.mjs";

let cloud;
let gateway;
before(async () => {
  cloud = await Cloud.start();
  gateway = await cloud.functions();
});
after(() => cloud?.stop());

async function call(base, method, path, body) {
  const response = await fetch(base + path, {
    method,
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}\n${cloud.said()}`);
  return text ? JSON.parse(text) : null;
}

/** Follows a session's stream from its beginning, coming back where it was cut off, as a browser does. */
function follow(url) {
  const events = [];
  const stop = new AbortController();
  const listen = async () => {
    while (!stop.signal.aborted) {
      try {
        const headers = { "last-event-id": `${events.at(-1)?.seq ?? 0}` };
        const response = await fetch(url(), { headers, signal: stop.signal });
        let text = "";
        for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
          const parts = (text + chunk).split("\n\n");
          text = parts.pop();
          for (const part of parts) {
            const data = part.split("\n").find((line) => line.startsWith("data: "));
            if (data) events.push(JSON.parse(data.slice(6)));
          }
        }
      } catch {
        await pause(200);
      }
    }
  };
  const listening = listen();
  return {
    events,
    find: (check, what, seconds) => until(`${what}; ${events.map((e) => e.type).join(" ")}\n${cloud.said()}`, () => events.find(check), seconds),
    end: async () => {
      stop.abort();
      await listening;
    },
  };
}

/** What a browser gets at an address whose host is one of this machine's. */
async function page(url) {
  const { hostname, host, port } = new URL(url);
  assert.match(hostname, /\.localhost$/);
  const request = get({ host: "127.0.0.1", port, headers: { host, accept: "text/html", "sec-fetch-dest": "iframe" } });
  const [response] = await once(request, "response");
  let text = "";
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, text };
}

/** From a prompt to a video. `at` says where the next request goes; `disturb` is called in the middle of the turn. */
async function job(at, disturb) {
  const project = await call(at(), "POST", "/api/v1/projects", { name: "Together" });
  const session = await call(at(), "POST", `/api/v1/projects/${project.id}/sessions`, { node_id: "n1" });
  const path = `/api/v1/sessions/${session.id}`;
  const stream = follow(() => `${at()}${path}/events`);
  const message = { text: 'Kinetic typography: "Many hands", 2 seconds' };
  await call(at(), "POST", `${path}/messages`, message);
  const { hash } = await stream.find((e) => e.type === "plan_proposed", "no plan");
  await stream.find((e) => e.type === "turn_finished", "the first turn did not end");
  await call(at(), "POST", `${path}/plan`, { decision: "approve", hash });
  await stream.find((e) => e.type === "file_written", "nothing was written");
  await disturb();
  const { version } = await stream.find((e) => e.type === "version_created", "no version", 120);
  assert.ok(stream.events.some((e) => e.type === "turn_resumed"), "nobody took the turn over");
  const preview = await call(at(), "POST", `${path}/preview`, {});
  const { status, text } = await page(preview.url);
  assert.equal(status, 200, `${preview.url}: ${text}`);
  assert.match(text, /src\/koda\/main\.ts/);
  const render = await call(at(), "POST", `${path}/renders`, { resolution: "720p", format: "mp4" });
  await stream.find((e) => e.type === "render_ready" && e.render_id === render.id, "no video", 120);
  await stream.end();

  const { items } = await call(at(), "GET", `${path}/log?limit=1000`);
  assert.deepEqual(items.map((e) => e.seq), items.map((_, n) => n + 1), "a number is missing or doubled");
  assert.deepEqual(stream.events.map((e) => e.seq), stream.events.map((_, n) => n + 1), "the stream has a gap or a repetition");
  assert.equal(items.filter((e) => e.type === "version_created").length, 1);
  assert.equal(items.filter((e) => e.type === "file_written" && e.path === "src/Composition.tsx").length, 1);
  assert.equal(version.number, 1);
  const video = await fetch(`${at()}${path}/renders/${render.id}/file?download=1`);
  const file = join(cloud.folder, `${render.id}.mp4`);
  await writeFile(file, Buffer.from(await video.arrayBuffer()));
  const probe = spawnSync("ffprobe", ["-v", "error", "-show_entries", "stream=width,height,nb_frames", "-of", "csv=p=0", file], { encoding: "utf8" });
  assert.match(probe.stdout, /^1280,720,60/);
  await everythingElse(at, project, path);
  await call(at(), "DELETE", `/api/v1/projects/${project.id}`);
}

/** What a browser also asks for: words by hand, a file, an archive, an upload, and what there is to ask. */
async function everythingElse(at, project, path) {
  await call(at(), "PATCH", `${path}/design`, { title: "Fewer hands" });
  const changed = async () => {
    const { state } = await call(at(), "GET", path);
    return state.versions.length === 2 && !state.turn && state;
  };
  const { versions } = await until("no version of words by hand", changed);
  const source = await (await fetch(`${at()}${path}/files/src/design.ts`)).text();
  assert.match(source, /"title": "Fewer hands"/);
  const zip = Buffer.from(await (await fetch(`${at()}${path}/versions/${versions[1].id}/zip`)).arrayBuffer());
  assert.equal(zip.subarray(0, 2).toString(), "PK");

  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><script>alert(1)</script><rect width="40" height="30"/></svg>';
  const { asset, upload } = await call(at(), "POST", `/api/v1/projects/${project.id}/assets`, { filename: "mark.svg", media_type: "image/svg+xml", size: svg.length });
  const sent = await fetch(upload.url, { method: upload.method, headers: upload.headers, body: svg });
  assert.ok(sent.ok, `${sent.status} ${await sent.text()}`);
  const kept = await call(at(), "POST", `/api/v1/assets/${asset.id}/commit`);
  assert.deepEqual([kept.kind, kept.width, kept.height], ["image", 40, 30]);
  assert.equal((await call(at(), "PATCH", `/api/v1/assets/${asset.id}`, { role: "logo" })).role, "logo");
  const content = await (await fetch(`${at()}/api/v1/assets/${asset.id}/content`)).text();
  assert.ok(content.includes("rect") && !content.includes("script"), content);
  const { paths } = await call(at(), "GET", "/api/openapi.json");
  assert.ok(paths["/api/v1/sessions/{session}/design"]);
}

test("what an invocation did is at the collector before it ends, because nothing runs afterwards", { timeout: 120_000 }, async (t) => {
  const sink = await collector();
  t.after(() => sink.close());
  // Nothing is sent because its time has come: only what is sent on purpose arrives.
  const never = "3600000";
  const observed = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, OTEL_BSP_SCHEDULE_DELAY: never, OTEL_METRIC_EXPORT_INTERVAL: never };
  const made = await call(gateway, "POST", "/api/v1/projects", { name: "Observed" });
  const session = await call(gateway, "POST", `/api/v1/projects/${made.id}/sessions`, { node_id: "n1" });
  await call(gateway, "POST", `/api/v1/sessions/${session.id}/messages`, { text: 'Title card saying "Observed"' });

  const janitor = await cloud.shortLived("janitor", 30_000, observed);
  janitor.call({ session: session.id });
  await until(`the work did not end\n${cloud.said()}`, () => janitor.ended.length === 1);
  for (const name of ["turn", "model", session.id]) assert.ok(sink.got["/v1/traces"].includes(name), `no span says ${name}`);
  for (const name of ["koda.turns", "awaiting_plan"]) assert.ok(sink.got["/v1/metrics"].includes(name), `no metric says ${name}`);

  const chat = await cloud.shortLived("chat", 30_000, observed);
  const path = `/api/v1/sessions/${session.id}`;
  chat.call({
    resource: "/{proxy+}",
    path,
    httpMethod: "GET",
    headers: { host: "koda.example.com", "x-forwarded-proto": "https" },
    requestContext: { httpMethod: "GET", path, resourcePath: "/{proxy+}", stage: "live", requestId: "r", identity: {} },
    body: null,
    isBase64Encoded: false,
  });
  await until(`the request did not end\n${cloud.said()}`, () => chat.ended.length === 1);
  assert.ok(sink.got["/v1/traces"].includes("request"), "no span says request");
  assert.ok(sink.got["/v1/metrics"].includes("koda.request.seconds"), "no metric of requests");
  await call(gateway, "DELETE", `/api/v1/projects/${made.id}`);
});

test("functions do the job, and a schedule has it gone on with where one died", { timeout: 300_000 }, async () => {
  let workers = [1, 2, 3].map(() => cloud.function("janitor"));
  await job(
    () => gateway,
    async () => {
      await Promise.all(workers.map((worker) => worker.kill()));
      workers = [1, 2, 3].map(() => cloud.function("janitor"));
      // The lease of the dead one has to run out.
      await pause(11_000);
      await cloud.schedule("janitor");
    },
  );
});

test("any of two servers answers anything, and one goes on where the other died", { timeout: 300_000 }, async () => {
  const servers = [await cloud.server(), await cloud.server()];
  let turn = 0;
  let alive = servers;
  // The first request of the turn comes to the first, and with it the work; everything else goes back and forth.
  await job(
    () => alive[turn++ % alive.length].url,
    async () => {
      const { items } = await call(servers[1].url, "GET", "/api/v1/projects");
      assert.equal(items[0].name, "Together");
      await servers[0].kill();
      alive = [servers[1]];
      const third = await cloud.server();
      alive = [servers[1], third];
      await servers[1].kill();
      alive = [third];
    },
  );
  await alive[0].kill();
});

test("work that outlives its invocation is handed on to the next", { timeout: 300_000 }, async () => {
  const server = await cloud.server();
  let at = server.url;
  const made = await call(server.url, "POST", "/api/v1/projects", { name: "Long" });
  const session = await call(server.url, "POST", `/api/v1/projects/${made.id}/sessions`, { node_id: "n1" });
  const path = `/api/v1/sessions/${session.id}`;
  const log = async () => (await call(at, "GET", `${path}/log?limit=1000`)).items;
  const find = async (type) => (await log()).find((e) => e.type === type);
  await call(server.url, "POST", `${path}/messages`, { text: 'Kinetic typography: "A long film", 60 seconds' });
  const { hash } = await until("no plan", () => find("plan_proposed"));
  await call(server.url, "POST", `${path}/plan`, { decision: "approve", hash });
  await until("no version", () => find("version_created"), 120);
  const render = await call(server.url, "POST", `${path}/renders`, { resolution: "1080p", format: "mp4" });
  await until("it does not begin", () => find("render_progressed"), 60);
  // The renderer runs on in the sandbox; from here on only calls of twelve seconds look after it.
  await server.kill();
  at = gateway;
  const janitor = await cloud.shortLived("janitor", 12_000);
  const errand = () => janitor.call({ session: session.id });
  errand();
  // The lease of the killed server has to run out: then the schedule would call.
  await pause(11_000);
  errand();
  await until(`it was not handed on\n${cloud.said()}`, () => janitor.ended.length >= 3, 60);
  assert.ok(janitor.ended.every((end) => !end.failed), JSON.stringify(janitor.ended));
  const seen = (await log()).length;
  await until("nobody looks after it any more", async () => (await log()).length > seen, 30);
  // The one who has it now is who ends it.
  await call(at, "POST", `${path}/renders/${render.id}/cancel`);
  await until("it was not cancelled", () => find("render_cancelled"), 30);
  await call(at, "DELETE", `/api/v1/projects/${made.id}`);
});
