// Frames by Remotion's own renderer, for compositions that need what only it has. Asked in lines of JSON on its input:
// {"frames": [0, 1], "image": "png"}; a line and a picture for each frame in that order on its output:
// {"frame": 0, "bytes": 5120, "sounds": […]}, and {"done": true} or {"error": {"message", "frame"}}.
import "./loopback.mjs";
import { createInterface } from "node:readline";
import { once } from "node:events";
import { renderFrames } from "@remotion/renderer";

/** What the page says in its console: what is heard, and that there is no composition. */
const HEARD = "koda:heard ";
const NOT_LOADED = "koda:not-loaded";
/** What Remotion says of a page that answers nothing any more. */
const SILENT = /at frame \d+ failed: timeout (\d+)ms exceeded/;
/** What a renderer may keep of videos, in bytes. By itself it would take half of the memory. */
const VIDEO_CACHE = 128 << 20;

const { base, width, height, fps, durationInFrames, scale, transparent, within, browser } = JSON.parse(process.argv[2]);
const composition = { id: "film", width, height, fps, durationInFrames, props: {}, defaultProps: {}, defaultCodec: null, defaultOutName: null, defaultVideoImageFormat: null, defaultPixelFormat: null, defaultProResProfile: null, defaultSampleRate: null };

async function tell(line, picture) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
  if (picture && !process.stdout.write(picture)) await once(process.stdout, "drain");
}

const whole = (value, least, otherwise) => (Number.isFinite(value) && value >= least ? value : otherwise);

/** As `koda-capture` has it: which second of the file is heard as the frame begins. */
const sound = (fps) => ({ src, volume, mediaFrame, audioStartFrame, playbackRate, toneFrequency, audioStreamIndex: stream }) => ({
  src,
  volume: whole(volume, 0, 0),
  at: whole(((mediaFrame - audioStartFrame) * playbackRate + audioStartFrame) / fps, 0, 0),
  rate: whole(playbackRate, 0, 1),
  tone: whole(toneFrequency, 1e-6, 1),
  stream: Number.isInteger(stream) ? whole(stream, 0, 0) : 0,
});

/** One page draws all of them: of several in one browser only one is in front, and the others paint when they like. */
async function film({ frames, image, quality }) {
  const sounds = new Map();
  // Remotion draws the frame anew at which its browser ended, and the next one before that.
  const early = new Map();
  let next = 0;
  let loaded = true;
  const rendered = renderFrames({
    serveUrl: `${base}src/koda/remotion/`,
    browserExecutable: browser,
    chromeMode: "headless-shell",
    logLevel: "error",
    composition,
    inputProps: {},
    frames,
    scale,
    imageFormat: image,
    ...(quality ? { jpegQuality: quality } : {}),
    outputDir: null,
    concurrency: 1,
    timeoutInMilliseconds: within,
    offthreadVideoCacheSizeInBytes: VIDEO_CACHE,
    offthreadVideoThreads: 1,
    envVariables: { KODA_PAGE: `mode=capture&transparent=${transparent ? 1 : 0}` },
    onStart: () => undefined,
    onFrameUpdate: () => undefined,
    onBrowserLog: ({ text }) => {
      if (text === NOT_LOADED) loaded = false;
      if (!text.startsWith(HEARD)) return;
      const { frame, fps, heard } = JSON.parse(text.slice(HEARD.length));
      sounds.set(frame, heard.map(sound(fps)));
    },
    onFrameBuffer: async (picture, drawn) => {
      early.set(drawn, picture);
      for (; early.has(frames[next]); next++) {
        const frame = frames[next];
        const ready = early.get(frame);
        early.delete(frame);
        await tell({ frame, bytes: ready.length, sounds: sounds.get(frame) ?? [] }, ready);
        sounds.delete(frame);
      }
    },
  });
  await rendered.catch(({ message, frame }) => {
    throw failure(String(message), loaded ? (frame ?? frames[next] ?? null) : null);
  });
}

/** What went wrong, and at which frame: without a composition it is that of none. */
function failure(message, frame) {
  const silent = message.match(SILENT);
  return silent ? { message: `the page did not show the frame within ${Math.round(silent[1] / 1000)} seconds`, frame } : { message, frame };
}

// Whom its browsers are to end with.
process.env.KODA_REMOTION_PARENT = String(process.pid);
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const asked = JSON.parse(line);
    if (asked.frames.length > 0) await film(asked);
    await tell({ done: true });
  } catch (error) {
    await tell({ error: { message: String(error.message ?? error), frame: error.frame ?? null } });
  }
}
process.exit(0);
