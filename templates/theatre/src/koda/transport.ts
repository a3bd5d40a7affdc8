import type { Fault, FromPreview, Info, ToPreview } from "./contract";

/** What plays: the page behind the transport. */
export interface Playable {
  info(): Info;
  /** Draws a frame at once, for playback. */
  draw(frame: number): void;
  /** Resolves when the frame is complete on the stage. */
  show(frame: number): Promise<void>;
}

export interface State {
  frame: number;
  playing: boolean;
  loop: boolean;
  rate: number;
}

/** The preview's own clock, driven by messages from the embedding page and by keys. */
export class Transport {
  readonly state: State = { frame: 0, playing: false, loop: true, rate: 1 };
  readonly #playable: Playable;
  readonly #listeners = new Set<(state: State) => void>();
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
  }

  onChange(listener: (state: State) => void): void {
    this.#listeners.add(listener);
  }

  /** Says that a composition is on the stage: the first one, or a new one after a change. */
  announce(): void {
    this.#ready = true;
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
    this.state.playing = false;
    cancelAnimationFrame(this.#loopHandle);
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
    this.state.playing = false;
    cancelAnimationFrame(this.#loopHandle);
    this.state.frame = frame;
    this.#changed();
    try {
      await this.#playable.show(frame);
    } catch {
      return; // The page has already said what is wrong.
    }
    // A later seek speaks for itself.
    if (this.state.frame !== frame) return;
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

  #anchor() {
    this.#from = { frame: this.state.frame, time: performance.now() };
  }

  #tick(time: number) {
    if (!this.state.playing) return;
    const { fps, durationInFrames } = this.#playable.info();
    const elapsed = Math.max(0, time - this.#from.time);
    let frame = this.#from.frame + Math.floor((elapsed / 1000) * fps * this.state.rate + 1e-6);
    let ended = false;
    if (frame >= durationInFrames) {
      ended = !this.state.loop;
      frame = ended ? durationInFrames - 1 : frame % durationInFrames;
    }
    if (frame !== this.state.frame) {
      this.state.frame = frame;
      this.#playable.draw(frame);
      this.#changed();
    }
    if (ended) this.pause();
    else this.#loopHandle = requestAnimationFrame((next) => this.#tick(next));
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
      case "hello":
        if (this.#ready) this.#post({ type: "ready", info: this.#playable.info() });
        if (this.#fault) this.#post({ type: "error", ...this.#fault });
        this.#say();
    }
  }

  #key(event: KeyboardEvent) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { fps, durationInFrames } = this.#playable.info();
    const step = event.shiftKey ? Math.round(fps) : 1;
    const actions: Record<string, () => void> = {
      " ": () => this.toggle(),
      ArrowLeft: () => void this.seek(this.state.frame - step),
      ArrowRight: () => void this.seek(this.state.frame + step),
      Home: () => void this.seek(0),
      End: () => void this.seek(durationInFrames - 1),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  #changed() {
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
