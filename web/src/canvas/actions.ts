/** Everything that can be done on the canvas. One list feeds keys, menus, the palette and the help. */

import {
  AlignCenterVertical,
  AlignStartHorizontal,
  AlignStartVertical,
  ArrowDownToLine,
  ArrowLeft,
  ArrowUpToLine,
  BoxSelect,
  CircleHelp,
  ClipboardPaste,
  Copy,
  CopyPlus,
  Download,
  Fullscreen,
  Grid3x3,
  Hand,
  LayoutGrid,
  type LucideIcon,
  Map as MapIcon,
  Maximize,
  MousePointer2,
  Redo2,
  Scissors,
  Search,
  Spline,
  SunMoon,
  Trash2,
  Undo2,
  Upload,
  ZoomIn,
  ZoomOut,
} from "lucide-react";
import { bringToFront, duplicate, sendToBack } from "../graph/commands";
import { tidy } from "../graph/layout";
import { type Alignment, align, type Direction } from "../graph/selection";
import { exportCanvas } from "../graph/transfer";
import { nodeList } from "../nodes";
import { resolvedTheme, setPref, setTheme, uiStore } from "../store/ui";
import { addNode } from "./adding";
import { type Editor, pointed } from "./editor";
import {
  connectable,
  copyToClipboard,
  deleteSelection,
  doc,
  download,
  go,
  motion,
  nudgeSelection,
  pasteFromClipboard,
  pickFiles,
  travel,
  wholeView,
} from "./operations";

export type Group = "Add" | "Edit" | "Arrange" | "View" | "Canvas" | "Help";

export interface Action {
  id: string;
  label: string;
  group: Group;
  Icon?: LucideIcon | (typeof nodeList)[number]["Icon"];
  /** Any of these. The first is shown. */
  keys?: readonly string[];
  danger?: boolean;
  /** Too small for menus and the palette; its keys are in the help. */
  quiet?: boolean;
  /** Its keys arrive as clipboard events. */
  native?: boolean;
  enabled?: (editor: Editor) => boolean;
  run: (editor: Editor) => void;
}

const someSelected = ({ flow }: Editor) =>
  flow.selectedNodes().size > 0 || flow.selectedEdges().size > 0;
const nodesSelected = ({ flow }: Editor) => flow.selectedNodes().size > 0;
const severalSelected = ({ flow }: Editor) => flow.selectedNodes().size > 1;
const hasNodes = ({ project }: Editor) => project.store.getState().document.nodes.length > 0;

const zoom = () => ({ duration: motion(180) });

const add: Action[] = nodeList.map(({ type, title, Icon, shortcut }) => ({
  id: `add.${type}`,
  label: `Add ${title.toLowerCase()}`,
  group: "Add",
  Icon,
  keys: [shortcut],
  run: (editor) => {
    addNode(editor, type, { at: editor.pointer.current ? pointed(editor) : undefined });
  },
}));

