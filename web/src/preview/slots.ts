/** How many previews live at once on a canvas: each is a page that draws all the time, and a sandbox that is awake. */

import { createStore } from "zustand/vanilla";

export const MAX_LIVE = 3;

interface SlotState {
  /** Names of the live ones, the one that was wanted longest ago first. */
  live: readonly string[];
}

export const slots = createStore<SlotState>(() => ({ live: [] }));

/** Makes a preview live if there is room, or if `urgent` in place of the oldest. */
export function acquire(name: string, urgent: boolean): void {
  const { live } = slots.getState();
  if (live.includes(name)) {
    if (urgent) slots.setState({ live: [...live.filter((it) => it !== name), name] });
    return;
  }
  if (live.length < MAX_LIVE) slots.setState({ live: [...live, name] });
  else if (urgent) slots.setState({ live: [...live.slice(1), name] });
}

export function release(name: string): void {
  const { live } = slots.getState();
  if (live.includes(name)) slots.setState({ live: live.filter((it) => it !== name) });
}
