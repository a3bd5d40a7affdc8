import "remotion";
import { realNow, sleep } from "./wait";

/** How many calls of `delayRender()` still wait for their `continueRender()`. */
export function pendingHandles(): number {
  return window.remotion_delayRenderHandles.length;
}

/** Resolves when every `delayRender()` was continued; `verify` throws where that cannot happen any more. */
export async function handlesContinued(deadline: number, verify: () => void): Promise<void> {
  while (pendingHandles() > 0) {
    verify();
    if (realNow() > deadline) throw new Error("delayRender() was called, but continueRender() was not called for it.");
    await sleep(2);
  }
}
