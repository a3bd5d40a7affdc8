/**
 * Waiting in real time. A capture's clock replaces timers and animation frames, and moves only when the next frame is asked for;
 * whoever waits for a file to arrive must not wait for that clock.
 */

/** Milliseconds of real time: an event's timestamp is not part of any clock that scripts can replace. */
export function realNow(): number {
  return new Event("").timeStamp;
}

/** Resolves in a later task. */
export function task(): Promise<void> {
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      done();
    };
    port2.postMessage(null);
  });
}

const cell = sharedCell();

function sharedCell(): Int32Array<SharedArrayBuffer> | null {
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const buffer = memory.buffer as unknown as SharedArrayBuffer;
    return "waitAsync" in Atomics ? new Int32Array(buffer) : null;
  } catch {
    return null;
  }
}

interface WaitAsync {
  waitAsync(cell: Int32Array, index: number, value: number, timeout: number): { async: boolean; value: Promise<string> | string };
}

/** Resolves after about this many milliseconds of real time. */
export async function sleep(milliseconds: number): Promise<void> {
  if (cell) {
    await (Atomics as unknown as WaitAsync).waitAsync(cell, 0, 0, milliseconds).value;
    return;
  }
  const until = realNow() + milliseconds;
  do await task();
  while (realNow() < until);
}

/** How long a frame may wait for what it needs before that is an error, in milliseconds. */
export const PATIENCE = 20_000;
