/** The server's rules for a document, so that nothing is sent that it will refuse. */

import { type Document, type Edge, MAX_NODES, type Node, type NodeKind, SCHEMA } from "./document";
import { inputPort, outputPort } from "./ports";

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const KINDS: readonly NodeKind[] = ["animation", "text", "media", "note"];

/** The first rule that the document breaks, as a sentence; null if it breaks none. */
export function problem(document: Document): string | null {
  if (document.nodes.length > MAX_NODES || document.edges.length > 2 * MAX_NODES)
    return "A canvas holds at most 5000 nodes and 10000 connections.";
  const { x, y, zoom } = document.viewport;
  if (![x, y, zoom].every(Number.isFinite) || zoom <= 0)
    return "The viewport must be finite numbers with a zoom above 0.";
  const kinds = new Map<string, NodeKind>();
  for (const node of document.nodes) {
    if (!NAME.test(node.id) || kinds.has(node.id))
      return `Node id "${node.id}" is used twice or is not a plain name.`;
    if (!Number.isFinite(node.x) || !Number.isFinite(node.y))
      return `Node ${node.id} has no finite position.`;
    kinds.set(node.id, node.type);
  }
  const edges = new Set<string>();
  for (const edge of document.edges) {
    if (!NAME.test(edge.id) || edges.has(edge.id))
      return `Edge id "${edge.id}" is used twice or is not a plain name.`;
    edges.add(edge.id);
    const wrong = edgeProblem(edge, kinds);
    if (wrong) return wrong;
  }
  return null;
}

function edgeProblem(edge: Edge, kinds: ReadonlyMap<string, NodeKind>): string | null {
  const from = kinds.get(edge.source);
  const to = kinds.get(edge.target);
  const gives = from && outputPort(from, edge.source_port)?.flow;
  const takes = to && inputPort(to, edge.target_port)?.flow;
  if (!gives || !takes || edge.source === edge.target)
    return `Edge ${edge.id} joins ports that do not exist.`;
  if (gives !== takes)
    return `Edge ${edge.id} joins a ${gives} output to a ${takes} input; connect it to a ${gives} input.`;
  return null;
}

export type Parsed = { ok: true; document: Document } | { ok: false; reason: string };

/** Takes unknown JSON as a document, leaving out what this version does not know. */
export function parseDocument(value: unknown): Parsed {
  if (!isRecord(value) || !Array.isArray(value.nodes) || !Array.isArray(value.edges))
    return { ok: false, reason: "This is not a Koda canvas." };
  if (typeof value.schema === "number" && value.schema > SCHEMA)
    return { ok: false, reason: "This canvas was made by a newer version of Koda." };
  const nodes = value.nodes.map(parseNode);
  const edges = value.edges.map(parseEdge);
  if (nodes.some((it) => it === null) || edges.some((it) => it === null))
    return { ok: false, reason: "A node or a connection in it is damaged." };
  const document: Document = {
    schema: SCHEMA,
    nodes: nodes.filter((it) => it !== null),
    edges: edges.filter((it) => it !== null),
    viewport: parseViewport(value.viewport),
  };
  const reason = problem(document);
  return reason ? { ok: false, reason } : { ok: true, document };
}

function parseNode(value: unknown): Node | null {
  if (!isRecord(value)) return null;
  const { id, type, x, y, width, height, data } = value;
  const kind = KINDS.find((it) => it === type);
  if (typeof id !== "string" || !kind || typeof x !== "number" || typeof y !== "number")
    return null;
  return {
    id,
    type: kind,
    x,
    y,
    ...(typeof width === "number" ? { width } : {}),
    ...(typeof height === "number" ? { height } : {}),
    data: isRecord(data) ? data : {},
  };
}

function parseEdge(value: unknown): Edge | null {
  if (!isRecord(value)) return null;
  const { id, source, source_port, target, target_port } = value;
  const all = [id, source, source_port, target, target_port];
  if (!all.every((it) => typeof it === "string")) return null;
  return { id, source, source_port, target, target_port } as Edge;
}

function parseViewport(value: unknown): Document["viewport"] {
  if (!isRecord(value)) return { x: 0, y: 0, zoom: 1 };
  const { x, y, zoom } = value;
  return typeof x === "number" && typeof y === "number" && typeof zoom === "number" && zoom > 0
    ? { x, y, zoom }
    : { x: 0, y: 0, zoom: 1 };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
