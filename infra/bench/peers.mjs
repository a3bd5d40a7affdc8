// The ways of rendering. Each is a program of its own, run as `node peers.mjs WAY JOB` or as koda-capture, and says in one line of
// JSON how long it drew and encoded, without starting the browser and loading the page.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./tools.mjs";

const chromium = process.env.KODA_CHROMIUM || "/usr/lib/chromium/chromium-headless-shell";

/** Remotion's own renderer, at the concurrency that is best here. */
async function remotion({ serveUrl, scene, width, out, frames, length, preset, crf, imageFormat }) {
  const { renderMedia, selectComposition, openBrowser } = await import("@remotion/renderer");
  // Without a graphics processor its own default draws no WebGL.
  const chromiumOptions = scene === "webgl" ? { gl: "swangle" } : {};
  const options = { browserExecutable: chromium, chromeMode: "headless-shell", logLevel: "error", chromiumOptions };
  const puppeteerInstance = await openBrowser("chrome", options);
  const composition = await selectComposition({ ...options, serveUrl, id: scene, puppeteerInstance });
  let began = 0;
  await renderMedia({
    ...options,
    puppeteerInstance,
    serveUrl,
    // As long as the workspace's: what moves does so by its share of that.
    composition: { ...composition, durationInFrames: length },
    frameRange: [0, frames - 1],
    codec: "h264",
    colorSpace: "bt709",
    muted: true,
    scale: width / composition.width,
    outputLocation: out,
    concurrency: Number(process.env.REMOTION_CONCURRENCY ?? 2),
    ...(preset ? { x264Preset: preset, crf } : {}),
    ...(imageFormat ? { imageFormat } : {}),
    onProgress: ({ renderedFrames }) => {
      if (renderedFrames > 0) began ||= performance.now();
    },
  });
  const seconds = (performance.now() - began) / 1000;
  await puppeteerInstance.close({ silent: true });
  return seconds;
}

/** A screenshot of each frame as PNG by puppeteer, then FFmpeg. */
async function screenshots({ port, engine, scene, width, height, out, frames, preset = "veryfast", crf = 20 }) {
  const { launch } = await import("puppeteer-core");
  const gl = engine === "theatre" || scene === "webgl" ? ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"] : [];
  const browser = await launch({ executablePath: chromium, headless: "shell", args: ["--no-sandbox", "--hide-scrollbars", ...gl] });
  const page = await browser.newPage();
  await page.setViewport({ width, height });
  await page.goto(`http://127.0.0.1:${port}/?mode=capture&width=${width}&height=${height}`);
  await page.waitForFunction("window.koda");
  await page.evaluate("window.koda.ready.then(() => undefined)");
  const folder = `${out}.frames`;
  await mkdir(folder, { recursive: true });
  const began = performance.now();
  for (let frame = 0; frame < frames; frame++) {
    await page.evaluate((number) => window.koda.show(number), frame);
    await page.screenshot({ path: join(folder, `${String(frame).padStart(5, "0")}.png`) });
  }
  await run("ffmpeg", ["-v", "error", "-y", "-framerate", "30", "-i", join(folder, "%05d.png"), "-vf", "scale=out_color_matrix=bt709:out_range=tv", "-c:v", "libx264", "-preset", preset, "-crf", `${crf}`, "-pix_fmt", "yuv420p", "-colorspace", "bt709", "-color_range", "tv", "-movflags", "+faststart", out]);
  const seconds = (performance.now() - began) / 1000;
  await browser.close();
  await rm(folder, { recursive: true });
  return seconds;
}

const [way, job] = process.argv.slice(2);
const seconds = await { remotion, screenshots }[way](JSON.parse(job));
process.stdout.write(`${JSON.stringify({ seconds })}\n`);
process.exit(0);
