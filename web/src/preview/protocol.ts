/** What the canvas and a preview say to each other (templates/README.md, section 2.3). */

import type { Engine } from "../api/types";

export interface PreviewInfo {
  engine: Engine;
  title: string;
  width: number;
  height: number;
  fps: number;
  durationInFrames: number;
}

export interface PreviewProblem {
  message: string;
  file: string | null;
  line: number | null;
  column: number | null;
}

export type ToPreview =
  | { type: "play" | "pause" | "toggle" | "hello" }
  | { type: "seek"; frame: number }
  | { type: "loop"; on: boolean }
  | { type: "rate"; rate: number }
  | { type: "sound"; on: boolean; volume: number };

export type FromPreview =
  | { type: "ready"; info: PreviewInfo }
  | {
      type: "state";
      frame: number;
      playing: boolean;
      loop: boolean;
      rate: number;
      /** Left out by a page of before previews could be heard. */
      sound?: boolean;
      audible?: boolean;
      /** Whether something is shown without an effect that this browser cannot draw. */
      simplified?: boolean;
      heard: number;
    }
  | { type: "painted"; frame: number; heard: number }
  | { type: "error"; problem: PreviewProblem | null };

/** `n` is the number of a command; what the preview says tells by `heard` which was the last that it knew. */
export const wrap = (message: ToPreview, n?: number) =>
  n === undefined ? { koda: 1, ...message } : { koda: 1, n, ...message };

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;
const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
const number = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;
const count = (value: unknown): number | null => {
  const found = number(value);
  return found !== null && Number.isInteger(found) && found >= 0 ? found : null;
};

/** A page that does not tell what it heard is believed. */
const heard = (data: Fields): number => count(data.heard) ?? Number.POSITIVE_INFINITY;

/** Reads a message of a preview, which runs code that nobody vouches for. Anything else is `null`. */
export function parse(data: unknown): FromPreview | null {
  if (!isFields(data) || data.koda !== 1) return null;
  switch (data.type) {
    case "ready": {
      const info = isFields(data.info) ? parseInfo(data.info) : null;
      return info && { type: "ready", info };
    }
    case "state": {
      const frame = count(data.frame);
      const rate = number(data.rate);
      if (frame === null || rate === null || rate <= 0) return null;
      return {
        type: "state",
        frame,
        playing: data.playing === true,
        loop: data.loop === true,
        rate,
        ...(typeof data.sound === "boolean" ? { sound: data.sound } : {}),
        ...(typeof data.audible === "boolean" ? { audible: data.audible } : {}),
        ...(typeof data.simplified === "boolean" ? { simplified: data.simplified } : {}),
        heard: heard(data),
      };
    }
    case "painted": {
      const frame = count(data.frame);
      return frame === null ? null : { type: "painted", frame, heard: heard(data) };
    }
    case "error": {
      const message = text(data.message);
      if (message === null) return { type: "error", problem: null };
      return {
        type: "error",
        problem: {
          message: message.slice(0, 4_000),
          file: text(data.file),
          line: count(data.line),
          column: count(data.column),
        },
      };
    }
    default:
      return null;
  }
}

function parseInfo(info: Fields): PreviewInfo | null {
  const [width, height, fps, durationInFrames] = [
    count(info.width),
    count(info.height),
    number(info.fps),
    count(info.durationInFrames),
  ];
  if (!width || !height || !fps || fps < 0 || !durationInFrames) return null;
  return {
    engine: info.engine === "theatre" ? "theatre" : "remotion",
    title: text(info.title) ?? "",
    width,
    height,
    fps,
    durationInFrames,
  };
}
