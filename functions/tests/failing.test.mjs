// What a client is told while the table cannot be used: when to come back, after few tries.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { startServer } from "./server.mjs";

/** The most times that one request of a client may ask a table that fails. */
const TRIES = 12;

const answers = {
  "a table that fails": [500, { __type: "com.amazonaws.dynamodb.v20120810#InternalServerError", message: "We failed." }],
  "a table that is throttled": [400, { __type: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", message: "Slow down." }],
};

for (const [what, [status, body]] of Object.entries(answers)) {
  test(`${what} is a 503 that says when to come back, after few tries`, { timeout: 120_000 }, async (t) => {
    let asked = 0;
    const table = createServer((request, response) => {
      // The worker's own look for work is a query.
      if (!`${request.headers["x-amz-target"]}`.endsWith(".Query")) asked++;
      request.resume().on("end", () => response.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(body)));
    });
    await new Promise((done) => table.listen(0, "127.0.0.1", done));
    t.after(() => {
      table.closeAllConnections();
      table.close();
    });
    const endpoint = `http://127.0.0.1:${table.address().port}`;
    // It lives, and says what is not well.
    const { url } = await startServer(t, {
      KODA_SECRET: "a secret of at least thirty-two characters",
      DYNAMODB_TABLE: "koda",
      DYNAMODB_ENDPOINT: endpoint,
      S3_BUCKET: "koda",
      S3_ENDPOINT: endpoint,
      S3_ACCESS_KEY: "a",
      S3_SECRET_KEY: "b",
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "a",
      AWS_SECRET_ACCESS_KEY: "b",
    });
    const health = await (await fetch(`${url}/api/health`)).json();
    assert.equal(health.store.ready, false);

    const before = asked;
    const answer = await fetch(`${url}/api/v1/projects`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "Never" }),
    });
    assert.equal(answer.status, 503);
    assert.ok(Number(answer.headers.get("retry-after")) >= 1);
    assert.equal((await answer.json()).error.code, "unavailable");
    assert.ok(asked > before && asked - before <= TRIES, `the table was asked ${asked - before} times`);
  });
}
