/** Where new nodes go, and tidying up. */

import { move, type Point } from "./commands";
import {
  type Box,
  bounds,
  boxOf,
  type Document,
  type Node,
  type NodeKind,
  SIZES,
} from "./document";
import type { Op } from "./ops";

const GAP = 48;

export function overlaps(a: Box, b: Box, gap = 0): boolean {
  return (
    a.x < b.x + b.width + gap &&
    b.x < a.x + a.width + gap &&
    a.y < b.y + b.height + gap &&
    b.y < a.y + a.height + gap
  );
}

/** The free place for a node of this kind that is nearest to the wanted middle, looked for in rings. */
export function freePlace(document: Document, kind: NodeKind, around: Point): Point {
  const { width, height } = SIZES[kind];
  const taken = document.nodes.map(boxOf);
  const start = { x: around.x - width / 2, y: around.y - height / 2 };
  const fits = (point: Point) => {
    const box = { ...point, width, height };
    return !taken.some((it) => overlaps(box, it, GAP / 2));
  };
  if (fits(start)) return round(start);
  for (let ring = 1; ring <= 24; ring += 1) {
    const reach = ring * GAP * 2;
    const steps = 8 + ring * 4;
    for (let n = 0; n < steps; n += 1) {
      // Begins at the right and goes clockwise: reading order first.
      const angle = (n / steps) * 2 * Math.PI;
      const point = {
        x: start.x + Math.cos(angle) * reach,
        y: start.y + Math.sin(angle) * reach,
      };
      if (fits(point)) return round(point);
    }
  }
  return round(start);
}

const round = (point: Point): Point => ({ x: Math.round(point.x), y: Math.round(point.y) });

/** Columns by flow, from what gives to what takes; what is not connected goes into a row below. */
export function tidy(document: Document, ids?: ReadonlySet<string>): Op[] {
  const nodes = ids ? document.nodes.filter((it) => ids.has(it.id)) : document.nodes;
  const frame = bounds(nodes.map(boxOf));
  if (!frame) return [];
  const inside = new Set(nodes.map((it) => it.id));
  const edges = document.edges.filter((it) => inside.has(it.source) && inside.has(it.target));
  const linked = new Set(edges.flatMap((it) => [it.source, it.target]));
  const places: [string, Point][] = [];

  const columns = byDepth(
    nodes.filter((it) => linked.has(it.id)),
    edges,
  );
  let x = frame.x;
  let bottom = frame.y;
  for (const column of columns) {
    let y = frame.y;
    let widest = 0;
    for (const node of column) {
      const box = boxOf(node);
      places.push([node.id, { x, y }]);
      y += box.height + GAP;
      widest = Math.max(widest, box.width);
    }
    bottom = Math.max(bottom, y);
    x += widest + GAP * 2;
  }

  const loose = nodes.filter((it) => !linked.has(it.id));
  const perRow = Math.max(3, Math.ceil(Math.sqrt(loose.length) * 1.4));
  let y = columns.length > 0 ? bottom + GAP : frame.y;
  for (let at = 0; at < loose.length; at += perRow) {
    let left = frame.x;
    let tallest = 0;
    for (const node of loose.slice(at, at + perRow)) {
      const box = boxOf(node);
      places.push([node.id, { x: left, y }]);
      left += box.width + GAP;
      tallest = Math.max(tallest, box.height);
    }
    y += tallest + GAP;
  }
  return move(places);
}

/** Each node one column right of the last that feeds it; within a column as they stand now. */
function byDepth(nodes: readonly Node[], edges: Document["edges"]): Node[][] {
  const depth = new Map(nodes.map((it) => [it.id, 0]));
  for (let round = 0; round < nodes.length; round += 1) {
    let changed = false;
    for (const edge of edges) {
      const wanted = (depth.get(edge.source) ?? 0) + 1;
      if (wanted > (depth.get(edge.target) ?? 0) && wanted <= nodes.length) {
        depth.set(edge.target, wanted);
        changed = true;
      }
    }
    if (!changed) break;
  }
  const columns: Node[][] = [];
  for (const node of nodes) {
    const at = depth.get(node.id) ?? 0;
    const column = columns[at] ?? [];
    column.push(node);
    columns[at] = column;
  }
  return columns.filter(Boolean).map((column) => column.sort((a, b) => a.y - b.y || a.x - b.x));
}
