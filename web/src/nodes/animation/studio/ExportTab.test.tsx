import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { Story, settings } from "../../../session/story";
import { useAnimation } from "../context";
import type { LiveSession } from "../sessions";
import { answer, renderInNode } from "../testing";
import ExportTab from "./ExportTab";

/** 6.5 seconds at 30 frames a second, as the story's version. */
const INFO = {
  engine: "remotion",
  title: "",
  width: 1920,
  height: 1080,
  fps: 30,
  durationInFrames: 195,
} as const;

let live: LiveSession | null = null;

function Held() {
  live = useAnimation().live;
  return <ExportTab />;
}

function show(story = new Story().created().built()) {
  const server = answer({});
  vi.stubGlobal("fetch", server.fetch);
  renderInNode(<Held />, story);
  const player = live?.preview.player;
  if (!player) throw new Error("There is no session.");
  act(() => player.receive({ type: "ready", info: INFO }));
  return { player, asked: () => server.of("/renders").filter((it_) => it_.method === "POST") };
}

const choice = (name: string) => screen.getByRole("radio", { name });

it("exports all of it where nothing is marked", async () => {
  const user = userEvent.setup();
  const { asked } = show();
  expect(choice("Only from in to out").getAttribute("aria-disabled")).toBe("true");
  await user.click(screen.getByRole("button", { name: "Export" }));
  await waitFor(() => expect(asked()[0]?.body).toMatchObject({ range: null }));
});

it("exports only from in to out once they are set, and follows them", async () => {
  const user = userEvent.setup();
  const { player, asked } = show();
  act(() => {
    player.mark("in", 30);
    player.mark("out", 59);
  });
  expect(choice("Only from in to out").getAttribute("aria-checked")).toBe("true");
  expect(screen.getByText(/30 frames/)).toBeTruthy();
  act(() => player.mark("out", 89));
  expect(screen.getByText(/60 frames/)).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Export" }));
  await waitFor(() => expect(asked()[0]?.body).toMatchObject({ range: { start: 30, end: 90 } }));
});

it("exports all of it all the same where that is chosen, and where the points are cleared", async () => {
  const user = userEvent.setup();
  const { player, asked } = show();
  act(() => player.mark("in", 30));
  await user.click(choice("All of it"));
  await user.click(screen.getByRole("button", { name: "Export" }));
  await waitFor(() => expect(asked()[0]?.body).toMatchObject({ range: null }));
  await user.click(choice("Only from in to out"));
  act(() => player.clearPoints());
  expect(choice("All of it").getAttribute("aria-checked")).toBe("true");
});

it("exports frames that are typed, and says what is wrong with them", async () => {
  const user = userEvent.setup();
  const { asked } = show();
  await user.click(choice("Frames…"));
  const first = screen.getByRole("spinbutton", { name: /First frame/ });
  const last = screen.getByRole("spinbutton", { name: /Last frame/ });
  await user.clear(last);
  await user.type(last, "9");
  await user.clear(first);
  await user.type(first, "20");
  expect(screen.getByRole("alert").textContent).toContain("0 to 194");
  await user.clear(first);
  await user.type(first, "5");
  await user.click(screen.getByRole("button", { name: "Export" }));
  await waitFor(() => expect(asked()[0]?.body).toMatchObject({ range: { start: 5, end: 10 } }));
});

it("offers the rates that a format has, and shows what a fast animation becomes as a GIF", async () => {
  const user = userEvent.setup();
  const fast = settings({ duration_seconds: 6.5, fps: 60 });
  const { asked } = show(new Story().created().built().version(2, "Faster", { settings: fast }));
  expect(screen.getByText(/390 frames/)).toBeTruthy();
  await user.click(choice("GIF"));
  expect(screen.getByText(/325 frames · 6\.5/)).toBeTruthy();
  expect(screen.getByText("GIF has at most 50, so 60 becomes 50.")).toBeTruthy();
  await user.click(screen.getByRole("combobox", { name: "Frames per second" }));
  const rates = await screen.findAllByRole("option");
  expect(rates.map((it_) => it_.textContent)).toEqual(["24", "25", "30", "50"]);
  await user.keyboard("{Escape}");
  await user.click(screen.getByRole("button", { name: "Export" }));
  await waitFor(() => expect(asked()[0]?.body).toMatchObject({ format: "gif", fps: 50 }));
  await user.click(choice("MP4"));
  expect(screen.getByText(/390 frames/)).toBeTruthy();
});
