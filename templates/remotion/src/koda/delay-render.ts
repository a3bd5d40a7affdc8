import { delayRender, useDelayRender } from "remotion";
import { useMemo } from "react";
import { PATIENCE, realNow, sleep } from "./wait";

/** No call may ask for more, in milliseconds: whoever asks for a frame waits half a minute. */
const LONGEST = 28_000;

interface Asked {
  label: string;
  patience: number;
  /** When it was called, as realNow() has it. */
  at: number;
}

/** What calls of a composition said, by handle. */
const asked = new Map<number, Asked>();

type Delay = typeof delayRender;

/**
 * Heeds what a call says of itself. Remotion does so in its renderer alone: `timeoutInMilliseconds` here is real time, and the page is
 * not loaded anew for `retries`, because nothing comes from a network that could fail once.
 */
function heeded(delay: Delay): Delay {
  return (label, options) => {
    const handle = delay(label, options);
    const patience = options?.timeoutInMilliseconds;
    forgetContinued();
    asked.set(handle, { label: label ?? "", patience: Math.min(patience && patience > 0 ? patience : PATIENCE, LONGEST), at: realNow() });
    return handle;
  };
}

export const heededDelayRender = heeded(delayRender);

export function useHeededDelayRender(): ReturnType<typeof useDelayRender> {
  const { delayRender, ...others } = useDelayRender();
  return { ...others, delayRender: useMemo(() => heeded(delayRender), [delayRender]) };
}

function forgetContinued(): void {
  for (const handle of asked.keys()) if (!window.remotion_delayRenderHandles.includes(handle)) asked.delete(handle);
}

/** What a composition that failed still waited for must not hold up the one that comes after it. */
export function forgetHandles(): void {
  window.remotion_delayRenderHandles = [];
}

/** How many calls of `delayRender()` still wait for their `continueRender()`. */
export function pendingHandles(): number {
  return window.remotion_delayRenderHandles.length;
}

/**
 * Resolves when every `delayRender()` was continued; `verify` throws where that cannot happen any more.
 * @param since when the frame was asked for: nobody waits longer for it than the longest call may
 */
export async function handlesContinued(since: number, verify: () => void): Promise<void> {
  for (;;) {
    const handles = window.remotion_delayRenderHandles;
    if (handles.length === 0) return;
    verify();
    for (const handle of handles) {
      const { label, patience, at } = asked.get(handle) ?? { label: "", patience: PATIENCE, at: since };
      const from = Math.max(since, at);
      const within = Math.min(patience, since + LONGEST - from);
      if (realNow() - from < within) continue;
      const call = label ? `delayRender(${JSON.stringify(label)})` : "delayRender()";
      throw new Error(`${call} was called, but continueRender() was not called for it within ${Math.round(within / 100) / 10} seconds.`);
    }
    await sleep(2);
  }
}
