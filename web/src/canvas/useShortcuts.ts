import { useEffect } from "react";
import { readFragment } from "../graph/transfer";
import { actions, isEnabled } from "./actions";
import { frameOf, pasteData } from "./adding";
import type { Editor } from "./editor";
import { isField, isTaken, matches, usesKey } from "./keys";
import { copySelection, deleteSelection } from "./operations";

/** Keys, and the clipboard, for as long as the editor is open. */
export function useShortcuts(editor: Editor): void {
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    addEventListener("keydown", (event) => keydown(editor, event), { signal });
    addEventListener("copy", (event) => copied(editor, event, false), { signal });
    addEventListener("cut", (event) => copied(editor, event, true), { signal });
    addEventListener("paste", (event) => pasted(editor, event), { signal });
    return () => controller.abort();
  }, [editor]);
}

function keydown(editor: Editor, event: KeyboardEvent): void {
  if (event.key === "Escape" && isField(event.target) && leaveField(editor, event)) return;
  // The palette opens from anywhere on the canvas, fields included.
  const palette = matches(event, "mod+k");
  if (!palette && isTaken(event)) return;
  if (event.key === "Enter" && enterNode(event)) return;
  if (usesKey(event.target, event)) return;
  const found = actions.find((it) => !it.native && it.keys?.some((keys) => matches(event, keys)));
  if (!found) return;
  // The browser's own meaning of the keys, such as a bookmark, is off either way.
  event.preventDefault();
  if (isEnabled(found, editor)) found.run(editor);
}

/** From a field back to its node. */
function leaveField(editor: Editor, event: KeyboardEvent): boolean {
  const frame = (event.target as Element).closest<HTMLElement>("[data-node-frame]");
  const id = frame?.dataset.nodeFrame;
  if (!id || event.defaultPrevented) return false;
  frameOf(editor, id)?.focus({ preventScroll: true });
  editor.flow.select([id]);
  event.preventDefault();
  return true;
}

/** From a node into its first field or button. */
function enterNode(event: KeyboardEvent): boolean {
  const frame = event.target;
  if (!(frame instanceof HTMLElement) || !frame.matches("[data-node-frame]")) return false;
  const inside = frame.querySelector<HTMLElement>(
    "textarea, input:not([type=file]), button, a[href]",
  );
  inside?.focus({ preventScroll: true });
  event.preventDefault();
  return true;
}

/** Whether a person has marked words to copy, or is in a field. */
function hasOwnText(target: EventTarget | null): boolean {
  return isField(target) || (getSelection()?.isCollapsed ?? true) === false;
}

function copied(editor: Editor, event: ClipboardEvent, cut: boolean): void {
  if (hasOwnText(event.target)) return;
  const text = copySelection(editor);
  if (!text) return;
  event.clipboardData?.setData("text/plain", text);
  event.preventDefault();
  if (cut) deleteSelection(editor, "cut");
}

function pasted(editor: Editor, event: ClipboardEvent): void {
  const data = event.clipboardData;
  if (!data || event.defaultPrevented) return;
  // Nodes that are pasted while a field has focus are still nodes; words and files belong to the field.
  if (isField(event.target) && !readFragment(data.getData("text/plain"))) return;
  if (document.querySelector("[role=dialog], [role=alertdialog]")) return;
  if (pasteData(editor, data)) event.preventDefault();
}
