// Frames by Remotion's own renderer, for compositions that need what only it has. Asked in lines of JSON on its input:
// {"frames": [0, 1], "image": "png"}; a line and a picture for each frame in that order on its output:
// {"frame": 0, "bytes": 5120, "sounds": […]}, and {"done": true} or {"error": {"message", "frame"}}.
import { createInterface } from "node:readline";
import { once } from "node:events";
import { openBrowser, renderFrames } from "@remotion/renderer";

/** What the page says in its console: what is heard, and that there is no composition. */
const HEARD = "koda:heard ";
const NOT_LOADED = "koda:not-loaded";
/** What Remotion says of a page that answers nothing any more. */
const SILENT = /at frame (\d+) failed: timeout (\d+)ms exceeded/;

const { base, width, height, fps, durationInFrames, scale, transparent, within, browser } = JSON.parse(process.argv[2]);
const composition = { id: "film", width, height, fps, durationInFrames, props: {}, defaultProps: {}, defaultCodec: null, defaultOutName: null, defaultVideoImageFormat: null, defaultPixelFormat: null, defaultProResProfile: null, defaultSampleRate: null };

async function tell(line, picture) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
  if (picture && !process.stdout.write(picture)) await once(process.stdout, "drain");
}

/** Which browser, also where Remotion starts another in its place. */
const browserOptions = { browserExecutable: browser, chromeMode: "headless-shell", logLevel: "error" };

/** As `koda-capture` has it: which second of the file is heard as the frame begins. */
const sound = (fps) => ({ src, volume, mediaFrame, audioStartFrame, playbackRate, toneFrequency, audioStreamIndex }) => ({
  src,
  volume,
  at: ((mediaFrame - audioStartFrame) * playbackRate + audioStartFrame) / fps,
  rate: playbackRate,
  tone: toneFrequency,
  stream: audioStreamIndex,
});

/** One page draws all of them: of several in one browser only one is in front, and the others paint when they like. */
async function film(puppeteerInstance, { frames, image, quality }) {
  const sounds = new Map();
  let loaded = true;
  const rendered = renderFrames({
    serveUrl: `${base}src/koda/remotion/`,
    ...browserOptions,
    puppeteerInstance,
    composition,
    inputProps: {},
    frames,
    scale,
    imageFormat: image,
    ...(quality ? { jpegQuality: quality } : {}),
    outputDir: null,
    concurrency: 1,
    timeoutInMilliseconds: within,
    envVariables: { KODA_PAGE: `mode=capture&transparent=${transparent ? 1 : 0}` },
    onStart: () => undefined,
    onFrameUpdate: () => undefined,
    onBrowserLog: ({ text }) => {
      if (text === NOT_LOADED) loaded = false;
      if (!text.startsWith(HEARD)) return;
      const { frame, fps, heard } = JSON.parse(text.slice(HEARD.length));
      sounds.set(frame, heard.map(sound(fps)));
    },
    onFrameBuffer: async (picture, frame) => {
      await tell({ frame, bytes: picture.length, sounds: sounds.get(frame) ?? [] }, picture);
      sounds.delete(frame);
    },
  });
  await rendered.catch((error) => {
    throw failure(error, loaded);
  });
}

/** What went wrong, and at which frame: without a composition it is that of none. */
function failure({ message, frame }, loaded) {
  const silent = String(message).match(SILENT);
  if (silent) return { message: `the page did not show the frame within ${Math.round(silent[2] / 1000)} seconds`, frame: Number(silent[1]) };
  return { message: String(message), frame: loaded ? (frame ?? null) : null };
}

const puppeteerInstance = await openBrowser("chrome", { ...browserOptions, forceDeviceScaleFactor: scale });
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
