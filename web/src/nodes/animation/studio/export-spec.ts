/** What can be asked of an export. Pure. */

import type {
  Aspect,
  Fps,
  RenderFormat,
  RenderQuality,
  RenderSpec,
  Resolution,
  Settings,
  Size,
} from "../../../api/types";
import { fitPoints, isMarked, type Points, partOf } from "../../../preview/points";
import { filmSeconds } from "../../../session/timing";

export interface ExportChoice {
  format: RenderFormat;
  resolution: Resolution;
  fps: Fps;
  quality: RenderQuality;
  transparent: boolean;
  /** `null` for all of it. */
  range: { start: number; end: number } | null;
}

export const FORMATS: readonly { value: RenderFormat; label: string; about: string }[] = [
  { value: "mp4", label: "MP4", about: "H.264, plays everywhere" },
  { value: "webm", label: "WebM", about: "VP9, for the web; can be transparent" },
  { value: "mov", label: "MOV", about: "ProRes 4444, for video editors; can be transparent" },
  { value: "gif", label: "GIF", about: "Plays anywhere, large and few colours" },
  { value: "png", label: "PNG", about: "A zip with a picture for each frame; can be transparent" },
];

export const hasAlpha = (format: RenderFormat): boolean =>
  format === "webm" || format === "png" || format === "mov";

const RATES: readonly Fps[] = [24, 25, 30, 50, 60];

/** Most frames a second that players show of a format, as the server has it. */
export const mostFps = (format: RenderFormat): Fps => (format === "gif" ? 50 : 60);

export const ratesOf = (format: RenderFormat): readonly Fps[] =>
  RATES.filter((fps) => fps <= mostFps(format));

const SHORT: Record<Resolution, number> = { "720p": 720, "1080p": 1080, "4k": 2160 };
const RATIO: Record<Aspect, [number, number]> = {
  "16:9": [16, 9],
  "9:16": [9, 16],
  "1:1": [1, 1],
  "4:3": [4, 3],
  "21:9": [21, 9],
};

/** Pixels of the output; even, as the server makes it. */
export function sizeOf(aspect: Aspect, resolution: Resolution): Size {
  const [w, h] = RATIO[aspect];
  const short = SHORT[resolution];
  const long = Math.floor((short * Math.max(w, h)) / Math.min(w, h) / 2) * 2;
  return w >= h ? { width: long, height: short } : { width: short, height: long };
}

export const frameCount = (
  settings: Pick<Settings, "duration_seconds" | "fps" | "timing">,
): number => Math.max(1, Math.round(filmSeconds(settings) * settings.fps));

export interface Preset {
  label: string;
  choice: Partial<ExportChoice>;
}

export const PRESETS: readonly Preset[] = [
  {
    label: "Web 1080p",
    choice: { format: "mp4", resolution: "1080p", quality: "standard", transparent: false },
  },
  {
    label: "Draft",
    choice: { format: "mp4", resolution: "720p", quality: "draft", transparent: false },
  },
  {
    label: "4K master",
    choice: { format: "mp4", resolution: "4k", quality: "high", transparent: false },
  },
  {
    label: "Overlay",
    choice: { format: "mov", resolution: "1080p", quality: "high", transparent: true },
  },
  {
    label: "GIF",
    choice: { format: "gif", resolution: "720p", quality: "standard", transparent: false },
  },
];

export const isPreset = (choice: ExportChoice, preset: Preset): boolean =>
  Object.entries(preset.choice).every(
    ([key, value]) => choice[key as keyof ExportChoice] === value,
  );

/** What the format can do of a choice. */
export function possible(choice: ExportChoice): ExportChoice {
  const most = mostFps(choice.format);
  return {
    ...choice,
    fps: choice.fps > most ? most : choice.fps,
    transparent: choice.transparent && hasAlpha(choice.format),
  };
}

/** Puts right what does not go together. */
export function settle(choice: ExportChoice, frames: number): ExportChoice {
  const range = choice.range && {
    start: Math.min(Math.max(0, Math.round(choice.range.start)), frames - 1),
    end: Math.min(Math.max(1, Math.round(choice.range.end)), frames),
  };
  return {
    ...possible(choice),
    range: range && (range.start === 0 && range.end === frames ? null : range),
  };
}

/** What in and out points mark of a version with this rate and so many frames; `null` where that is all of it. */
export function markedRange(points: Points, fps: number, frames: number): ExportChoice["range"] {
  const here = fitPoints(points, { fps, durationInFrames: frames });
  if (!isMarked(here)) return null;
  const { first, last } = partOf(here, frames);
  return first === 0 && last === frames - 1 ? null : { start: first, end: last + 1 };
}

/** Why this range cannot be exported, or null. */
export function rangeProblem(range: ExportChoice["range"], frames: number): string | null {
  if (!range) return null;
  const whole = Number.isInteger(range.start) && Number.isInteger(range.end);
  return whole && range.start >= 0 && range.start < range.end && range.end <= frames
    ? null
    : `Choose frames from 0 to ${frames - 1}, the first before the last.`;
}

/** Frames of the output: the range is counted in the animation's own rate. */
export function outputFrames(choice: ExportChoice, frames: number, fps: number): number {
  const span = choice.range ? choice.range.end - choice.range.start : frames;
  return Math.max(1, Math.round((span * choice.fps) / fps));
}

export const specOf = (choice: ExportChoice, versionId: string): RenderSpec => ({
  version_id: versionId,
  ...choice,
});
