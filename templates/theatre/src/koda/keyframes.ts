import type { IProjectConfig } from "@theatre/core";

/** Writes Theatre.js project state by hand: objects, their properties, and keyframes with easing. */

/** A cubic Bézier from (0,0) to (1,1) by its two handles; y may leave 0 to 1 for overshoot. */
export type Ease = readonly [x1: number, y1: number, x2: number, y2: number];

export const ease = {
  linear: [0.333, 0.333, 0.667, 0.667],
  in: [0.55, 0, 1, 0.45],
  out: [0, 0.55, 0.45, 1],
  inOut: [0.65, 0, 0.35, 1],
  /** Leaves at once and arrives very gently. */
  outExpo: [0.16, 1, 0.3, 1],
  inExpo: [0.7, 0, 0.84, 0],
  inOutExpo: [0.87, 0, 0.13, 1],
  /** Goes past the value and comes back. */
  outBack: [0.34, 1.56, 0.64, 1],
  inBack: [0.36, 0, 0.66, -0.56],
  /** Stays on the value before, and jumps. */
  hold: "hold",
} as const satisfies Record<string, Ease | "hold">;

export type EaseName = keyof typeof ease;

export interface Keyframe {
  at: number;
  value: number;
  ease: Ease | "hold";
}

/**
 * A keyframe: at a share of the length (0 to 1) the property has this value. The easing is that of the way to it from the keyframe
 * before.
 */
export function key(at: number, value: number, easing: EaseName | Ease = "inOut"): Keyframe {
  return { at, value, ease: typeof easing === "string" ? ease[easing] : easing };
}

/** Keyframes of an object's properties, nested as the properties are: `{ position: { y: [key(0, 2), key(1, 0)] } }`. */
export type Tracks = { [property: string]: Keyframe[] | Tracks };

/** Tracks by the id of the object that they move. */
export type Animation = { [object: string]: Tracks };

export type TheatreState = NonNullable<IProjectConfig["state"]>;

/** Checks and keeps an animation; here so that `src/animation.ts` reads `export const animation = defineAnimation({…})`. */
export function defineAnimation<const A extends Animation>(animation: A): A {
  for (const [object, tracks] of Object.entries(animation)) {
    for (const { path, keyframes } of flatten(tracks)) {
      if (keyframes.length === 0) throw new Error(`The track ${object}.${path.join(".")} has no keyframes.`);
      for (const { at, value } of keyframes) {
        if (!(at >= 0 && at <= 1)) throw new Error(`A keyframe of ${object}.${path.join(".")} is at ${at}; shares are from 0 to 1.`);
        if (!Number.isFinite(value)) throw new Error(`A keyframe of ${object}.${path.join(".")} has the value ${value}.`);
      }
    }
  }
  return animation;
}

function flatten(tracks: Tracks, path: string[] = []): { path: string[]; keyframes: Keyframe[] }[] {
  return Object.entries(tracks).flatMap(([name, value]) =>
    Array.isArray(value) ? [{ path: [...path, name], keyframes: value }] : flatten(value, [...path, name]),
  );
}

export const SHEET = "Composition";

/** The state of a Theatre project in which this animation takes that many seconds. */
export function toTheatreState(animation: Animation, seconds: number): TheatreState {
  const tracksByObject: Record<string, unknown> = {};
  for (const [object, tracks] of Object.entries(animation)) {
    const trackData: Record<string, unknown> = {};
    const trackIdByPropPath: Record<string, string> = {};
    for (const { path, keyframes } of flatten(tracks)) {
      const id = path.join("_");
      trackIdByPropPath[JSON.stringify(path)] = id;
      trackData[id] = { type: "BasicKeyframedTrack", __debugName: `${object}:${JSON.stringify(path)}`, keyframes: toTrack(id, keyframes, seconds) };
    }
    tracksByObject[object] = { trackData, trackIdByPropPath };
  }
  const sequence = { type: "PositionalSequence", length: seconds, subUnitsPerUnit: 30, tracksByObject };
  return {
    sheetsById: { [SHEET]: { staticOverrides: { byObject: {} }, sequence } },
    definitionVersion: "0.4.0",
    revisionHistory: ["koda"],
  };
}

/** Theatre keeps the handle that leaves a keyframe with it, and the one that arrives with the next. */
function toTrack(id: string, keyframes: Keyframe[], seconds: number) {
  const sorted = keyframes.toSorted((a, b) => a.at - b.at);
  return sorted.map((keyframe, index) => {
    const next = sorted[index + 1];
    const arriving: Ease = keyframe.ease === "hold" ? ease.linear : keyframe.ease;
    const leaving: Ease = !next || next.ease === "hold" ? ease.linear : next.ease;
    return {
      id: `${id}_${index}`,
      position: keyframe.at * seconds,
      connectedRight: next !== undefined,
      handles: [arriving[2], arriving[3], leaving[0], leaving[1]],
      type: next?.ease === "hold" ? "hold" : "bezier",
      value: keyframe.value,
    };
  });
}
