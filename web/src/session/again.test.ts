import { describe, expect, it } from "vitest";
import { again, inALine } from "./again";
import { DIAGNOSTIC } from "./story";
import type { OutcomeItem } from "./view";

const failed = (patch: Partial<OutcomeItem> = {}): OutcomeItem => ({
  kind: "outcome",
  id: "9",
  at: "",
  outcome: { type: "check_failed", diagnostic: DIAGNOSTIC, repairs: 1, version_id: "ver_2" },
  asked: { text: "Make the name spin", attachments: [] },
  byHand: false,
  tried: [
    { repair: 0, diagnostic: { ...DIAGNOSTIC, line: 3, message: "Cannot find\n name 'x'." } },
    { repair: 1, diagnostic: DIAGNOSTIC },
  ],
  missed: [],
  back: 2,
  made: false,
  ...patch,
});

describe("another try", () => {
  it("repeats the person's request, what went wrong, and that the files are back", () => {
    expect(again(failed())).toBe(
      [
        "Make the name spin",
        "",
        "This was tried before and did not pass the check. The files are back at version 2: nothing of that try is left. What went wrong:",
        "- src/Composition.tsx:3:7: Cannot find name 'x'.",
        "- src/Composition.tsx:12:7: Type 'string' is not assignable to type 'number'.",
        "Please do it another way.",
      ].join("\n"),
    );
  });

  it("does not say that files are back where there is no version", () => {
    const outcome = { ...failed().outcome, version_id: null } as OutcomeItem["outcome"];
    const text = again(failed({ outcome, back: null }));
    expect(text).toContain("What was written is still there.");
    expect(text).not.toContain("back");
  });

  it("goes on from the version that the turn itself made", () => {
    expect(again(failed({ made: true }))).toContain(
      "\n\nGo on where you left off: version 2 passed its check, and what came after it did not",
    );
  });

  it("of another try keeps the request as it was written, and the errors of both", () => {
    const first = again(failed());
    const other = { ...DIAGNOSTIC, line: 40, message: "Duplicate identifier 'y'." };
    const second = again(
      failed({
        asked: { text: first, attachments: [] },
        outcome: { type: "check_failed", diagnostic: other, repairs: 0, version_id: "ver_2" },
        tried: [{ repair: 0, diagnostic: other }],
      }),
    );
    expect(second.match(/Make the name spin/g)).toHaveLength(1);
    expect(second.match(/tried before/g)).toHaveLength(1);
    expect(second.split("\n").filter((line) => line.startsWith("- "))).toEqual([
      "- src/Composition.tsx:3:7: Cannot find name 'x'.",
      "- src/Composition.tsx:12:7: Type 'string' is not assignable to type 'number'.",
      "- src/Composition.tsx:40:7: Duplicate identifier 'y'.",
    ]);
  });

  it("stays short, however often and however long the check complains", () => {
    let asked = failed().asked;
    for (let n = 0; n < 20; n += 1) {
      const diagnostic = { ...DIAGNOSTIC, line: n, message: "far too long ".repeat(100) };
      asked = {
        text: again(failed({ asked, tried: [{ repair: 0, diagnostic }] })),
        attachments: [],
      };
    }
    expect(asked?.text.length).toBeLessThan(2500);
    expect(asked?.text).toContain(inALine(DIAGNOSTIC));
  });

  it("of a turn that used up its budget goes on, with the request", () => {
    const outcome = { type: "budget_exhausted", what: "seconds" } as const;
    expect(again(failed({ outcome }))).toBe(
      "Make the name spin\n\nGo on where you left off: the last turn used up its time, and what was done is kept.",
    );
  });

  it("of a turn that went round in circles says which way was none", () => {
    const outcome = { type: "failed", code: "stuck", message: "Stuck." } as const;
    const text = again(failed({ outcome, missed: ["Reading a.tsx: There is no such file"] }));
    expect(text).toMatch(/^Make the name spin\n\nGo on where you left off: what was done is kept/);
    expect(text).toContain("\n- Reading a.tsx: There is no such file\nPlease go another way.");
    const more = again(failed({ outcome, asked: { text, attachments: [] } }));
    expect(more.match(/Go on where/g)).toHaveLength(1);
  });

  it("of a turn that the world disturbed is the same message", () => {
    const outcome = { type: "failed", code: "model_busy", message: "Busy." } as const;
    const asked = { text: again(failed()), attachments: [] };
    expect(again(failed({ outcome, asked }))).toBe(asked.text);
    expect(again(failed({ outcome, asked: null }))).toBe("Go on where you left off.");
  });
});
