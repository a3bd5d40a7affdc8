/** For tests: a player whose page is there. */

import { createPlayer } from "./player";
import type { ToPreview } from "./protocol";

export const INFO = {
  engine: "remotion",
  title: "A",
  width: 1920,
  height: 1080,
  fps: 30,
  durationInFrames: 90,
} as const;

/** What a page says that knows of `heard` commands: of all, where nothing else is said. */
const state =
  (playing: boolean) =>
  (frame: number, heard = Number.POSITIVE_INFINITY) =>
    ({ type: "state", frame, playing, loop: true, rate: 1, heard }) as const;
export const plays = state(true);
export const stands = state(false);
export const painted = (frame: number, heard = Number.POSITIVE_INFINITY) =>
  ({ type: "painted", frame, heard }) as const;

/** A player of three seconds, what it sends, and where it stands. */
export function ready() {
  const sent: ToPreview[] = [];
  const player = createPlayer((message) => sent.push(message));
  player.receive({ type: "ready", info: INFO });
  return {
    player,
    sent,
    frame: () => player.state.getState().frame,
    points: () => player.state.getState().points,
  };
}
