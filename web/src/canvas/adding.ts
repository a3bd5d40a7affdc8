/** Putting new things onto the canvas. */

import { flushSync } from "react-dom";
import { api } from "../api/client";
import type { NodeKind } from "../api/types";
import {
  addNodes,
  connect,
  type Fragment,
  makeNode,
  makeNodeAround,
  type Point,
  paste,
  setData,
} from "../graph/commands";
import { SIZES } from "../graph/document";
import { freePlace } from "../graph/layout";
import { apply } from "../graph/ops";
import { fittingInput, type Link, PORTS } from "../graph/ports";
import { importCanvas, readFragment } from "../graph/transfer";
import { nodes } from "../nodes";
import { toast } from "../ui/Toast";
import { type Editor, type Pending, pointed, viewCenter } from "./editor";

interface AddOptions {
  /** The node's middle, in canvas units; a free place near the middle of the view if left out. */
  at?: Point | undefined;
  data?: Record<string, unknown>;
  pending?: Pending | null;
}

/** Adds a node, connects it if a connection waited for it, selects it and gives it focus. */
export function addNode(editor: Editor, kind: NodeKind, options: AddOptions = {}): string {
  const { store } = editor.project;
  const { document } = store.getState();
  const data = { ...nodes[kind].create(), ...options.data };
  const node = options.at
    ? makeNodeAround(kind, options.at, data)
    : makeNode(kind, freePlace(document, kind, viewCenter(editor)), data);
  const ops = addNodes([node]);
  const { document: withNode } = apply(document, ops);
  const link = options.pending ? linkTo(withNode, options.pending, node.id) : null;
  if (link) ops.push(...connect(withNode, link));
  // Drawn at once, so that what is typed next lands in the new node.
  flushSync(() => {
    store.perform(ops, { label: `add ${nodes[kind].title.toLowerCase()}` });
    editor.flow.select([node.id]);
  });
  if (!options.at) uncover(editor, node);
  focusInside(editor, node.id);
  return node.id;
}

/** What the panels of the editor cover at each side of it, in pixels. */
const COVERED = { top: 76, right: 16, bottom: 84, left: 16 };
/** The map covers more of the right side, where there is one. */
const MAP_WIDTH = 236;

/** Moves the view as little as brings a node out from under the panels. */
function uncover(
  editor: Editor,
  node: {
    id: string;
    x: number;
    y: number;
    width?: number | null;
    height?: number | null;
    type: NodeKind;
  },
): void {
  const view = editor.view.current;
  const box = editor.surface.current?.getBoundingClientRect();
  if (!view || !box) return;
  const { x, y, zoom } = view.getViewport();
  const size = SIZES[node.type];
  const width = (node.width ?? size.width) * zoom;
  const height = (node.height ?? size.height) * zoom;
  const hasMap = editor.surface.current?.querySelector(".react-flow__minimap") !== null;
  const move = (at: number, length: number, from: number, to: number) =>
    length > to - from || at < from ? from - at : Math.min(0, to - (at + length));
  const dx = move(
    node.x * zoom + x,
    width,
    COVERED.left,
    box.width - (hasMap ? MAP_WIDTH : COVERED.right),
  );
  const dy = move(node.y * zoom + y, height, COVERED.top, box.height - COVERED.bottom);
  if (dx === 0 && dy === 0) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  void view.setViewport({ x: x + dx, y: y + dy, zoom }, { duration: still ? 0 : 200 });
}

function linkTo(
  document: Parameters<typeof fittingInput>[0],
  pending: Pending,
  nodeId: string,
): Link | null {
  if ("source" in pending)
    return fittingInput(document, pending.source, pending.source_port, nodeId);
  const kind = document.nodes.find((it) => it.id === nodeId)?.type;
  const [output] = kind ? PORTS[kind].outputs : [];
  return output ? { source: nodeId, source_port: output.name, ...pending } : null;
}

