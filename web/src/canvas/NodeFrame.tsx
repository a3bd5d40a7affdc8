import { Handle, type NodeProps, NodeResizer, Position } from "@xyflow/react";
import { memo, use } from "react";
import type { NodeKind } from "../api/types";
import { SIZES } from "../graph/document";
import { PORTS, type Port } from "../graph/ports";
import { nodes } from "../nodes";
import type { NodeViewProps } from "../nodes/types";
import { cx } from "../ui/cx";
import { Dense, PlainPort } from "./dense";
import { useEditor } from "./editor";
import { type FlowNode, portTop } from "./flow";
import styles from "./NodeFrame.module.css";

/** A kind's body; renders anew only when its data or selection does, not while it is dragged. */
const NodeBody = memo(function NodeBody({ type, ...props }: NodeViewProps & { type: NodeKind }) {
  const { View } = nodes[type];
  return <View {...props} />;
});

/** Frame, ports and resize handles around a body. */
const NodeFrame = memo(function NodeFrame({ id, type, data, selected }: NodeProps<FlowNode>) {
  const { flow } = useEditor();
  const dense = use(Dense);
  const { inputs, outputs } = PORTS[type];
  const size = SIZES[type];
  const PortView = dense ? PlainPort : PortDot;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would be announced as a form
    <div
      role="group"
      aria-label={`${nodes[type].title} node`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: nodes are reached by keyboard, see keys.ts
      tabIndex={0}
      data-node-frame={id}
      data-selected={selected || undefined}
      className={cx(styles.frame, styles[type], selected && styles.selected)}
    >
      {selected && !dense && (
        <NodeResizer
          minWidth={size.minWidth}
          minHeight={size.minHeight}
          maxWidth={size.maxWidth}
          maxHeight={size.maxHeight}
          lineClassName={styles.edge ?? ""}
          handleClassName={styles.corner ?? ""}
          onResizeEnd={(_, box) => flow.commitResize(id, box)}
        />
      )}
      <div className={styles.body}>
        {!dense && <NodeBody type={type} id={id} data={data} selected={selected} />}
      </div>
      {inputs.map((port, index) => (
        <PortView key={port.name} port={port} index={index} side="left" />
      ))}
      {outputs.map((port, index) => (
        <PortView key={port.name} port={port} index={index} side="right" />
      ))}
    </div>
  );
});

function PortDot({ port, index, side }: { port: Port; index: number; side: "left" | "right" }) {
  return (
    <Handle
      id={port.name}
      type={side === "left" ? "target" : "source"}
      position={side === "left" ? Position.Left : Position.Right}
      style={{ top: portTop(index) }}
      className={cx(styles.port, styles[port.look])}
      data-flow={port.flow}
      aria-label={`${port.label} ${side === "left" ? "input" : "output"}`}
    >
      <span className={cx(styles.label, styles[side])}>{port.label}</span>
    </Handle>
  );
}

/** A module constant, as React Flow demands. */
export const nodeTypes: Record<NodeKind, typeof NodeFrame> = {
  animation: NodeFrame,
  text: NodeFrame,
  media: NodeFrame,
  note: NodeFrame,
};
