import { describe, expect, it, vi } from "vitest";
import { createPlayer, onPlayerKey, timecode } from "./player";
import { parse, type ToPreview } from "./protocol";

const INFO = {
  engine: "remotion",
  title: "A",
  width: 1920,
  height: 1080,
  fps: 30,
  durationInFrames: 90,
} as const;

function ready() {
  const sent: ToPreview[] = [];
  const player = createPlayer((message) => sent.push(message));
  player.receive({ type: "ready", info: INFO });
  return { player, sent, frame: () => player.state.getState().frame };
}

const press = (key: string, shiftKey = false) => ({
  key,
  shiftKey,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
});

describe("scrubbing", () => {
  it("asks for one frame at a time and then for the newest", () => {
    const { player, sent } = ready();
    for (const frame of [10, 11, 12, 13]) player.seek(frame);
    expect(sent).toEqual([{ type: "seek", frame: 10 }]);
    player.receive({ type: "painted", frame: 10 });
    expect(sent.slice(1)).toEqual([{ type: "seek", frame: 13 }]);
    player.receive({ type: "painted", frame: 13 });
    expect(sent).toHaveLength(2);
  });

  it("does not let the handle jump back while a frame is on its way", () => {
    const { player, frame } = ready();
    player.seek(40);
    player.receive({ type: "state", frame: 3, playing: true, loop: true, rate: 1 });
    expect(frame()).toBe(40);
    player.receive({ type: "painted", frame: 40 });
    player.receive({ type: "state", frame: 40, playing: false, loop: true, rate: 1 });
    player.receive({ type: "state", frame: 41, playing: true, loop: true, rate: 1 });
    expect(frame()).toBe(41);
  });

  it("stays within the animation", () => {
    const { player, frame } = ready();
    player.seek(1e9);
    expect(frame()).toBe(89);
    player.step(-500);
    expect(frame()).toBe(0);
  });

  it("goes on after a page that broke while a frame was sought", () => {
    const { player, sent } = ready();
    player.seek(10);
    player.receive({
      type: "error",
      problem: { message: "No", file: null, line: null, column: null },
    });
    player.receive({ type: "error", problem: null });
    player.seek(20);
    expect(sent.at(-1)).toEqual({ type: "seek", frame: 20 });
  });
});

describe("a frame that was asked for", () => {
  it("is not lost when the page says a second time that it is ready", () => {
    const { player, sent } = ready();
    player.seek(0);
    player.seek(89);
    player.receive({ type: "ready", info: INFO });
    expect(sent.at(-1)).toEqual({ type: "seek", frame: 89 });
  });

  it("is asked for in the end even where an earlier one was never painted", () => {
    vi.useFakeTimers();
    const { player, sent } = ready();
    player.seek(10);
    player.seek(20);
    vi.runAllTimers();
    expect(sent.at(-1)).toEqual({ type: "seek", frame: 20 });
    vi.useRealTimers();
  });
});

describe("a page that is loaded anew", () => {
  it("is put back to the frame, the speed and the loop that were chosen", () => {
    const { player, sent } = ready();
    player.setLoop(false);
    player.setRate(2);
    player.seek(30);
    player.reset();
    expect(player.state.getState().info).toBeNull();
    sent.length = 0;
    player.receive({ type: "ready", info: INFO });
    expect(sent).toEqual([
      { type: "loop", on: false },
      { type: "rate", rate: 2 },
      { type: "seek", frame: 30 },
    ]);
  });

  it("that has become shorter shows its last frame", () => {
    const { player, frame } = ready();
    player.seek(80);
    player.receive({ type: "ready", info: { ...INFO, durationInFrames: 30 } });
    expect(frame()).toBe(29);
  });
});

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

  it("that belong to the browser, or to a preview that is not there, are left alone", () => {
    const { player } = ready();
    expect(onPlayerKey(player, { ...press("l"), ctrlKey: true })).toBe(false);
    expect(onPlayerKey(player, press("x"))).toBe(false);
    expect(
      onPlayerKey(
        createPlayer(() => {}),
        press(" "),
      ),
    ).toBe(false);
  });
});

describe("messages of a preview", () => {
  it("are read, and everything else is nothing", () => {
    expect(parse({ koda: 1, type: "ready", info: INFO })).toEqual({ type: "ready", info: INFO });
    expect(parse({ koda: 1, type: "error", message: null })).toEqual({
      type: "error",
      problem: null,
    });
    for (const bad of [
      null,
      "ready",
      { type: "ready", info: INFO },
      { koda: 1, type: "ready" },
      { koda: 1, type: "ready", info: { ...INFO, fps: 0 } },
      { koda: 1, type: "state", frame: -1, rate: 1 },
      { koda: 1, type: "state", frame: 1.5, rate: 1 },
      { koda: 1, type: "painted", frame: "1" },
      { koda: 1, type: "evil" },
    ]) {
      expect(parse(bad)).toBeNull();
    }
  });

  it("write times as seconds and frames", () => {
    expect(timecode(0, 30)).toBe("00:00.00");
    expect(timecode(95, 30)).toBe("00:03.05");
    expect(timecode(60 * 25 * 2 + 24, 25)).toBe("02:00.24");
  });
});
