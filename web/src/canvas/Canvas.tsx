import "@xyflow/react/dist/base.css";
import {
  Background,
  BackgroundVariant,
  MiniMap,
  ReactFlow,
  SelectionMode,
  useStore as useFlowStore,
} from "@xyflow/react";
import { type DragEvent, useMemo } from "react";
import { useStore } from "zustand";
import type { NodeKind } from "../api/types";
import { nodes as definitions } from "../nodes";
import { useUi } from "../store/ui";
import { addFiles, addNode } from "./adding";
import styles from "./Canvas.module.css";
import { ConnectionLine } from "./ConnectionLine";
import { useConnectionHandlers } from "./connecting";
import { Dense, DenseEdges } from "./dense";
import { useEditor } from "./editor";
import type { FlowEdge, FlowNode } from "./flow";
import { edgeTypes } from "./LinkEdge";
import { nodeTypes } from "./NodeFrame";
import { wholeView } from "./operations";
import { readViewport, writeViewport } from "./viewport";

/** Above this many nodes, only what is in view is kept in the page. */
const CULL_ABOVE = 150;
/** Below this zoom, bodies are not drawn. */
const FAR = 0.3;
const NO_EDGES: FlowEdge[] = [];
const SNAP: [number, number] = [8, 8];
export const NODE_DRAG_TYPE = "application/x-koda-node";

export function Canvas() {
  const editor = useEditor();
  const { flow, project } = editor;
  const nodes = useStore(flow, (it) => it.nodes);
  const edges = useStore(flow, (it) => it.edges);
  const { minimap, snap, tool } = useUi((it) => it);
  const initial = useMemo(() => readViewport(project.id, project.store), [project]);
  const handlers = useConnectionHandlers();
  const far = useFlowStore((it) => it.transform[2] < FAR);
  const many = nodes.length > CULL_ABOVE;
  const dense = far && many;

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: double click is a shortcut; keys and the dock do the same
    <div
      className={styles.canvas}
      data-tool={tool}
      onDoubleClick={(event) => {
        if (!(event.target as Element).classList.contains("react-flow__pane")) return;
        editor.ui.setState({
          adding: { at: { x: event.clientX, y: event.clientY }, pending: null },
        });
      }}
      onPointerMove={(event) => {
        editor.pointer.current = { x: event.clientX, y: event.clientY };
      }}
      onPointerLeave={() => {
        editor.pointer.current = null;
      }}
      onDragOver={(event) => {
        event.preventDefault();
        event.dataTransfer.dropEffect = "copy";
      }}
      onDrop={(event) => drop(event, editor)}
    >
      <Dense value={dense}>
        <ReactFlow<FlowNode, FlowEdge>
          nodes={nodes}
          edges={dense ? NO_EDGES : edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          onNodesChange={flow.onNodesChange}
          onEdgesChange={flow.onEdgesChange}
          onNodeDragStop={flow.commitDrag}
          onSelectionDragStop={flow.commitDrag}
          onInit={(view) => {
            editor.view.current = view;
            if (!initial && nodes.length > 0) void view.fitView({ ...wholeView(), duration: 0 });
          }}
          onMoveStart={() => {
            if (editor.surface.current) editor.surface.current.dataset.moving = "";
          }}
          onMoveEnd={(_, viewport) => {
            delete editor.surface.current?.dataset.moving;
            writeViewport(project.id, project.store, viewport);
          }}
          {...handlers}
          {...(initial ? { defaultViewport: initial } : {})}
          connectionLineComponent={ConnectionLine}
          connectionRadius={32}
          minZoom={0.05}
          maxZoom={2.5}
          panOnScroll
          panOnDrag={tool === "hand" ? true : [1]}
          selectionOnDrag={tool === "select"}
          selectionMode={SelectionMode.Partial}
          multiSelectionKeyCode={["Shift", "Meta", "Control"]}
          deleteKeyCode={null}
          zoomOnDoubleClick={false}
          snapToGrid={snap}
          snapGrid={SNAP}
          onlyRenderVisibleElements={many}
          nodesFocusable={false}
          edgesFocusable={false}
          disableKeyboardA11y
          selectNodesOnDrag
        >
          <Background variant={BackgroundVariant.Dots} gap={24} size={1.5} color="var(--bg-dots)" />
          {minimap && nodes.length > 0 && (
            <MiniMap
              pannable
              zoomable
              className={styles.minimap ?? ""}
              nodeColor={minimapColor}
              nodeBorderRadius={24}
              maskColor="var(--minimap-mask)"
              bgColor="var(--surface)"
              ariaLabel="Map of the canvas"
            />
          )}
          <FarMark far={far} />
          {dense && <DenseEdges />}
        </ReactFlow>
      </Dense>
    </div>
  );
}

const MINIMAP: Record<NodeKind, string> = {
  animation: "var(--map-animation)",
  text: "var(--map-text)",
  media: "var(--map-media)",
  note: "var(--map-note)",
};

const minimapColor = (node: FlowNode): string => MINIMAP[node.type];

/** Marks the page while zoomed far out, for styles. */
function FarMark({ far }: { far: boolean }) {
  const { surface } = useEditor();
  if (surface.current) {
    if (far) surface.current.dataset.far = "";
    else delete surface.current.dataset.far;
  }
  return null;
}

function drop(event: DragEvent, editor: ReturnType<typeof useEditor>): void {
  const at = editor.view.current?.screenToFlowPosition({ x: event.clientX, y: event.clientY });
  if (!at) return;
  const kind = event.dataTransfer.getData(NODE_DRAG_TYPE);
  const text = event.dataTransfer.getData("text/plain");
  event.preventDefault();
  if (kind in definitions) addNode(editor, kind as NodeKind, { at });
  else if (event.dataTransfer.files.length > 0)
    void addFiles(editor, [...event.dataTransfer.files], at);
  else if (text.trim()) addNode(editor, "text", { at, data: { text } });
}
