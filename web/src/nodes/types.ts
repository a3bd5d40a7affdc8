import type { ComponentType } from "react";
import type { NodeKind } from "../api/types";

/** What a node's body gets. The canvas draws the frame, the ports and the resize handles around it. */
export interface NodeViewProps {
  id: string;
  /** The node's `data`; change it through `useNodeActions(id).setData`. */
  data: Readonly<Record<string, unknown>>;
  selected: boolean;
}

/**
 * One kind of node. Bodies fill the frame (100 % by 100 %). Elements that take the pointer have the class
 * `nodrag`, and those that scroll `nowheel`, so that the canvas leaves them alone.
 */
export interface NodeDefinition {
  type: NodeKind;
  title: string;
  /** One line for menus and the palette. */
  description: string;
  /** A lucide icon. */
  Icon: ComponentType<{ size?: number | string; className?: string }>;
  /** The key that adds one. */
  shortcut: string;
  create: () => Record<string, unknown>;
  View: ComponentType<NodeViewProps>;
}
