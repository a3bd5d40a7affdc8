import { screen } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import type { RenderProgress } from "../../../api/types";
import { Story } from "../../../session/story";
import { answer, renderInNode } from "../testing";
import { RenderRow } from "./RenderRow";

beforeEach(() => void vi.stubGlobal("fetch", answer({}).fetch));

function show(progress: Partial<RenderProgress> & { stage: string }) {
  const story = new Story().created().built().queued("rnd_1");
  story.tell(
    { type: "render_started", render_id: "rnd_1", attempt: 1 },
    {
      type: "render_progressed",
      render_id: "rnd_1",
      progress: { frame: 195, total: 195, fps: 0, seconds_left: null, ...progress },
    },
  );
  renderInNode(<RenderRow id="rnd_1" />, story);
}

const bar = () => screen.getByRole("progressbar", { name: "Export" });

it("says how many frames are drawn, how fast, and how long it takes", () => {
  show({ stage: "capture", frame: 60, fps: 41, seconds_left: 3.3 });
  expect(screen.getByText("Drawing frames · 60 / 195 · 41 fps · 0:04 left")).toBeTruthy();
  expect(bar().getAttribute("aria-valuenow")).not.toBeNull();
});

it.each([
  ["encode", "Encoding"],
  ["verify", "Checking the file"],
  ["upload", "Storing the file"],
])("says what happens when all frames are drawn: %s", (stage, words) => {
  show({ stage });
  expect(screen.getByText(words)).toBeTruthy();
  expect(bar().getAttribute("aria-valuenow")).toBeNull();
});
