// How long the canvas takes from the approval of a plan to the first picture of its animation.
import { rm } from "node:fs/promises";

/** How long a person reads a plan before approving it, milliseconds; meanwhile its sandbox starts. */
const READS = 6000;
/** How long a sandbox that waits takes to be there with its preview, milliseconds. */
const WAITS = 10_000;

/** Medians are the caller's business. `cold`: approved as soon as the plan is there; `read`: after it was read; `waiting`: approved at
 * once where a sandbox waited for it. Milliseconds each. */
export async function approved(bin, rounds) {
  process.env.KODA_BIN_DIR = bin;
  const { begin, openPage, startBrowser, startServer } = await import("../../web/e2e/support.mjs");
  const browser = await startBrowser();
  const problems = [];
  const once = async (server, reads) => {
    const page = await openPage(browser, problems);
    // In the preview: when its words are on the screen; in the canvas: when nothing lies over the preview any more.
    await page.addInitScript(() => {
      const there = () => (window === top ? document.querySelector('[aria-label="Play or pause"]') : /Ship/i.test(document.getElementById("stage")?.textContent ?? ""));
      const look = () => (there() ? requestAnimationFrame(() => requestAnimationFrame(() => (window.seen = Date.now()))) : requestAnimationFrame(look));
      look();
    });
    await page.goto(server.url);
    await begin(page, 'Kinetic typography: "Ship it today", 4 seconds, orange');
    const approve = page.getByRole("button", { name: /^Approve/ });
    await approve.waitFor({ timeout: 60_000 });
    await pause(reads);
    const began = Date.now();
    await approve.click();
    for (const end = began + 120_000; Date.now() < end; ) {
      const seen = await Promise.all(page.frames().map((frame) => frame.evaluate(() => window.seen ?? null).catch(() => null)));
      if (seen.length > 1 && seen.every(Boolean)) {
        await page.context().close();
        return Math.max(...seen) - began;
      }
      await pause(20);
    }
    throw new Error("the preview showed nothing within two minutes");
  };
  const serving = async (more, work) => {
    const server = await startServer(more);
    try {
      await work(server);
    } finally {
      await server.stop();
      await rm(server.data, { recursive: true, force: true });
    }
  };
  const [cold, read, waiting] = [[], [], []];
  try {
    await serving({ KODA_WARM_SANDBOXES: "0" }, async (server) => {
      for (let round = 0; round < rounds; round++) {
        cold.push(await once(server, 0));
        read.push(await once(server, READS));
      }
    });
    await serving({ KODA_WARM_SANDBOXES: "1" }, async (server) => {
      for (let round = 0; round < rounds; round++) {
        await pause(WAITS);
        waiting.push(await once(server, 0));
      }
    });
    if (problems.length > 0) throw new Error(problems.join("\n"));
    return { cold, read, waiting };
  } finally {
    await browser.close();
  }
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
