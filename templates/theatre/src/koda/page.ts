import type { Engine, Loaded } from "./engine";
import { capturing } from "./environment";
import { toPageError } from "./faults";
import { asWritten, paceAt, writtenFrame } from "./playback";
import type { Info, KodaPage, Manifest, PageError } from "./contract";
import { fitStage, stage } from "./stage";

/** `window.koda`: shows frames of whatever composition is loaded, one at a time. */
export class Page implements KodaPage {
  readonly contract = 1;
  readonly stage = stage;
  ready: Promise<void>;
  error: PageError | null = null;
  /** Called with the first error since the composition was loaded. */
  onError: (error: PageError) => void = () => undefined;

  readonly #engine: Engine;
  #manifest: Manifest;
  #loaded = false;
  #resolve: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #queue: Promise<void> = Promise.resolve();
  #shown = 0;

  constructor(engine: Engine, manifest: Manifest) {
    this.#engine = engine;
    this.#manifest = manifest;
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever awaits it learns of a failure; where nobody does, it is reported another way.
    this.ready.catch(() => undefined);
    addEventListener("error", (event) => this.fail(event.error ?? event.message));
    addEventListener("unhandledrejection", (event) => this.fail(event.reason));
    addEventListener("resize", () => this.fit());
  }

  get info(): Info {
    const { engine, title, width, height, fps, durationInFrames } = this.#manifest;
    return { engine, title, width, height, fps, durationInFrames };
  }

  get canvas(): HTMLCanvasElement | null {
    return this.#engine.canvas;
  }

  /** Puts a composition on the stage and shows the frame that was shown before, or the first one. */
  async load(loaded: Loaded): Promise<void> {
    this.#manifest = loaded.manifest;
    document.title = loaded.manifest.title;
    this.error = null;
    this.#loaded = true;
    const frame = Math.min(this.#shown, loaded.manifest.durationInFrames - 1);
    this.#shown = frame;
    try {
      const { width, height } = fitStage(this.#manifest);
      this.#engine.resize(width, height);
      this.#engine.mount({ ...loaded, manifest: asWritten(loaded.manifest) }, writtenFrame(loaded.manifest, frame));
      await this.show(frame);
      this.#resolve();
    } catch (error) {
      this.fail(error);
      this.#reject(new Error(toPageError(error).message));
      throw error;
    }
  }

  /** Says that there is nothing to load, and why. */
  abandon(error: PageError): void {
    this.error = error;
    this.#reject(new Error(error.message));
  }

  show(frame: number): Promise<void> {
    // Loading shows a frame too, and must not wait for one that waits for it.
    if (!this.#loaded) return this.ready.then(() => this.show(frame));
    const shown = this.#queue.then(() => this.#show(frame));
    this.#queue = shown.catch(() => undefined);
    return shown;
  }

  /** Draws without waiting for what has not arrived, for playback. */
  draw(frame: number): void {
    if (!this.#loaded || this.error) return;
    this.#shown = frame;
    this.#advance(frame);
  }

  /** Seconds of the composition in a second of the film, at a frame of the film. */
  pace(frame: number): number {
    return paceAt(this.#manifest, frame);
  }

  measure() {
    return this.#engine.measure();
  }

  cost() {
    return this.#engine.cost();
  }

  fit(): void {
    if (capturing && this.#loaded) return;
    const { width, height } = fitStage(this.#manifest);
    this.#engine.resize(width, height);
  }

  fail(thrown: unknown): void {
    // Browsers report this of observers that could not finish within a frame; they go on in the next.
    if (typeof thrown === "string" && thrown.startsWith("ResizeObserver loop")) return;
    if (this.error) return;
    this.error = toPageError(thrown);
    this.onError(this.error);
  }

  async #show(frame: number) {
    const { durationInFrames } = this.#manifest;
    if (!Number.isInteger(frame) || frame < 0 || frame >= durationInFrames) {
      throw new RangeError(`There is no frame ${frame}: this composition has frames 0 to ${durationInFrames - 1}.`);
    }
    this.#throwIfFailed();
    this.#shown = frame;
    this.#advance(frame);
    this.#throwIfFailed();
    try {
      await this.#engine.settle();
    } catch (error) {
      this.fail(error);
    }
    this.#throwIfFailed();
  }

  #advance(frame: number) {
    const written = writtenFrame(this.#manifest, frame);
    window.__kodaClock?.seek((written * 1000) / asWritten(this.#manifest).fps);
    try {
      this.#engine.draw(written);
    } catch (error) {
      this.fail(error);
    }
  }

  #throwIfFailed() {
    if (this.error) throw new Error(this.error.message);
  }
}
