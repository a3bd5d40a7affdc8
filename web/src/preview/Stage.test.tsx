import { act, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import type { Feed } from "../session/feed";
import { createSessionStore, type SessionOptions } from "../session/store";
import { SESSION, Story } from "../session/story";
import { uiStore } from "../store/ui";
import { createPreview } from "./controller";
import { parse } from "./protocol";
import { Stage } from "./Stage";

const PROBLEM = { message: "Unexpected token", file: "src/Composition.tsx", line: 3, column: 1 };

beforeEach(() => {
  uiStore.setState({ guides: [] });
  // Frames are blank here: happy-dom reports each one that it is not allowed to load.
  const { happyDOM } = window as unknown as { happyDOM: { settings: Record<string, boolean> } };
  happyDOM.settings.enableIframePageLoading = true;
});

/** A stage whose page has answered; the page itself is the test's. */
async function show(width: number, height: number, more: { compact?: boolean } = {}) {
  const feed: Feed = (_, to) => {
    to(new Story().created().built().events);
    return { wake() {}, close() {} };
  };
  // A preview on the canvas' own origin is never loaded.
  const url = new URL("/preview", location.href).href;
  const api = {
    sessions: { preview: async () => ({ url, handle: "abc", version_id: "ver_1" }) },
    versions: {},
    renders: {},
  };
  const session = createSessionStore(SESSION, feed, {
    api: api as unknown as NonNullable<SessionOptions["api"]>,
  });
  const preview = createPreview(session);
  preview.want(true);
  await vi.waitFor(() => expect(preview.state.getState().status).toBe("loading"));
  const onTellAgent = vi.fn();
  const view = render(
    <Stage
      {...more}
      preview={preview}
      title="Aurora"
      aspect="16:9"
      sandbox={null}
      live
      onWake={() => {}}
      onTellAgent={onTellAgent}
    />,
  );
  const info = { engine: "remotion", title: "", width, height, fps: 30, durationInFrames: 90 };
  act(() => preview.receive({ type: "ready", info: { ...info, engine: "remotion" } }));
  return { ...view, preview, onTellAgent, area: screen.getByRole("region") };
}

const guides = (root: HTMLElement) =>
  [...root.querySelectorAll("[data-guide]")].map((it_) => it_.getAttribute("data-guide"));

it("draws guides over the picture by their keys, and nothing of them takes the pointer", async () => {
  const { area, container } = await show(1920, 1080);
  expect(guides(container)).toEqual([]);
  fireEvent.keyDown(area, { key: "s" });
  fireEvent.keyDown(area, { key: "g" });
  expect(guides(container)).toEqual(["safe", "grid"]);
  const drawn = container.querySelector("svg[viewBox='0 0 177.77777777777777 100']");
  expect(drawn?.parentElement?.querySelector("iframe")).toBeTruthy();
  fireEvent.keyDown(area, { key: "s" });
  expect(guides(container)).toEqual(["grid"]);
});

it("has the areas that apps cover for portrait films alone", async () => {
  uiStore.setState({ guides: ["social"] });
  const wide = await show(1920, 1080);
  expect(guides(wide.container)).toEqual([]);
  wide.unmount();
  const tall = await show(1080, 1920);
  expect(guides(tall.container)).toEqual(["social"]);
});

it("shows an error of the animation until the page says that it is gone", async () => {
  const user = userEvent.setup();
  const { preview, onTellAgent } = await show(1920, 1080);
  act(() => preview.receive({ type: "error", problem: PROBLEM }));
  const alert = screen.getByRole("alert");
  expect(alert.textContent).toContain("Unexpected token");
  expect(alert.textContent).toContain("src/Composition.tsx:3:1");
  await user.click(screen.getByRole("button", { name: "Tell the agent" }));
  expect(onTellAgent).toHaveBeenCalledWith(PROBLEM);
  act(() => preview.receive({ type: "error", problem: null }));
  expect(screen.queryByRole("alert")).toBeNull();
});

it("says that exports have effects which this browser cannot draw, from when one was left out", async () => {
  const { preview } = await show(1920, 1080);
  const state = { koda: 1, type: "state", playing: false, loop: true, rate: 1, heard: 99 };
  const says = (more: object) => {
    const message = parse({ ...state, ...more });
    if (!message) throw new Error("it was not read");
    act(() => preview.receive(message));
  };
  says({ frame: 3, simplified: false });
  expect(screen.queryByText(/effects show in exports only/)).toBeNull();
  says({ frame: 4, simplified: true });
  expect(screen.getByText(/effects show in exports only/)).toBeTruthy();
  // A page of before, or another version without it.
  says({ frame: 5 });
  expect(screen.queryByText(/effects show in exports only/)).toBeNull();
});

it("listens to Space after a click on one of its buttons, and has every control in full screen", async () => {
  const user = userEvent.setup();
  const { area, preview } = await show(1920, 1080, { compact: true });
  expect(screen.queryByRole("button", { name: "Frame forward" })).toBeNull();
  Object.defineProperty(document, "fullscreenElement", { configurable: true, value: area });
  fireEvent(document, new Event("fullscreenchange"));
  expect(document.activeElement).toBe(area);
  await user.click(screen.getByRole("button", { name: "Frame forward" }));
  expect(document.activeElement).toBe(area);
  expect(preview.player.state.getState().playing).toBe(false);
  await user.keyboard(" ");
  expect(preview.player.state.getState().playing).toBe(true);
  // What is outside of the element that fills the screen is not drawn.
  await user.click(screen.getByRole("button", { name: "Guides" }));
  expect(area.contains(await screen.findByRole("menu"))).toBe(true);
  Object.defineProperty(document, "fullscreenElement", { configurable: true, value: null });
  fireEvent(document, new Event("fullscreenchange"));
  expect(screen.queryByRole("button", { name: "Frame forward" })).toBeNull();
});
