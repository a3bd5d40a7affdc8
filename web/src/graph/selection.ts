/** Questions about nodes by where they are. */

import { move } from "./commands";
import { type Box, bounds, boxOf, type Document, type Node } from "./document";
import type { Op } from "./ops";

export type Direction = "left" | "right" | "up" | "down";

const middle = (box: Box) => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 });

/** The node that arrow keys go to from this one: near, and more ahead than aside. */
export function nearest(document: Document, from: string, direction: Direction): Node | null {
  const start = document.nodes.find((it) => it.id === from);
  if (!start) return null;
  const origin = middle(boxOf(start));
  const sign = direction === "left" || direction === "up" ? -1 : 1;
  const across = direction === "left" || direction === "right";
  let best: { node: Node; cost: number } | null = null;
  for (const node of document.nodes) {
    if (node.id === from) continue;
    const point = middle(boxOf(node));
    const dx = point.x - origin.x;
    const dy = point.y - origin.y;
    const ahead = (across ? dx : dy) * sign;
    const aside = Math.abs(across ? dy : dx);
    // What is mostly aside is not in this direction.
    if (ahead <= aside / 2) continue;
    const cost = ahead + aside * 2;
    if (!best || cost < best.cost) best = { node, cost };
  }
  return best?.node ?? null;
}

/** Reading order: rows from the top, each from the left. For Tab and for lists. */
export function readingOrder(nodes: readonly Node[]): Node[] {
  const ROW = 160;
  return [...nodes].sort(
    (a, b) => Math.round(a.y / ROW) - Math.round(b.y / ROW) || a.x - b.x || a.y - b.y,
  );
}

export type Alignment = "left" | "center" | "right" | "top" | "middle" | "bottom";

export function align(document: Document, ids: ReadonlySet<string>, to: Alignment): Op[] {
  const nodes = document.nodes.filter((it) => ids.has(it.id));
  const frame = bounds(nodes.map(boxOf));
  if (!frame || nodes.length < 2) return [];
  return move(
    nodes.map((node) => {
      const box = boxOf(node);
      const x = {
        left: frame.x,
        center: frame.x + (frame.width - box.width) / 2,
        right: frame.x + frame.width - box.width,
      };
      const y = {
        top: frame.y,
        middle: frame.y + (frame.height - box.height) / 2,
        bottom: frame.y + frame.height - box.height,
      };
      return [
        node.id,
        {
          x: to in x ? x[to as keyof typeof x] : node.x,
          y: to in y ? y[to as keyof typeof y] : node.y,
        },
      ] as const;
    }),
  );
}
