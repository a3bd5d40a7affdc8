import { describe, expect, it } from "vitest";
import {
  type ExportChoice,
  isPreset,
  outputFrames,
  PRESETS,
  rangeProblem,
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

  it("at another rate has as many frames as the time asks for", () => {
    expect(outputFrames({ ...CHOICE, fps: 60 }, 90, 30)).toBe(180);
    expect(outputFrames({ ...CHOICE, fps: 24, range: { start: 0, end: 30 } }, 90, 30)).toBe(24);
  });

  it("knows which preset it is", () => {
    expect(PRESETS.filter((it_) => isPreset(CHOICE, it_)).map((it_) => it_.label)).toEqual([
      "Web 1080p",
    ]);
  });
});
