import { afterEach, describe, expect, it, vi } from "vitest";
import { timecode } from "./player";
import { parse } from "./protocol";
import { INFO, painted, plays, ready, stands } from "./testing";

describe("scrubbing", () => {
  it("asks for one frame at a time and then for the newest", () => {
    const { player, sent } = ready();
    for (const frame of [10, 11, 12, 13]) player.seek(frame);
    expect(sent).toEqual([{ type: "seek", frame: 10 }]);
    player.receive(painted(10));
    expect(sent.slice(1)).toEqual([{ type: "seek", frame: 13 }]);
    player.receive(painted(13));
    expect(sent).toHaveLength(2);
  });

  it("does not let the handle jump back while a frame is on its way", () => {
    const { player, frame } = ready();
    player.seek(40);
    player.receive(plays(3, 0));
    expect(frame()).toBe(40);
    player.receive(stands(40, 1));
    player.receive(painted(40, 1));
    player.receive(plays(41, 1));
    expect(frame()).toBe(41);
  });

  it("keeps its frame however long a page goes on playing before it hears", () => {
    vi.useFakeTimers();
    const { player, frame } = ready();
    player.receive(plays(37, 0));
    player.step(1);
    // Nor is what was drawn before taken for the frame that was asked for.
    for (const drawn of [38, 39, 70]) {
      player.receive(plays(drawn, 0));
      player.receive(painted(drawn, 0));
      vi.advanceTimersByTime(1_500);
      expect(frame()).toBe(38);
      expect(player.state.getState().playing).toBe(false);
    }
    player.step(1);
    player.receive(stands(38, 1));
    expect(frame()).toBe(39);
    vi.useRealTimers();
  });

  it("goes on though something else was chosen while the frame was on its way", () => {
    const { player, sent } = ready();
    player.seek(10);
    player.setLoop(false);
    player.seek(20);
    player.receive(stands(10, 1));
    player.receive(painted(10, 1));
    expect(sent.at(-1)).toEqual({ type: "seek", frame: 20 });
  });

  it("plays from the frame that a drag ended at, though another was still being painted", () => {
    const { player, sent } = ready();
    player.seek(10);
    player.seek(13);
    player.play();
    expect(sent.slice(1)).toEqual([{ type: "seek", frame: 13 }, { type: "play" }]);
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
  it("is told to a page that breaks while an earlier one is painted", () => {
    const { player, sent } = ready();
    player.seek(0);
    player.seek(10);
    player.receive({
      type: "error",
      problem: { message: "No", file: null, line: null, column: null },
    });
    expect(sent.at(-1)).toEqual({ type: "seek", frame: 10 });
  });

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
    sent.length = 0;
    player.receive({ type: "ready", info: INFO });
    expect(sent).toEqual([
      { type: "loop", on: false },
      { type: "rate", rate: 2 },
      { type: "seek", frame: 30 },
    ]);
  });

  it("is told what was chosen while it was loaded", () => {
    const { player, sent, frame } = ready();
    player.receive(plays(40));
    player.reset();
    player.seek(10);
    player.step(1);
    // It says where it begins before it says what it is.
    player.receive(stands(0, 0));
    expect(frame()).toBe(11);
    sent.length = 0;
    player.receive({ type: "ready", info: INFO });
    expect(sent).toEqual([{ type: "seek", frame: 11 }]);
  });

  it("goes on playing where it was", () => {
    const { player, sent } = ready();
    player.receive(plays(40));
    player.reset();
    sent.length = 0;
    player.receive({ type: "ready", info: INFO });
    expect(sent).toEqual([{ type: "seek", frame: 40 }, { type: "play" }]);
    // What the new page says of its own beginning is not where the handle goes.
    player.receive(plays(0, 0));
    expect(player.state.getState()).toMatchObject({ frame: 40, playing: true });
  });

  it("that has become shorter shows its last frame", () => {
    const { player, frame } = ready();
    player.seek(80);
    player.receive({ type: "ready", info: { ...INFO, durationInFrames: 30 } });
    expect(frame()).toBe(29);
  });
});

describe("a hot reload", () => {
  it("keeps the playhead where it stands, and says nothing to the page", () => {
    const { player, sent, frame } = ready();
    player.seek(30);
    player.receive(painted(30));
    sent.length = 0;
    player.receive({ type: "ready", info: { ...INFO, title: "B" } });
    player.receive(stands(30));
    expect(sent).toEqual([]);
    expect(frame()).toBe(30);
    expect(player.state.getState().playing).toBe(false);
  });

  it("keeps in and out points, as far as there are frames", () => {
    const { player } = ready();
    const points = () => player.state.getState().points;
    player.mark("in", 20);
    player.mark("out", 60);
    player.receive({ type: "ready", info: INFO });
    expect(points()).toMatchObject({ in: 20, out: 60 });
    player.receive({ type: "ready", info: { ...INFO, durationInFrames: 45 } });
    expect(points()).toMatchObject({ in: 20, out: 44 });
    // The agent makes it longer again, or another version is looked at: the points are as they were set.
    player.receive({ type: "ready", info: INFO });
    expect(points()).toMatchObject({ in: 20, out: 60 });
  });
});

