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
/** While the preview plays, how far a video may be from its place before it is put there, in seconds. */
const DRIFT = 0.15;
/** Frames that come no more for so long, in milliseconds, are those of a preview that stands. */
const STANDS = 250;

/** A video that stands at the second that belongs to the frame, as a texture. */
class Reel {
  readonly element = document.createElement("video");
  readonly texture: VideoTexture;
  #wanted = -1;
  #last = 0;
  #timer = 0;

  readonly #src: string;

  constructor(src: string) {
    const { element } = this;
    this.#src = src;
    // What is heard of it says an element of its own.
    Object.assign(element, { muted: true, playsInline: true, preload: "auto" });
    // A browser brings only what has a place in the page to its frames.
    element.style.cssText = "position:fixed;left:0;top:0;width:1px;height:1px;opacity:0;pointer-events:none";
    this.texture = new VideoTexture(element);
    this.texture.colorSpace = SRGBColorSpace;
  }

  /** Brings it to a second of the file; `step` is that of a frame where it plays. */
  place(seconds: number, rate: number) {
    const wanted = Math.max(0, seconds) + NUDGE;
    if (wanted === this.#wanted) return;
    const step = wanted - this.#wanted;
    const now = capturing ? 0 : realNow();
    const plays = !capturing && this.#wanted >= 0 && step > 0 && step < 0.2 * rate && now - this.#last < STANDS;
    this.#wanted = wanted;
    this.#last = now;
    if (!plays) return this.stand();
    // Sought to every frame it would show few of them.
    const { element } = this;
    element.playbackRate = rate;
    if (Math.abs(element.currentTime - wanted) > DRIFT) element.currentTime = wanted;
    if (element.paused && !element.ended) element.play().catch(() => undefined);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.stand(), STANDS);
  }

  /** Stands exactly where it is to be. */
  stand() {
    if (!capturing) {
      clearTimeout(this.#timer);
      this.element.pause();
    }
    if (Math.abs(this.element.currentTime - this.#wanted) > 1e-4) this.element.currentTime = this.#wanted;
  }

  /** Whether its frame is there. */
  get arrived() {
    const { seeking, readyState, error } = this.element;
    return Boolean(error) || (!seeking && readyState >= HTMLMediaElement.HAVE_CURRENT_DATA);
  }

  /** Loads it, for as long as it is in the scene. */
  mount() {
    this.element.src = this.#src;
    document.body.append(this.element);
    reels.add(this);
  }

  unmount() {
    reels.delete(this);
    clearTimeout(this.#timer);
    this.#wanted = -1;
    this.texture.dispose();
    // Without a file it holds no decoder and no connection.
    this.element.removeAttribute("src");
    this.element.load();
    this.element.remove();
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
      const seconds = loop && length > 0 ? (passed * rate) % length : Math.min(passed * rate, Math.max(0, length - 1 / fps));
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
