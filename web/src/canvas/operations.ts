/** What several actions and menus do with the selection, the clipboard and files. */

import { copy, nudge, remove } from "../graph/commands";
import { PORTS } from "../graph/ports";
import { type Direction, nearest } from "../graph/selection";
import { readFragment, writeFragment } from "../graph/transfer";
import { uiStore } from "../store/ui";
import { toast } from "../ui/Toast";
import { addFiles, addNode, frameOf, pasteFragment } from "./adding";
import { type Editor, pointed, viewCenter } from "./editor";

/** Everything, clear of the bars at the top and the bottom. */
export const wholeView = () =>
  ({
    padding: { top: "88px", bottom: "104px", left: "48px", right: "48px" },
    maxZoom: 1,
    duration: motion(260),
  }) as const;

/** Milliseconds of a movement; none for people who want none. */
export const motion = (ms: number): number =>
  matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : ms;

export const doc = (editor: Editor) => editor.project.store.getState().document;

/** Undo or redo; what comes back by it is selected. */
export function travel(editor: Editor, way: "undo" | "redo"): void {
  const { store } = editor.project;
  const before = new Set(doc(editor).nodes.map((it) => it.id));
  if (store[way]() === null) return;
  const back = doc(editor).nodes.filter((it) => !before.has(it.id));
  if (back.length > 0) editor.flow.select(back.map((it) => it.id));
}

/** The selection as text for a clipboard, or null. Kept too, for browsers that do not let a page read it. */
export function copySelection(editor: Editor): string | null {
  const fragment = copy(doc(editor), editor.flow.selectedNodes());
  if (fragment.nodes.length === 0) return null;
  clipboard = writeFragment(fragment);
  return clipboard;
}

let clipboard: string | null = null;

/** For menus; the keys come as clipboard events, which work without permission and on plain HTTP. */
export function copyToClipboard(editor: Editor): void {
  const text = copySelection(editor);
  if (text) void navigator.clipboard?.writeText(text).catch(() => undefined);
}

export async function pasteFromClipboard(editor: Editor): Promise<void> {
  const at = pointed(editor);
  const text = await navigator.clipboard?.readText().catch(() => null);
  const fragment = readFragment(text ?? clipboard ?? "");
  if (fragment) pasteFragment(editor, fragment, "paste", at);
  else if (text?.trim()) addNode(editor, "text", { at, data: { text } });
}

export function deleteSelection(editor: Editor, label: string): void {
  const { flow, project } = editor;
  const ids = flow.selectedNodes();
  const animations = doc(editor).nodes.filter((it) => ids.has(it.id) && it.type === "animation");
  if (!project.store.perform(remove(ids, flow.selectedEdges()), { label })) return;
  editor.surface.current?.focus({ preventScroll: true });
  if (animations.length > 0)
    toast.show({
      title:
        animations.length > 1 ? `${animations.length} animations deleted` : "Animation deleted",
      action: {
        label: "Undo",
        onClick: () => {
          // They may be back by other ways.
          const there = new Set(doc(editor).nodes.map((it) => it.id));
          if (animations.some((it) => !there.has(it.id))) travel(editor, "undo");
        },
      },
    });
}

export function nudgeSelection(editor: Editor, x: number, y: number): void {
  const step = uiStore.getState().snap ? 8 : 1;
  editor.project.store.perform(
    nudge(doc(editor), editor.flow.selectedNodes(), { x: x * step, y: y * step }),
    { label: "move", key: "nudge" },
  );
}

export function go(editor: Editor, direction: Direction): void {
  const [from] = editor.flow.selectedNodes();
  const next = from ? nearest(doc(editor), from, direction) : null;
  if (next) reveal(editor, next.id);
}

/** Selects a node, brings it into view and gives it focus. */
export function reveal(editor: Editor, nodeId: string): void {
  editor.flow.select([nodeId]);
  void editor.view.current?.fitView({
    nodes: [{ id: nodeId }],
    padding: 0.3,
    duration: motion(220),
    minZoom: Math.min(editor.view.current.getZoom(), 1),
    maxZoom: Math.max(editor.view.current.getZoom(), 0.6),
  });
  requestAnimationFrame(() => frameOf(editor, nodeId)?.focus({ preventScroll: true }));
}

/** The one selected node, if it has an output. */
export function connectable(editor: Editor): string | null {
  const ids = editor.flow.selectedNodes();
  const node = ids.size === 1 ? doc(editor).nodes.find((it) => ids.has(it.id)) : undefined;
  return node && PORTS[node.type].outputs.length > 0 ? node.id : null;
}

export function pickFiles(editor: Editor): void {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.onchange = () => void addFiles(editor, [...(input.files ?? [])], viewCenter(editor));
  input.click();
}

export function download(filename: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = filename.replace(/[/\\:*?"<>|]/g, "-");
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
