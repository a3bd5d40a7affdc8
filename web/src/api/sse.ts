/** A server-sent event stream that survives sleep, restarts and bad networks. */

import { createParser } from "eventsource-parser";
import { type ApiError, asApiError, errorFrom, isAbort, networkError } from "./errors";

export interface StreamMessage {
  /** Cursor to come back with. */
  id: string | undefined;
  event: string | undefined;
  data: string;
}

export type Connection =
  | { status: "connecting" }
  /** Messages flow. */
  | { status: "live" }
  /** The server closed an idle stream in good order; it is opened again when something happens. */
  | { status: "idle" }
  /** Broken; tried again by itself. */
  | { status: "retrying"; attempt: number; retryAt: number; error: ApiError }
  /** Cannot work, such as a deleted project. */
  | { status: "failed"; error: ApiError }
  | { status: "closed" };

export interface StreamOptions {
  url: string;
  /** Everything that came in one piece of the network, in order. */
  onMessages(messages: StreamMessage[]): void;
  onConnection(connection: Connection): void;
  /** Where to start; all from the beginning if left out. */
  lastId?: string;
  /** For tests. */
  timing?: Partial<Timing>;
}

export interface Stream {
  /** Opens the stream now if it is idle or waits to retry. */
  wake(): void;
  close(): void;
}

interface Timing {
  /** Delay before the first retry, doubled for each one after it. */
  firstRetryMs: number;
  lastRetryMs: number;
  /** The server sends a comment every 15 s; silence for longer means the connection is dead. */
  silenceMs: number;
  /** How often an idle stream looks again without being asked to. */
  idleMs: number;
}

const TIMING: Timing = {
  firstRetryMs: 400,
  lastRetryMs: 20_000,
  silenceMs: 45_000,
  idleMs: 60_000,
};

/** Opens a stream that reconnects by itself, resuming after the last message that was handed over. */
export function openStream(options: StreamOptions): Stream {
  const timing = { ...TIMING, ...options.timing };
  let lastId = options.lastId;
  let attempt = 0;
  let serverRetryMs: number | undefined;
  let closed = false;
  let controller: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const later = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => void connect(), ms);
  };

  async function connect(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const mine = new AbortController();
    controller = mine;
    options.onConnection({ status: "connecting" });
    try {
      const { idle } = await read(mine);
      if (closed || controller !== mine) return;
      controller = undefined;
      attempt = 0;
      if (idle) {
        options.onConnection({ status: "idle" });
        later(timing.idleMs);
      } else {
        // A stream that ends in good order without a hint: a server that restarts or hands over.
        later(serverRetryMs ?? timing.firstRetryMs);
      }
    } catch (thrown) {
      if (closed || controller !== mine) return;
      controller = undefined;
      const error = isAbort(thrown) ? networkError() : asApiError(thrown);
      if (error.code === "bad_request" && lastId !== undefined) {
        // A cursor that the server does not understand any more: all over again.
        lastId = undefined;
      } else if (!error.retryable && error.code !== "internal") {
        options.onConnection({ status: "failed", error });
        return;
      }
      attempt += 1;
      const wait = backoff(attempt, timing, error.retryAfter, serverRetryMs);
      options.onConnection({ status: "retrying", attempt, retryAt: Date.now() + wait, error });
      later(wait);
    }
  }

  async function read(mine: AbortController): Promise<{ idle: boolean }> {
    let silence: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => mine.abort(), timing.silenceMs);
    };
    heard();
    try {
      const headers: Record<string, string> = { accept: "text/event-stream" };
      if (lastId !== undefined) headers["last-event-id"] = lastId;
      const response = await fetch(options.url, {
        headers,
        signal: mine.signal,
        cache: "no-store",
      }).catch((thrown: unknown) => {
        throw isAbort(thrown) ? thrown : networkError();
      });
      if (response.status === 204 || response.status === 304) return { idle: true };
      if (!response.ok) throw errorFrom(response, await response.json().catch(() => null));
      if (!response.body) throw networkError();
      if (closed) return { idle: false };
      options.onConnection({ status: "live" });
      return await pump(response.body, heard);
    } finally {
      clearTimeout(silence);
    }
  }

  async function pump(
    body: ReadableStream<Uint8Array>,
    heard: () => void,
  ): Promise<{ idle: boolean }> {
    let batch: StreamMessage[] = [];
    let idle = false;
    let failure: ApiError | undefined;
    const parser = createParser({
      onEvent: ({ id, event, data }) => {
        if (event === "idle") idle = true;
        // The status line is long gone; what went wrong comes as a message, and the stream ends.
        else if (event === "error") failure = streamError(data);
        else batch.push({ id, event, data });
      },
      onRetry: (ms) => {
        serverRetryMs = ms;
      },
    });
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read().catch((thrown: unknown) => {
        throw isAbort(thrown) ? thrown : networkError();
      });
      if (closed || done) return { idle };
      heard();
      parser.feed(decoder.decode(value, { stream: true }));
      if (batch.length > 0) {
        attempt = 0;
        const messages = batch;
        batch = [];
        options.onMessages(messages);
        lastId = messages.findLast((it) => it.id !== undefined)?.id ?? lastId;
      }
      if (failure) throw failure;
    }
  }

  void connect();

  return {
    wake() {
      if (!closed && timer !== undefined) void connect();
    },
    close() {
      closed = true;
      clearTimeout(timer);
      controller?.abort();
      options.onConnection({ status: "closed" });
    },
  };
}

function streamError(data: string): ApiError {
  let body: unknown = null;
  try {
    body = JSON.parse(data);
  } catch {
    // Then only that something went wrong is known.
  }
  return errorFrom(new Response(null, { status: 503 }), body);
}

/** Doubling with jitter, so that many tabs do not come back in the same moment. */
function backoff(
  attempt: number,
  timing: Timing,
  retryAfter: number | null,
  serverRetryMs: number | undefined,
): number {
  const base = Math.max(timing.firstRetryMs, serverRetryMs ?? 0) * 2 ** Math.min(attempt - 1, 10);
  const wait = Math.min(base, timing.lastRetryMs) * (0.5 + Math.random() / 2);
  return Math.max(wait, (retryAfter ?? 0) * 1000);
}
