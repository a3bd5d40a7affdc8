/** Operations on a document, each with its inverse. Undo is applying inverses, never restoring copies. */

import type { Document, Edge, Node } from "./document";

/** What of a node can be set; its id and type never change. */
export type NodeFields = Partial<Pick<Node, "x" | "y" | "width" | "height">> & {
  /** Keys to set; a key that is `undefined` is removed. */
  data?: Record<string, unknown>;
};

export type Op =
  | { op: "add_node"; node: Node; index?: number }
  | { op: "remove_node"; id: string }
  | { op: "set_node"; id: string; fields: NodeFields }
  | { op: "raise_node"; id: string; index: number }
  | { op: "add_edge"; edge: Edge; index?: number }
  | { op: "remove_edge"; id: string };

export interface Applied {
  document: Document;
  /** Undoes exactly what was done, in the right order. */
  inverse: Op[];
}

/** Applies operations in order. One that does not fit any more (its node is gone) is skipped. */
export function apply(document: Document, ops: readonly Op[]): Applied {
  let current = document;
  const inverse: Op[] = [];
  for (const op of ops) {
    const step = applyOne(current, op);
    if (!step) continue;
    current = step.document;
    inverse.unshift(...step.inverse);
  }
  return { document: current, inverse };
}

function applyOne(document: Document, op: Op): Applied | null {
  switch (op.op) {
    case "add_node": {
      if (document.nodes.some((it) => it.id === op.node.id)) return null;
      return {
        document: { ...document, nodes: insert(document.nodes, op.node, op.index) },
        inverse: [{ op: "remove_node", id: op.node.id }],
      };
    }
    case "remove_node":
      return removeNode(document, op.id);
    case "set_node":
      return setNode(document, op.id, op.fields);
    case "raise_node": {
      const index = document.nodes.findIndex((it) => it.id === op.id);
      const node = document.nodes[index];
      if (!node || index === op.index) return null;
      const rest = document.nodes.filter((it) => it !== node);
      return {
        document: { ...document, nodes: insert(rest, node, op.index) },
        inverse: [{ op: "raise_node", id: op.id, index }],
      };
    }
    case "add_edge": {
      const has = (id: string) => document.nodes.some((it) => it.id === id);
      const { edge } = op;
      if (document.edges.some((it) => it.id === edge.id)) return null;
      if (!has(edge.source) || !has(edge.target)) return null;
      return {
        document: { ...document, edges: insert(document.edges, edge, op.index) },
        inverse: [{ op: "remove_edge", id: edge.id }],
      };
    }
    case "remove_edge": {
      const index = document.edges.findIndex((it) => it.id === op.id);
      const edge = document.edges[index];
      if (!edge) return null;
      return {
        document: { ...document, edges: document.edges.filter((it) => it !== edge) },
        inverse: [{ op: "add_edge", edge, index }],
      };
    }
  }
}

/** Takes the node's edges with it, and brings them back with it. */
function removeNode(document: Document, id: string): Applied | null {
  const index = document.nodes.findIndex((it) => it.id === id);
  const node = document.nodes[index];
  if (!node) return null;
  const gone = document.edges
    .map((edge, at) => ({ edge, at }))
    .filter(({ edge }) => edge.source === id || edge.target === id);
  const lost = new Set(gone.map(({ edge }) => edge));
  return {
    document: {
      ...document,
      nodes: document.nodes.filter((it) => it !== node),
      edges: lost.size > 0 ? document.edges.filter((it) => !lost.has(it)) : document.edges,
    },
    inverse: [
      { op: "add_node", node, index },
      ...gone.map(({ edge, at }): Op => ({ op: "add_edge", edge, index: at })),
    ],
  };
}

function setNode(document: Document, id: string, fields: NodeFields): Applied | null {
  const index = document.nodes.findIndex((it) => it.id === id);
  const node = document.nodes[index];
  if (!node) return null;
  const before: NodeFields = {};
  const next: Node = { ...node };
  for (const key of ["x", "y", "width", "height"] as const) {
    if (!(key in fields) || Object.is(fields[key], node[key])) continue;
    before[key] = node[key];
    const value = fields[key];
    if (value !== undefined) next[key] = value;
    else if (key === "width" || key === "height") delete next[key];
  }
  if (fields.data) {
    const data = { ...node.data };
    const old: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(fields.data)) {
      if (Object.is(data[key], value)) continue;
      old[key] = data[key];
      if (value === undefined) delete data[key];
      else data[key] = value;
    }
    if (Object.keys(old).length > 0) {
      before.data = old;
      next.data = data;
    }
  }
  if (Object.keys(before).length === 0) return null;
  const nodes = document.nodes.slice();
  nodes[index] = next;
  return {
    document: { ...document, nodes },
    inverse: [{ op: "set_node", id, fields: before }],
  };
}

function insert<T>(list: readonly T[], item: T, index = list.length): T[] {
  const at = Math.min(Math.max(index, 0), list.length);
  return [...list.slice(0, at), item, ...list.slice(at)];
}
