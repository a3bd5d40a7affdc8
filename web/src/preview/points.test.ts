import { expect, it } from "vitest";
import { createPlayer } from "./player";
import { fitPoints, NO_POINTS, partOf, pointsOf, withPoint } from "./points";
import { forgetful } from "./sound";
import { INFO } from "./testing";

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

it("what was marked is there again when the page is loaded anew, for the animation it was marked in", () => {
  const send = () => {};
  const first = createPlayer(send, forgetful, pointsOf("ses_a"));
  first.receive({ type: "ready", info: INFO });
  first.mark("in", 20);
  first.mark("out", 60);
  const again = createPlayer(send, forgetful, pointsOf("ses_a"));
  again.receive({ type: "ready", info: { ...INFO, fps: 60, durationInFrames: 180 } });
  expect(again.state.getState().points).toMatchObject({ in: 40, out: 121 });
  const other = createPlayer(send, forgetful, pointsOf("ses_b"));
  expect(other.state.getState().points).toEqual(NO_POINTS);
  again.clearPoints();
  expect(sessionStorage.getItem("koda.points.ses_a")).toBeNull();
});

it.each(["{", "[]", '{"in":-1,"out":2,"fps":30}', '{"in":0,"out":null,"fps":0}', "7"])(
  "what is no pair of points marks nothing: %s",
  (text) => {
    sessionStorage.setItem("koda.points.ses_c", text);
    expect(pointsOf("ses_c").recall()).toEqual(NO_POINTS);
  },
);