describe("playback of a part", () => {
  /** Marks frames 20 to 29 of 90 at 30 a second. */
  function marked() {
    vi.useFakeTimers();
    const it_ = ready();
    it_.player.mark("in", 20);
    it_.player.mark("out", 29);
    return it_;
  }
  const TURN = [{ type: "seek", frame: 20 }, { type: "play" }];
  afterEach(() => {
    vi.useRealTimers();
  });

  it("begins at the in point where the playhead is elsewhere, and where it is otherwise", () => {
    const { player, sent } = marked();
    player.seek(70);
    player.receive(painted(70));
    sent.length = 0;
    player.play();
    expect(sent).toEqual(TURN);
    player.pause();
    player.seek(25);
    player.receive(painted(25));
    sent.length = 0;
    player.play();
    expect(sent).toEqual([{ type: "play" }]);
  });

  it("turns back before the page draws a frame too many", () => {
    const { player, sent } = marked();
    player.receive(plays(28));
    vi.advanceTimersByTime(40);
    player.receive(plays(29));
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(33);
    expect(sent).toEqual(TURN);
    // Nothing that is said on the way moves the handle or the button.
    player.receive(plays(30, 0));
    player.receive(stands(20, 1));
    expect(player.state.getState()).toMatchObject({ frame: 20, playing: true });
    player.receive(plays(20));
    player.receive(plays(21));
    expect(player.state.getState().frame).toBe(21);
    expect(sent).toEqual(TURN);
  });

  it("turns back at once where a page has gone too far", () => {
    const { player, sent, frame } = marked();
    player.receive(plays(33));
    expect(sent).toEqual(TURN);
    expect(frame()).toBe(20);
  });

  it("turns back earlier where the page draws every third frame only", () => {
    const { player, sent } = marked();
    for (const frame of [22, 25]) {
      player.receive(plays(frame));
      vi.advanceTimersByTime(100);
    }
    player.receive(plays(28));
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual(TURN);
  });

  it("takes the speed into account", () => {
    const { player, sent } = marked();
    player.setRate(0.5);
    player.receive({ ...plays(29), rate: 0.5 });
    sent.length = 0;
    vi.advanceTimersByTime(50);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(20);
    expect(sent).toEqual(TURN);
  });

  it("stops at the out point without a loop, and begins again from there", () => {
    const { player, sent, frame } = marked();
    player.setLoop(false);
    player.receive({ ...plays(29), loop: false });
    sent.length = 0;
    vi.advanceTimersByTime(40);
    expect(sent).toEqual([{ type: "seek", frame: 29 }]);
    expect(frame()).toBe(29);
    player.receive(painted(29));
    sent.length = 0;
    player.toggle();
    expect(sent).toEqual(TURN);
  });

  it("is none any more once the points are cleared", () => {
    const { player, sent, frame } = marked();
    player.receive(plays(29));
    player.clearPoints();
    player.receive(plays(30));
    vi.advanceTimersByTime(100);
    expect(sent).toEqual([]);
    expect(frame()).toBe(30);
  });

  it("that is one frame long is a still", () => {
    const { player, sent } = marked();
    player.mark("out", 20);
    player.receive(plays(20));
    vi.advanceTimersByTime(40);
    expect(sent).toEqual([{ type: "seek", frame: 20 }]);
    expect(player.state.getState().playing).toBe(false);
  });
});

describe("messages of a preview", () => {
  it("are read, and everything else is nothing", () => {
    expect(parse({ koda: 1, type: "ready", info: INFO })).toEqual({ type: "ready", info: INFO });
    expect(parse({ koda: 1, type: "error", message: null })).toEqual({
      type: "error",
      problem: null,
    });
    const state = { koda: 1, type: "state", frame: 1, playing: true, loop: true, rate: 1 };
    expect(parse({ ...state, heard: 3 })).toMatchObject({ frame: 1, heard: 3 });
    expect(parse({ koda: 1, type: "painted", frame: 1, heard: 3 })).toMatchObject({ heard: 3 });
    // A page of before there were numbers is believed.
    expect(parse(state)).toMatchObject({ heard: Number.POSITIVE_INFINITY });
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