const edit: Action[] = [
  {
    id: "undo",
    label: "Undo",
    group: "Edit",
    Icon: Undo2,
    keys: ["mod+z"],
    enabled: ({ project }) => project.store.getState().history.past.length > 0,
    run: (editor) => travel(editor, "undo"),
  },
  {
    id: "redo",
    label: "Redo",
    group: "Edit",
    Icon: Redo2,
    keys: ["mod+shift+z", "mod+y"],
    enabled: ({ project }) => project.store.getState().history.future.length > 0,
    run: (editor) => travel(editor, "redo"),
  },
  {
    id: "cut",
    label: "Cut",
    group: "Edit",
    Icon: Scissors,
    keys: ["mod+x"],
    native: true,
    enabled: nodesSelected,
    run: (editor) => {
      copyToClipboard(editor);
      deleteSelection(editor, "cut");
    },
  },
  {
    id: "copy",
    label: "Copy",
    group: "Edit",
    Icon: Copy,
    keys: ["mod+c"],
    native: true,
    enabled: nodesSelected,
    run: copyToClipboard,
  },
  {
    id: "paste",
    label: "Paste",
    group: "Edit",
    Icon: ClipboardPaste,
    keys: ["mod+v"],
    native: true,
    run: (editor) => void pasteFromClipboard(editor),
  },
  {
    id: "duplicate",
    label: "Duplicate",
    group: "Edit",
    Icon: CopyPlus,
    keys: ["mod+d"],
    enabled: nodesSelected,
    run: (editor) => {
      const { ops, nodeIds } = duplicate(doc(editor), editor.flow.selectedNodes(), {
        x: 32,
        y: 32,
      });
      if (editor.project.store.perform(ops, { label: "duplicate" })) editor.flow.select(nodeIds);
    },
  },
  {
    id: "delete",
    label: "Delete",
    group: "Edit",
    Icon: Trash2,
    keys: ["delete"],
    danger: true,
    enabled: someSelected,
    run: (editor) => deleteSelection(editor, "delete"),
  },
  {
    id: "select.all",
    label: "Select all",
    group: "Edit",
    Icon: BoxSelect,
    keys: ["mod+a"],
    enabled: hasNodes,
    run: (editor) => editor.flow.select(doc(editor).nodes.map((it) => it.id)),
  },
  {
    id: "select.none",
    label: "Select nothing",
    group: "Edit",
    keys: ["escape"],
    quiet: true,
    run: (editor) => {
      editor.flow.select([]);
      editor.surface.current?.focus({ preventScroll: true });
    },
  },
  {
    id: "connect",
    label: "Connect to…",
    group: "Edit",
    Icon: Spline,
    keys: ["c"],
    enabled: (editor) => connectable(editor) !== null,
    run: (editor) => {
      editor.ui.setState({ connectFrom: connectable(editor) });
      uiStore.setState({ palette: true });
    },
  },
];

const WHERE: Record<Direction, string> = {
  left: "to the left",
  right: "to the right",
  up: "above",
  down: "below",
};

const ALIGNMENTS: [Alignment, string, LucideIcon][] = [
  ["left", "Align left edges", AlignStartVertical],
  ["center", "Align centres", AlignCenterVertical],
  ["top", "Align top edges", AlignStartHorizontal],
];

const DIRECTIONS: [Direction, number, number][] = [
  ["left", -1, 0],
  ["right", 1, 0],
  ["up", 0, -1],
  ["down", 0, 1],
];

const arrange: Action[] = [
  {
    id: "tidy",
    label: "Tidy up",
    group: "Arrange",
    Icon: LayoutGrid,
    keys: ["shift+t"],
    enabled: hasNodes,
    run: (editor) => {
      const ids = editor.flow.selectedNodes();
      editor.project.store.perform(tidy(doc(editor), ids.size > 1 ? ids : undefined), {
        label: "tidy up",
      });
      requestAnimationFrame(() => void editor.view.current?.fitView(wholeView()));
    },
  },
  ...ALIGNMENTS.map(
    ([to, label, Icon]): Action => ({
      id: `align.${to}`,
      label,
      group: "Arrange",
      Icon,
      enabled: severalSelected,
      run: (editor) =>
        void editor.project.store.perform(align(doc(editor), editor.flow.selectedNodes(), to), {
          label: "align",
        }),
    }),
  ),
  {
    id: "front",
    label: "Bring to front",
    group: "Arrange",
    Icon: ArrowUpToLine,
    keys: ["]"],
    enabled: nodesSelected,
    run: (editor) =>
      void editor.project.store.perform(bringToFront(doc(editor), editor.flow.selectedNodes()), {
        label: "bring to front",
      }),
  },
  {
    id: "back",
    label: "Send to back",
    group: "Arrange",
    Icon: ArrowDownToLine,
    keys: ["["],
    enabled: nodesSelected,
    run: (editor) =>
      void editor.project.store.perform(sendToBack(doc(editor), editor.flow.selectedNodes()), {
        label: "send to back",
      }),
  },
  ...DIRECTIONS.flatMap(([direction, dx, dy]): Action[] => [
    {
      id: `nudge.${direction}`,
      label: `Move ${direction}`,
      group: "Arrange",
      keys: [direction],
      quiet: true,
      enabled: nodesSelected,
      run: (editor) => nudgeSelection(editor, dx, dy),
    },
    {
      id: `shove.${direction}`,
      label: `Move ${direction} ×10`,
      group: "Arrange",
      keys: [`shift+${direction}`],
      quiet: true,
      enabled: nodesSelected,
      run: (editor) => nudgeSelection(editor, dx * 10, dy * 10),
    },
    {
      id: `go.${direction}`,
      label: `Go to the node ${WHERE[direction]}`,
      group: "View",
      keys: [`alt+${direction}`],
      quiet: true,
      enabled: nodesSelected,
      run: (editor) => go(editor, direction),
    },
  ]),
];

