import { createContext, useContext, useSyncExternalStore } from "react";
import type { Manifest } from "./contract";

/** The frame now shown, for whoever draws from it. */
export class FrameStore {
  #frame = 0;
  readonly #listeners = new Set<() => void>();

  get = () => this.#frame;

  set(frame: number): void {
    if (frame === this.#frame) return;
    this.#frame = frame;
    for (const listener of this.#listeners) listener();
  }

  subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

export interface Stage {
  frames: FrameStore;
  manifest: Manifest;
}

export const StageContext = createContext<Stage | null>(null);

function useStage(): Stage {
  const stage = useContext(StageContext);
  if (!stage) throw new Error("This hook works only inside the composition.");
  return stage;
}

/** The number of the frame being drawn. Reading it draws the component anew at every frame. */
export function useCurrentFrame(): number {
  const { frames } = useStage();
  return useSyncExternalStore(frames.subscribe, frames.get);
}

/** The frame store itself, for what follows the frame without drawing anew. */
export function useFrames(): FrameStore {
  return useStage().frames;
}

export interface VideoConfig {
  width: number;
  height: number;
  fps: number;
  durationInFrames: number;
  /** Seconds. */
  duration: number;
  /** Width divided by height. */
  aspect: number;
  /** Height exceeds width. */
  portrait: boolean;
}

export function useVideoConfig(): VideoConfig {
  const { width, height, fps, durationInFrames } = useStage().manifest;
  return { width, height, fps, durationInFrames, duration: durationInFrames / fps, aspect: width / height, portrait: height > width };
}

/** How far the composition is: 0 at its first frame, 1 at its last. */
export function useProgress(): number {
  const frame = useCurrentFrame();
  const { durationInFrames } = useVideoConfig();
  return durationInFrames > 1 ? frame / (durationInFrames - 1) : 0;
}
