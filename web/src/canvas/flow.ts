/** The document as React Flow draws it: positions while dragging, selection, and what is unchanged kept as it is. */

import {
  applyEdgeChanges,
  applyNodeChanges,
  type EdgeChange,
  type NodeChange,
  Position,
  type Edge as RfEdge,
  type Node as RfNode,
} from "@xyflow/react";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Document, Edge, Node, NodeKind } from "../api/types";
import { move, resize } from "../graph/commands";
import { type Box, boxOf } from "../graph/document";
import { outputPort, PORTS } from "../graph/ports";
import type { DocumentStore } from "../store/document";

export type FlowNode = RfNode<Record<string, unknown>, NodeKind>;
export type FlowEdge = RfEdge<{ look: "text" | "media" | "video" }, "link">;

export interface FlowState {
  nodes: FlowNode[];
  edges: FlowEdge[];
}

export interface Flow extends StoreApi<FlowState> {
  onNodesChange(changes: NodeChange<FlowNode>[]): void;
  onEdgesChange(changes: EdgeChange<FlowEdge>[]): void;
  /** Writes dragged positions into the document, as one undoable step. */
  commitDrag(): void;
  commitResize(id: string, box: Box): void;
  selectedNodes(): Set<string>;
  selectedEdges(): Set<string>;
  /** Selects exactly these. */
  select(nodeIds: Iterable<string>, edgeIds?: Iterable<string>): void;
  stop(): void;
}

/** Where ports sit on a node's sides, in canvas units. */
export const PORT = { size: 12, first: 18, step: 28 };

export function portTop(index: number): number {
  return PORT.first + index * PORT.step;
}

export function createFlow(store: DocumentStore): Flow {
  const sources = new WeakMap<FlowNode, Node>();
  const edgeSources = new WeakMap<FlowEdge, Edge>();
  const first = store.getState().document;
  const flow = createStore<FlowState>(() => ({
    nodes: nodesOf(first, [], sources),
    edges: edgesOf(first, [], edgeSources),
  }));
  let shown = first;

  const unsubscribe = store.subscribe(({ document }) => {
    if (document.nodes === shown.nodes && document.edges === shown.edges) return;
    const { nodes, edges } = flow.getState();
    const next: Partial<FlowState> = {};
    if (document.nodes !== shown.nodes) next.nodes = nodesOf(document, nodes, sources);
    // A node's kind decides how its edges look, and kinds never change.
    if (document.edges !== shown.edges) next.edges = edgesOf(document, edges, edgeSources);
    shown = document;
    flow.setState(next);
  });

  return {
    ...flow,
    onNodesChange(changes) {
      // The document says what exists; React Flow only where it is drawn and what is chosen.
      const visual = changes.filter(
        (it) => it.type === "position" || it.type === "dimensions" || it.type === "select",
      );
      if (visual.length === 0) return;
      const before = flow.getState().nodes;
      const after = applyNodeChanges(visual, before);
      carry(before, after, sources);
      flow.setState({ nodes: after });
    },
    onEdgesChange(changes) {
      const visual = changes.filter((it) => it.type === "select");
      if (visual.length === 0) return;
      const before = flow.getState().edges;
      const after = applyEdgeChanges(visual, before);
      carry(before, after, edgeSources);
      flow.setState({ edges: after });
    },
    commitDrag() {
      const known = new Map(store.getState().document.nodes.map((it) => [it.id, it]));
      const moved = flow.getState().nodes.flatMap(({ id, position }) => {
        const node = known.get(id);
        const point = { x: Math.round(position.x), y: Math.round(position.y) };
        return node && (node.x !== point.x || node.y !== point.y) ? [[id, point] as const] : [];
      });
      if (moved.length > 0) store.perform(move(moved), { label: "move" });
    },
    commitResize(id, box) {
      store.perform(
        resize(id, {
          x: Math.round(box.x),
          y: Math.round(box.y),
          width: Math.round(box.width),
          height: Math.round(box.height),
        }),
        { label: "resize" },
      );
    },
    selectedNodes: () => selected(flow.getState().nodes),
    selectedEdges: () => selected(flow.getState().edges),
    select(nodeIds, edgeIds = []) {
      const { nodes, edges } = flow.getState();
      flow.setState({
        nodes: choose(nodes, new Set(nodeIds), sources),
        edges: choose(edges, new Set(edgeIds), edgeSources),
      });
    },
    stop: unsubscribe,
  };
}

