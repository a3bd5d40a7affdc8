import { act, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import { uiStore } from "../store/ui";
import { createPlayer } from "./player";
import type { ToPreview } from "./protocol";
import { Transport } from "./Transport";

const INFO = {
  engine: "remotion",
  title: "A",
  width: 1920,
  height: 1080,
  fps: 30,
  durationInFrames: 91,
} as const;

beforeEach(() => uiStore.setState({ guides: [] }));

function show(compact = false) {
  const sent: ToPreview[] = [];
  const player = createPlayer((message) => sent.push(message));
  player.receive({ type: "ready", info: INFO });
  const view = render(
    <Transport
      player={player}
      guides={["safe", "grid"]}
      fullscreen={false}
      onFullscreen={() => {}}
      compact={compact}
    />,
  );
  return { ...view, player, sent, state: () => player.state.getState() };
}

const button = (name: string | RegExp) => screen.getByRole("button", { name });

it("steps by a frame, and goes to both ends", async () => {
  const user = userEvent.setup();
  const { state } = show();
  await user.click(button("Frame forward"));
  await user.click(button("Frame forward"));
  await user.click(button("Frame back"));
  expect(state()).toMatchObject({ frame: 1, playing: false });
  await user.click(button("Last frame"));
  expect(state().frame).toBe(90);
  await user.click(button("First frame"));
  expect(state().frame).toBe(0);
});

it("marks a part at the playhead, says how long it is, and clears it", async () => {
  const user = userEvent.setup();
  const { player, state } = show();
  expect(screen.queryByRole("button", { name: "Clear in and out" })).toBeNull();
  act(() => player.seek(20));
  await user.click(button("Set the in point"));
  act(() => player.seek(64));
  await user.click(button("Set the out point"));
  expect(state().points).toMatchObject({ in: 20, out: 64 });
  expect(screen.getByText("00:01.15")).toBeTruthy();
  expect(button("Set the in point").getAttribute("aria-pressed")).toBe("true");
  await user.click(button("Clear in and out"));
  expect(state().points).toMatchObject({ in: null, out: null });
  expect(screen.queryByRole("slider", { name: "In point" })).toBeNull();
});

it("has a handle for each point, which moves by keys and stops at the other one", () => {
  const { player, state } = show();
  act(() => {
    player.mark("in", 20);
    player.mark("out", 25);
  });
  const handle = screen.getByRole("slider", { name: "In point" });
  expect(handle.getAttribute("aria-valuetext")).toBe("Frame 20, 00:00.20");
  fireEvent.keyDown(handle, { key: "ArrowRight" });
  expect(state()).toMatchObject({ frame: 21, points: { in: 21 } });
  fireEvent.keyDown(handle, { key: "ArrowRight", shiftKey: true });
  expect(state().points).toMatchObject({ in: 25, out: 25 });
  fireEvent.keyDown(handle, { key: "Home" });
  expect(state().points).toMatchObject({ in: 0, out: 25 });
  fireEvent.keyDown(screen.getByRole("slider", { name: "Out point" }), { key: "Delete" });
  expect(state().points).toMatchObject({ in: 0, out: null });
});

it("lets a point be dragged along the track, with the picture", () => {
  const { player, state } = show();
  act(() => {
    player.mark("in", 10);
    player.mark("out", 80);
  });
  const handle = screen.getByRole("slider", { name: "Out point" });
  const track = handle.parentElement as HTMLElement;
  vi.spyOn(track, "getBoundingClientRect").mockReturnValue(new DOMRect(100, 0, 900, 20));
  const held = new Set<number>();
  handle.setPointerCapture = (id) => void held.add(id);
  handle.hasPointerCapture = (id) => held.has(id);
  fireEvent.pointerMove(handle, { pointerId: 1, clientX: 400 });
  expect(state().points.out).toBe(80);
  fireEvent.pointerDown(handle, { pointerId: 1 });
  fireEvent.pointerMove(handle, { pointerId: 1, clientX: 500 });
  expect(state()).toMatchObject({ frame: 40, points: { out: 40 } });
  fireEvent.pointerMove(handle, { pointerId: 1, clientX: 0 });
  expect(state().points).toMatchObject({ in: 10, out: 10 });
  fireEvent.doubleClick(handle);
  expect(state().points.out).toBeNull();
});

it("has the guides of the picture in a menu, and remembers what was chosen", async () => {
  const user = userEvent.setup();
  show();
  await user.click(button("Guides"));
  expect(screen.queryByRole("menuitemcheckbox", { name: /Social/ })).toBeNull();
  await user.click(await screen.findByRole("menuitemcheckbox", { name: /Safe areas/ }));
  await user.click(screen.getByRole("menuitemcheckbox", { name: /Grid/ }));
  expect(uiStore.getState().guides).toEqual(["safe", "grid"]);
  expect(localStorage.getItem("koda.guides")).toBe("safe grid");
});

it("shows the part in a small node, where nothing can be taken hold of by mistake", () => {
  const { player, container } = show(true);
  act(() => player.mark("in", 20));
  expect(container.querySelector("[data-point=in]")).toBeTruthy();
  expect(screen.getAllByRole("slider")).toHaveLength(1);
  expect(screen.queryByRole("button", { name: "Frame forward" })).toBeNull();
});
