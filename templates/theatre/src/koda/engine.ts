import type { ComponentType } from "react";
import type { Manifest, Measurement, SceneCost } from "./contract";
import type { Design } from "./design";

/** What a composition is made of, as loaded from the workspace. */
export interface Loaded {
  Composition: ComponentType;
  design: Design;
  manifest: Manifest;
}

/** Draws a composition. One per template. */
export interface Engine {
  readonly canvas: HTMLCanvasElement | null;
  /** Puts this composition on the stage in place of the one before, at this frame. */
  mount(loaded: Loaded, frame: number): void;
  /** Brings this frame to the stage before it returns, as far as nothing has to be waited for. */
  draw(frame: number): void;
  /** Resolves when everything of the drawn frame has arrived and is drawn. */
  settle(): Promise<void>;
  /** Fits the picture to the stage, whose size in CSS pixels this is. */
  resize(width: number, height: number): void;
  measure(): Measurement;
  cost(): SceneCost | null;
}

/** Called with what a composition throws. */
export type Failed = (error: unknown) => void;
