import { expect, test } from "vitest";
import { filmSeconds, shownAt } from "./timing";

const paced = {
  duration_seconds: 6,
  timing: {
    stretches: [
      { seconds: 2, speed: 1 },
      { seconds: 1, speed: 0.5 },
      { seconds: 3, speed: 2 },
    ],
    hold_seconds: 1,
  },
};

test("a moment is shown later after a slow stretch and earlier after a fast one", () => {
  expect([0, 2, 2.5, 3, 6].map((at) => shownAt(paced, at))).toEqual([0, 2, 3, 4, 5.5]);
  expect(filmSeconds(paced)).toBe(6.5);
});

test("stretches keep their shares of a longer animation", () => {
  expect(filmSeconds({ ...paced, duration_seconds: 12 })).toBe(12);
});

test("what is played as written is as long as it was written", () => {
  const timing = { stretches: [{ seconds: 3, speed: 1 }], hold_seconds: 0 };
  expect(filmSeconds({ duration_seconds: 9, timing })).toBe(9);
});
