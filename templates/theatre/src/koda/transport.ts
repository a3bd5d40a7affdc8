import type { Fault, FromPreview, Info, PlayState, ToPreview } from "./contract";
import { Soundtrack } from "./soundtrack";

/** What plays: the page behind the transport. */
export interface Playable {
  info(): Info;
  /** Draws a frame at once, for playback. */
  draw(frame: number): void;
  /** Resolves when the frame is complete on the stage. */
  show(frame: number): Promise<void>;
  /** How many seconds of the composition pass in a second of the film. */
  pace(frame: number): number;
}

/** Whoever leaves out an effect says so there. */
const isSimplified = () => "simplified" in document.documentElement.dataset;

/** The preview's own clock, driven by messages from the embedding page and by keys. */
export class Transport {
  /** Several previews may be seen at once, and play by themselves: none is heard until somebody asks. */
  readonly state: PlayState = { frame: 0, playing: false, loop: true, rate: 1, sound: false, volume: 1, audible: false, simplified: false };
  readonly #playable: Playable;
  readonly #soundtrack = new Soundtrack();
  readonly #listeners = new Set<(state: PlayState) => void>();
  #ready = false;
  #fault: Fault | null = null;
  #loopHandle = 0;
  /** The last command's number: what is said before it was heard is out of date for who sent it. */
  #heard = 0;
  /** Where playback was last anchored: that frame at that time. */
  #from = { frame: 0, time: 0 };

