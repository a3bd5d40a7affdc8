/**
 * What the film sounds like while the preview plays. The composition's own `<audio>` and `<video>` elements stand still, each sought
 * to the second that belongs to the frame: they say what is to be heard, from where and how loud, as they do to a capture. Elements
 * that nobody sees play it, so that the picture stays exactly what it is without sound.
 */

/** How far a sound may be from its place before it is put there, in seconds. */
const DRIFT = 0.1;
/** How long a sound takes to settle where it was put, in milliseconds, and how much too late it is there by the first guess. */
const SETTLED = 200;
const LAG = 0.08;
/** For how many frames an element may stand still before it is not heard any more; an export says the same. */
const STANDING = 5;
/** Sounds that nothing asks for now are kept for when it does again, such as after a loop: this many. */
const SPARE = 8;
/** What browsers play at all. */
const [SLOWEST, FASTEST] = [0.0625, 16];
/** Frames that do not come for this long, in milliseconds, will not come: the page is hidden or out of sight. */
const PATIENCE = 500;

export interface Moment {
  /** How long ago the frame now shown began, in seconds of the film. */
  late: number;
  /** Seconds of the film in a second. */
  rate: number;
  /** Seconds of the composition in a second of the film. */
  pace: number;
  /** How loud all of it is, 0 to 1. */
  volume: number;
  /** How long a frame lasts, in milliseconds. */
  each: number;
}

/** Plays one file. */
interface Voice {
  audio: HTMLAudioElement;
  src: string;
  /** How long it takes to be heard from another place, in seconds, as far as that is known. */
  lag: number;
  /** When it was last put somewhere, in milliseconds; null once it was seen where that took it. */
  put: number | null;
}

/** What is known of an element of the composition. */
interface Part {
  at: number;
  /** For how many frames it has stood still. */
  still: number;
  voice: Voice | null;
}

export class Soundtrack {
  readonly #parts = new Map<HTMLMediaElement, Part>();
  #spare: Voice[] = [];
  #found = false;
  /** The browser wants a person to do something before it lets a page be heard. */
  #refused = false;
  #patience = 0;

  /** Whether the composition has had anything to hear since it was put on the stage. */
  audible(): boolean {
    // A sound may be muted at times, before it begins or while it fades in.
    const heard = (element: HTMLMediaElement) => element instanceof HTMLAudioElement || !element.muted;
    this.#found ||= elements().some((element) => heard(element) && !runsItself(element) && sourceOf(element) !== "");
    return this.#found;
  }

  /** Another composition is on the stage. */
  renew(): void {
    this.rest();
    this.#found = false;
  }

  /** Somebody did something that may have made the browser change its mind. */
  insist(): void {
    this.#refused = false;
  }

  /** Everything stands still. */
  rest(): void {
    clearTimeout(this.#patience);
    for (const element of [...this.#parts.keys()]) this.#drop(element);
  }

  /** Plays what belongs to the frame that was just drawn. */
  follow(moment: Moment): void {
    const present = elements();
    for (const element of [...this.#parts.keys()]) if (!present.includes(element)) this.#drop(element);
    for (const element of present) this.#hear(element, moment);
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.rest(), PATIENCE + 2 * moment.each);
  }

  #hear(element: HTMLMediaElement, { late, rate, pace, volume }: Moment) {
    const src = sourceOf(element);
    const at = element.currentTime;
    const part = this.#parts.get(element) ?? { at, still: STANDING, voice: null };
    this.#parts.set(element, part);
    const moved = at !== part.at;
    // After a loop, what is known of where it was put says nothing.
    if (at < part.at && part.voice) part.voice.put = null;
    part.still = moved ? 0 : part.still + 1;
    part.at = at;
    const speed = pace * element.playbackRate;
    const heard = src !== "" && !runsItself(element) && !element.error && !element.muted && element.volume > 0 && part.still <= STANDING;
    if (!heard || speed * rate < SLOWEST || speed * rate > FASTEST) return void part.voice?.audio.pause();
    if (part.voice?.src !== src) {
      this.#release(part);
      part.voice = this.#take(src);
    }
    const { voice } = part;
    Object.assign(voice.audio, { volume: Math.min(1, loudness(element) * volume), playbackRate: speed * rate, preservesPitch: element.preservesPitch });
    // Where it stands for a frame only, it is not called back.
    if (moved) this.#place(voice, at + late * speed, speed * rate);
  }

  #place(voice: Voice, wanted: number, speed: number) {
    const { audio } = voice;
    if (audio.readyState < HTMLMediaElement.HAVE_METADATA) return;
    if (wanted >= audio.duration) return audio.pause();
    const now = performance.now();
    const off = audio.currentTime - wanted;
    const runs = !audio.seeking && audio.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
    if (voice.put !== null && runs && now - voice.put > SETTLED) {
      voice.lag = Math.min(1, Math.max(0, voice.lag - off / speed));
      voice.put = null;
    }
    if (voice.put === null && Math.abs(off) > DRIFT) {
      // The film goes on while it is on its way.
      audio.currentTime = Math.max(0, wanted + voice.lag * speed);
      voice.put = now;
    }
    // One that has ended would begin again from its start.
    if (!audio.paused || audio.ended || this.#refused) return;
    audio.play().catch((reason: unknown) => {
      // What was broken off or cannot be decoded is silent, and no fault of the composition.
      if (reason instanceof DOMException && reason.name === "NotAllowedError") this.#refused = true;
    });
  }

  #take(src: string): Voice {
    const known = this.#spare.findIndex((voice) => voice.src === src);
    const [voice] = known < 0 ? [] : this.#spare.splice(known, 1);
    if (voice) return { ...voice, put: null };
    const audio = document.createElement("audio");
    audio.preload = "auto";
    audio.src = src;
    return { audio, src, lag: LAG, put: null };
  }

  #drop(element: HTMLMediaElement) {
    const part = this.#parts.get(element);
    this.#parts.delete(element);
    if (part) this.#release(part);
  }

  #release(part: Part) {
    if (!part.voice) return;
    part.voice.audio.pause();
    this.#spare.push(part.voice);
    part.voice = null;
    for (const { audio } of this.#spare.splice(0, Math.max(0, this.#spare.length - SPARE))) {
      // Without a file it holds no decoder and no connection.
      audio.removeAttribute("src");
      audio.load();
    }
  }
}

function elements(): HTMLMediaElement[] {
  return [...document.getElementsByTagName("audio"), ...document.getElementsByTagName("video")];
}

/** What plays by itself is the composition's own business. */
function runsItself(element: HTMLMediaElement): boolean {
  return element.autoplay || !element.paused;
}

/** How loud it is, in the unit that it says itself. One that has never been set says how loud it was to be. */
function loudness({ volume, dataset }: HTMLMediaElement): number {
  if (dataset.kodaSound === undefined) return volume;
  const { unit, loud } = JSON.parse(dataset.kodaSound) as { unit: number; loud: number };
  return volume < 1 ? volume * unit : loud;
}

/** The whole file: an address may say that only a part of it is to be played. */
function sourceOf(element: HTMLMediaElement): string {
  return (element.currentSrc || element.src).split("#")[0] ?? "";
}
