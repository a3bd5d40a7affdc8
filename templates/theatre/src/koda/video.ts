import { use, useLayoutEffect, useMemo, useRef } from "react";
import { SRGBColorSpace, VideoTexture } from "three";
import { capturing } from "./environment";
import { useFrames, useVideoConfig } from "./frame";
import { sounding, type Heard } from "./sound";
import { PATIENCE, realNow, sleep } from "./wait";

declare global {
  interface Window {
    /** In a capture: brings videos of the document to their frames. */
    __kodaMedia?: { settle(): Promise<void> };
  }
}

/** Browsers show the frame before at the very time when one begins. A capture sees to that itself. */
const NUDGE = capturing ? 0 : 0.001;
/** Nearer to its end than this, in seconds, a video may have no picture. */
const END = 0.002;

// While the preview plays, a video plays too: sought to every frame it would show few of them.
/** How far it may be from its place before it is put there, in seconds. */
const DRIFT = 0.15;
/** Frames that come no more for so long, in milliseconds, are those of a preview that stands. */
const STANDS = 250;
/** After so long, in milliseconds, it is known how fast the preview plays; and after so long it is looked at anew. */
const [KNOWN, ANEW] = [200, 2000];
/** How long a video settles where it was put, in milliseconds. */
const SETTLED = 200;
/** What browsers play at all. */
const [SLOWEST, FASTEST] = [0.0625, 16];
/** A video that is not in the scene any more keeps its file for so long, in milliseconds: what waits for another file hides the
 * scene, and shows it again. */
const KEPT = 1000;

/** Draws the scene again, because a video that stands has come to its frame. */
let redraw: () => void = () => undefined;

/** Has this called where the scene is to be drawn again. */
export function onVideoArrived(listener: () => void): void {
  redraw = listener;
}

/** Where a preview was at a time, in seconds of a video and milliseconds. */
interface Moment {
  at: number;
  time: number;
}

/** A video that stands at the second that belongs to the frame, as a texture. */
class Reel {
  readonly element = document.createElement("video");
  readonly texture: VideoTexture;
  readonly #src: string;
  #mounted = false;
  #follows = false;
  #wanted = -1;
  #placed = 0;
  #timer = 0;
  #from: Moment = { at: 0, time: 0 };
  /** Seconds of the video in a second, while it plays. */
  #speed = 1;
  /** How much too late it is where it was put, in seconds, and when it was. */
  #lag = 0;
  #put: number | null = null;

