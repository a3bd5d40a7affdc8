import { describe, expect, it } from "vitest";
import { fold } from "./reducer";
import { DEMO, DIAGNOSTIC, PLAN, Story } from "./story";
import { EMPTY, type View } from "./view";

const view = (story: Story) => fold(EMPTY, story.events);
const last = (it_: View) => it_.items.at(-1);

describe("a turn that came to nothing", () => {
  it("remembers of a turn that failed its check what each repair met, and which version is back", () => {
    const other = { ...DIAGNOSTIC, line: 20, message: "Cannot find name 'x'." };
    const story = new Story().created().built().asked("Break it").said(1, "Sure.");
    // The agent looks by itself before it is done.
    story.checked(false, [{ ...DIAGNOSTIC, line: 1 }]).said(2, "Done.");
    story.checked(false).told().said(3, "Mended.");
    story.checked(false, [{ ...other, severity: "warning" }, other]);
    story.tell({
      type: "turn_finished",
      outcome: { type: "check_failed", diagnostic: other, repairs: 1, version_id: "ver_1" },
    });
    const it_ = view(story).items.find((item) => item.kind === "outcome");
    expect(it_).toMatchObject({
      asked: { text: "Break it" },
      byHand: false,
      back: 1,
      tried: [
        { repair: 0, diagnostic: DIAGNOSTIC },
        { repair: 1, diagnostic: other },
      ],
    });
  });

  it("counts what a passed check noted as no repair, and knows the version that a turn made before it failed", () => {
    const story = new Story().created().built().asked("Bigger").checked(false).said(1, "Done.");
    story.checked(true).version(2, "Bigger");
    story.told(["text_clipped"]);
    expect(view(story).turn).toMatchObject({ repairs: 0, tried: [] });
    expect(last(view(story))).toMatchObject({
      kind: "notice",
      text: expect.stringContaining("passed"),
    });
    story.checked(false).tell({
      type: "turn_finished",
      outcome: { type: "check_failed", diagnostic: DIAGNOSTIC, repairs: 0, version_id: "ver_2" },
    });
    const it_ = view(story).items.find((item) => item.kind === "outcome");
    expect(it_).toMatchObject({ back: 2, made: true, tried: [{ repair: 0 }] });
  });

  it("remembers of a turn that went round in circles which actions failed, each once", () => {
    const story = new Story().created().built().asked("Bigger").said(1, "");
    for (const id of ["a", "b", "c"])
      story.ran(id, "read_file", "Reading src/Nowhere.tsx", "There is no such file", true);
    story.ran("d", "list_files", "Looking around", "Listed 4 files");
    story.tell({
      type: "turn_finished",
      outcome: { type: "failed", code: "stuck", message: "Stuck." },
    });
    expect(view(story).items.find((item) => item.kind === "outcome")).toMatchObject({
      missed: ["Reading src/Nowhere.tsx: There is no such file"],
    });
  });

  it("knows a failed change by hand by what was changed, and a failed build by its plan", () => {
    const outcome = {
      type: "check_failed",
      diagnostic: DIAGNOSTIC,
      repairs: 0,
      version_id: "ver_3",
    } as const;
    const story = new Story().created().built();
    story
      .tell({ type: "turn_started", input: { type: "settings" } })
      .version(2, "9:16, 6.5 s at 30 fps")
      .checked(false)
      .version(3, "Back to version 1", { restored_from: "ver_1", turn_id: null })
      .tell({ type: "turn_finished", outcome });
    expect(last(view(story))).toMatchObject({
      kind: "outcome",
      byHand: true,
      asked: { text: "I want this change: 9:16, 6.5 s at 30 fps" },
      back: 3,
    });
    const built = new Story().created().planned().approved().checked(false);
    built.tell({ type: "turn_finished", outcome: { ...outcome, version_id: null } });
    expect(last(view(built))).toMatchObject({
      byHand: false,
      asked: { text: `Build the plan “${PLAN.title}” as approved.` },
      back: null,
    });
  });
});

describe("what was used", () => {
  it("is told below each turn that asked a model, call by call", () => {
    const story = new Story()
      .created()
      .asked("Hi")
      .said(1, "Hello.")
      .coded("claude-haiku-4-5", 900);
    story.tell({ type: "turn_finished", outcome: { type: "answered" } });
    expect(last(view(story))).toMatchObject({
      kind: "spent",
      spend: { usage: { cost_micros: 3000, cached_tokens: 3200 }, unpriced: 0 },
      calls: [
        { step: 1, model: "claude-opus-4-5", spend: { seconds: 2.4 } },
        { step: null, model: "claude-haiku-4-5", spend: { seconds: 7.5 } },
      ],
    });
    // From the turn's first event to its last, a second apart.
    const { length } = story.events;
    expect(last(view(story))).toMatchObject({ spend: { seconds: length - 3 } });
  });

  it("adds up over turns, and keeps apart what has no price", () => {
    const story = new Story().created().built().asked("Bigger").said(1, "Sure.");
    const before = view(story).spend;
    story.coded("some-model", 0).tell({ type: "turn_finished", outcome: { type: "answered" } });
    const { spend } = view(story);
    expect(spend.usage.cost_micros).toBe(before.usage.cost_micros);
    expect(spend.unpriced).toBe(4500);
    expect(spend.seconds).toBeGreaterThan(before.seconds);
  });

  it("says nothing of a turn without a model, and takes the demo's for free", () => {
    const story = new Story().created().built();
    const { length } = view(story).items;
    story
      .tell({ type: "turn_started", input: { type: "settings" } })
      .checked(true)
      .ready(2, "9:16");
    expect(
      view(story)
        .items.slice(length)
        .map((it_) => it_.kind),
    ).toEqual(["check", "version"]);
    const demo = new Story().created().asked("Hi").said(1, "I am no AI.", "", DEMO);
    expect(view(demo).spend.unpriced).toBe(0);
  });
});
