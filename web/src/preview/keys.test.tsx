import { fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { uiStore } from "../store/ui";
import { keyLabels } from "../ui/Kbd";
import { onPlayerKey, PREVIEW_KEYS, previewKeys } from "./keys";
import { createPlayer } from "./player";
import { ready } from "./testing";

const press = (key: string, shiftKey = false) => ({
  key,
  shiftKey,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
});
const alt = (key: string, code: string) => ({ ...press(key), code, altKey: true });

describe("keys", () => {
  it("step by a frame, by ten with Shift, and to both ends", () => {
    const { player, frame } = ready();
    player.seek(20);
    onPlayerKey(player, press("ArrowRight"));
    expect(frame()).toBe(21);
    onPlayerKey(player, press("ArrowLeft", true));
    expect(frame()).toBe(11);
    onPlayerKey(player, press("End"));
    expect(frame()).toBe(89);
    onPlayerKey(player, press("Home"));
    expect(frame()).toBe(0);
    onPlayerKey(player, press("J"));
    expect(frame()).toBe(0);
  });

  it("play and pause by Space, and faster with each L", () => {
    const { player, sent } = ready();
    onPlayerKey(player, press(" "));
    expect(sent.at(-1)).toEqual({ type: "pause" });
    onPlayerKey(player, press("l"));
    expect(sent.at(-1)).toEqual({ type: "play" });
    onPlayerKey(player, press("l"));
    expect(sent.at(-1)).toEqual({ type: "rate", rate: 2 });
    onPlayerKey(player, press("k"));
    expect(sent.at(-1)).toEqual({ type: "pause" });
  });

  it("set in and out at the playhead, go to both, and clear them", () => {
    const { player, frame, points } = ready();
    player.seek(20);
    onPlayerKey(player, press("i"));
    player.seek(60);
    onPlayerKey(player, press("o"));
    expect(points()).toMatchObject({ in: 20, out: 60 });
    onPlayerKey(player, press("I", true));
    expect(frame()).toBe(20);
    onPlayerKey(player, press("O", true));
    expect(frame()).toBe(60);
    // A Mac writes another sign with Option.
    onPlayerKey(player, alt("ˆ", "KeyI"));
    expect(points()).toMatchObject({ in: null, out: 60 });
    onPlayerKey(player, press("x"));
    expect(points()).toMatchObject({ in: null, out: null });
    // Caps Lock is no Shift.
    onPlayerKey(player, press("O"));
    expect(points().out).toBe(60);
    onPlayerKey(player, alt("≈", "KeyX"));
    expect(points()).toMatchObject({ in: null, out: null });
  });

  it("that belong to the browser, or to a preview that is not there, are left alone", () => {
    const { player } = ready();
    expect(onPlayerKey(player, { ...press("l"), ctrlKey: true })).toBe(false);
    expect(onPlayerKey(player, { ...press("ArrowLeft"), altKey: true })).toBe(false);
    expect(onPlayerKey(player, press("q"))).toBe(false);
    const nobody = createPlayer(() => {});
    expect(onPlayerKey(nobody, press(" "))).toBe(false);
    expect(onPlayerKey(nobody, press("i"))).toBe(false);
  });

  it("are all written as a keyboard has them", () => {
    for (const [, keys] of PREVIEW_KEYS)
      for (const it_ of keys) expect(keyLabels(it_).join("")).not.toBe("");
  });
});

describe("the area of a preview", () => {
  beforeEach(() => uiStore.setState({ guides: [] }));

  function area(guides: Parameters<typeof previewKeys>[0]["guides"]) {
    const onFullscreen = vi.fn();
    const outside = vi.fn();
    const { player, frame } = ready();
    render(
      // biome-ignore lint/a11y/noStaticElementInteractions: what a page around it would hear
      <div onKeyDown={outside}>
        <section aria-label="Area" onKeyDown={previewKeys({ player, guides, onFullscreen })}>
          <input aria-label="Name" />
          <input aria-label="Frame" type="range" />
          <button type="button">Step</button>
          <div role="menu">
            <div role="menuitem" tabIndex={-1}>
              Faster
            </div>
          </div>
        </section>
      </div>,
    );
    return { player, frame, onFullscreen, outside };
  }

  it("shows and hides the guides that its picture has, and fills the screen", () => {
    const { onFullscreen, outside } = area(["safe", "grid"]);
    const on = (key: string, shiftKey = false) =>
      fireEvent.keyDown(screen.getByLabelText("Area"), { key, shiftKey });
    on("g");
    on("s");
    expect(uiStore.getState().guides).toEqual(["safe", "grid"]);
    on("g");
    expect(uiStore.getState().guides).toEqual(["safe"]);
    expect(outside).not.toHaveBeenCalled();
    on("S", true);
    expect(uiStore.getState().guides).toEqual(["safe"]);
    on("f");
    expect(onFullscreen).toHaveBeenCalledTimes(1);
  });

  it("takes keys of its slider, and none of a field, a button that is pressed, or a menu", () => {
    const { frame, player } = area([]);
    fireEvent.keyDown(screen.getByLabelText("Frame"), { key: "ArrowRight" });
    expect(frame()).toBe(1);
    fireEvent.keyDown(screen.getByLabelText("Name"), { key: "ArrowRight" });
    fireEvent.keyDown(screen.getByText("Faster"), { key: "i" });
    const { playing } = player.state.getState();
    fireEvent.keyDown(screen.getByText("Step"), { key: " " });
    expect(frame()).toBe(1);
    expect(player.state.getState()).toMatchObject({ playing, points: { in: null } });
  });
});