  constructor(src: string) {
    const { element } = this;
    this.#src = src;
    // What is heard of it says an element of its own.
    Object.assign(element, { muted: true, playsInline: true, preload: "auto" });
    // A browser brings only what has a place in the page to its frames.
    element.style.cssText = "position:fixed;left:0;top:0;width:1px;height:1px;opacity:0;pointer-events:none";
    this.texture = new VideoTexture(element);
    this.texture.colorSpace = SRGBColorSpace;
    if (!capturing) element.addEventListener("seeked", () => this.#arrive());
  }

  /** Has it in the page, for as long as it is in the scene. */
  mount() {
    this.#mounted = true;
    if (!this.element.src) this.element.src = this.#src;
    document.body.append(this.element);
    reels.add(this);
    if (!capturing) this.#follow();
  }

  unmount() {
    this.#mounted = false;
    reels.delete(this);
    clearTimeout(this.#timer);
    this.#wanted = -1;
    this.element.pause();
    this.element.remove();
    void sleep(KEPT).then(() => {
      if (this.#mounted) return;
      this.texture.dispose();
      // Without a file it holds no decoder and no connection.
      this.element.removeAttribute("src");
      this.element.load();
      known.delete(this.#src);
    });
  }

  /** Brings it to a second of the file, which it has at `rate` where nothing else is known. */
  place(seconds: number, rate: number) {
    const wanted = Math.max(0, seconds) + NUDGE;
    if (wanted === this.#wanted) return;
    const step = wanted - this.#wanted;
    this.#wanted = wanted;
    if (capturing) return this.stand();
    const now = realNow();
    const passed = now - this.#placed;
    this.#placed = now;
    if (passed > STANDS || step < 0 || step > (passed / 1000) * FASTEST) {
      this.#from = { at: wanted, time: now };
      this.#speed = rate;
      return this.stand();
    }
    this.#play(now);
  }

  /** Stands exactly where it is to be. */
  stand() {
    const { element } = this;
    if (!capturing) {
      clearTimeout(this.#timer);
      this.#put = null;
      element.pause();
    }
    if (Math.abs(element.currentTime - this.#wanted) > 1e-4) element.currentTime = this.#wanted;
  }

  /** Whether its frame is there. */
  get arrived() {
    const { seeking, readyState, error } = this.element;
    return Boolean(error) || (!seeking && readyState >= HTMLMediaElement.HAVE_CURRENT_DATA);
  }

  #play(now: number) {
    const { element } = this;
    const { at, time } = this.#from;
    // The preview may play slower or faster than the film, and the film than it was written.
    if (now - time > KNOWN) this.#speed = Math.min(FASTEST, Math.max(SLOWEST, (this.#wanted - at) / ((now - time) / 1000)));
    if (now - time > ANEW) this.#from = { at: this.#wanted, time: now };
    if (Math.abs(element.playbackRate / this.#speed - 1) > 0.03) element.playbackRate = this.#speed;
    const off = element.currentTime - this.#wanted;
    if (this.#put !== null && !element.seeking && now - this.#put > SETTLED) {
      this.#lag = Math.min(1, Math.max(0, this.#lag - off / this.#speed));
      this.#put = null;
    }
    if (this.#put === null && !element.seeking && Math.abs(off) > DRIFT) {
      // The film goes on while it is on its way.
      element.currentTime = this.#wanted + this.#lag * this.#speed;
      this.#put = now;
    }
    if (element.paused && !element.ended) element.play().catch(() => undefined);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.stand(), STANDS);
  }

  /** Every picture that it comes to is to be drawn. */
  #follow() {
    if (this.#follows) return;
    this.#follows = true;
    this.element.requestVideoFrameCallback(() => {
      this.#follows = false;
      this.texture.needsUpdate = true;
      if (this.#mounted) this.#follow();
    });
  }

  #arrive() {
    if (!this.#mounted || !this.element.paused) return;
    this.texture.needsUpdate = true;
    redraw();
  }
}

const reels = new Set<Reel>();

/** Whether the scene has a video, so that it is drawn when that has come to its frame. */
export function hasVideos(): boolean {
  return reels.size > 0;
}

/** Waits until all videos have their frames and are to be drawn with them. */
export async function videosArrived(): Promise<void> {
  for (const reel of reels) reel.stand();
  if (window.__kodaMedia) await window.__kodaMedia.settle();
  const deadline = realNow() + PATIENCE;
  while ([...reels].some((reel) => !reel.arrived)) {
    if (realNow() > deadline) throw new Error(`A video still waits for its file after ${PATIENCE / 1000} seconds.`);
    await sleep(4);
  }
  for (const { texture } of reels) texture.needsUpdate = true;
}

/** What is known of a video before it is shown. */
interface Known {
  /** How long it is, in seconds. */
  duration: number;
  /** Width divided by height. */
  aspect: number;
}

const known = new Map<string, Promise<Known>>();

function knownOf(src: string): Promise<Known> {
  let promise = known.get(src);
  if (!promise) {
    promise = new Promise((resolve, reject) => {
      const element = document.createElement("video");
      element.preload = "metadata";
      element.onloadedmetadata = () => resolve({ duration: element.duration, aspect: element.videoWidth / element.videoHeight || 1 });
      element.onerror = () => {
        known.delete(src);
        reject(new Error(`Cannot load ${src}: the file is missing or broken. Files in public/ are addressed from "/".`));
      };
      element.src = src;
    });
    known.set(src, promise);
  }
  return promise;
}

export interface VideoOptions extends Heard {
  /** Begins anew when it is over. */
  loop?: boolean;
}

/**
 * A video of `public/` as a texture, at the second that belongs to the frame: before `at` its first picture, after its end or `until`
 * its last. It is silent where no `volume` is given.
 */
export function useVideo(src: string, options: VideoOptions = {}): VideoTexture & Known {
  const found = use(knownOf(src));
  const frames = useFrames();
  const { fps } = useVideoConfig();
  const latest = useRef(options);
  latest.current = options;
  const reel = useMemo(() => new Reel(src), [src]);
  const { at, until, from, rate, loop } = options;
  const heard = options.volume !== undefined;

  useLayoutEffect(() => {
    reel.mount();
    return () => reel.unmount();
  }, [reel]);

  useLayoutEffect(() => {
    const place = () => {
      const { at = 0, until = Infinity, from = 0, rate = 1, loop = false } = latest.current;
      const passed = Math.max(0, Math.min(frames.get() / fps, until - 1 / fps) - at);
      const length = found.duration - from;
      const seconds = loop && length > 0 ? (passed * rate) % length : Math.min(passed * rate, Math.max(0, length - END));
      reel.place(from + seconds, rate);
    };
    place();
    const stop = frames.subscribe(place);
    return () => void stop();
  }, [reel, found, at, until, from, rate, loop, fps, frames]);

  useLayoutEffect(() => {
    if (heard) return sounding(src, fps, frames, () => latest.current);
  }, [src, heard, at, until, from, rate, fps, frames]);

  return useMemo(() => Object.assign(reel.texture, found), [reel, found]);
}
