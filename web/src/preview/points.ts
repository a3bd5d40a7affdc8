/** In and out points: the part of an animation that is played and exported. */

import type { PreviewInfo } from "./protocol";

export type Point = "in" | "out";

export interface Points {
  /** First frame of the part; `null` where the animation begins. */
  in: number | null;
  /** Last frame of the part; `null` where the animation ends. */
  out: number | null;
  /** Frames a second that both are counted in. */
  fps: number;
}

/** First and last frame, both within. */
export interface Part {
  first: number;
  last: number;
}

type Film = Pick<PreviewInfo, "fps" | "durationInFrames">;

export const NO_POINTS: Points = { in: null, out: null, fps: 30 };

export const isMarked = (points: Points): boolean => points.in !== null || points.out !== null;

export const partOf = (points: Points, total: number): Part => ({
  first: points.in ?? 0,
  last: points.out ?? Math.max(0, total - 1),
});

/** Points are moments: at another rate they are other frames, and an end that came nearer takes them along. */
export function fitPoints(points: Points, { fps, durationInFrames }: Film): Points {
  const last = durationInFrames - 1;
  const scale = fps / points.fps;
  const first = points.in === null ? null : Math.round(points.in * scale);
  // Nothing of the part is left: all of the animation is more use than its last frame.
  if (first !== null && first > last) return { in: null, out: null, fps };
  const end = points.out === null ? null : Math.round((points.out + 1) * scale) - 1;
  return { in: first, out: end === null ? null : Math.min(Math.max(end, first ?? 0), last), fps };
}

/** Sets a point. The other one goes where it would be on the wrong side. */
export function withPoint(points: Points, point: Point, frame: number | null): Points {
  const next = { ...points, [point]: frame };
  if (next.in === null || next.out === null || next.in <= next.out) return next;
  return point === "in" ? { ...next, out: null } : { ...next, in: null };
}

export interface PointsMemory {
  recall(): Points;
  keep(points: Points): void;
}

const isFrame = (value: unknown) =>
  value === null || (Number.isInteger(value) && (value as number) >= 0);
const isPoints = (value: unknown): value is Points => {
  if (typeof value !== "object" || value === null) return false;
  const { in: first, out: last, fps } = value as Record<string, unknown>;
  return isFrame(first) && isFrame(last) && typeof fps === "number" && fps > 0;
};

/** The points of one animation, as long as the tab is open: what was marked another day would be exported by surprise. */
export function pointsOf(name: string): PointsMemory {
  const key = `koda.points.${name}`;
  return {
    recall() {
      try {
        const points: unknown = JSON.parse(sessionStorage.getItem(key) ?? "null");
        return isPoints(points) ? points : NO_POINTS;
      } catch {
        return NO_POINTS;
      }
    },
    keep(points) {
      try {
        if (isMarked(points)) sessionStorage.setItem(key, JSON.stringify(points));
        else sessionStorage.removeItem(key);
      } catch {
        // They then last as long as the page.
      }
    },
  };
}

/** For a preview that has no name. */
export const pointless: PointsMemory = { recall: () => NO_POINTS, keep: () => {} };
