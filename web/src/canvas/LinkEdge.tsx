import { BaseEdge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from "@xyflow/react";
import { Unlink } from "lucide-react";
import { memo } from "react";
import { remove } from "../graph/commands";
import { useProject } from "../store/project";
import { IconButton } from "../ui/Button";
import { cx } from "../ui/cx";
import type { FlowEdge } from "./flow";
import styles from "./LinkEdge.module.css";

/** A connection, in the colour of what flows. */
export const LinkEdge = memo(function LinkEdge(props: EdgeProps<FlowEdge>) {
  const { store } = useProject();
  const [path, x, y] = getBezierPath(props);
  return (
    <>
      <BaseEdge
        id={props.id}
        path={path}
        interactionWidth={20}
        className={cx(
          styles.edge,
          styles[props.data?.look ?? "text"],
          props.selected && styles.selected,
        )}
      />
      {props.selected && (
        <EdgeLabelRenderer>
          <div
            className={cx(styles.tool, "nodrag nopan")}
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
          >
            <IconButton
              label="Remove connection"
              size="sm"
              variant="secondary"
              onClick={() => store.perform(remove([], [props.id]), { label: "disconnect" })}
            >
              <Unlink />
            </IconButton>
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
});

export const edgeTypes = { link: LinkEdge };
