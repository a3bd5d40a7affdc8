/** Two tabs wrote the same canvas: putting both together. */

import { type Document, type Edge, type Node, sameJson } from "./document";

export interface Content {
  name: string;
  document: Document;
}

export interface Merged extends Content {
  /** What both sides changed in different ways; resolved by `prefer` in the result. */
  conflicts: Conflict[];
}

export type Conflict = { what: "name" } | { what: "node"; id: string; field: string };

export type Side = "mine" | "theirs";

/**
 * A three-way merge. What only one side changed is taken from it; a node that one side removed and the
 * other wrote in stays; positions and sizes are never worth a question, so mine win. The view is mine.
 */
export function merge(
  base: Content,
  mine: Content,
  theirs: Content,
  prefer: Side = "mine",
): Merged {
  const conflicts: Conflict[] = [];
  const name = pick(base.name, mine.name, theirs.name, prefer, () =>
    conflicts.push({ what: "name" }),
  );

  const before = byId(base.document.nodes);
  const ours = byId(mine.document.nodes);
  const other = byId(theirs.document.nodes);
  const nodes: Node[] = [];
  for (const id of ids(theirs.document.nodes, mine.document.nodes)) {
    const merged = mergeNode(before.get(id), ours.get(id), other.get(id), prefer, (field) =>
      conflicts.push({ what: "node", id, field }),
    );
    if (merged) nodes.push(merged);
  }

  const kept = new Set(nodes.map((it) => it.id));
  const edges = mergeEdges(base.document.edges, mine.document.edges, theirs.document.edges).filter(
    (it) => kept.has(it.source) && kept.has(it.target),
  );
  return {
    name,
    document: { schema: mine.document.schema, nodes, edges, viewport: mine.document.viewport },
    conflicts,
  };
}

function mergeNode(
  base: Node | undefined,
  mine: Node | undefined,
  theirs: Node | undefined,
  prefer: Side,
  conflict: (field: string) => void,
): Node | null {
  if (!mine || !theirs) {
    const left = mine ?? theirs;
    if (!left) return null;
    if (!base) return left;
    // One side removed it. What the other wrote since is worth more than the removal.
    return sameJson(left.data, base.data) ? null : left;
  }
  if (mine === theirs || sameJson(mine, theirs)) return mine;
  const data: Record<string, unknown> = {};
  const keys = new Set([...Object.keys(theirs.data), ...Object.keys(mine.data)]);
  for (const key of keys) {
    const value = pick(base?.data[key], mine.data[key], theirs.data[key], prefer, () =>
      conflict(key),
    );
    if (value !== undefined) data[key] = value;
  }
  const moved = !base || mine.x !== base.x || mine.y !== base.y;
  const sized = !base || mine.width !== base.width || mine.height !== base.height;
  const { width, height } = sized ? mine : theirs;
  return {
    id: mine.id,
    type: mine.type,
    x: moved ? mine.x : theirs.x,
    y: moved ? mine.y : theirs.y,
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    data,
  };
}

function mergeEdges(base: Edge[], mine: Edge[], theirs: Edge[]): Edge[] {
  const before = byId(base);
  const ours = byId(mine);
  const other = byId(theirs);
  return [...ids(theirs, mine)].flatMap((id) => {
    const a = ours.get(id);
    const b = other.get(id);
    // An edge never changes; missing on one side although it was there means that it was removed.
    if (a && b) return [a];
    return before.has(id) ? [] : [a ?? b].filter((it) => it !== undefined);
  });
}

function pick<T>(base: T, mine: T, theirs: T, prefer: Side, conflict: () => void): T {
  if (sameJson(mine, theirs) || sameJson(theirs, base)) return mine;
  if (sameJson(mine, base)) return theirs;
  conflict();
  return prefer === "mine" ? mine : theirs;
}

const byId = <T extends { id: string }>(items: readonly T[]) =>
  new Map(items.map((it) => [it.id, it]));

const ids = (...lists: { id: string }[][]) => new Set(lists.flat().map((it) => it.id));
