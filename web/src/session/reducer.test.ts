import { describe, expect, it } from "vitest";
import type { SessionEvent } from "../api/types";
import { fold } from "./reducer";
import { DIAGNOSTIC, PLAN, render, Story, settings } from "./story";
import { canPreview, EMPTY, isBusy, openPlan, openQuestion, type View } from "./view";

const view = (story: Story) => fold(EMPTY, story.events);
const kinds = (it: View) => it.items.map((item) => item.kind);
const last = (it: View) => it.items.at(-1);

/** A log with everything in it: plan, edit, death and resumption, failed check, stop, renders, restore. */
function long(): Story {
  const story = new Story().created().built();
  story.tell({ type: "settings_changed", settings: settings({ aspect: "9:16" }), by: "person" });
  story.tell({
    type: "settings_changed",
    settings: settings({ aspect: "1:1", fps: 60 }),
    by: "person",
  });
  story.asked("Make the name bigger").says(1, "Half a sent");
  story.tell({ type: "turn_resumed", attempt: 2 });
  story.said(1, "I make the name bigger.").runs("call_9", "edit_file", "Editing src/design.ts");
  story.posted("And slower").posted("And blue");
  story.tell({ type: "turn_resumed", attempt: 3 });
  story
    .ran("call_9", "edit_file", "Editing src/design.ts", "Edited src/design.ts")
    .wrote("src/design.ts");
  story.checked(false).told();
  story.said(2, "I mend it.").checked(false);
  story.tell(
    { type: "files_restored", version_id: "ver_1", files: {}, settings: settings() },
    {
      type: "turn_finished",
      outcome: { type: "check_failed", diagnostic: DIAGNOSTIC, repairs: 1, version_id: "ver_1" },
    },
  );
  story
    .taken(3)
    .says(1, "Slow", "Hm")
    .tell({ type: "stop_requested" }, { type: "turn_finished", outcome: { type: "stopped" } });
  story
    .taken(4)
    .sandbox("lost")
    .sandbox("starting")
    .sandbox("ready")
    .said(1, "Blue.")
    .checked(true)
    .ready(2, "Blue");
  story.queued("rnd_1").tell({ type: "render_started", render_id: "rnd_1", attempt: 1 });
  story.tell({
    type: "render_progressed",
    render_id: "rnd_1",
    progress: { stage: "capture", frame: 9, total: 195, fps: 30, seconds_left: 6 },
  });
  story
    .queued("rnd_2")
    .tell(
      { type: "render_cancel_requested", render_id: "rnd_2" },
      { type: "render_cancelled", render_id: "rnd_2" },
    );
  story.version(3, "Restored version 1", { restored_from: "ver_1", turn_id: null });
  return story;
}

