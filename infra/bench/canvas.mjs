// How long the canvas takes from the approval of a plan to the first picture of its animation.
import { rm } from "node:fs/promises";

/** How long a person reads a plan before approving it, milliseconds; meanwhile its sandbox starts. */
const READS = 6000;

/** `cold`: approved as soon as the plan is there; `warm`: after it was read. Milliseconds each. */
export async function approved(bin, rounds) {
  process.env.KODA_BIN_DIR = bin;
  const { begin, openPage, startBrowser, startServer } = await import("../../web/e2e/support.mjs");
  const server = await startServer();
  const browser = await startBrowser();
  const problems = [];
  const once = async (reads) => {
    const page = await openPage(browser, problems);
    // In every frame, also that of the preview, which says when its first picture is on the screen.
    await page.addInitScript(() => {
      const look = () => {
        if (!window.koda) return requestAnimationFrame(look);
        window.koda.ready.then(() => requestAnimationFrame(() => requestAnimationFrame(() => (window.firstPicture = Date.now()))));
      };
      if (window !== top) look();
    });
    await page.goto(server.url);
    await begin(page, 'Kinetic typography: "Ship it today", 4 seconds, orange');
    const approve = page.getByRole("button", { name: /^Approve/ });
    await approve.waitFor({ timeout: 60_000 });
    await new Promise((done) => setTimeout(done, reads));
    const began = Date.now();
    await approve.click();
    for (const end = began + 120_000; Date.now() < end; ) {
      for (const frame of page.frames().slice(1)) {
        const at = await frame.evaluate(() => window.firstPicture ?? null).catch(() => null);
        if (at) {
          await page.context().close();
          return at - began;
        }
      }
      await new Promise((done) => setTimeout(done, 20));
    }
    throw new Error("the preview showed nothing within two minutes");
  };
  try {
    const [cold, warm] = [[], []];
    for (let round = 0; round < rounds; round++) {
      cold.push(await once(0));
      warm.push(await once(READS));
    }
    if (problems.length > 0) throw new Error(problems.join("\n"));
    return { cold, warm };
  } finally {
    await browser.close();
    await server.stop();
    await rm(server.data, { recursive: true, force: true });
  }
}
