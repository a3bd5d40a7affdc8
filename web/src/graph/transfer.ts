/** Canvases and fragments as JSON text: files, and the clipboard between tabs. */

import type { Fragment } from "./commands";
import { type Document, emptyDocument } from "./document";
import { type Parsed, parseDocument } from "./validate";

const KIND_CANVAS = "koda-canvas";
const KIND_FRAGMENT = "koda-fragment";

/** A canvas to keep or to share: conversations stay on the server and are left out. */
export function exportCanvas(name: string, document: Document): string {
  const nodes = document.nodes.map((node) => {
    if (node.type !== "animation") return node;
    const { session_id: _session, copied_from: _from, ...data } = node.data;
    return { ...node, data };
  });
  return `${JSON.stringify({ kind: KIND_CANVAS, name, document: { ...document, nodes } }, null, 2)}\n`;
}

/** Reads what `exportCanvas` wrote, or a bare document. */
export function importCanvas(text: string): (Parsed & { ok: true; name: string | null }) | Refused {
  const value = parseJson(text);
  if (!isRecord(value)) return { ok: false, reason: "This file is not JSON." };
  const bare = !("document" in value);
  const parsed = parseDocument(bare ? value : value.document);
  if (!parsed.ok) return parsed;
  return { ...parsed, name: typeof value.name === "string" ? value.name : null };
}

type Refused = { ok: false; reason: string };

export function writeFragment(fragment: Fragment): string {
  return JSON.stringify({ kind: KIND_FRAGMENT, ...fragment });
}

/** The fragment in a clipboard's text, or null for any other text. */
export function readFragment(text: string): Fragment | null {
  if (!text.includes(KIND_FRAGMENT) && !text.includes(KIND_CANVAS)) return null;
  const value = parseJson(text);
  if (!isRecord(value)) return null;
  const source = value.kind === KIND_CANVAS ? value.document : value;
  const parsed = parseDocument({ ...emptyDocument(), ...(isRecord(source) ? source : {}) });
  return parsed.ok && parsed.document.nodes.length > 0
    ? { nodes: parsed.document.nodes, edges: parsed.document.edges }
    : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
