import { useStore as useFlowStore } from "@xyflow/react";
import { Hand, Maximize, Minus, MousePointer2, Plus, Redo2, Undo2 } from "lucide-react";
import { useStore } from "zustand";
import { nodeList } from "../nodes";
import { uiStore, useUi } from "../store/ui";
import { IconButton } from "../ui/Button";
import { Tooltip } from "../ui/Tooltip";
import { action, isEnabled } from "./actions";
import { addNode } from "./adding";
import { NODE_DRAG_TYPE } from "./Canvas";
import styles from "./Dock.module.css";
import { useEditor } from "./editor";

/** Tools, things to add, undo. */
export function Dock() {
  const editor = useEditor();
  const tool = useUi((it) => it.tool);
  // Looked at for when it changes; the action says what is possible.
  useStore(editor.project.store, (it) => it.history);
  return (
    <div className={styles.dock} role="toolbar" aria-label="Add and edit">
      <Tooltip label="Select" shortcut="v" side="top">
        <IconButton
          label="Select"
          size="lg"
          active={tool === "select"}
          onClick={() => uiStore.setState({ tool: "select" })}
        >
          <MousePointer2 />
        </IconButton>
      </Tooltip>
      <Tooltip label="Move the view" shortcut="h" side="top">
        <IconButton
          label="Move the view"
          size="lg"
          active={tool === "hand"}
          onClick={() => uiStore.setState({ tool: "hand" })}
        >
          <Hand />
        </IconButton>
      </Tooltip>
      <span className={styles.line} />
      {nodeList.map(({ type, title, description, Icon, shortcut }) => (
        <Tooltip key={type} label={description} shortcut={shortcut} side="top">
          <button
            type="button"
            className={styles.add}
            data-kind={type}
            draggable
            onDragStart={(event) => {
              event.dataTransfer.setData(NODE_DRAG_TYPE, type);
              event.dataTransfer.effectAllowed = "copy";
            }}
            onClick={() => addNode(editor, type)}
          >
            <Icon size={18} />
            {title}
          </button>
        </Tooltip>
      ))}
      <span className={styles.line} />
      {(["undo", "redo"] as const).map((id) => {
        const it = action(id);
        const Icon = id === "undo" ? Undo2 : Redo2;
        return (
          <Tooltip key={id} label={it.label} shortcut={it.keys?.[0] ?? ""} side="top">
            <IconButton
              label={it.label}
              size="lg"
              disabled={!isEnabled(it, editor)}
              onClick={() => it.run(editor)}
            >
              <Icon />
            </IconButton>
          </Tooltip>
        );
      })}
    </div>
  );
}

/** Zoom, at the corner. */
export function ZoomControls() {
  const editor = useEditor();
  const percent = useFlowStore((it) => Math.round(it.transform[2] * 100));
  const run = (id: string) => action(id).run(editor);
  return (
    <div className={styles.zoom} role="toolbar" aria-label="Zoom">
      <Tooltip label="Zoom out" shortcut="-" side="top">
        <IconButton label="Zoom out" size="sm" onClick={() => run("zoom.out")}>
          <Minus />
        </IconButton>
      </Tooltip>
      <Tooltip label="Zoom to 100 %" shortcut="0" side="top">
        <button type="button" className={styles.percent} onClick={() => run("zoom.100")}>
          {percent} %
        </button>
      </Tooltip>
      <Tooltip label="Zoom in" shortcut="plus" side="top">
        <IconButton label="Zoom in" size="sm" onClick={() => run("zoom.in")}>
          <Plus />
        </IconButton>
      </Tooltip>
      <Tooltip label="Show everything" shortcut="1" side="top">
        <IconButton label="Show everything" size="sm" onClick={() => run("fit")}>
          <Maximize />
        </IconButton>
      </Tooltip>
    </div>
  );
}
