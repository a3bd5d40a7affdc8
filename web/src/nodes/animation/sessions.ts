/** Stores of sessions that are on the screen, shared by everything that shows one. */

import { createPreview, type Preview } from "../../preview/controller";
import { hubFeed } from "../../session/feed";
import { createSessionStore, type SessionStore } from "../../session/store";
import { titleOf } from "../../session/view";
import type { SessionHub } from "../../store/hub";

export interface LiveSession {
  session: SessionStore;
  preview: Preview;
}

/** A node that is scrolled away and back keeps what it knows for this long. */
const LINGER_MS = 10_000;

interface Entry extends LiveSession {
  users: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const entries = new WeakMap<SessionHub, Map<string, Entry>>();

/** The stores of a session. Pair with `leave`. */
export function enter(hub: SessionHub, sessionId: string): LiveSession {
  const entry = of(hub, sessionId);
  entry.users += 1;
  clearTimeout(entry.timer);
  return entry;
}

/** What a session's animation is called, where somebody has its stores. */
export function knownTitle(hub: SessionHub, sessionId: string): string | null {
  const entry = entries.get(hub)?.get(sessionId);
  return entry ? titleOf(entry.session.state.getState().view) : null;
}

/** The stores, without staying. */
export function peek(hub: SessionHub, sessionId: string): LiveSession {
  const entry = of(hub, sessionId);
  if (entry.users === 0) linger(hub, sessionId, entry);
  return entry;
}

export function leave(hub: SessionHub, sessionId: string): void {
  const entry = entries.get(hub)?.get(sessionId);
  if (!entry) return;
  entry.users -= 1;
  if (entry.users === 0) linger(hub, sessionId, entry);
}

function linger(hub: SessionHub, sessionId: string, entry: Entry): void {
  clearTimeout(entry.timer);
  entry.timer = setTimeout(() => {
    entry.preview.close();
    entry.session.close();
    entries.get(hub)?.delete(sessionId);
  }, LINGER_MS);
}

function of(hub: SessionHub, sessionId: string): Entry {
  const known = entries.get(hub) ?? new Map<string, Entry>();
  entries.set(hub, known);
  const found = known.get(sessionId);
  if (found) return found;
  const session = createSessionStore(sessionId, hubFeed(hub));
  const entry: Entry = { session, preview: createPreview(session), users: 0, timer: undefined };
  known.set(sessionId, entry);
  return entry;
}