/** Keeps the drawn node of each node that did not change, so that React has nothing to do for it. */
function nodesOf(
  document: Document,
  previous: readonly FlowNode[],
  sources: WeakMap<FlowNode, Node>,
): FlowNode[] {
  const before = new Map(previous.map((it) => [it.id, it]));
  return document.nodes.map((node) => {
    const old = before.get(node.id);
    if (old && sources.get(old) === node) return old;
    const drawn = nodeOf(node, old);
    sources.set(drawn, node);
    return drawn;
  });
}

function nodeOf(node: Node, old: FlowNode | undefined): FlowNode {
  const { width, height, x, y } = boxOf(node);
  return {
    ...old,
    id: node.id,
    type: node.type,
    // What is being dragged stays under the pointer.
    position: old?.dragging ? old.position : { x, y },
    width,
    height,
    measured: { width, height },
    data: node.data,
    handles: handlesOf(node.type, width),
  };
}

/** Known before anything is drawn, so that edges to nodes out of view are right. */
function handlesOf(kind: NodeKind, width: number): NonNullable<FlowNode["handles"]> {
  const { size } = PORT;
  const at = (index: number, x: number) => ({
    x: x - size / 2,
    y: portTop(index) - size / 2,
    width: size,
    height: size,
  });
  return [
    ...PORTS[kind].inputs.map((port, n) => ({
      id: port.name,
      type: "target" as const,
      position: Position.Left,
      ...at(n, 0),
    })),
    ...PORTS[kind].outputs.map((port, n) => ({
      id: port.name,
      type: "source" as const,
      position: Position.Right,
      ...at(n, width),
    })),
  ];
}

function edgesOf(
  document: Document,
  previous: readonly FlowEdge[],
  sources: WeakMap<FlowEdge, Edge>,
): FlowEdge[] {
  const before = new Map(previous.map((it) => [it.id, it]));
  const kinds = new Map(document.nodes.map((it) => [it.id, it.type]));
  return document.edges.map((edge) => {
    const old = before.get(edge.id);
    if (old && sources.get(old) === edge) return old;
    const kind = kinds.get(edge.source);
    const drawn: FlowEdge = {
      id: edge.id,
      type: "link",
      source: edge.source,
      sourceHandle: edge.source_port,
      target: edge.target,
      targetHandle: edge.target_port,
      data: { look: (kind && outputPort(kind, edge.source_port)?.look) ?? "text" },
      selected: old?.selected ?? false,
    };
    sources.set(drawn, edge);
    return drawn;
  });
}

/** A drawn thing that was replaced by a changed copy still stands for the same thing of the document. */
function carry<T extends { id: string }, S>(
  before: readonly T[],
  after: readonly T[],
  sources: WeakMap<T, S>,
): void {
  for (let n = 0; n < after.length; n += 1) {
    const old = before[n];
    const next = after[n];
    const source = old && sources.get(old);
    if (old && next && old !== next && old.id === next.id && source) sources.set(next, source);
  }
}

function choose<T extends { id: string; selected?: boolean }, S>(
  items: readonly T[],
  ids: ReadonlySet<string>,
  sources: WeakMap<T, S>,
): T[] {
  const after = items.map((it) =>
    (it.selected ?? false) === ids.has(it.id) ? it : { ...it, selected: ids.has(it.id) },
  );
  carry(items, after, sources);
  return after;
}

const selected = (items: readonly { id: string; selected?: boolean }[]): Set<string> =>
  new Set(items.filter((it) => it.selected).map((it) => it.id));
