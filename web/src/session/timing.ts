/** How long a film is, and where a moment of the animation is in it, where it is played at another pace than it was written. */

import type { Settings, Timing } from "../api/types";

type Paced = Pick<Settings, "duration_seconds" | "timing">;

const whole = (timing: Timing): number => timing.stretches.reduce((sum, it) => sum + it.seconds, 0);

/** When a moment of the animation, in seconds as written, is shown. */
export function shownAt({ duration_seconds, timing }: Paced, written: number): number {
  const total = whole(timing);
  if (total <= 0) return written;
  const scale = duration_seconds / total;
  let left = written;
  let shown = 0;
  for (const stretch of timing.stretches) {
    const part = Math.min(left, stretch.seconds * scale);
    shown += part / stretch.speed;
    left -= part;
    if (left <= 0) break;
  }
  return shown;
}

/** Length of the film, in seconds, as the server reckons it. */
export const filmSeconds = (settings: Paced): number =>
  shownAt(settings, settings.duration_seconds) + settings.timing.hold_seconds;
