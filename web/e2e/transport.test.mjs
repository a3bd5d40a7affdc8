// The preview as an editor uses it: frames, in and out points, guides, faults, and an export of what is marked.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  api,
  begin,
  openPage,
  probe,
  sandboxes,
  shoot,
  startBrowser,
  startServer,
  until,
} from "./support.mjs";

let server;
let browser;
const problems = [];

before(async () => {
  server = await startServer();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** The studio of a new animation, with what its preview says of itself. */
async function studioOf(page, words) {
  await page.addInitScript(() => {
    window.played = [];
    addEventListener("message", ({ data }) => {
      if (data?.koda === 1 && data.type === "state" && data.playing) window.played.push(data.frame);
    });
  });
  await page.goto(server.url);
  await begin(page, words);
  await page.getByRole("button", { name: /^Approve/ }).click({ timeout: 30_000 });
  await page.getByText("Version 1").first().waitFor({ timeout: 120_000 });
  await shoot(page, "node");
  await page.getByRole("button", { name: "Open the studio" }).click();
  const studio = page.getByRole("dialog");
  await studio.getByRole("button", { name: "Frame forward" }).waitFor();
  await until("the transport", () => studio.getByRole("button", { name: "Loop" }).isEnabled());
  const project = page.url().split("/").at(-1);
  const { items } = await api(server, "GET", `/api/v1/projects/${project}/sessions`);
  return { studio, session: items[0].id };
}

/** The frame that the transport shows. */
const frameOf = (studio) =>
  studio.getByLabel("Frame", { exact: true }).evaluate((slider) => Number(slider.value));

async function shows(studio, frame) {
  let shown;
  const look = async () => {
    shown = await frameOf(studio);
    return shown === frame;
  };
  await until(`frame ${frame}`, look, 10).catch((error) => {
    throw new Error(`${error.message}; it shows ${shown}`);
  });
}

/** Goes to a frame by keys, from the beginning. */
async function goTo(page, studio, frame) {
  await page.keyboard.press("Home");
  for (let n = 0; n < Math.floor(frame / 10); n++) await page.keyboard.press("Shift+ArrowRight");
  for (let n = 0; n < frame % 10; n++) await page.keyboard.press("ArrowRight");
  await shows(studio, frame);
}

const points = (studio) =>
  Promise.all(
    ["In point", "Out point"].map(async (name) => {
      const handle = studio.getByRole("slider", { name });
      return (await handle.count()) ? Number(await handle.getAttribute("aria-valuenow")) : null;
    }),
  );

/** How far the guides lie beside the picture, in pixels. */
const beside = (studio) =>
  studio
    .locator("[data-guide]")
    .first()
    .evaluate((guide) => {
      const drawn = guide.closest("svg").getBoundingClientRect();
      const picture = document.querySelector("[role=dialog] iframe").getBoundingClientRect();
      return Math.max(
        ...["left", "top", "right", "bottom"].map((side) => Math.abs(drawn[side] - picture[side])),
      );
    });

test("a part is marked, played, kept through changes and exported to the frame", {
  timeout: 300_000,
}, async (t) => {
  const page = await openPage(browser, problems);
  t.after(() => page.context().close());
  const { studio, session } = await studioOf(
    page,
    'Kinetic typography: "Ship it today", 4 seconds, 24 fps, orange',
  );
  assert.equal(await page.locator("iframe").count(), 1, "a second page plays behind the studio");

  // Buttons step, and after a click on one of them Space plays.
  await studio.getByRole("button", { name: "First frame" }).click();
  for (const step of ["forward", "forward", "forward", "back"])
    await studio.getByRole("button", { name: `Frame ${step}` }).click();
  await shows(studio, 2);

  await goTo(page, studio, 24);
  await page.keyboard.press("i");
  await goTo(page, studio, 47);
  await studio.getByRole("button", { name: "Set the out point" }).click();
  assert.deepEqual(await points(studio), [24, 47]);
  await shoot(page, "marked");

  // From outside it begins at the in point, and goes round without leaving the part.
  await page.keyboard.press("End");
  await shows(studio, 95);
  await page.evaluate(() => {
    window.played = [];
  });
  await page.keyboard.press("Space");
  const seen = [];
  await until("three rounds of the part", async () => {
    seen.push(await frameOf(studio));
    return page.evaluate(
      () => window.played.filter((frame, n) => n > 0 && frame < window.played[n - 1]).length >= 3,
    );
  });
  assert.ok(
    seen.every((frame) => frame >= 24 && frame <= 47),
    `the transport showed ${seen}`,
  );
  const played = await page.evaluate(() => window.played);
  // A page that gets no processor hears late that it shall turn back, but it hears.
  assert.ok(
    played.every((frame) => frame >= 24 && frame < 24 + 2 * 24),
    `the page drew ${played}`,
  );
  assert.ok(played.includes(24) && played.some((frame) => frame >= 44), `the page drew ${played}`);

  // Without the loop it stops at the out point.
  await studio.getByRole("button", { name: "Loop" }).click();
  await studio.getByRole("button", { name: "Play", exact: true }).waitFor({ timeout: 10_000 });
  await shows(studio, 47);

  // A change of the animation keeps the playhead, and the points as far as there are frames.
  await goTo(page, studio, 30);
  await api(server, "PATCH", `/api/v1/sessions/${session}/settings`, { duration_seconds: 1.5 });
  await until("an out point at the new end", async () => (await points(studio))[1] === 35, 60);
  assert.deepEqual(await points(studio), [24, 35]);
  assert.equal(await frameOf(studio), 30);
  await api(server, "PATCH", `/api/v1/sessions/${session}/settings`, { duration_seconds: 4 });
  await until("the points as they were set", async () => (await points(studio))[1] === 47, 60);
  assert.equal(await frameOf(studio), 30);

  await studio.getByRole("tab", { name: /Export/ }).click();
  const marked = studio.getByRole("radio", { name: "Only from in to out" });
  await until(
    "the marked part",
    async () => (await marked.getAttribute("aria-checked")) === "true",
  );
  await studio.getByText("Frames 24 to 47, as marked in the preview.").waitFor();
  await studio.getByRole("button", { name: "Draft", exact: true }).click();
  await shoot(page, "export");
  await studio.getByRole("button", { name: "Export", exact: true }).click();
  const render = await until(
    "the render",
    async () => {
      const { items } = await api(server, "GET", `/api/v1/sessions/${session}/renders`);
      assert.notEqual(items[0]?.status, "failed", JSON.stringify(items[0]?.failure));
      return items[0]?.status === "ready" ? items[0] : null;
    },
    180,
  );
  assert.deepEqual(render.spec.range, { start: 24, end: 48 });
  assert.equal(render.frames, 24);
  assert.equal(render.output.frames, 24);
  const file = join(server.data, "part.mp4");
  const path = `/api/v1/sessions/${session}/renders/${render.id}/file`;
  await writeFile(file, new Uint8Array(await (await fetch(server.url + path)).arrayBuffer()));
  assert.equal(probe(file).frames, 24);

  // The node goes on where the studio was left.
  const left = await frameOf(studio);
  await studio.getByRole("button", { name: "Close the studio" }).click();
  await until("the preview in the node", () =>
    page.getByRole("button", { name: "Loop" }).isEnabled(),
  );
  await shows(page, left);
  await page.getByRole("button", { name: "Play", exact: true }).waitFor();
  await shoot(page, "node-marked");
  await page.getByRole("button", { name: "Open the studio" }).click();
  const clear = studio.getByRole("button", { name: "Clear in and out" });
  await until("the studio's transport", () => clear.isEnabled().catch(() => false));
  await shows(studio, left);
  assert.deepEqual(await points(studio), [24, 47]);
  await clear.click();
  assert.deepEqual(await points(studio), [null, null]);
  assert.deepEqual(problems, []);
});

test("guides lie on the picture in every shape, and a fault shows until it is mended", {
  timeout: 240_000,
}, async (t) => {
  const page = await openPage(browser, problems);
  t.after(() => page.context().close());
  const { studio, session } = await studioOf(
    page,
    'Title card saying "Within the lines", 2 seconds',
  );
  const shown = () =>
    studio
      .locator("[data-guide]")
      .evaluateAll((guides) => guides.map((guide) => guide.dataset.guide));
  await studio.getByRole("button", { name: "Guides" }).click();
  await page.getByRole("menuitemcheckbox", { name: /Safe areas/ }).click();
  await page.getByRole("menuitemcheckbox", { name: /Grid/ }).click();
  await shoot(page, "guides-menu");
  await page.keyboard.press("Escape");
  assert.deepEqual(await shown(), ["safe", "grid"]);
  assert.ok((await beside(studio)) <= 1, "the guides lie beside the picture");
  await shoot(page, "guides-16x9");

  // The pointer goes through them to the picture.
  await studio.getByRole("button", { name: "Frame forward" }).click();
  await studio.getByLabel("Play or pause").click();
  await studio.getByRole("button", { name: "Pause", exact: true }).waitFor();
  await page.keyboard.press("g");
  assert.deepEqual(await shown(), ["safe"]);
  await page.keyboard.press("g");

  await page.keyboard.press("f");
  await until("full screen", () => page.evaluate(() => document.fullscreenElement !== null), 10);
  await until("guides on the picture", async () => (await beside(studio)) <= 1, 10);
  await studio.getByRole("button", { name: "Guides" }).click();
  const entry = page.getByRole("menuitemcheckbox", { name: /Safe areas/ });
  await entry.waitFor();
  await shoot(page, "guides-16x9-full");
  // In full screen nothing outside of its element is drawn or can be clicked.
  await entry.click();
  await until("no safe areas", async () => (await shown()).join() === "grid", 10);
  await entry.click();
  await page.keyboard.press("Escape");
  await studio.getByRole("button", { name: "Leave full screen" }).click();
  await until("the studio", () => page.evaluate(() => document.fullscreenElement === null), 10);

  await api(server, "PATCH", `/api/v1/sessions/${session}/settings`, { aspect: "9:16" });
  await until(
    "a portrait picture",
    () => page.locator("iframe").evaluate((frame) => frame.clientHeight > frame.clientWidth * 1.5),
    60,
  );
  await page.keyboard.press("Shift+S");
  assert.deepEqual(await shown(), ["safe", "social", "grid"]);
  assert.ok((await beside(studio)) <= 1, "the guides lie beside the portrait picture");
  await shoot(page, "guides-9x16");
  await page.keyboard.press("f");
  await until("full screen", () => page.evaluate(() => document.fullscreenElement !== null), 10);
  await until("guides on the picture", async () => (await beside(studio)) <= 1, 10);
  await shoot(page, "guides-9x16-full");
  await page.keyboard.press("f");
  await until("the studio", () => page.evaluate(() => document.fullscreenElement === null), 10);

  // A viewer's choice outlives the page.
  await page.reload();
  await page.getByRole("button", { name: "Open the studio" }).click();
  await until("the guides again", async () => (await shown()).join() === "safe,social,grid");

  await until("the end of the turn", async () => {
    const { state } = await api(server, "GET", `/api/v1/sessions/${session}`);
    return !state.turn;
  });
  await until("the transport", () => studio.getByRole("button", { name: "Loop" }).isEnabled());
  await studio.getByRole("button", { name: "First frame" }).click();
  await page.keyboard.press("Shift+ArrowRight");
  await shows(studio, 10);
  const [name] = sandboxes(server).slice(-1);
  const source = join(server.data, "sandboxes", name, "app/src/Composition.tsx");
  const good = await readFile(source, "utf8");
  await writeFile(source, `${good}\nconst broken = ;\n`);
  const fault = studio.getByRole("region", { name: /^Preview of/ }).getByRole("alert");
  await fault.waitFor({ timeout: 30_000 });
  assert.match(await fault.innerText(), /src\/Composition\.tsx:\d+/);
  await shoot(page, "fault");
  await writeFile(source, good);
  await fault.waitFor({ state: "detached", timeout: 30_000 });
  assert.equal(await frameOf(studio), 10);
  await shoot(page, "mended");
  assert.deepEqual(problems, []);
});
