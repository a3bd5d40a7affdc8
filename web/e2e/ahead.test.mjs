// What is there before it is needed: a sandbox that waits for an animation, and a page that is loaded while its plan is read.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { api, begin, openPage, sandboxes, startBrowser, startServer, until } from "./support.mjs";

let server;
let browser;
const problems = [];

before(async () => {
  server = await startServer({ KODA_WARM_SANDBOXES: "1" });
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("a plan is read with its page loaded, in a sandbox that waited, and shown without another load", async () => {
  const waiting = await until("a sandbox of each engine", () => {
    const names = sandboxes(server);
    return names.length === 2 && names;
  });
  const page = await openPage(browser, problems);
  await page.goto(server.url);
  await begin(page, 'Kinetic typography: "Ship it today", 4 seconds, orange');
  const approve = page.getByRole("button", { name: /^Approve/ });
  await approve.waitFor({ timeout: 60_000 });
  const project = page.url().split("/").at(-1);
  const { items } = await api(server, "GET", `/api/v1/projects/${project}/sessions`);
  const { state } = await api(server, "GET", `/api/v1/sessions/${items[0].id}`);
  assert.ok(waiting.includes(state.sandbox.id), `${state.sandbox.id} did not wait`);
  const frame = await until("the preview's page", async () => {
    const [, found] = page.frames();
    return (await found?.evaluate(() => Boolean(window.koda)).catch(() => false)) && found;
  });
  await frame.evaluate(() => {
    window.loadedAhead = true;
  });
  assert.equal(await page.locator("iframe").isVisible(), false, "there is nothing to see yet");
  await approve.click();
  await page.getByLabel("Play or pause", { exact: true }).first().waitFor({ timeout: 60_000 });
  assert.ok(await page.locator("iframe").isVisible());
  await until("its words", () =>
    frame.evaluate(() => /Ship/i.test(document.getElementById("stage").textContent)),
  );
  assert.ok(await frame.evaluate(() => window.loadedAhead), "the page was loaded anew");
  await page.getByText("Version 1").first().waitFor({ timeout: 120_000 });
  // Another waits in its place.
  await until("a third sandbox", () => sandboxes(server).length === 3);
  assert.deepEqual(problems, []);
});

test("a server that ends leaves none waiting", async () => {
  const { data } = server;
  await server.stop();
  server = null;
  await until("none of its processes to be left", async () => {
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
    const lines = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""));
    return !(await Promise.all(lines)).some((line) => line.includes(data));
  });
});
