/** The canvas document and small questions about it. */

import { randomName } from "../api/ids";
import type { Document, Edge, Node, NodeKind, Viewport } from "../api/types";

export type { Document, Edge, Node, NodeKind, Viewport };

export const SCHEMA = 1;
export const MAX_NODES = 5_000;

export const emptyDocument = (): Document => ({
  schema: SCHEMA,
  nodes: [],
  edges: [],
  viewport: { x: 0, y: 0, zoom: 1 },
});

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface SizeRule {
  width: number;
  height: number;
  minWidth: number;
  minHeight: number;
  maxWidth: number;
  maxHeight: number;
}

/** Canvas units; what a node has until it is resized, and how far it can be. */
export const SIZES: Record<NodeKind, SizeRule> = {
  animation: {
    width: 440,
    height: 640,
    minWidth: 360,
    minHeight: 420,
    maxWidth: 1400,
    maxHeight: 1600,
  },
  text: {
    width: 280,
    height: 168,
    minWidth: 180,
    minHeight: 112,
    maxWidth: 900,
    maxHeight: 900,
  },
  media: {
    width: 260,
    height: 220,
    minWidth: 160,
    minHeight: 130,
    maxWidth: 1200,
    maxHeight: 1200,
  },
  note: {
    width: 220,
    height: 160,
    minWidth: 140,
    minHeight: 80,
    maxWidth: 900,
    maxHeight: 900,
  },
};

export function boxOf(node: Node): Box {
  const size = SIZES[node.type];
  return {
    x: node.x,
    y: node.y,
    width: node.width ?? size.width,
    height: node.height ?? size.height,
  };
}

/** The smallest box around all of these, or null if there are none. */
export function bounds(boxes: readonly Box[]): Box | null {
  if (boxes.length === 0) return null;
  const left = Math.min(...boxes.map((it) => it.x));
  const top = Math.min(...boxes.map((it) => it.y));
  const right = Math.max(...boxes.map((it) => it.x + it.width));
  const bottom = Math.max(...boxes.map((it) => it.y + it.height));
  return { x: left, y: top, width: right - left, height: bottom - top };
}

export const newNodeId = (): string => `n_${randomName(12)}`;
export const newEdgeId = (): string => `e_${randomName(12)}`;

export function findNode(document: Document, id: string): Node | undefined {
  return document.nodes.find((it) => it.id === id);
}

/** A string in a node's data, or null. */
export function dataString(node: Node | undefined, key: string): string | null {
  const value = node?.data[key];
  return typeof value === "string" ? value : null;
}

/** Structural equality of JSON values. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && sameJson(left[key], right[key]))
  );
}