  constructor(playable: Playable) {
    this.#playable = playable;
    addEventListener("message", (event: MessageEvent<unknown>) => {
      if (event.source === parent && parent !== window) this.#receive(event.data);
    });
    addEventListener("keydown", (event) => this.#key(event));
    addEventListener("pointerdown", () => this.#soundtrack.insist());
  }

  onChange(listener: (state: PlayState) => void): void {
    this.#listeners.add(listener);
  }

  /** Says that a composition is on the stage: the first one, or a new one after a change. */
  announce(): void {
    this.#ready = true;
    this.#soundtrack.renew();
    this.#post({ type: "ready", info: this.#playable.info() });
    const last = this.#playable.info().durationInFrames - 1;
    if (this.state.frame > last) this.state.frame = last;
    this.#anchor();
    this.#changed();
  }

  /** Says what is wrong, or with null that nothing is any more. */
  fault(fault: Fault | null): void {
    // A compile error is found twice: Vite tells it, and whoever could not load the module asks for it.
    if (JSON.stringify(fault) === JSON.stringify(this.#fault)) return;
    this.#fault = fault;
    this.#post({ type: "error", ...(fault ?? { message: null, file: null, line: null, column: null }) });
  }

  play(): void {
    this.#soundtrack.insist();
    if (this.state.playing) return this.#changed();
    const last = this.#playable.info().durationInFrames - 1;
    if (!this.state.loop && this.state.frame >= last) this.state.frame = 0;
    this.state.playing = true;
    this.#anchor();
    this.#changed();
    this.#loopHandle = requestAnimationFrame((time) => this.#tick(time));
  }

  pause(): void {
    if (!this.state.playing) return this.#changed();
    this.#stop();
    this.#changed();
  }

  toggle(): void {
    if (this.state.playing) this.pause();
    else this.play();
  }

  async seek(wanted: number): Promise<void> {
    const last = this.#playable.info().durationInFrames - 1;
    const frame = Math.min(last, Math.max(0, Math.round(wanted)));
    const heard = this.#heard;
    this.#stop();
    this.state.frame = frame;
    this.#changed();
    try {
      await this.#playable.show(frame);
    } catch {
      return; // The page has already said what is wrong.
    }
    // A later seek speaks for itself.
    if (this.state.frame !== frame) return;
    // What is heard may have come with what this frame waited for, and an effect may have been left out.
    const { audible, simplified } = this.state;
    if (this.#soundtrack.audible() !== audible || isSimplified() !== simplified) this.#changed();
    requestAnimationFrame(() => requestAnimationFrame(() => this.#post({ type: "painted", frame, heard })));
  }

  loop(on: boolean): void {
    this.state.loop = on;
    this.#anchor();
    this.#changed();
  }

  rate(rate: number): void {
    this.state.rate = Math.min(4, Math.max(0.25, rate));
    this.#anchor();
    this.#changed();
  }

  sound(on: boolean, volume = this.state.volume): void {
    this.state.sound = on;
    this.state.volume = Math.min(1, Math.max(0, volume));
    if (on) this.#soundtrack.insist();
    else this.#soundtrack.rest();
    this.#changed();
  }

  #stop() {
    this.state.playing = false;
    cancelAnimationFrame(this.#loopHandle);
    this.#soundtrack.rest();
  }

  #anchor() {
    this.#from = { frame: this.state.frame, time: performance.now() };
  }

  #tick(time: number) {
    if (!this.state.playing) return;
    const { fps, durationInFrames } = this.#playable.info();
    const elapsed = Math.max(0, time - this.#from.time);
    const passed = (elapsed / 1000) * fps * this.state.rate + 1e-6;
    let frame = this.#from.frame + Math.floor(passed);
    let ended = false;
    if (frame >= durationInFrames) {
      ended = !this.state.loop;
      frame = ended ? durationInFrames - 1 : frame % durationInFrames;
    }
    if (frame !== this.state.frame) {
      this.state.frame = frame;
      this.#playable.draw(frame);
      if (this.state.sound) this.#follow((passed % 1) / fps, time);
      this.#changed();
    }
    if (ended) this.pause();
    else this.#loopHandle = requestAnimationFrame((next) => this.#tick(next));
  }

  /** `late`: how long the frame just drawn had been due at that time, in seconds of the film. */
  #follow(late: number, time: number) {
    const { frame, rate, volume } = this.state;
    const drawing = Math.max(0, performance.now() - time) / 1000;
    const each = 1000 / (this.#playable.info().fps * rate);
    this.#soundtrack.follow({ late: late + drawing * rate, rate, pace: this.#playable.pace(frame), volume, each });
  }

  #receive(data: unknown) {
    if (typeof data !== "object" || data === null || (data as { koda?: unknown }).koda !== 1) return;
    const message = data as ToPreview;
    if (Number.isSafeInteger(message.n)) this.#heard = message.n as number;
    switch (message.type) {
      case "play":
        return this.play();
      case "pause":
        return this.pause();
      case "toggle":
        return this.toggle();
      case "seek":
        if (Number.isFinite(message.frame)) void this.seek(message.frame);
        return;
      case "loop":
        return this.loop(Boolean(message.on));
      case "rate":
        if (Number.isFinite(message.rate)) this.rate(message.rate);
        return;
      case "sound":
        return this.sound(Boolean(message.on), Number.isFinite(message.volume) ? message.volume : undefined);
      case "hello":
        if (this.#ready) this.#post({ type: "ready", info: this.#playable.info() });
        if (this.#fault) this.#post({ type: "error", ...this.#fault });
        this.#say();
    }
  }

  #key(event: KeyboardEvent) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    this.#soundtrack.insist();
    const { fps, durationInFrames } = this.#playable.info();
    const step = event.shiftKey ? Math.round(fps) : 1;
    const actions: Record<string, () => void> = {
      " ": () => this.toggle(),
      ArrowLeft: () => void this.seek(this.state.frame - step),
      ArrowRight: () => void this.seek(this.state.frame + step),
      Home: () => void this.seek(0),
      End: () => void this.seek(durationInFrames - 1),
      m: () => this.sound(!this.state.sound),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  #changed() {
    this.state.audible = this.#soundtrack.audible();
    this.state.simplified = isSimplified();
    this.#say();
    for (const listener of this.#listeners) listener(this.state);
  }

  #say() {
    this.#post({ type: "state", ...this.state, heard: this.#heard });
  }

  #post(message: FromPreview) {
    // The embedding page's origin is not known here, and nothing in these messages is secret.
    if (parent !== window) parent.postMessage({ koda: 1, ...message }, "*");
  }
}
