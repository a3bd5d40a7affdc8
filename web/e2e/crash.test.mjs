// The server is killed at the worst moments. Nothing is lost, nothing is doubled, nothing is left over.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  api,
  approve,
  begin,
  inSandboxes,
  logOf,
  newSession,
  openPage,
  pause,
  probe,
  sandboxes,
  startBrowser,
  startServer,
  until,
  wholeLog,
} from "./support.mjs";

let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const stateOf = async (session) => (await api(server, "GET", `/api/v1/sessions/${session}`)).state;

test("killed in the middle of a turn and of a render, the same tab carries on", {
  timeout: 400_000,
}, async () => {
  const problems = [];
  const page = await openPage(browser, problems);
  await page.goto(server.url);
  const box = await begin(page, 'Kinetic typography: "Still here", 3 seconds');
  await page.getByRole("button", { name: /^Approve/ }).click({ timeout: 30_000 });
  const project = page.url().split("/").at(-1);
  const [{ id: session }] = (await api(server, "GET", `/api/v1/projects/${project}/sessions`))
    .items;

  // In the check: files are written, the version is not made.
  await until("the check", async () =>
    (await logOf(server, session)).some((e) => e.type === "check_started"),
  );
  await server.kill();
  await pause(500);
  await server.start();
  await page.getByText("Version 1").first().waitFor({ timeout: 120_000 });
  let events = await logOf(server, session);
  wholeLog(events);
  assert.equal(events.filter((e) => e.type === "turn_resumed").length, 1);
  assert.equal(events.filter((e) => e.type === "version_created").length, 1);
  assert.equal(events.filter((e) => e.type === "message_posted").length, 1);

  // Its preview follows the next change, although its connection went with the server.
  await box.fill("change the title to Here again");
  await box.press("Enter");
  await page.getByText("Version 2").first().waitFor({ timeout: 120_000 });
  await page.getByLabel("Frame", { exact: true }).press("End");
  await until("the new words in the preview", () =>
    page
      .frameLocator("iframe")
      .locator("body")
      .innerText({ timeout: 1000 })
      .then(
        (text) => /again/i.test(text),
        () => false,
      ),
  );

  // In a render: the renderer runs on without its server, and is found again.
  const render = await api(server, "POST", `/api/v1/sessions/${session}/renders`, {
    resolution: "720p",
  });
  await until("frames", async () =>
    (await stateOf(session)).renders.some((r) => (r.progress?.frame ?? 0) > 5),
  );
  await server.kill();
  await pause(500);
  await server.start();
  const done = await until(
    "the render",
    async () =>
      (await stateOf(session)).renders.find(
        (r) => r.id === render.id && ["ready", "failed"].includes(r.status),
      ),
    180,
  );
  assert.equal(done.status, "ready", JSON.stringify(done.failure));
  assert.equal(done.attempts, 1, "it was begun again");
  const file = join(server.data, "crash.mp4");
  const response = await fetch(
    `${server.url}/api/v1/sessions/${session}/renders/${render.id}/file`,
  );
  await writeFile(file, Buffer.from(await response.arrayBuffer()));
  assert.equal(probe(file).frames, 90);

  // The same tab, which was never reloaded, still works.
  await box.fill("make it blue");
  await box.press("Enter");
  await page.getByText("Version 3").first().waitFor({ timeout: 120_000 });
  events = await logOf(server, session);
  wholeLog(events);
  assert.equal(sandboxes(server).length, 1, "a sandbox was left over");
  assert.deepEqual(problems, []);
});

test("stop ends the turn within two seconds, the command in the sandbox included", {
  timeout: 120_000,
}, async () => {
  const { session } = await newSession(server);
  await approve(server, session, 'Particles celebrating "Stop me", 4 seconds');
  await until("the check", async () =>
    (await logOf(server, session)).some((e) => e.type === "check_started"),
  );
  await pause(300);
  const asked = Date.now();
  await api(server, "POST", `/api/v1/sessions/${session}/stop`);
  const state = await until("the end", async () => {
    const state = await stateOf(session);
    return state.turn ? null : state;
  });
  assert.ok(Date.now() - asked < 2000, `took ${Date.now() - asked} ms`);
  assert.equal(state.outcome.type, "stopped");
  await until(
    "nothing to run",
    () => !inSandboxes(server).some((line) => line.includes("koda-capture check")),
    3,
  );

  // And the session is ready for the next message.
  await api(server, "POST", `/api/v1/sessions/${session}/messages`, { text: "make it red" });
  await until("a version", async () => (await stateOf(session)).versions.length === 1, 90);
});

test("a cancelled render leaves nothing running", { timeout: 120_000 }, async () => {
  const { session } = await newSession(server);
  await approve(server, session, 'Title card saying "Cancel", 10 seconds');
  await until("a version", async () => (await stateOf(session)).versions.length === 1, 90);
  const render = await api(server, "POST", `/api/v1/sessions/${session}/renders`, {
    resolution: "1080p",
  });
  await until("frames", async () => (await stateOf(session)).renders[0]?.progress?.frame > 3);
  await api(server, "POST", `/api/v1/sessions/${session}/renders/${render.id}/cancel`);
  const done = await until(
    "the end",
    async () => (await stateOf(session)).renders.find((r) => r.status === "cancelled"),
    5,
  );
  assert.equal(done.output, null);
  await until(
    "nothing to run",
    () => !inSandboxes(server).some((line) => line.includes("koda-capture render")),
    3,
  );
});

test("deleting the projects leaves no sandbox and no process", { timeout: 60_000 }, async () => {
  for (const { id } of (await api(server, "GET", "/api/v1/projects")).items) {
    await api(server, "DELETE", `/api/v1/projects/${id}`);
  }
  await until("no sandboxes", () => sandboxes(server).length === 0, 10);
  await until("no processes", () => inSandboxes(server).length === 0, 5);
});
