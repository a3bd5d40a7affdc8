/** What the parts of the canvas share. */

import type { ReactFlowInstance } from "@xyflow/react";
import { createContext, use } from "react";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Point } from "../graph/commands";
import type { Link } from "../graph/ports";
import type { OpenProject } from "../store/project";
import type { Flow, FlowEdge, FlowNode } from "./flow";

/** A connection that was dropped on the empty canvas and waits for a node. */
export type Pending = Pick<Link, "source" | "source_port"> | Pick<Link, "target" | "target_port">;

export interface CanvasUi {
  /** Where the add menu is open, in screen pixels. */
  adding: { at: Point; pending: Pending | null } | null;
  /** The node whose connections the palette offers. */
  connectFrom: string | null;
}

export interface Editor {
  project: OpenProject;
  flow: Flow;
  ui: StoreApi<CanvasUi>;
  /** React Flow's instance; set when the canvas is there. */
  view: { current: ReactFlowInstance<FlowNode, FlowEdge> | null };
  /** The canvas element, for focus. */
  surface: { current: HTMLElement | null };
  /** Where the pointer was last, in screen pixels; null when it is not above the canvas. */
  pointer: { current: Point | null };
  leave: () => void;
}

export function createCanvasUi(): StoreApi<CanvasUi> {
  return createStore<CanvasUi>(() => ({ adding: null, connectFrom: null }));
}

const Context = createContext<Editor | null>(null);
export const EditorProvider = Context;

export function useEditor(): Editor {
  const editor = use(Context);
  if (!editor) throw new Error("useEditor is for components of the canvas.");
  return editor;
}

/** The middle of what is in view, in canvas units. */
export function viewCenter({ view, surface }: Editor): Point {
  const box = surface.current?.getBoundingClientRect();
  if (!box || !view.current) return { x: 0, y: 0 };
  return view.current.screenToFlowPosition({
    x: box.left + box.width / 2,
    y: box.top + box.height / 2,
  });
}

/** Where the person points, in canvas units; the middle of the view if nowhere. */
export function pointed(editor: Editor): Point {
  const at = editor.pointer.current;
  return at && editor.view.current
    ? editor.view.current.screenToFlowPosition(at)
    : viewCenter(editor);
}
