/** The page contract: what a driver or an embedding page may rely on. See templates/README.md. */

/** `koda.json`, owned by the runtime. `width` and `height` are the layout size, whose short side is 1080. */
export interface Manifest {
  contract: number;
  engine: string;
  title: string;
  width: number;
  height: number;
  fps: number;
  durationInFrames: number;
  /** How the composition is played, where that is not as it was written. */
  playback?: Playback;
}

/** `fps` and `durationInFrames` are the composition's own. From `from` on, until the next piece, frame `n` of the film shows frame
    `start + (n - from) * step` of the composition, rounded. */
export interface Playback {
  fps: number;
  durationInFrames: number;
  pieces: { from: number; start: number; step: number }[];
}

export type Info = Omit<Manifest, "contract" | "playback">;

/** One text at the frame now shown, in layout pixels. */
export interface MeasuredText {
  text: string;
  x: number;
  y: number;
  width: number;
  height: number;
  /** Part of it is cut off by something that hides its overflow. */
  clipped: boolean;
  /** Part of it lies outside the picture. */
  outOfFrame: boolean;
  opacity: number;
  fontSize: number;
  /** WCAG contrast ratio with what is behind it, or null where that is a picture or a gradient. */
  contrast: number | null;
}

export interface Measurement {
  texts: MeasuredText[];
}

/** What drawing the frame now shown costs, in 3D. */
export interface SceneCost {
  /** Milliseconds of real time until it is drawn. */
  milliseconds: number;
  /** How many of them go into shadows: lights that cast them draw the scene once more each, into maps of this many pixels a side. */
  shadows: { milliseconds: number; maps: number[] };
  triangles: number;
  /** Draw calls. */
  calls: number;
  /** Meshes that are drawn although they lie outside of the picture. */
  unseen: number;
}

export interface PageError {
  message: string;
  stack: string;
}

export interface KodaPage {
  readonly contract: 1;
  readonly info: Info;
  readonly ready: Promise<void>;
  readonly error: PageError | null;
  /** What the picture is drawn into: the element for 2D, and for 3D the canvas in it. */
  readonly stage: HTMLElement;
  readonly canvas: HTMLCanvasElement | null;
  show(frame: number): Promise<void>;
  measure(): Measurement;
  /** Null where a frame is not drawn in 3D. */
  cost(): SceneCost | null;
}

/** Installed by the driver before any script of the page runs. */
interface KodaClock {
  seek(milliseconds: number): void;
}

declare global {
  interface Window {
    koda: KodaPage;
    __kodaClock?: KodaClock;
  }
}

/** Where and why the composition does not run; a null message says that it does again. */
export interface Fault {
  message: string | null;
  file: string | null;
  line: number | null;
  column: number | null;
}

/** What the preview is doing. */
export interface PlayState {
  frame: number;
  playing: boolean;
  loop: boolean;
  rate: number;
  /** Whether the film's sound is played, and how loud, 0 to 1. */
  sound: boolean;
  volume: number;
  /** Whether the composition has had anything to hear since it was put on the stage. */
  audible: boolean;
  /** Whether something was shown without an effect that this browser cannot draw, and that the film has. */
  simplified: boolean;
}

/** `n` counts the commands of who embeds the preview: `heard` in what the preview says is the last of them. */
export type ToPreview = { n?: number } & (
  | { type: "play" | "pause" | "toggle" | "hello" }
  | { type: "seek"; frame: number }
  | { type: "loop"; on: boolean }
  | { type: "rate"; rate: number }
  | { type: "sound"; on: boolean; volume?: number }
);

export type FromPreview =
  | { type: "ready"; info: Info }
  | ({ type: "state"; heard: number } & PlayState)
  | { type: "painted"; frame: number; heard: number }
  | ({ type: "error" } & Fault);
