// What the README promises, in a real browser against a real server: from a prompt to a video file.
import assert from "node:assert/strict";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  api,
  begin,
  logOf,
  openPage,
  pictures,
  probe,
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

/** The frame that the preview says it shows. */
const frameOf = (page) =>
  page
    .getByLabel("Frame", { exact: true })
    .evaluate((slider) => Number(slider.getAttribute("aria-valuenow") ?? slider.value));

test("from an empty canvas to a downloaded MP4, with a change on the way", {
  timeout: 300_000,
}, async (t) => {
  const page = await openPage(browser, problems);
  t.after(() => page.context().close());
  await page.goto(server.url);
  await shoot(page, "1-dashboard");
  const box = await begin(page, 'Kinetic typography: "Ship it today", 3 seconds, 24 fps, orange');
  const approve = page.getByRole("button", { name: /^Approve/ });
  await approve.waitFor({ timeout: 30_000 });
  await shoot(page, "2-plan");
  await approve.click();

  // The preview is a page of its own origin, and shows before the check is through.
  const frame = page.frameLocator("iframe");
  await frame.locator("body").waitFor({ timeout: 30_000 });
  await page.getByText("Version 1").first().waitFor({ timeout: 120_000 });
  await shoot(page, "3-ready");
  const src = await page.locator("iframe").getAttribute("src");
  assert.match(new URL(src).host, /^[0-9a-z]{26}-[a-z2-7]{32}\.preview\.localhost:\d+$/);
  assert.notEqual(new URL(src).origin, new URL(server.url).origin);
  await until("the words in the preview", async () =>
    (await frame.locator("body").innerText()).match(/ship/i),
  );

  // Scrubbing is exact to the frame.
  const scrubber = page.getByLabel("Frame", { exact: true });
  await scrubber.focus();
  await scrubber.press("Home");
  for (let n = 0; n < 5; n++) await scrubber.press("ArrowRight");
  await until("frame 5", async () => (await frameOf(page)) === 5, 10);

  await box.fill("change the title to Ship it tonight, and make it portrait");
  await box.press("Enter");
  await page.getByText("Version 2").first().waitFor({ timeout: 120_000 });
  await scrubber.press("End");
  await until("the new words in the preview", async () =>
    (await frame.locator("body").innerText()).match(/tonight/i),
  );
  await shoot(page, "4-edited");

  // A reload shows the same.
  await page.reload();
  await page.getByText("Version 2").first().waitFor({ timeout: 30_000 });

  await page.getByRole("button", { name: "Export" }).first().click();
  const studio = page.getByRole("dialog");
  await studio.waitFor();
  await studio.getByText("720p").first().click();
  await studio.getByRole("button", { name: "Export", exact: true }).click();
  const link = studio.getByRole("link", { name: /Download/ });
  await link.waitFor({ timeout: 180_000 });
  await shoot(page, "5-exported");
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  const file = join(server.data, "download.mp4");
  await download.saveAs(file);
  assert.match(download.suggestedFilename(), /\.mp4$/);
  assert.ok((await stat(file)).size > 20_000);

  const video = probe(file);
  assert.deepEqual(
    {
      codec: video.codec_name,
      width: video.width,
      height: video.height,
      rate: video.avg_frame_rate,
      frames: video.frames,
    },
    { codec: "h264", width: 720, height: 1280, rate: "24/1", frames: 72 },
  );
  assert.ok(Math.abs(video.duration - 3) < 0.03, `lasts ${video.duration} s`);
  const different = new Set(pictures(file)).size;
  assert.ok(different > 30, `only ${different} different pictures in 72 frames`);

  // It was said when it was stored, and its poster is a picture of its size.
  const project = new URL(page.url()).pathname.split("/").at(-1);
  const { items } = await api(server, "GET", `/api/v1/projects/${project}/sessions`);
  const [{ id, state }] = items;
  const log = await logOf(server, id);
  assert.equal(log.findLast((it) => it.type === "render_progressed").progress.stage, "upload");
  const [render] = state.renders;
  assert.ok(render.output.poster, JSON.stringify(render.output));
  const answer = await fetch(`${server.url}/api/v1/sessions/${id}/renders/${render.id}/poster`);
  assert.match(answer.headers.get("content-type"), /^image\//);
  const poster = join(server.data, render.output.poster.split("/").at(-1));
  await writeFile(poster, Buffer.from(await answer.arrayBuffer()));
  const { width, height } = probe(poster);
  assert.deepEqual([width, height], [720, 1280]);
  assert.deepEqual(problems, []);
});

test("two tabs on one session show the same, and closing all of them stops nothing", {
  timeout: 120_000,
}, async () => {
  const one = await openPage(browser, problems);
  await one.goto(server.url);
  await begin(one, 'Title card saying "Two tabs", 2 seconds');
  await one.getByRole("button", { name: /^Approve/ }).waitFor({ timeout: 30_000 });
  await one.getByText(/Saved/).first().waitFor();

  const two = await openPage(browser, problems);
  await two.goto(one.url());
  await two.getByRole("button", { name: /^Approve/ }).click({ timeout: 30_000 });
  await one
    .getByRole("button", { name: /^Approve/ })
    .waitFor({ state: "detached", timeout: 10_000 });
  const address = one.url();
  await one.context().close();
  await two.context().close();

  const project = address.split("/").at(-1);
  await until(
    "the turn to finish without anybody looking",
    async () => {
      const list = await fetch(`${server.url}/api/v1/projects/${project}/sessions`).then((r) =>
        r.json(),
      );
      return list.items[0].state.versions.length === 1 && !list.items[0].state.turn;
    },
    90,
  );
  const three = await openPage(browser, problems);
  await three.goto(address);
  await three.getByText("Version 1").first().waitFor({ timeout: 30_000 });
  await three.context().close();
  assert.deepEqual(problems, []);
});
