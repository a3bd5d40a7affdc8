// Where a server has no hosts of its own for previews, browsers look at the sandbox's: no proxy in between, and no token.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { api, begin, openPage, startBrowser, startServer, until } from "./support.mjs";

let server;
let browser;
const problems = [];

before(async () => {
  server = await startServer({ SANDBOX_PROVIDER: "e2b-emulator", E2B_EMULATOR_PREVIEWS: "direct" });
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("a preview at the sandbox's own host shows every change, and moves with its sandbox", {
  timeout: 240_000,
}, async () => {
  const page = await openPage(browser, problems);
  await page.goto(server.url);
  const box = await begin(page, 'Title card saying "At its own host", 2 seconds');
  await page.getByRole("button", { name: /^Approve/ }).click({ timeout: 30_000 });
  const words = (expected) =>
    until(`"${expected}" in the preview`, () =>
      page
        .frameLocator("iframe")
        .locator("body")
        .innerText({ timeout: 1000 })
        .then(
          (text) => text.toLowerCase().includes(expected),
          () => false,
        ),
    );
  const host = async () => new URL(await page.locator("iframe").getAttribute("src")).host;
  await page.getByText("Version 1").first().waitFor({ timeout: 120_000 });
  await words("at its own host");
  const first = await host();
  assert.match(first, /^5173-[a-z0-9]+\.localhost:\d+$/);

  // Hot reload goes the same way: the page stays, its words change.
  const frame = page.frames().find((it) => it.url().includes(first));
  await frame.evaluate(() => {
    window.stayed = true;
  });
  await box.fill("change the title to Changed in place");
  await box.press("Enter");
  await page.getByText("Version 2").first().waitFor({ timeout: 120_000 });
  await words("changed in place");
  assert.equal(await frame.evaluate(() => window.stayed), true, "the page was loaded anew");

  // Its sandbox dies while nobody does anything; somebody who looks brings up another, at another host.
  const project = page.url().split("/").at(-1);
  const { items } = await api(server, "GET", `/api/v1/projects/${project}/sessions`);
  const emulator = `http://127.0.0.1:${first.split(":")[1]}`;
  await fetch(`${emulator}/_emulator/sandboxes`, { method: "DELETE" });
  await page.reload();
  await words("changed in place");
  assert.notEqual(await host(), first);
  assert.equal(items.length, 1);
  assert.deepEqual(problems, []);
});
