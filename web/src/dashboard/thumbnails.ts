/** What cards show, fetched a few at a time when they come into view. */

import { api } from "../api/client";
import type { Document, Render, Session } from "../api/types";

export interface Picture {
  document: Document | null;
  /** Address of the newest render's poster. */
  poster: string | null;
}

const AT_ONCE = 3;
const cache = new Map<string, Promise<Picture>>();
const waiting: (() => void)[] = [];
let running = 0;

/** Cached by revision. A project that cannot be read has no picture. */
export function loadThumbnail(id: string, revision: number): Promise<Picture> {
  const key = `${id}@${revision}`;
  const known = cache.get(key);
  if (known) return known;
  const loading = inTurn(() => load(id)).catch((): Picture => {
    cache.delete(key);
    return { document: null, poster: null };
  });
  cache.set(key, loading);
  return loading;
}

async function load(id: string): Promise<Picture> {
  const { document } = await api.projects.get(id);
  const talks = document.nodes.some(
    (it) => it.type === "animation" && typeof it.data.session_id === "string",
  );
  const poster = talks
    ? await api.projects.sessions(id).then(
        ({ items }) => newestPoster(items),
        () => null,
      )
    : null;
  return { document, poster };
}

export function newestPoster(sessions: readonly Session[]): string | null {
  let best: { session: string; render: Render } | null = null;
  for (const session of sessions) {
    for (const render of session.state.renders) {
      if (!render.output?.poster) continue;
      if (!best || render.created_at > best.render.created_at)
        best = { session: session.id, render };
    }
  }
  return best && api.renders.posterUrl(best.session, best.render.id);
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}
