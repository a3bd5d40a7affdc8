import { expect, describe as group, it } from "vitest";
import { fold } from "../../session/reducer";
import { DIAGNOSTIC, render, Story } from "../../session/story";
import { EMPTY } from "../../session/view";
import { describe, lastExchange, rows } from "./status";

const of = (story: Story) => describe({ view: fold(EMPTY, story.events), pending: [] });

group("the status", () => {
  it("follows an animation from the first word to an export", () => {
    const story = new Story().created();
    expect(of(story)).toMatchObject({ label: "New", busy: false });
    story.posted("Hi");
    expect(of(story)).toMatchObject({ label: "Starting", busy: true });
    story
      .taken()
      .tell({ type: "model_started", step: 1, model: { provider: "", model: "", is_ai: true } });
    expect(of(story).label).toBe("Thinking");
    story.tell({ type: "text_delta", step: 1, text: "Hello" });
    expect(of(story).label).toBe("Writing");
    story.runs("a", "write_file", "Writing src/design.ts");
    expect(of(story).label).toBe("Writing src/design.ts");
    story.tell({ type: "stop_requested" });
    expect(of(story).label).toBe("Stopping");
    story.tell({ type: "turn_finished", outcome: { type: "stopped" } });
    expect(of(story)).toMatchObject({ label: "Stopped", busy: false });
    expect(of(new Story().created().planned())).toMatchObject({
      label: "Plan to approve",
      tone: "accent",
    });
    const built = new Story().created().built();
    expect(of(built)).toMatchObject({ label: "Version 1", tone: "success" });
    built.tell(
      { type: "render_queued", render: render("r") },
      { type: "render_started", render_id: "r", attempt: 1 },
    );
    built.tell({
      type: "render_progressed",
      render_id: "r",
      progress: { stage: "capture", frame: 50, total: 200, fps: 9, seconds_left: 3 },
    });
    expect(of(built)).toMatchObject({ label: "Exporting 25 %", busy: true });
  });

  it("says that a check failed even where an older version can be seen", () => {
    const story = new Story().created().built().asked("Break it");
    story.tell({
      type: "turn_finished",
      outcome: { type: "check_failed", diagnostic: DIAGNOSTIC, repairs: 3, version_id: "ver_1" },
    });
    expect(of(story)).toMatchObject({ label: "Check failed", tone: "danger" });
  });
});

group("rows", () => {
  it("put actions in a row together, and leave out those that have a card of their own", () => {
    const { items } = fold(EMPTY, new Story().created().built().events);
    expect(rows(items).map((it_) => it_.kind)).toEqual([
      "message",
      "step",
      "plan",
      "spent",
      "step",
      "work",
      "step",
      "check",
      "version",
      "spent",
    ]);
    const work = rows(items).find((it_) => it_.kind === "work");
    expect(work?.kind === "work" && work.tools.map((tool) => tool.name)).toEqual([
      "write_file",
      "generate_code",
    ]);
  });

  it("of the last exchange begin with the newest message", () => {
    const { items } = fold(
      EMPTY,
      new Story().created().built().asked("Bigger").said(1, "Sure.").events,
    );
    expect(lastExchange(items).map((it_) => it_.kind)).toEqual(["message", "step"]);
  });
});
