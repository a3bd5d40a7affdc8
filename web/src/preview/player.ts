/** The player's side of a preview: what it shows, and commands to it. Knows no DOM. */

import { createStore, type StoreApi } from "zustand/vanilla";
import {
  fitPoints,
  isMarked,
  type Point,
  type Points,
  type PointsMemory,
  partOf,
  pointless,
  withPoint,
} from "./points";
import type { FromPreview, PreviewInfo, PreviewProblem, ToPreview } from "./protocol";
import { forgetful, type SoundMemory } from "./sound";

export interface PlayerState {
  /** `null` until the preview said that it is ready. */
  info: PreviewInfo | null;
  frame: number;
  playing: boolean;
  loop: boolean;
  rate: number;
  /** Whether it is heard, and how loud, 0 to 1. */
  sound: boolean;
  volume: number;
  /** Whether the animation has had anything to hear. */
  audible: boolean;
  /** Whether something is shown without an effect that this browser cannot draw, and that exports have. */
  simplified: boolean;
  /** What is played and looped, as far as this animation has it. */
  points: Points;
  problem: PreviewProblem | null;
}

/** How long a sought frame may take before the next one is asked for all the same. */
const PATIENCE_MS = 2_000;

/** Before the last frame of a part is over the page is told to turn back, or it would draw one too many. */
const LEAD_MS = 8;

export const RATES = [0.25, 0.5, 1, 1.5, 2, 4] as const;

export interface Player {
  readonly state: StoreApi<PlayerState>;
  /** Takes a message from the preview. */
  receive(message: FromPreview): void;
  /** The page is being loaded anew. What was chosen, before and meanwhile, is told it when it is ready. */
  reset(): void;
  play(): void;
  pause(): void;
  toggle(): void;
  seek(frame: number): void;
  step(frames: number): void;
  setLoop(on: boolean): void;
  setRate(rate: number): void;
  setSound(on: boolean, volume?: number): void;
  /** Sets an in or out point, or takes it away. */
  mark(point: Point, frame: number | null): void;
  clearPoints(): void;
}

const FRESH: Omit<PlayerState, "points"> = {
  info: null,
  frame: 0,
  playing: true,
  loop: true,
  rate: 1,
  sound: false,
  volume: 1,
  audible: false,
  simplified: false,
  problem: null,
};