describe("a conversation", () => {
  it("shows a message at once, and the answer below it as it streams", () => {
    const story = new Story().created().posted("Hello");
    expect(view(story).waiting.map((it) => it.text)).toEqual(["Hello"]);
    expect(isBusy(view(story))).toBe(true);
    story.taken().says(1, "Here is what I would make.");
    const it_ = view(story);
    expect(kinds(it_)).toEqual(["message", "step"]);
    expect(it_.waiting).toEqual([]);
    expect(last(it_)).toMatchObject({ text: "Here is what I would make.", streaming: true });
  });

  it("keeps messages that wait below the turn that runs, in order", () => {
    const story = new Story().created().asked("One").says(1, "…").posted("Two").posted("Three");
    expect(view(story).waiting.map((it) => it.text)).toEqual(["Two", "Three"]);
    story.tell({ type: "turn_finished", outcome: { type: "answered" } }).taken(2);
    const it_ = view(story);
    expect(it_.items.flatMap((item) => (item.kind === "message" ? [item.text] : []))).toEqual([
      "One",
      "Two",
    ]);
    expect(it_.waiting.map((item) => item.text)).toEqual(["Three"]);
  });

  it("goes from a plan that waits to a version that can be previewed", () => {
    const story = new Story().created().planned();
    expect(openPlan(view(story))?.hash).toBe("hash-1");
    expect(view(story)).toMatchObject({ phase: "plan", turn: null });
    expect(canPreview(view(story))).toBe(false);
    const built = view(new Story().created().built());
    expect(built).toMatchObject({ phase: "ready", turn: null, title: PLAN.title });
    expect(openPlan(built)).toBeNull();
    expect(canPreview(built)).toBe(true);
    expect(built.spend.usage.cost_micros).toBe(6300);
    expect(built.sandbox).toMatchObject({ status: "ready", seconds: 1.1 });
  });

  it("tells an edited plan from one approved as it was", () => {
    const story = new Story().created().planned();
    const edited = { ...PLAN, title: "Borealis" };
    story.tell({ type: "plan_approved", plan: edited, hash: "hash-2", by: "person" });
    const plan = view(story).items.find((it_) => it_.kind === "plan");
    expect(plan).toMatchObject({ status: "edited", plan: { title: "Borealis" } });
    expect(isBusy(view(story))).toBe(true);
  });

  it("marks the older of two plans as superseded, so that only one can be approved", () => {
    const story = new Story().created().planned().asked("Shorter, please");
    story.tell({ type: "plan_proposed", plan: PLAN, hash: "hash-2" });
    story.tell({ type: "turn_finished", outcome: { type: "awaiting_plan" } });
    const plans = view(story).items.filter((it_) => it_.kind === "plan");
    expect(plans.map((it_) => it_.status)).toEqual(["superseded", "open"]);
    expect(openPlan(view(story))?.hash).toBe("hash-2");
  });

  it("keeps a plan open while the person talks about it", () => {
    const story = new Story().created().planned().asked("Why violet?").said(1, "It is calm.");
    story.tell({ type: "turn_finished", outcome: { type: "answered" } });
    expect(openPlan(view(story))?.hash).toBe("hash-1");
    expect(view(story).phase).toBe("plan");
  });

  it("closes a question when a message answers it", () => {
    const story = new Story().created().asked("An animation");
    story.tell({ type: "question_asked", question: { intro: "One thing first.", fields: [] } });
    story.tell({ type: "turn_finished", outcome: { type: "awaiting_answer" } });
    expect(openQuestion(view(story))?.question.intro).toBe("One thing first.");
    expect(view(story).phase).toBe("clarify");
    expect(openQuestion(view(story.asked("Blue")))).toBeNull();
  });

  it("says settings that were changed in a row in one line, and nothing when they are back", () => {
    const change = (patch: Parameters<typeof settings>[0]) =>
      ({ type: "settings_changed", settings: settings(patch), by: "person" }) as const;
    const story = new Story()
      .created()
      .tell(change({ fps: 24 }), change({ fps: 60, aspect: "9:16" }));
    expect(view(story).items).toMatchObject([
      { kind: "notice", text: "Aspect 16:9 → 9:16 · Frame rate 30 fps → 60 fps" },
    ]);
    expect(view(story.tell(change({}))).items).toEqual([]);
  });
});

describe("trouble", () => {
  it("voids what a model call had said when the call is made again", () => {
    const story = new Story().created().asked("Hi").says(1, "Half a sent", "Half a thought");
    story.tell({ type: "turn_resumed", attempt: 2 }).said(1, "A whole sentence.");
    const steps = view(story).items.filter((it_) => it_.kind === "step");
    expect(steps).toMatchObject([{ text: "A whole sentence.", thinking: "", streaming: false }]);
    expect(kinds(view(story))).toContain("notice");
  });

  it("shows a tool that is begun again after its worker died once", () => {
    const story = new Story()
      .created()
      .asked("Hi")
      .said(1, "")
      .runs("c", "write_file", "Writing a");
    story.tell({ type: "turn_resumed", attempt: 2 }).ran("c", "write_file", "Writing a", "Wrote a");
    expect(view(story).items.filter((it_) => it_.kind === "tool")).toMatchObject([
      { status: "done" },
    ]);
  });

  it("leaves nothing spinning when a turn ends, however it ends", () => {
    for (const type of ["stopped", "answered"] as const) {
      const story = new Story().created().asked("Hi").says(1, "Wor", "Thi");
      story.runs("c", "write_file", "Writing a").tell({ type: "check_started" });
      story.tell({ type: "todos_updated", todos: [{ label: "a", status: "active" }] });
      story.tell({ type: "turn_finished", outcome: { type } });
      const it_ = view(story);
      expect(it_.turn).toBeNull();
      expect(isBusy(it_)).toBe(false);
      expect(it_.todos).toEqual([{ label: "a", status: "pending" }]);
      for (const item of it_.items) {
        if (item.kind === "step") expect(item.streaming).toBe(false);
        if (item.kind === "tool" || item.kind === "check") expect(item.status).toBe("stopped");
      }
    }
  });

  it("offers the words of the failed turn for another try", () => {
    const story = new Story().created().asked("Make it pop");
    story.tell({
      type: "turn_finished",
      outcome: { type: "failed", code: "model_busy", message: "Busy." },
    });
    expect(last(view(story))).toMatchObject({ kind: "outcome", asked: { text: "Make it pop" } });
  });

  it("shows the finding of a failed check, and that the last good version is back", () => {
    const it_ = view(long());
    const failed = it_.items.find((item) => item.kind === "outcome");
    expect(failed).toMatchObject({
      outcome: { type: "check_failed", diagnostic: { file: "src/Composition.tsx", line: 12 } },
    });
    expect(
      it_.items.some(
        (item) => item.kind === "notice" && item.text === "The files of version 1 are back.",
      ),
    ).toBe(true);
  });

  it("ignores events of kinds that it does not know", () => {
    const story = new Story().created();
    const strange = { ...story.events[0], seq: 2, type: "moon_rose" } as unknown as SessionEvent;
    expect(fold(EMPTY, [...story.events, strange])).toMatchObject({ seq: 2, items: [] });
  });
});

