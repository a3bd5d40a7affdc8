import { describe, expect, it } from "vitest";
import { PLAN } from "../../../session/story";
import {
  addScene,
  isEdited,
  MAX_SCENES,
  moveScene,
  problems,
  removeScene,
  sceneMarks,
  setScene,
  totalSeconds,
} from "./plan-edit";

const titles = (plan: typeof PLAN) => plan.scenes.map((scene) => scene.title);

describe("a plan's scenes", () => {
  it("add up without the crumbs of floating point", () => {
    const plan = {
      ...PLAN,
      scenes: [0.1, 0.2, 0.7].map((s) => ({ title: "a", description: "", duration_seconds: s })),
    };
    expect(totalSeconds(plan)).toBe(1);
    expect(totalSeconds(PLAN)).toBe(6.5);
  });

  it("can be moved, removed and added, and the plan that was proposed stays as it was", () => {
    const before = structuredClone(PLAN);
    expect(titles(moveScene(PLAN, 0, 2))).toEqual(["Three facts", "Logo", "Name"]);
    expect(titles(moveScene(PLAN, 0, -1))).toEqual(titles(PLAN));
    expect(titles(removeScene(PLAN, 1))).toEqual(["Name", "Logo"]);
    expect(titles(addScene(PLAN, 0))).toEqual(["Name", "New scene", "Three facts", "Logo"]);
    expect(setScene(PLAN, 1, { duration_seconds: 4 }).scenes[1]?.duration_seconds).toBe(4);
    expect(PLAN).toEqual(before);
  });

  it("are at least one and at most 24", () => {
    let plan = PLAN;
    for (let n = 0; n < 40; n += 1) plan = addScene(plan, 0);
    expect(plan.scenes).toHaveLength(MAX_SCENES);
    for (let n = 0; n < 40; n += 1) plan = removeScene(plan, 0);
    expect(plan.scenes).toHaveLength(1);
  });

  it("say what is wrong with them, by field", () => {
    expect(problems(PLAN)).toEqual({});
    const bad = setScene(setScene(PLAN, 0, { title: " " }), 1, { duration_seconds: Number.NaN });
    expect(Object.keys(problems(bad))).toEqual([
      "scenes.0.title",
      "scenes.1.duration_seconds",
      "scenes",
    ]);
    expect(Object.keys(problems(setScene(PLAN, 0, { duration_seconds: 119 })))).toEqual(["scenes"]);
  });

  it("are marked on the timeline at the frames where they begin", () => {
    const timing = { stretches: [], hold_seconds: 0 };
    const settings = { fps: 30 as const, duration_seconds: totalSeconds(PLAN), timing };
    const long = sceneMarks(PLAN, { ...settings, duration_seconds: 2 * totalSeconds(PLAN) });
    const fine = sceneMarks(PLAN, { ...settings, fps: 60 });
    expect(long.map((it) => it.frame)).toEqual(fine.map((it) => it.frame));
    const slow = { stretches: [{ seconds: 1, speed: 0.5 }], hold_seconds: 1 };
    expect(sceneMarks(PLAN, { ...settings, timing: slow })).toEqual(long);
    expect(sceneMarks(PLAN, settings)).toEqual([
      { frame: 0, title: "Name" },
      { frame: 60, title: "Three facts" },
      { frame: 150, title: "Logo" },
    ]);
  });

  it("tell an edit from none", () => {
    expect(isEdited(PLAN, structuredClone(PLAN))).toBe(false);
    expect(isEdited(PLAN, setScene(PLAN, 0, { title: "Other" }))).toBe(true);
  });
});
