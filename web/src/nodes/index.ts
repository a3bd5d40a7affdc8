import type { NodeKind } from "../api/types";
import { animation } from "./animation";
import { media } from "./media";
import { note } from "./note";
import { text } from "./text";
import type { NodeDefinition } from "./types";

/** Every kind of node. A module constant, so that React Flow never sees new types. */
export const nodes: Record<NodeKind, NodeDefinition> = { animation, text, media, note };

/** In the order of menus and of the dock. */
export const nodeList: readonly NodeDefinition[] = [animation, text, media, note];
