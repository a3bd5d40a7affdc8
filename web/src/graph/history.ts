/** Undo and redo, as data. */

import { type Document, dataString, type Node } from "./document";
import { apply, type Op } from "./ops";

export interface Entry {
  /** Said in menus: "Undo move". */
  label: string;
  /** Applied to go back (in `past`) or forth (in `future`). */
  ops: Op[];
  /** Entries with the same key that follow each other closely become one, such as typing. */
  key: string | null;
  at: number;
}

export interface History {
  past: Entry[];
  future: Entry[];
}

export const HISTORY_LIMIT = 200;
const MERGE_WINDOW_MS = 1_200;

export const emptyHistory = (): History => ({ past: [], future: [] });

/** Remembers how to undo something that was just done. */
export function record(
  history: History,
  entry: { label: string; inverse: Op[]; key?: string | null; at: number },
): History {
  const { label, inverse, at, key = null } = entry;
  const last = history.past.at(-1);
  if (key !== null && last?.key === key && at - last.at < MERGE_WINDOW_MS) {
    const merged = { ...last, ops: [...inverse, ...last.ops], at };
    return { past: [...history.past.slice(0, -1), merged], future: [] };
  }
  const past = [...history.past, { label, ops: inverse, key, at }];
  return { past: past.slice(-HISTORY_LIMIT), future: [] };
}

export interface Travelled {
  document: Document;
  history: History;
  label: string;
}

export function undo(document: Document, history: History): Travelled | null {
  const entry = history.past.at(-1);
  if (!entry) return null;
  const applied = apply(document, entry.ops);
  return {
    document: applied.document,
    label: entry.label,
    history: {
      past: history.past.slice(0, -1),
      future: [...history.future, { ...entry, ops: applied.inverse, key: null }],
    },
  };
}

export function redo(document: Document, history: History): Travelled | null {
  const entry = history.future.at(-1);
  if (!entry) return null;
  const applied = apply(document, entry.ops);
  return {
    document: applied.document,
    label: entry.label,
    history: {
      past: [...history.past, { ...entry, ops: applied.inverse, key: null }],
      future: history.future.slice(0, -1),
    },
  };
}

/** Sessions that are on the canvas, or would be again after some undo or redo. */
export function reachableSessions(document: Document, history: History): Set<string> {
  const found = new Set<string>();
  const take = (node: Node) => {
    const id = node.type === "animation" ? dataString(node, "session_id") : null;
    if (id) found.add(id);
  };
  document.nodes.forEach(take);
  for (const entry of [...history.past, ...history.future]) {
    for (const op of entry.ops) if (op.op === "add_node") take(op.node);
  }
  return found;
}
