import { expect, it } from "vitest";
import { fitPoints, NO_POINTS, partOf, withPoint } from "./points";

const points = (first: number | null, last: number | null, fps = 30) => ({
  in: first,
  out: last,
  fps,
});
const film = (durationInFrames: number, fps = 30) => ({ durationInFrames, fps });

it("a part without an in point begins with the animation, and without an out point ends with it", () => {
  expect(partOf(NO_POINTS, 90)).toEqual({ first: 0, last: 89 });
  expect(partOf(points(20, null), 90)).toEqual({ first: 20, last: 89 });
  expect(partOf(points(null, 40), 90)).toEqual({ first: 0, last: 40 });
});

it("a point on the wrong side of the other one takes its place", () => {
  expect(withPoint(points(20, 40), "in", 50)).toEqual(points(50, null));
  expect(withPoint(points(20, 40), "out", 10)).toEqual(points(null, 10));
  expect(withPoint(points(20, 40), "in", 40)).toEqual(points(40, 40));
  expect(withPoint(points(20, 40), "out", null)).toEqual(points(20, null));
});

it("points stay within an animation that has become shorter", () => {
  expect(fitPoints(points(20, 60), film(90))).toEqual(points(20, 60));
  expect(fitPoints(points(20, 60), film(50))).toEqual(points(20, 49));
  expect(fitPoints(points(null, 60), film(50))).toEqual(points(null, 49));
});

it("points of a part that is gone mark nothing", () => {
  expect(fitPoints(points(60, 80), film(50))).toEqual(points(null, null));
});

it("points keep their moments at another rate", () => {
  // From 1 s to 2 s, the last frame included.
  expect(fitPoints(points(24, 47, 24), film(120, 30))).toEqual(points(30, 59));
  expect(fitPoints(points(30, 59), film(240, 60))).toEqual(points(60, 119, 60));
});