describe("renders", () => {
  it("follow their job from queued to a file", () => {
    const story = new Story().created().built().queued("rnd_1");
    story.tell({ type: "render_started", render_id: "rnd_1", attempt: 1 });
    story.tell({
      type: "render_progressed",
      render_id: "rnd_1",
      progress: { stage: "capture", frame: 60, total: 195, fps: 41, seconds_left: 3 },
    });
    expect(view(story).renders).toMatchObject([{ status: "running", progress: { frame: 60 } }]);
    story.tell({
      type: "render_failed",
      render_id: "rnd_1",
      failure: { code: "frame_failed", message: "No.", frame: 61 },
    });
    expect(view(story).renders).toMatchObject([{ status: "failed", failure: { frame: 61 } }]);
    expect(view(story.tell({ type: "render_deleted", render_id: "rnd_1" })).renders).toEqual([]);
    expect(render("x").id).toBe("x");
  });
});

describe("the log", () => {
  it("folds to the same view in any pieces", () => {
    const { events } = long();
    const whole = fold(EMPTY, events);
    for (const size of [1, 2, 3, 7, 20]) {
      let it_ = EMPTY;
      for (let at = 0; at < events.length; at += size) it_ = fold(it_, events.slice(at, at + size));
      expect(it_).toEqual(whole);
    }
  });

  it("takes each event once, whichever tab or stream it comes from", () => {
    const { events } = long();
    const whole = fold(EMPTY, events);
    let it_ = EMPTY;
    for (let at = 0; at < events.length; at += 5)
      it_ = fold(it_, events.slice(Math.max(0, at - 8), at + 5));
    expect(it_).toEqual(whole);
    expect(fold(whole, events)).toBe(whole);
  });

  it("says when events are missing, and goes on once they are there", () => {
    const { events } = new Story().created().planned();
    const gap = fold(EMPTY, [...events.slice(0, 2), ...events.slice(4)]);
    expect(gap).toMatchObject({ seq: 2, gap: true });
    expect(fold(gap, events.slice(2))).toEqual(fold(EMPTY, events));
  });

  it("never changes a view that was handed out", () => {
    const { events } = long();
    const half = fold(EMPTY, events.slice(0, 40));
    const copy = structuredClone(half);
    fold(half, events.slice(40));
    expect(half).toEqual(copy);
    expect(EMPTY.items).toEqual([]);
  });

  it("leaves what did not change as it was, so that the screen need not draw it again", () => {
    const { events } = long();
    const before = fold(EMPTY, events);
    const seq = events.length + 1;
    const posted = new Story().posted("More").events.map((it_) => ({ ...it_, seq }));
    const after = fold(before, posted);
    expect(after.items).toHaveLength(before.items.length);
    after.items.forEach((item, n) => {
      expect(item).toBe(before.items[n]);
    });
  });
});
