/** Big canvases from far away: hundreds of things on screen, none of which can be read. */

import { ViewportPortal } from "@xyflow/react";
import { createContext, memo, useMemo } from "react";
import { boxOf } from "../graph/document";
import { outputPort, PORTS, type Port } from "../graph/ports";
import { useDocument } from "../store/project";
import styles from "./dense.module.css";
import { portTop } from "./flow";

/** Whether bodies are replaced by plain blocks. */
export const Dense = createContext(false);

/** Ports without behaviour, so that React Flow still measures where edges end. */
export function PlainPort({
  port,
  index,
  side,
}: {
  port: Port;
  index: number;
  side: "left" | "right";
}) {
  return (
    <div
      className={`${side === "left" ? "target" : "source"} ${styles.port}`}
      data-handleid={port.name}
      data-handlepos={side}
      style={{ top: portTop(index) - 6, [side]: -6 }}
    />
  );
}

const LOOKS = ["text", "media", "video"] as const;

/** All connections as three paths instead of an element with subscriptions for each. */
export const DenseEdges = memo(function DenseEdges() {
  const document = useDocument((it) => it.document);
  const { nodes, edges } = document;
  const paths = useMemo(() => {
    const byId = new Map(nodes.map((it) => [it.id, it]));
    const found = { text: "", media: "", video: "" };
    for (const edge of edges) {
      const source = byId.get(edge.source);
      const target = byId.get(edge.target);
      if (!source || !target) continue;
      const port = outputPort(source.type, edge.source_port);
      const row = PORTS[target.type].inputs.findIndex((it) => it.name === edge.target_port);
      const from = boxOf(source);
      const [x1, y1, x2, y2] = [
        from.x + from.width,
        from.y + portTop(0),
        target.x,
        target.y + portTop(Math.max(0, row)),
      ];
      const bend = Math.max(40, Math.abs(x2 - x1) / 2);
      found[port?.look ?? "text"] +=
        `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
    }
    return found;
  }, [nodes, edges]);
  return (
    <ViewportPortal>
      <svg className={styles.edges} aria-hidden="true">
        {LOOKS.map((look) => (
          <path key={look} d={paths[look]} className={styles[look]} />
        ))}
      </svg>
    </ViewportPortal>
  );
});
