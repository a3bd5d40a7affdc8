// What a server tells of its work: logs with ids, the time of each stage, traces and metrics at a collector.
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./cloud.mjs";
import { collector } from "./collector.mjs";
import { startServer } from "./server.mjs";

test("a turn is told in logs, in the API, and to a collector", { timeout: 120_000 }, async (t) => {
  const sink = await collector();
  t.after(() => sink.close());
  const server = await startServer(t, {
    KODA_LOG_FORMAT: "json",
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_EXPORTER_OTLP_HEADERS: "api-key=not%20for%20the%20log",
  });
  const { url } = server;
  const call = async (method, path, body) => {
    const response = await fetch(url + path, { method, headers: { "content-type": "application/json" }, body: body && JSON.stringify(body) });
    const text = await response.text();
    assert.ok(response.ok, `${path}: ${text}`);
    return text ? JSON.parse(text) : null;
  };
  const project = await call("POST", "/api/v1/projects", { name: "Observed" });
  const session = await call("POST", `/api/v1/projects/${project.id}/sessions`, { node_id: "n1" });
  const path = `/api/v1/sessions/${session.id}`;
  const state = async () => (await call("GET", path)).state;
  await call("POST", `${path}/messages`, { text: 'Title card saying "Observed", 1 second' });
  const { proposal } = await until("no plan", async () => ((it) => (it.proposal?.open && !it.turn ? it : null))(await state()));
  await call("POST", `${path}/plan`, { decision: "approve", hash: proposal.hash });
  const { turns } = await until(`no version: ${server.said()}`, async () => ((it) => (it.versions.length && !it.turn ? it : null))(await state()), 90);

  // In the API: what each took.
  assert.equal(turns.length, 2);
  const [planned, built] = turns;
  assert.equal(planned.outcome.type, "awaiting_plan");
  assert.equal(built.outcome.type, "ready");
  const { model_ms, tools_ms, sandbox_ms, check_ms } = built.stages;
  assert.ok(check_ms > 100 && sandbox_ms >= 0 && model_ms > 0 && tools_ms > 0, JSON.stringify(built));
  assert.ok(model_ms + tools_ms + check_ms <= built.total_ms, JSON.stringify(built));
  assert.equal(planned.stages.check_ms, 0);

  await call("DELETE", `/api/v1/projects/${project.id}`);
  await server.stop();
  const said = server.said();

  // In the log: who, what, and nothing that is secret.
  const lines = said.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  const end = lines.filter((line) => line.fields.message?.startsWith("The turn ended"));
  assert.deepEqual(end.map((line) => line.fields.outcome), ["awaiting_plan", "ready"]);
  const { span } = end[1];
  assert.deepEqual([span.name, span["session.id"], span["turn.id"], typeof span.tenant], ["turn", session.id, built.id, "string"]);
  assert.ok(!said.includes("not for the log"), "a header's value is in the log");

  // At the collector: the same as spans and as metrics.
  for (const name of ["turn", "model", "check", "sandbox", "request", session.id, built.id]) {
    assert.ok(sink.got["/v1/traces"].includes(name), `no span says ${name}`);
  }
  for (const name of ["koda.turns", "koda.turn.seconds", "koda.turn.check.seconds", "koda.request.seconds", "awaiting_plan"]) {
    assert.ok(sink.got["/v1/metrics"].includes(name), `no metric says ${name}`);
  }
  assert.deepEqual([...sink.keys], ["not for the log"]);
});
