/** What a frame waits for that Remotion's renderer does not. */
import { flushSync } from "react-dom";
import { continueRender, delayRender } from "remotion";

const nextFrame = () => new Promise<unknown>((shown) => requestAnimationFrame(shown));
/** How many frames of the browser a canvas may take to be painted; one out of sight is not. */
const PAINTED_WITHIN = 4;
const known = new WeakSet<HTMLCanvasElement>();

/** How long every video must stand still for what is still waited for to be of one that is gone, in milliseconds. */
const STANDS_STILL = 1000;
/** What Remotion waits for by this name is continued with when the video has loaded, and not when it is taken off before. */
const VIDEO = "Rendering <Html5Video";

const videosStand = () => [...document.querySelectorAll("video")].every(({ readyState, seeking }) => readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && !seeking);

function forgetVideos() {
  for (const [handle, { label }] of Object.entries(window.remotion_delayRenderTimeouts)) if (label?.startsWith(VIDEO)) continueRender(Number(handle));
}

/** Resolves when nothing else is waited for than this. */
async function alone(handle: number) {
  let since = performance.now();
  for (;;) {
    await nextFrame();
    if (window.remotion_delayRenderHandles.every((other) => other === handle)) return;
    if (!videosStand()) since = performance.now();
    if (performance.now() - since > STANDS_STILL) forgetVideos();
  }
}

/**
 * Has all that lies in canvases painted once more, and resolves when it is. Remotion draws a transition as soon as one of its two scenes
 * was painted, and paints a scene that stands still no more: what is seen of a frame would depend on those before it, and of a
 * transition's first frame on which scene comes first.
 */
async function paintCanvases(handle: number) {
  await alone(handle);
  const canvases = [...document.querySelectorAll("canvas")].filter((canvas) => canvas.layoutSubtree);
  if (canvases.length === 0) return;
  // One that is new is given its size as it is laid out, and has nothing to be drawn before.
  if (!canvases.every((canvas) => known.has(canvas))) {
    await nextFrame();
    await alone(handle);
  }
  const painted = canvases.map((canvas) => {
    known.add(canvas);
    const once = new Promise<unknown>((done) => canvas.addEventListener("paint", done, { once: true }));
    canvas.requestPaint?.();
    return once;
  });
  const late = async () => {
    for (let frame = 0; frame < PAINTED_WITHIN; frame++) await nextFrame();
  };
  await Promise.race([Promise.all(painted), late()]);
  // What was painted is drawn with.
  await alone(handle);
}

/** The frame of the film that was asked for last. */
export let shownFrame = 0;

/**
 * Has Remotion's renderer take a frame when all of it is there.
 * @param written which frame of the composition is shown at one of the film
 */
export function drawWholeFrames(written: (frame: number) => number): void {
  let set = window.remotion_setFrame;
  Object.defineProperty(window, "remotion_setFrame", {
    configurable: true,
    set: (sets: typeof set) => (set = sets),
    get: () => (frame: number, ...more: [string, number]) => {
      shownFrame = frame;
      // Whatever else is waited for says so first.
      const handle = delayRender("what lies in its canvases", { timeoutInMilliseconds: 2 * window.remotion_puppeteerTimeout });
      // Remotion takes it for drawn as the browser's next frame begins, which on a busy machine is sooner than React is done.
      flushSync(() => set(written(frame), ...more));
      void paintCanvases(handle).then(() => continueRender(handle));
    },
  });
}
