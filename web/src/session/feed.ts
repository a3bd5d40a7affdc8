/** Where a session's events come from: the project's stream, or its log where there is no stream. */

import { api } from "../api/client";
import { type ApiError, asApiError, isAbort } from "../api/errors";
import type { SessionEvent } from "../api/types";
import type { SessionHub } from "../store/hub";

export interface FeedHandle {
  /** Call after an action that makes the session move. */
  wake(): void;
  close(): void;
}

export type Feed = (
  sessionId: string,
  take: (events: readonly SessionEvent[]) => void,
  failed: (error: ApiError) => void,
) => FeedHandle;

/** The project's event stream. */
export const hubFeed =
  (hub: SessionHub): Feed =>
  (sessionId, take) => {
    const unsubscribe = hub.subscribe(sessionId, take);
    return { wake: () => hub.wake(), close: unsubscribe };
  };

type ReadLog = (
  sessionId: string,
  after: number,
  signal: AbortSignal,
) => Promise<{ items: readonly SessionEvent[]; last_seq: number }>;

interface LogFeedOptions {
  read?: ReadLog;
  /** Between looks while something moves. */
  everyMs?: number;
}

/** Reads the log, and looks again while a turn or a render moves. For pages without a stream. */
export const logFeed =
  ({
    read = (id, after, signal) => api.sessions.log(id, after, undefined, signal),
    everyMs = 1_000,
  }: LogFeedOptions = {}): Feed =>
  (sessionId, take, failed) => {
    const closing = new AbortController();
    let seq = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let reading = false;
    let again = false;
    const moving = new Set<string>();

    function note(event: SessionEvent): void {
      seq = Math.max(seq, event.seq);
      switch (event.type) {
        case "message_posted":
          moving.add(event.message_id);
          return;
        case "plan_approved":
          moving.add("plan");
          return;
        case "turn_started":
          moving.add("turn");
          if (event.input.type === "message") moving.delete(event.input.message_id);
          if (event.input.type === "plan") moving.delete("plan");
          return;
        case "turn_finished":
          moving.delete("turn");
          return;
        case "render_queued":
          moving.add(event.render.id);
          return;
        case "render_ready":
        case "render_failed":
        case "render_cancelled":
        case "render_deleted":
          moving.delete(event.render_id);
          return;
        default:
      }
    }

    async function look(): Promise<void> {
      clearTimeout(timer);
      if (reading) {
        again = true;
        return;
      }
      reading = true;
      try {
        for (;;) {
          const { items, last_seq } = await read(sessionId, seq, closing.signal);
          for (const event of items) note(event);
          take(items);
          if (items.length === 0 || seq >= last_seq) break;
        }
      } catch (thrown) {
        if (isAbort(thrown)) return;
        const error = asApiError(thrown);
        if (!error.retryable) failed(error);
        else again = true;
      } finally {
        reading = false;
      }
      if (closing.signal.aborted) return;
      if (moving.size > 0 || again) timer = setTimeout(() => void look(), everyMs);
      again = false;
    }

    void look();
    return {
      wake: () => void look(),
      close() {
        closing.abort();
        clearTimeout(timer);
      },
    };
  };
