/** What a person does to a canvas, as operations. */

import {
  type Box,
  bounds,
  boxOf,
  type Document,
  type Node,
  type NodeKind,
  newEdgeId,
  newNodeId,
  SIZES,
} from "./document";
import type { Op } from "./ops";
import { canConnect, type Link } from "./ports";

export interface Point {
  x: number;
  y: number;
}

/** Nodes with the connections among them: what copying takes and pasting gives. */
export interface Fragment {
  nodes: Node[];
  edges: Document["edges"];
}

export function makeNode(kind: NodeKind, at: Point, data: Record<string, unknown> = {}): Node {
  return { id: newNodeId(), type: kind, x: Math.round(at.x), y: Math.round(at.y), data };
}

/** A node whose middle is at this point. */
export function makeNodeAround(
  kind: NodeKind,
  middle: Point,
  data?: Record<string, unknown>,
): Node {
  const { width, height } = SIZES[kind];
  return makeNode(kind, { x: middle.x - width / 2, y: middle.y - height / 2 }, data);
}

export const addNodes = (nodes: readonly Node[]): Op[] =>
  nodes.map((node) => ({ op: "add_node", node }));

export function remove(nodeIds: Iterable<string>, edgeIds: Iterable<string> = []): Op[] {
  return [
    ...Array.from(edgeIds, (id): Op => ({ op: "remove_edge", id })),
    ...Array.from(nodeIds, (id): Op => ({ op: "remove_node", id })),
  ];
}

export function move(to: Iterable<readonly [id: string, point: Point]>): Op[] {
  return Array.from(to, ([id, { x, y }]): Op => ({ op: "set_node", id, fields: { x, y } }));
}

export function nudge(document: Document, ids: ReadonlySet<string>, by: Point): Op[] {
  return move(
    document.nodes
      .filter((it) => ids.has(it.id))
      .map((it) => [it.id, { x: it.x + by.x, y: it.y + by.y }] as const),
  );
}

export function resize(id: string, box: Box): Op[] {
  const { x, y, width, height } = box;
  return [{ op: "set_node", id, fields: { x, y, width, height } }];
}

export const setData = (id: string, data: Record<string, unknown>): Op[] => [
  { op: "set_node", id, fields: { data } },
];

/** Nothing if the link is not allowed. */
export function connect(document: Document, link: Link): Op[] {
  if (!canConnect(document, link).ok) return [];
  const { source, source_port, target, target_port } = link;
  return [{ op: "add_edge", edge: { id: newEdgeId(), source, source_port, target, target_port } }];
}

export function bringToFront(document: Document, ids: ReadonlySet<string>): Op[] {
  const last = document.nodes.length - 1;
  return document.nodes
    .filter((it) => ids.has(it.id))
    .map((it) => ({ op: "raise_node", id: it.id, index: last }));
}

export function sendToBack(document: Document, ids: ReadonlySet<string>): Op[] {
  return document.nodes
    .filter((it) => ids.has(it.id))
    .reverse()
    .map((it) => ({ op: "raise_node", id: it.id, index: 0 }));
}

export function copy(document: Document, ids: ReadonlySet<string>): Fragment {
  return {
    nodes: document.nodes.filter((it) => ids.has(it.id)),
    edges: document.edges.filter((it) => ids.has(it.source) && ids.has(it.target)),
  };
}

export interface Pasted {
  ops: Op[];
  nodeIds: string[];
}

/**
 * Adds a fragment under fresh ids. An animation's conversation belongs to one node, so a copy begins
 * its own; `copied_from` lets it take over the settings.
 */
export function paste(fragment: Fragment, place: { by: Point } | { around: Point }): Pasted {
  const box = bounds(fragment.nodes.map(boxOf));
  if (!box) return { ops: [], nodeIds: [] };
  const by =
    "by" in place
      ? place.by
      : {
          x: Math.round(place.around.x - box.x - box.width / 2),
          y: Math.round(place.around.y - box.y - box.height / 2),
        };
  const ids = new Map(fragment.nodes.map((it) => [it.id, newNodeId()]));
  const nodes = fragment.nodes.map((it) => ({
    ...it,
    id: ids.get(it.id) ?? newNodeId(),
    x: it.x + by.x,
    y: it.y + by.y,
    data: copiedData(it),
  }));
  const edges = fragment.edges.flatMap((it): Op[] => {
    const source = ids.get(it.source);
    const target = ids.get(it.target);
    return source && target
      ? [{ op: "add_edge", edge: { ...it, id: newEdgeId(), source, target } }]
      : [];
  });
  return { ops: [...addNodes(nodes), ...edges], nodeIds: nodes.map((it) => it.id) };
}

/** A copy beside the original that also keeps what flows into it. */
export function duplicate(document: Document, ids: ReadonlySet<string>, by: Point): Pasted {
  const fragment = copy(document, ids);
  const pasted = paste(fragment, { by });
  const twins = new Map(fragment.nodes.map((it, n) => [it.id, pasted.nodeIds[n]]));
  const inflow = document.edges.flatMap((it): Op[] => {
    const target = twins.get(it.target);
    return target && !ids.has(it.source)
      ? [{ op: "add_edge", edge: { ...it, id: newEdgeId(), target } }]
      : [];
  });
  return { ops: [...pasted.ops, ...inflow], nodeIds: pasted.nodeIds };
}

function copiedData(node: Node): Record<string, unknown> {
  if (node.type !== "animation") return { ...node.data };
  const { session_id: session, ...rest } = node.data;
  return typeof session === "string" ? { ...rest, copied_from: session } : rest;
}
