/** The player's side of a preview: what it shows, and commands to it. Knows no DOM. */

import { createStore, type StoreApi } from "zustand/vanilla";
import type { FromPreview, PreviewInfo, PreviewProblem, ToPreview } from "./protocol";

export interface PlayerState {
  /** `null` until the preview said that it is ready. */
  info: PreviewInfo | null;
  frame: number;
  playing: boolean;
  loop: boolean;
  rate: number;
  problem: PreviewProblem | null;
}

/** How long a sought frame may take before the next one is asked for all the same. */
const PATIENCE_MS = 2_000;

export const RATES = [0.25, 0.5, 1, 1.5, 2, 4] as const;

export interface Player {
  readonly state: StoreApi<PlayerState>;
  /** Takes a message from the preview. */
  receive(message: FromPreview): void;
  /** The page is being loaded anew: nothing is known of it. What was chosen is told again when it is ready. */
  reset(): void;
  play(): void;
  pause(): void;
  toggle(): void;
  seek(frame: number): void;
  step(frames: number): void;
  setLoop(on: boolean): void;
  setRate(rate: number): void;
}

const FRESH: PlayerState = {
  info: null,
  frame: 0,
  playing: true,
  loop: true,
  rate: 1,
  problem: null,
};

export function createPlayer(send: (message: ToPreview) => void): Player {
  const state = createStore<PlayerState>(() => FRESH);
  // One sought frame at a time: a drag must not flood a page that takes long to paint.
  let seeking: number | null = null;
  let patience: ReturnType<typeof setTimeout> | undefined;
  let next: number | null = null;
  // What to go back to when the page was loaded anew.
  let resume: Pick<PlayerState, "frame" | "playing" | "loop" | "rate"> | null = null;

  const lastFrame = () => Math.max(0, (state.getState().info?.durationInFrames ?? 1) - 1);
  const clamp = (frame: number) => Math.min(lastFrame(), Math.max(0, Math.round(frame)));

  function pump(): void {
    if (next === null || seeking !== null) return;
    seeking = next;
    next = null;
    send({ type: "seek", frame: seeking });
    clearTimeout(patience);
    patience = setTimeout(() => {
      seeking = null;
      pump();
    }, PATIENCE_MS);
  }

  function seek(frame: number): void {
    const to = clamp(frame);
    state.setState({ frame: to, playing: false });
    next = to;
    pump();
  }

  function forget(): void {
    clearTimeout(patience);
    seeking = null;
    next = null;
  }

  return {
    state,
    receive(message) {
      switch (message.type) {
        case "ready": {
          const { info } = message;
          const before = state.getState();
          const sought = next ?? seeking;
          forget();
          state.setState({
            info,
            problem: null,
            frame: Math.min(before.frame, info.durationInFrames - 1),
          });
          if (resume) {
            const { frame, playing, loop, rate } = resume;
            resume = null;
            if (!loop) send({ type: "loop", on: false });
            if (rate !== 1) send({ type: "rate", rate });
            if (!playing) seek(frame);
          } else if (sought !== null) {
            // A page that was loaded anew, or greeted twice, must not lose the frame that was asked for.
            seek(sought);
          }
          return;
        }
        case "state":
          // What it says of an earlier frame while one is sought would make the handle jump back.
          if (seeking !== null && message.frame !== (next ?? seeking)) return;
          state.setState({
            frame: message.frame,
            playing: message.playing,
            loop: message.loop,
            rate: message.rate,
          });
          return;
        case "painted":
          // Of whatever frame: keys inside the page seek too, and then ours is never painted.
          seeking = null;
          clearTimeout(patience);
          pump();
          return;
        case "error":
          // A page that broke paints nothing; do not wait for it.
          forget();
          state.setState({ problem: message.problem });
      }
    },
    reset() {
      const { info, frame, playing, loop, rate } = state.getState();
      if (info) resume = { frame, playing, loop, rate };
      forget();
      state.setState({ info: null, problem: null });
    },
    play() {
      forget();
      state.setState({ playing: true });
      send({ type: "play" });
    },
    pause() {
      state.setState({ playing: false });
      send({ type: "pause" });
    },
    toggle() {
      if (state.getState().playing) this.pause();
      else this.play();
    },
    seek,
    step: (frames) => seek(state.getState().frame + frames),
    setLoop(on) {
      state.setState({ loop: on });
      send({ type: "loop", on });
    },
    setRate(rate) {
      state.setState({ rate });
      send({ type: "rate", rate });
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

/** What a key does to a player; `false` where it is none of its business. */
export function onPlayerKey(
  player: Player,
  key: { key: string; shiftKey: boolean; ctrlKey: boolean; metaKey: boolean; altKey: boolean },
): boolean {
  if (key.ctrlKey || key.metaKey || key.altKey) return false;
  const { info, rate, playing } = player.state.getState();
  if (!info) return false;
  const step = key.shiftKey ? 10 : 1;
  switch (key.key) {
    case " ":
    case "k":
    case "K":
      if (key.key === " ") player.toggle();
      else player.pause();
      return true;
    case "l":
    case "L":
      // Again and again: faster.
      if (playing) player.setRate(rate >= 4 ? 4 : rate >= 2 ? 4 : 2);
      else {
        if (rate !== 1) player.setRate(1);
        player.play();
      }
      return true;
    case "j":
    case "J":
      // The preview plays forward only; back is a second at a time.
      player.step(-Math.round(info.fps));
      return true;
    case "ArrowLeft":
    case ",":
      player.step(-step);
      return true;
    case "ArrowRight":
    case ".":
      player.step(step);
      return true;
    case "Home":
      player.seek(0);
      return true;
    case "End":
      player.seek(info.durationInFrames - 1);
      return true;
    default:
      return false;
  }
}
