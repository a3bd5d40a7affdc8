import { type ConnectionLineComponentProps, getBezierPath } from "@xyflow/react";
import { canConnect, inputPort, outputPort } from "../graph/ports";
import { useProject } from "../store/project";
import { cx } from "../ui/cx";
import styles from "./ConnectionLine.module.css";
import type { FlowNode } from "./flow";

/** The connection that is being drawn; says at the pointer why a port does not take it. */
export function ConnectionLine({
  fromX,
  fromY,
  toX,
  toY,
  fromPosition,
  toPosition,
  fromNode,
  fromHandle,
  toNode,
  toHandle,
  connectionStatus,
}: ConnectionLineComponentProps<FlowNode>) {
  const { store } = useProject();
  const port =
    fromHandle.type === "source"
      ? outputPort(fromNode.type, fromHandle.id ?? "")
      : inputPort(fromNode.type, fromHandle.id ?? "");
  const [path] = getBezierPath({
    sourceX: fromX,
    sourceY: fromY,
    sourcePosition: fromPosition,
    targetX: toX,
    targetY: toY,
    targetPosition: toPosition,
  });
  const invalid = connectionStatus === "invalid" && toHandle && toNode;
  const [source, target] =
    fromHandle.type === "source" ? [fromHandle, toHandle] : [toHandle, fromHandle];
  const verdict =
    invalid && source && target
      ? canConnect(store.getState().document, {
          source: source.nodeId,
          source_port: source.id ?? "",
          target: target.nodeId,
          target_port: target.id ?? "",
        })
      : null;
  return (
    <g>
      <path
        d={path}
        fill="none"
        className={cx(styles.line, styles[port?.look ?? "text"], invalid && styles.invalid)}
      />
      {verdict && !verdict.ok && (
        <foreignObject x={toX + 16} y={toY - 14} width={280} height={60} className={styles.hint}>
          <span>{verdict.reason}</span>
        </foreignObject>
      )}
    </g>
  );
}
