// Frames by Remotion's own renderer, for compositions that need what only it has. Asked in lines of JSON on its input:
// {"frames": [0, 1], "image": "png"}; a line and a picture for each frame in that order on its output:
// {"frame": 0, "bytes": 5120, "sounds": […]}, and {"done": true} or {"error": {"message", "frame"}}.
import { createInterface } from "node:readline";
import { once } from "node:events";
import { openBrowser, renderFrames } from "@remotion/renderer";

/** What the page says in its console of what is heard. */
const HEARD = "koda:heard ";

const { base, width, height, fps, durationInFrames, scale, transparent, pages, within, browser } = JSON.parse(process.argv[2]);
const composition = { id: "film", width, height, fps, durationInFrames, props: {}, defaultProps: {}, defaultCodec: null, defaultOutName: null, defaultVideoImageFormat: null, defaultPixelFormat: null, defaultProResProfile: null, defaultSampleRate: null };

async function tell(line, picture) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
  if (picture && !process.stdout.write(picture)) await once(process.stdout, "drain");
}

/** As `koda-capture` has it: which second of the file is heard as the frame begins. */
const sound = ({ src, volume, mediaFrame, audioStartFrame, playbackRate, toneFrequency, audioStreamIndex }) => ({
  src,
  volume,
  at: ((mediaFrame - audioStartFrame) * playbackRate + audioStartFrame) / fps,
  rate: playbackRate,
  tone: toneFrequency,
  stream: audioStreamIndex,
});

/** Several pages draw, each the next frame; a picture waits here until those before it are handed over. */
async function film(puppeteerInstance, { frames, image, quality }) {
  const sounds = new Map();
  const waiting = new Map();
  let next = 0;
  await renderFrames({
    serveUrl: `${base}src/koda/remotion/`,
    puppeteerInstance,
    composition,
    inputProps: {},
    frames,
    scale,
    imageFormat: image,
    ...(quality ? { jpegQuality: quality } : {}),
    outputDir: null,
    concurrency: Math.min(pages, frames.length),
    timeoutInMilliseconds: within,
    logLevel: "error",
    envVariables: { KODA_PAGE: `mode=capture&transparent=${transparent ? 1 : 0}` },
    onStart: () => undefined,
    onFrameUpdate: () => undefined,
    onBrowserLog: ({ text }) => {
      if (!text.startsWith(HEARD)) return;
      const heard = JSON.parse(text.slice(HEARD.length));
      sounds.set(heard[0].frame, heard.map(sound));
    },
    onFrameBuffer: async (picture, frame) => {
      const turn = frames.indexOf(frame);
      if (turn !== next) await new Promise((go) => waiting.set(turn, go));
      await tell({ frame, bytes: picture.length, sounds: sounds.get(frame) ?? [] }, picture);
      sounds.delete(frame);
      next += 1;
      waiting.get(next)?.();
      waiting.delete(next);
    },
  });
}

const puppeteerInstance = await openBrowser("chrome", { browserExecutable: browser, chromeMode: "headless-shell", forceDeviceScaleFactor: scale, logLevel: "error" });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    await film(puppeteerInstance, JSON.parse(line));
    await tell({ done: true });
  } catch (error) {
    await tell({ error: { message: String(error.message ?? error), frame: error.frame ?? null } });
  }
}
await puppeteerInstance.close({ silent: true });
process.exit(0);
