import { type MouseEvent, type ReactNode, useState } from "react";
import { ContextMenu, type MenuEntry } from "../ui/Menu";
import { type Action, action, actions, isEnabled } from "./actions";
import { type Editor, useEditor } from "./editor";
import { isField } from "./keys";

type Target = "canvas" | "nodes" | "edge";

const MENUS: Record<Target, readonly (string | null)[]> = {
  nodes: [
    "connect",
    null,
    "cut",
    "copy",
    "paste",
    "duplicate",
    null,
    "front",
    "back",
    "align.left",
    "align.center",
    "align.top",
    "tidy",
    null,
    "fit.selection",
    null,
    "delete",
  ],
  edge: ["delete"],
  canvas: [
    ...actions.filter((it) => it.group === "Add").map((it) => it.id),
    null,
    "paste",
    "select.all",
    "tidy",
    null,
    "fit",
    "zoom.100",
    "minimap",
    "snap",
    null,
    "import",
    "export",
    "help",
  ],
};

/** Right click, or the menu key. */
export function CanvasMenu({ children, className }: { children: ReactNode; className?: string }) {
  const editor = useEditor();
  const [items, setItems] = useState<readonly MenuEntry[]>([]);

  const prepare = (event: MouseEvent) => {
    const target = event.target as Element;
    // Fields, links and marked words keep the browser's own menu.
    const marked = getSelection()?.isCollapsed === false;
    if (isField(target) || marked || target.closest("a[href], video, audio")) {
      event.stopPropagation();
      return;
    }
    setItems(entries(editor, aim(editor, target)));
  };

  return (
    <div onContextMenuCapture={prepare} className={className}>
      <ContextMenu items={items} className={className ?? ""}>
        {children}
      </ContextMenu>
    </div>
  );
}

/** What the menu is for; selects what was pointed at. */
function aim({ flow }: Editor, target: Element): Target {
  const node = target.closest<HTMLElement>("[data-node-frame]")?.dataset.nodeFrame;
  if (node) {
    if (!flow.selectedNodes().has(node)) flow.select([node]);
    return "nodes";
  }
  if (target.closest(".react-flow__nodesselection")) return "nodes";
  const edge = target.closest<HTMLElement>(".react-flow__edge")?.dataset.id;
  if (edge) {
    flow.select([], [edge]);
    return "edge";
  }
  return "canvas";
}

function entries(editor: Editor, target: Target): MenuEntry[] {
  const found: MenuEntry[] = [];
  for (const id of MENUS[target]) {
    if (id === null) {
      if (found.length > 0 && found.at(-1)?.type !== "separator") found.push({ type: "separator" });
      continue;
    }
    const it = action(id);
    if (isEnabled(it, editor)) found.push(entry(editor, it));
  }
  return found;
}

function entry(editor: Editor, it: Action): MenuEntry {
  return {
    label: it.label,
    onSelect: () => it.run(editor),
    ...(it.Icon ? { icon: <it.Icon size={16} /> } : {}),
    ...(it.keys?.[0] ? { shortcut: it.keys[0] } : {}),
    ...(it.danger ? { danger: true } : {}),
  };
}
