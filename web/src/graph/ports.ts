/** Which ports nodes have, what flows through them, and why a connection is refused. */

import type { Document, NodeKind } from "./document";

/** What kind of value flows. The server knows only these two. */
export type Flow = "text" | "media";

export interface Port {
  name: string;
  label: string;
  flow: Flow;
  /** How it is drawn: a port's colour and shape. */
  look: "text" | "media" | "video";
}

interface Ports {
  inputs: readonly Port[];
  outputs: readonly Port[];
}

export const PORTS: Record<NodeKind, Ports> = {
  animation: {
    inputs: [
      { name: "prompt", label: "Prompt", flow: "text", look: "text" },
      { name: "media", label: "Media", flow: "media", look: "media" },
    ],
    outputs: [{ name: "video", label: "Video", flow: "media", look: "video" }],
  },
  text: {
    inputs: [],
    outputs: [{ name: "text", label: "Text", flow: "text", look: "text" }],
  },
  media: {
    inputs: [],
    outputs: [{ name: "media", label: "Media", flow: "media", look: "media" }],
  },
  note: { inputs: [], outputs: [] },
};

/** Two ports that somebody wants to join. */
export interface Link {
  source: string;
  source_port: string;
  target: string;
  target_port: string;
}

export type Verdict = { ok: true } | { ok: false; reason: string };

const no = (reason: string): Verdict => ({ ok: false, reason });

export function outputPort(kind: NodeKind, name: string): Port | undefined {
  return PORTS[kind].outputs.find((it) => it.name === name);
}

export function inputPort(kind: NodeKind, name: string): Port | undefined {
  return PORTS[kind].inputs.find((it) => it.name === name);
}

/** Whether the link may be added to the document; if not, a sentence for the person. */
export function canConnect(document: Pick<Document, "nodes" | "edges">, link: Link): Verdict {
  const source = document.nodes.find((it) => it.id === link.source);
  const target = document.nodes.find((it) => it.id === link.target);
  if (!source || !target) return no("One of the two nodes is gone.");
  if (source.id === target.id) return no("A node cannot feed itself.");
  const gives = outputPort(source.type, link.source_port);
  const takes = inputPort(target.type, link.target_port);
  if (!gives || !takes) return no("Connect an output to an input.");
  if (gives.flow !== takes.flow) {
    const fits = PORTS[target.type].inputs.find((it) => it.flow === gives.flow);
    return no(
      fits
        ? `${gives.label} does not fit ${takes.label}. Use the ${fits.label} input.`
        : `${gives.label} does not fit here.`,
    );
  }
  if (document.edges.some((it) => sameLink(it, link)))
    return no("These two are connected already.");
  if (reaches(document, target.id, source.id)) return no("That would be a loop.");
  return { ok: true };
}

/** The first input of the target that takes what the source port gives. */
export function fittingInput(
  document: Pick<Document, "nodes" | "edges">,
  source: string,
  sourcePort: string,
  target: string,
): Link | null {
  const node = document.nodes.find((it) => it.id === target);
  if (!node) return null;
  for (const port of PORTS[node.type].inputs) {
    const link = { source, source_port: sourcePort, target, target_port: port.name };
    if (canConnect(document, link).ok) return link;
  }
  return null;
}

export function sameLink(a: Link, b: Link): boolean {
  return (
    a.source === b.source &&
    a.source_port === b.source_port &&
    a.target === b.target &&
    a.target_port === b.target_port
  );
}

/** Whether something that leaves `from` arrives at `to`. */
function reaches(document: Pick<Document, "edges">, from: string, to: string): boolean {
  const seen = new Set([from]);
  const open = [from];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === to) return true;
    for (const edge of document.edges) {
      if (edge.source === next && !seen.has(edge.target)) {
        seen.add(edge.target);
        open.push(edge.target);
      }
    }
  }
  return false;
}