/** `send` gets each command with its number. */
export function createPlayer(
  send: (message: ToPreview, n: number) => void,
  memory: SoundMemory = forgetful,
  marks: PointsMemory = pointless,
): Player {
  const { on, volume } = memory.recall();
  // As a person set them: an animation that is short for a while, or another version, does not lose them.
  let wish: Points = marks.recall();
  const state = createStore<PlayerState>(() => ({ ...FRESH, sound: on, volume, points: wish }));
  // One sought frame at a time: a drag must not flood a page that takes long to paint.
  let seeking: number | null = null;
  let soughtBy = 0;
  let patience: ReturnType<typeof setTimeout> | undefined;
  let next: number | null = null;
  // Commands are counted, and what the page says before it heard the newest is about what was before.
  let told = 0;
  let unheard: number | null = null;
  let edge: ReturnType<typeof setTimeout> | undefined;
  // When the page last drew a frame of what it plays.
  let drawn: number | null = null;
  // Between two loads of the page: what is chosen meanwhile is told when it is ready.
  let absent = false;

  const lastFrame = () => Math.max(0, (state.getState().info?.durationInFrames ?? 1) - 1);
  const clamp = (frame: number) => Math.min(lastFrame(), Math.max(0, Math.round(frame)));

  function command(message: ToPreview): void {
    told += 1;
    unheard = told;
    send(message, told);
  }

  /** Whether the page knew all that it was told when it said something. */
  function answers(heard: number): boolean {
    if (unheard !== null && heard < unheard) return false;
    unheard = null;
    return true;
  }

  function pump(): void {
    if (next === null || seeking !== null) return;
    seeking = next;
    next = null;
    command({ type: "seek", frame: seeking });
    soughtBy = told;
    clearTimeout(patience);
    patience = setTimeout(() => {
      seeking = null;
      pump();
    }, PATIENCE_MS);
  }

  function seek(frame: number): void {
    const to = clamp(frame);
    clearTimeout(edge);
    state.setState({ frame: to, playing: false });
    next = to;
    pump();
  }

  function forget(): void {
    clearTimeout(patience);
    clearTimeout(edge);
    seeking = null;
    next = null;
    drawn = null;
  }

  function playFrom(frame: number): void {
    forget();
    const from = clamp(frame);
    state.setState({ frame: from, playing: true });
    command({ type: "seek", frame: from });
    command({ type: "play" });
  }

  /** The page plays all of the animation; a part is played by turning it back in time. */
  function keepWithin(frame: number): boolean {
    clearTimeout(edge);
    const pace = drawn === null ? 0 : Date.now() - drawn;
    drawn = Date.now();
    const { info, points, rate } = state.getState();
    if (!info || !isMarked(points)) return true;
    const { first, last } = partOf(points, info.durationInFrames);
    const turn = () => {
      // One frame is a still, and playing it would be a seek for each.
      if (state.getState().loop && first < last) playFrom(first);
      else seek(last);
    };
    if (frame < first) playFrom(first);
    else if (frame > last) turn();
    else {
      const each = 1000 / (info.fps * rate);
      const left = (last + 1 - frame) * each;
      // A page that cannot keep up hears nothing while it draws, and its next frame would be beyond the end.
      const slow = pace > 1.5 * each && pace >= left;
      edge = setTimeout(turn, slow ? 0 : left - LEAD_MS);
      return true;
    }
    return false;
  }

  function setSound(sound: boolean, volume = state.getState().volume): void {
    state.setState({ sound, volume });
    memory.keep({ on: sound, volume });
    command({ type: "sound", on: sound, volume });
  }

  function setPoints(points: Points): void {
    wish = points;
    marks.keep(points);
    state.setState({ points });
  }

  return {
    state,
    receive(message) {
      switch (message.type) {
        case "ready": {
          const { info } = message;
          const before = state.getState();
          // A page that was loaded anew, or greeted twice, must not lose what it was told.
          const owed = absent || unheard !== null || seeking !== null || next !== null;
          absent = false;
          unheard = null;
          forget();
          state.setState({
            info,
            problem: null,
            points: fitPoints(wish, info),
            frame: Math.min(before.frame, info.durationInFrames - 1),
          });
          // A page is silent until it is told otherwise, also the first one of a preview that was heard before.
          if (before.sound && (owed || !before.info)) setSound(true);
          if (!owed) return;
          if (!before.loop) command({ type: "loop", on: false });
          if (before.rate !== 1) command({ type: "rate", rate: before.rate });
          if (!before.playing) seek(before.frame);
          else if (before.frame > 0) playFrom(before.frame);
          return;
        }
        case "state":
          // What it says of before, or while another frame waits to be sought, would make the handle jump back.
          // Before it has an animation, what it says is how it begins, and not what was chosen.
          if (absent || !state.getState().info || !answers(message.heard) || next !== null) return;
          if (!message.playing) {
            clearTimeout(edge);
            drawn = null;
          } else if (!keepWithin(message.frame)) return;
          state.setState({
            frame: message.frame,
            playing: message.playing,
            loop: message.loop,
            rate: message.rate,
            sound: message.sound ?? state.getState().sound,
            audible: message.audible ?? false,
            simplified: message.simplified ?? false,
          });
          return;
        case "painted":
          // Of whatever frame: keys inside the page seek too, and then ours is never painted.
          answers(message.heard);
          if (message.heard < soughtBy) return;
          seeking = null;
          clearTimeout(patience);
          pump();
          return;
        case "error":
          // A page that broke paints nothing; do not wait for it. What comes next is told it all the same.
          clearTimeout(patience);
          clearTimeout(edge);
          seeking = null;
          drawn = null;
          pump();
          state.setState({ problem: message.problem });
      }
    },
    reset() {
      // What was known of the animation stays: controls that go and come back would lose clicks, and the focus.
      absent = state.getState().info !== null;
      forget();
      state.setState({ problem: null });
    },
    play() {
      const sought = next;
      forget();
      const { frame, info, loop, points } = state.getState();
      if (info && isMarked(points)) {
        const { first, last } = partOf(points, info.durationInFrames);
        // At the end of the part there is nothing more to play.
        if (frame < first || frame > last || (frame === last && !loop)) return playFrom(first);
      }
      // A frame that was to be sought when the one before it is painted is where to begin.
      if (sought !== null) return playFrom(sought);
      state.setState({ playing: true });
      command({ type: "play" });
    },
    pause() {
      clearTimeout(edge);
      state.setState({ playing: false });
      command({ type: "pause" });
    },
    toggle() {
      if (state.getState().playing) this.pause();
      else this.play();
    },
    seek,
    step: (frames) => seek(state.getState().frame + frames),
    setLoop(on) {
      state.setState({ loop: on });
      command({ type: "loop", on });
    },
    setRate(rate) {
      state.setState({ rate });
      command({ type: "rate", rate });
    },
    setSound,
    mark(point, frame) {
      const { info, points } = state.getState();
      if (info) setPoints(withPoint(points, point, frame === null ? null : clamp(frame)));
    },
    clearPoints() {
      setPoints({ ...state.getState().points, in: null, out: null });
    },
  };
}

/** `00:03.12`: seconds and frames, as editors write it. */
export function timecode(frame: number, fps: number): string {
  const whole = Math.floor(frame / fps);
  const rest = Math.floor(frame - whole * fps + 1e-6);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(Math.floor(whole / 60))}:${two(whole % 60)}.${two(rest)}`;
}
