import { capturing } from "./environment";
import { PATIENCE, realNow, sleep } from "./wait";

/** Pictures, videos and fonts that a frame needs. */

type State = "loading" | "loaded" | "missing";
const states = new Map<string, { state: State; arrived: Promise<void> }>();

/** Loads a picture that no `<img>` element stands for, such as a CSS background. */
function preload(url: string) {
  let entry = states.get(url);
  if (!entry) {
    const image = new Image();
    const arrived = new Promise<void>((done) => {
      const settle = (state: State) => () => {
        states.set(url, { state, arrived });
        done();
      };
      image.onload = settle("loaded");
      image.onerror = settle("missing");
    });
    entry = { state: "loading", arrived };
    states.set(url, entry);
    image.src = url;
  }
  return entry;
}

/**
 * What an element's own style may draw pictures by. It is asked for one by one: a selector of the attribute would have the browser
 * put the text of every style together first, in every frame, for all that moves.
 */
const DRAWING = ["backgroundImage", "maskImage", "borderImageSource", "listStyleImage", "content", "filter", "clipPath"] as const;

function backgrounds(stage: HTMLElement): string[] {
  const found: string[] = [];
  for (const element of stage.getElementsByTagName("*")) {
    const { style } = element as HTMLElement | SVGElement;
    for (const property of style ? DRAWING : []) {
      let value = style[property];
      if (value.includes("var(")) value = getComputedStyle(element)[property];
      if (!value.includes("url(")) continue;
      for (const [, url] of value.matchAll(/url\(\s*["']?([^"')]+)/g)) {
        if (url && !url.startsWith("data:") && !url.startsWith("#")) found.push(url);
      }
    }
  }
  for (const image of stage.getElementsByTagName("image")) {
    const url = image.getAttribute("href") ?? image.getAttribute("xlink:href");
    if (url && !url.startsWith("data:")) found.push(url);
  }
  return found;
}

function once(target: EventTarget, ...names: string[]): Promise<void> {
  return new Promise((done) => {
    const finish = () => {
      for (const name of names) target.removeEventListener(name, finish);
      done();
    };
    for (const name of names) target.addEventListener(name, finish);
  });
}

/**
 * Lets `decode()` resolve when a picture has loaded. Browsers resolve it with the next paint, and a capture paints only after
 * everything has resolved; pictures are decoded while they are painted instead.
 */
function decodeWithPaint(): void {
  HTMLImageElement.prototype.decode = async function (this: HTMLImageElement) {
    this.decoding = "sync";
    if (!this.complete) await once(this, "load", "error");
    if (this.naturalWidth === 0) throw new DOMException("The source image cannot be decoded.", "EncodingError");
  };
}

if (capturing) decodeWithPaint();

/** Throws where a picture on the stage cannot be shown. */
export function verifyImages(stage: HTMLElement): void {
  for (const image of stage.getElementsByTagName("img")) if (shows(image) && image.complete) verify(image);
}

function shows(image: HTMLImageElement): boolean {
  return Boolean(image.getAttribute("src") || image.srcset);
}

/** Whether a picture is loaded and is the one that it was; false where something else took its place. */
async function loaded(image: HTMLImageElement, since: number): Promise<boolean> {
  let replaced = false;
  while (image.isConnected && shows(image)) {
    if (image.complete) {
      verify(image);
      if (image.naturalWidth > 0) return !replaced;
      replaced = true;
    }
    // One address after the other may be tried, for ever.
    if (realNow() - since > PATIENCE) throw missing(image.currentSrc || image.src);
    await (image.complete ? sleep(2) : Promise.race([once(image, "load", "error"), sleep(1000)]));
  }
  return false;
}

/** Resolves when all that the stage now shows is loaded; rejects when something of it cannot be. */
export async function arrived(stage: HTMLElement, since = realNow()): Promise<void> {
  const waits: Promise<unknown>[] = [];
  let replaced = false;
  for (const image of stage.getElementsByTagName("img")) {
    if (!shows(image)) continue;
    // A picture decoded later than its frame is painted would be missing in it.
    if (image.decoding !== "sync") image.decoding = "sync";
    if (!image.complete || image.naturalWidth === 0) {
      waits.push(loaded(image, since).then((stays) => (replaced ||= !stays)));
    } else broken.delete(image);
    if (!capturing && image.complete && image.naturalWidth > 0) waits.push(image.decode().catch(() => undefined));
  }
  for (const url of backgrounds(stage)) {
    const { state, arrived } = preload(url);
    if (state === "missing") throw missing(url);
    if (state === "loading") {
      waits.push(
        arrived.then(() => {
          if (states.get(url)?.state === "missing") throw missing(url);
        }),
      );
    }
  }
  for (const video of stage.getElementsByTagName("video")) {
    if (video.error) throw missing(video.currentSrc);
    if (video.seeking || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) {
      waits.push(once(video, "seeked", "loadeddata", "error"));
    }
  }
  if (waits.length > 0) await Promise.all(waits);
  // What came in its place has to arrive as well.
  if (replaced) return arrived(stage, since);
  await fontsArrived(stage);
}

/** A picture that failed may be replaced by a better one of the same name later. */
export function forgetMissing(): void {
  for (const [url, { state }] of states) if (state === "missing") states.delete(url);
}

/** How long a composition has, in milliseconds, to put something in a broken picture's place (`onError`). */
const GRACE = 250;
/** And how often it is looked for: a browser that was held up has had no time at all. */
const LOOKS = 20;
const broken = new WeakMap<HTMLImageElement, { src: string; since: number; looks: number }>();

/** Throws where a picture cannot be loaded, and nothing else was put in its place. */
function verify(image: HTMLImageElement) {
  if (image.naturalWidth > 0) {
    broken.delete(image);
    return;
  }
  const src = image.currentSrc || image.src;
  const known = broken.get(image);
  if (known?.src !== src) broken.set(image, { src, since: realNow(), looks: 1 });
  else if (++known.looks > LOOKS && realNow() - known.since > GRACE) throw missing(src);
}

function missing(url: string): Error {
  let path = url;
  try {
    path = new URL(url, location.href).pathname;
  } catch {
    // It is no address at all; the text itself says most.
  }
  return new Error(`Cannot load ${path}: the file is missing or broken. Files in public/ are addressed from "/".`);
}

/** Fonts begin to load when layout first meets their letters, so layout is brought up to date before looking. */
async function fontsArrived(stage: HTMLElement): Promise<void> {
  void stage.offsetHeight;
  if (document.fonts.status !== "loading") return;
  const loading = [...document.fonts].filter((face) => face.status === "loading");
  await Promise.allSettled(loading.map((face) => face.loaded));
}
