// How fast 3D scenes are drawn, without reading, encoding or taking pictures: Mesa's llvmpipe beside SwiftShader, with and without
// antialiasing and shadows, by one page and by two at once. Usage: gl.mjs [OUT.json]; SCENES=meshes SIZES=720 FRAMES=40 choose.
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import puppeteer from "puppeteer-core";
import { makeWorkspace, scenes, serve } from "./scenes.mjs";

const { SCENES = "meshes,particles", SIZES = "720,1080", FRAMES = "40" } = process.env;
const frames = Number(FRAMES);
const out = process.argv[2];
const chromium = process.env.KODA_CHROMIUM || "/usr/lib/chromium/chromium-headless-shell";
const GRAPHICS = {
  llvmpipe: ["--use-gl=angle", "--use-angle=gl-egl", "--ignore-gpu-blocklist"],
  swiftshader: ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"],
};
/** What is drawn otherwise than compositions are: by the page's address, or by an edit of the workspace. */
const VARIANTS = {
  "": {},
  "no antialiasing": { query: "&smooth=0" },
  "no shadows": { edit: ["src/koda/create-engine.tsx", 'shadows: "percentage"', "shadows: false"] },
};

/** Frames a second that so many browsers draw together. */
async function drawn(graphics, count, { port, query = "" }, height, env = {}) {
  const width = (height * 16) / 9;
  const pages = await Promise.all(
    Array.from({ length: count }, async () => {
      const browser = await puppeteer.launch({ executablePath: chromium, headless: "shell", args: ["--no-sandbox", "--hide-scrollbars", ...GRAPHICS[graphics]], env: { ...process.env, ...env } });
      const page = await browser.newPage();
      await page.setViewport({ width, height });
      await page.goto(`http://127.0.0.1:${port}/?mode=capture&width=${width}&height=${height}${query}`);
      await page.waitForFunction("window.koda");
      await page.evaluate("window.koda.ready.then(() => undefined)");
      return { browser, page };
    }),
  );
  // A frame is drawn when one of its pixels can be read; the first ones compile shaders.
  const draw = (page, from, to) =>
    page.evaluate(
      async (first, last) => {
        const gl = window.koda.canvas.getContext("webgl2");
        for (let frame = first; frame < last; frame++) {
          await window.koda.show(frame);
          gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
        }
      },
      from,
      to,
    );
  await Promise.all(pages.map(({ page }) => draw(page, 0, 5)));
  const began = performance.now();
  await Promise.all(pages.map(({ page }) => draw(page, 5, 5 + frames)));
  const seconds = (performance.now() - began) / 1000;
  await Promise.all(pages.map(({ browser }) => browser.close()));
  return Number(((frames * count) / seconds).toFixed(1));
}

const scratch = await mkdtemp(join(tmpdir(), "koda-gl-"));
const rows = [];
try {
  const publicFolder = join(scratch, "public");
  await mkdir(publicFolder);
  for (const name of SCENES.split(",")) {
    const scene = scenes.find((it) => it.name === name);
    for (const [variant, { query, edit }] of Object.entries(VARIANTS)) {
      const folder = join(scratch, `${name}-${variant.replaceAll(" ", "-")}`);
      await makeWorkspace(folder, scene, publicFolder, 90);
      if (edit) {
        const [file, from, to] = edit;
        const text = await readFile(join(folder, file), "utf8");
        if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`);
        await writeFile(join(folder, file), text.replace(from, to));
      }
      const { port, stop } = await serve(folder);
      for (const height of SIZES.split(",").map(Number)) {
        const row = { scene: name, variant, height };
        for (const graphics of Object.keys(GRAPHICS)) for (const count of [1, 2]) row[`${graphics}_${count}`] = await drawn(graphics, count, { port, query }, height);
        // One thread for each browser instead of one for each processor.
        row.llvmpipe_2_single = await drawn("llvmpipe", 2, { port, query }, height, { LP_NUM_THREADS: "1" });
        rows.push(row);
        process.stdout.write(`${JSON.stringify(row)}\n`);
      }
      stop();
    }
  }
  if (out) {
    await mkdir(dirname(out), { recursive: true });
    await writeFile(out, `${JSON.stringify(rows, null, 2)}\n`);
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
process.exit(0);
