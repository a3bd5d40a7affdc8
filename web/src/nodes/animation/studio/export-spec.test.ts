import { describe, expect, it } from "vitest";
import {
  type ExportChoice,
  isPreset,
  outputFrames,
  PRESETS,
  possible,
  rangeProblem,
  ratesOf,
  settle,
  sizeOf,
} from "./export-spec";

const CHOICE: ExportChoice = {
  format: "mp4",
  resolution: "1080p",
  fps: 30,
  quality: "standard",
  transparent: false,
  range: null,
};

describe("an export", () => {
  it("has the size that the server will make", () => {
    expect(sizeOf("16:9", "720p")).toEqual({ width: 1280, height: 720 });
    expect(sizeOf("16:9", "4k")).toEqual({ width: 3840, height: 2160 });
    expect(sizeOf("9:16", "720p")).toEqual({ width: 720, height: 1280 });
    expect(sizeOf("1:1", "1080p")).toEqual({ width: 1080, height: 1080 });
    expect(sizeOf("4:3", "720p")).toEqual({ width: 960, height: 720 });
    expect(sizeOf("21:9", "1080p")).toEqual({ width: 2520, height: 1080 });
  });

  it("is transparent only in formats that can be", () => {
    expect(settle({ ...CHOICE, transparent: true }, 90).transparent).toBe(false);
    expect(settle({ ...CHOICE, format: "webm", transparent: true }, 90).transparent).toBe(true);
  });

  it("as a GIF has at most 50 frames a second", () => {
    expect(ratesOf("gif")).toEqual([24, 25, 30, 50]);
    expect(ratesOf("mp4")).toEqual([24, 25, 30, 50, 60]);
    expect(settle({ ...CHOICE, format: "gif", fps: 60 }, 90).fps).toBe(50);
    expect(settle({ ...CHOICE, format: "gif", fps: 25 }, 90).fps).toBe(25);
    expect(settle({ ...CHOICE, fps: 60 }, 90).fps).toBe(60);
  });

  it("of a range stays within the animation, and the whole of it is no range", () => {
    expect(settle({ ...CHOICE, range: { start: 0, end: 90 } }, 90).range).toBeNull();
    expect(settle({ ...CHOICE, range: { start: -5, end: 500 } }, 90).range).toBeNull();
    expect(settle({ ...CHOICE, range: { start: 10, end: 500 } }, 90).range).toEqual({
      start: 10,
      end: 90,
    });
    expect(rangeProblem({ start: 10, end: 20 }, 90)).toBeNull();
    for (const range of [
      { start: 20, end: 20 },
      { start: 0, end: 91 },
      { start: Number.NaN, end: 4 },
    ]) {
      expect(rangeProblem(range, 90)).not.toBeNull();
    }
  });

  it("has the frames that its time asks for, to the nearest", () => {
    // The table of shared/domain/src/render/spec.rs.
    const table = [
      ["mp4", 30, null, 90, 30, 90],
      ["mp4", 30, 60, 90, 60, 180],
      ["mp4", 30, 24, 30, 24, 24],
      ["webm", 60, 25, 5, 25, 2],
      ["webm", 60, 25, 7, 25, 3],
      ["mov", 24, 25, 59, 25, 61],
      ["mov", 24, 60, 1, 60, 3],
      ["png", 60, 30, 5, 30, 3],
      ["png", 60, 24, 1, 24, 1],
      ["gif", 60, null, 120, 50, 100],
      ["gif", 60, 50, 7, 50, 6],
      ["gif", 25, null, 50, 25, 50],
    ] as const;
    for (const [format, own, asked, span, fps, frames] of table) {
      const whole = possible({ ...CHOICE, format, fps: asked ?? own });
      const part = { ...whole, range: { start: 10, end: 10 + span } };
      for (const [choice, total] of [
        [whole, span],
        [part, 7200],
      ] as const)
        expect([choice.fps, outputFrames(choice, total, own)]).toEqual([fps, frames]);
    }
  });

  it("knows which preset it is", () => {
    expect(PRESETS.filter((it_) => isPreset(CHOICE, it_)).map((it_) => it_.label)).toEqual([
      "Web 1080p",
    ]);
  });
});
