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