const view: Action[] = [
  {
    id: "tool.select",
    label: "Select by dragging",
    group: "View",
    Icon: MousePointer2,
    keys: ["v"],
    run: () => uiStore.setState({ tool: "select" }),
  },
  {
    id: "tool.hand",
    label: "Move the view by dragging",
    group: "View",
    Icon: Hand,
    keys: ["h"],
    run: () => uiStore.setState({ tool: "hand" }),
  },
  {
    id: "zoom.in",
    label: "Zoom in",
    group: "View",
    Icon: ZoomIn,
    keys: ["plus", "mod+plus"],
    run: ({ view }) => void view.current?.zoomIn(zoom()),
  },
  {
    id: "zoom.out",
    label: "Zoom out",
    group: "View",
    Icon: ZoomOut,
    keys: ["-", "mod+-"],
    run: ({ view }) => void view.current?.zoomOut(zoom()),
  },
  {
    id: "zoom.100",
    label: "Zoom to 100 %",
    group: "View",
    Icon: Search,
    keys: ["0", "mod+0"],
    run: ({ view }) => void view.current?.zoomTo(1, zoom()),
  },
  {
    id: "fit",
    label: "Show everything",
    group: "View",
    Icon: Maximize,
    keys: ["1"],
    enabled: hasNodes,
    run: ({ view }) => void view.current?.fitView(wholeView()),
  },
  {
    id: "fit.selection",
    label: "Show the selection",
    group: "View",
    Icon: Fullscreen,
    keys: ["2"],
    enabled: nodesSelected,
    run: ({ view, flow }) =>
      void view.current?.fitView({
        ...wholeView(),
        nodes: [...flow.selectedNodes()].map((id) => ({ id })),
      }),
  },
  {
    id: "minimap",
    label: "Show or hide the map",
    group: "View",
    Icon: MapIcon,
    run: () => setPref("minimap", !uiStore.getState().minimap),
  },
  {
    id: "snap",
    label: "Snap to the grid, or not",
    group: "View",
    Icon: Grid3x3,
    run: () => setPref("snap", !uiStore.getState().snap),
  },
  {
    id: "theme",
    label: "Switch between light and dark",
    group: "View",
    Icon: SunMoon,
    run: () => setTheme(resolvedTheme() === "dark" ? "light" : "dark"),
  },
];

const canvas: Action[] = [
  {
    id: "export",
    label: "Export the canvas as JSON",
    group: "Canvas",
    Icon: Download,
    run: ({ project }) => {
      const { name, document } = project.store.getState();
      download(`${name.trim() || "canvas"}.koda.json`, exportCanvas(name, document));
    },
  },
  {
    id: "import",
    label: "Import files or a canvas…",
    group: "Canvas",
    Icon: Upload,
    run: pickFiles,
  },
  {
    id: "leave",
    label: "Back to all projects",
    group: "Canvas",
    Icon: ArrowLeft,
    run: (editor) => editor.leave(),
  },
];

const help: Action[] = [
  {
    id: "palette",
    label: "Search and commands",
    group: "Help",
    Icon: Search,
    keys: ["mod+k", "/"],
    run: () => uiStore.setState({ palette: true }),
  },
  {
    id: "help",
    label: "Keyboard shortcuts",
    group: "Help",
    Icon: CircleHelp,
    keys: ["?"],
    run: () => uiStore.setState({ help: true }),
  },
];

export const actions: readonly Action[] = [
  ...add,
  ...edit,
  ...arrange,
  ...view,
  ...canvas,
  ...help,
];

const byId = new Map(actions.map((it) => [it.id, it]));

export function action(id: string): Action {
  const found = byId.get(id);
  if (!found) throw new Error(`There is no action "${id}".`);
  return found;
}

export const isEnabled = (it: Action, editor: Editor): boolean => it.enabled?.(editor) ?? true;