/** Kinds that the waiting connection fits to. */
export function fittingKinds(editor: Editor, pending: Pending): NodeKind[] {
  const { document } = editor.project.store.getState();
  return (Object.keys(nodes) as NodeKind[]).filter((kind) => {
    const trial = makeNode(kind, { x: 0, y: 0 });
    const { document: withTrial } = apply(document, addNodes([trial]));
    const link = linkTo(withTrial, pending, trial.id);
    return link !== null && connect(withTrial, link).length > 0;
  });
}

/** The first field of a new node, so that one can type at once. */
function focusInside(editor: Editor, nodeId: string, tries = 4): void {
  const frame = frameOf(editor, nodeId);
  const field = frame?.querySelector<HTMLElement>("textarea, input:not([type=file])");
  if (frame) (field ?? frame).focus({ preventScroll: true });
  else if (tries > 0) requestAnimationFrame(() => focusInside(editor, nodeId, tries - 1));
}

export function frameOf(editor: Editor, nodeId: string): HTMLElement | null {
  return (
    editor.surface.current?.querySelector<HTMLElement>(
      `[data-node-frame="${CSS.escape(nodeId)}"]`,
    ) ?? null
  );
}

/** An animation whose conversation begins with this prompt. */
export async function startAnimation(editor: Editor, prompt: string): Promise<void> {
  const { id: projectId, store, hub } = editor.project;
  const nodeId = addNode(editor, "animation");
  try {
    const session = await api.sessions.create(projectId, { node_id: nodeId });
    store.perform(setData(nodeId, { session_id: session.id }), {
      label: "begin",
      undoable: false,
    });
    await api.sessions.message(session.id, { text: prompt });
    hub.wake();
  } catch (thrown) {
    toast.error("The animation could not be begun", thrown);
  }
}

/** Media nodes for files, side by side; a canvas file is added as nodes. */
export async function addFiles(editor: Editor, files: readonly File[], at: Point): Promise<void> {
  const canvases = files.filter((it) => it.name.endsWith(".json"));
  for (const file of canvases) await addCanvasFile(editor, file, at);

  const others = files.filter((it) => !canvases.includes(it));
  if (others.length === 0) return;
  const { store, assets } = editor.project;
  const { width, height } = SIZES.media;
  const columns = Math.ceil(Math.sqrt(others.length));
  const made = others.map((_, n) =>
    makeNode(
      "media",
      {
        x: at.x - width / 2 + (n % columns) * (width + 24),
        y: at.y - height / 2 + Math.floor(n / columns) * (height + 24),
      },
      nodes.media.create(),
    ),
  );
  store.perform(addNodes(made), { label: made.length > 1 ? "add files" : "add file" });
  editor.flow.select(made.map((it) => it.id));
  await Promise.all(
    made.map(async (node, n) => {
      const file = others[n];
      const asset = file && (await assets.upload(node.id, file));
      if (asset)
        store.perform(setData(node.id, { asset_id: asset.id }), {
          label: "upload",
          undoable: false,
        });
    }),
  );
}

export async function addCanvasFile(editor: Editor, file: File, at: Point): Promise<void> {
  const read = importCanvas(await file.text());
  if (!read.ok) toast.error(`${file.name} was not imported`, new Error(read.reason));
  else pasteFragment(editor, read.document, "import", at);
}

export function pasteFragment(editor: Editor, fragment: Fragment, label: string, at: Point): void {
  const { ops, nodeIds } = paste(fragment, { around: at });
  if (editor.project.store.perform(ops, { label })) editor.flow.select(nodeIds);
}

/** What a paste brings: nodes, files, or words. */
export function pasteData(editor: Editor, data: DataTransfer): boolean {
  const at = pointed(editor);
  const files = [...data.files];
  if (files.length > 0) {
    void addFiles(editor, files, at);
    return true;
  }
  const text = data.getData("text/plain");
  const fragment = readFragment(text);
  if (fragment) pasteFragment(editor, fragment, "paste", at);
  else if (text.trim()) addNode(editor, "text", { at, data: { text } });
  return Boolean(fragment || text.trim());
}
