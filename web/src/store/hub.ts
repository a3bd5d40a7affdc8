/** One event stream per project, handed out by session. */

import { createStore, type StoreApi } from "zustand/vanilla";
import { api } from "../api/client";
import { isAbort } from "../api/errors";
import { type Connection, openStream, type StreamMessage, type StreamOptions } from "../api/sse";
import type { SessionEvent } from "../api/types";

/** Gets events in order of `seq`, each exactly once. The first call holds everything received so far. */
export type SessionListener = (events: readonly SessionEvent[]) => void;

export interface SessionHub {
  readonly projectId: string;
  /** Calls back at once with all events so far (where there are any), then with each new batch. */
  subscribe(sessionId: string, listener: SessionListener): () => void;
  /** All events of a session so far. The array only ever grows; do not keep it across renders. */
  events(sessionId: string): readonly SessionEvent[];
  /** Where the stream stands, for indicators. */
  readonly connection: StoreApi<{ connection: Connection }>;
  /** Call after an action that makes a session move: opens an idle or waiting stream at once. */
  wake(): void;
  close(): void;
}

interface SessionLog {
  events: SessionEvent[];
  listeners: Set<SessionListener>;
  /** Events that came before those that they follow. */
  early: SessionEvent[];
  filling: boolean;
}

const REFILL_MS = 3_000;

type Log = (sessionId: string, after: number, signal: AbortSignal) => Promise<SessionEvent[]>;

export interface HubOptions {
  /** Reads a part of a session's log, for the case that the stream leaves a gap. */
  log?: Log;
  open?: (options: StreamOptions) => { wake(): void; close(): void };
}

const readLog: Log = async (sessionId, after, signal) =>
  (await api.sessions.log(sessionId, after, undefined, signal)).items;

/** Opens the stream of a project. Close it when the project is left. */
export function createSessionHub(projectId: string, options: HubOptions = {}): SessionHub {
  const { log = readLog, open = openStream } = options;
  const logs = new Map<string, SessionLog>();
  const connection = createStore<{ connection: Connection }>(() => ({
    connection: { status: "connecting" },
  }));
  const closing = new AbortController();

  const of = (sessionId: string): SessionLog => {
    let found = logs.get(sessionId);
    if (!found) {
      found = { events: [], listeners: new Set(), early: [], filling: false };
      logs.set(sessionId, found);
    }
    return found;
  };

  function receive(messages: StreamMessage[]): void {
    const bySession = new Map<string, SessionEvent[]>();
    for (const message of messages) {
      const event = parseEvent(message);
      if (!event) continue;
      const list = bySession.get(event.session_id);
      if (list) list.push(event);
      else bySession.set(event.session_id, [event]);
    }
    for (const [sessionId, events] of bySession) add(sessionId, events);
  }

  function add(sessionId: string, incoming: readonly SessionEvent[]): void {
    const session = of(sessionId);
    const waiting = [...session.early, ...incoming].sort((a, b) => a.seq - b.seq);
    const fresh: SessionEvent[] = [];
    const early: SessionEvent[] = [];
    let last = session.events.length;
    for (const event of waiting) {
      if (event.seq <= last) continue;
      if (event.seq === last + 1) {
        fresh.push(event);
        last = event.seq;
      } else if (early.at(-1)?.seq !== event.seq) {
        early.push(event);
      }
    }
    session.early = early;
    if (fresh.length > 0) {
      for (const event of fresh) session.events.push(event);
      for (const listener of [...session.listeners]) listener(fresh);
    }
    if (early.length > 0) void fill(sessionId, session);
  }

  /** Fetches what the stream skipped; what came early waits until it is here. */
  async function fill(sessionId: string, session: SessionLog): Promise<void> {
    if (session.filling) return;
    session.filling = true;
    let missing: SessionEvent[] = [];
    try {
      missing = await log(sessionId, session.events.length, closing.signal);
    } catch (thrown) {
      // The next event tries again, or time does.
      if (!isAbort(thrown)) setTimeout(() => refill(sessionId), REFILL_MS);
    } finally {
      session.filling = false;
    }
    if (missing.length > 0) add(sessionId, missing);
  }

  function refill(sessionId: string): void {
    const session = of(sessionId);
    if (!closing.signal.aborted && session.early.length > 0) void fill(sessionId, session);
  }

  const stream = open({
    url: api.projects.eventsUrl(projectId),
    onMessages: receive,
    onConnection: (next) => connection.setState({ connection: next }),
  });

  return {
    projectId,
    subscribe(sessionId, listener) {
      const session = of(sessionId);
      session.listeners.add(listener);
      if (session.events.length > 0) listener(session.events.slice());
      return () => session.listeners.delete(listener);
    },
    events: (sessionId) => logs.get(sessionId)?.events ?? [],
    connection,
    wake: () => stream.wake(),
    close() {
      closing.abort();
      stream.close();
    },
  };
}

/** Messages that are not entries of a log (`session` announcements, `error`) are not for subscribers. */
function parseEvent(message: StreamMessage): SessionEvent | null {
  if (message.event === "session" || message.event === "error") return null;
  try {
    const value = JSON.parse(message.data) as Partial<SessionEvent>;
    return typeof value.seq === "number" && typeof value.session_id === "string"
      ? (value as SessionEvent)
      : null;
  } catch {
    return null;
  }
}
