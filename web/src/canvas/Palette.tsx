import { Autocomplete } from "@base-ui/react/autocomplete";
import { Search } from "lucide-react";
import { type ComponentType, useMemo } from "react";
import { useStore } from "zustand";
import type { Asset, Node } from "../api/types";
import { connect } from "../graph/commands";
import { dataString } from "../graph/document";
import { fittingInput, PORTS } from "../graph/ports";
import { readingOrder } from "../graph/selection";
import { nodes } from "../nodes";
import { knownTitle } from "../nodes/animation/sessions";
import type { SessionHub } from "../store/hub";
import { uiStore, useUi } from "../store/ui";
import { Dialog } from "../ui/Dialog";
import { Kbd } from "../ui/Kbd";
import popup from "../ui/popup.module.css";
import { actions, isEnabled } from "./actions";
import { type Editor, useEditor } from "./editor";
import { doc, reveal } from "./operations";
import styles from "./Palette.module.css";

interface Entry {
  value: string;
  label: string;
  detail?: string;
  Icon?: ComponentType<{ size?: number | string }>;
  keys?: string;
  run: (editor: Editor) => void;
}

interface EntryGroup {
  value: string;
  items: Entry[];
}

/** Search and commands, by Ctrl or ⌘ K. */
export function Palette() {
  const editor = useEditor();
  const open = useUi((it) => it.palette);
  const connectFrom = useStore(editor.ui, (it) => it.connectFrom);
  const close = () => {
    uiStore.setState({ palette: false });
    editor.ui.setState({ connectFrom: null });
  };
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => (next ? uiStore.setState({ palette: true }) : close())}
      title={connectFrom ? "Connect to" : "Search and commands"}
      hideTitle
      className={styles.dialog ?? ""}
    >
      <PaletteBody key={connectFrom} connectFrom={connectFrom} close={close} />
    </Dialog>
  );
}

function PaletteBody({ connectFrom, close }: { connectFrom: string | null; close: () => void }) {
  const editor = useEditor();
  const groups = useMemo(
    () => (connectFrom ? targets(editor, connectFrom) : everything(editor)),
    [editor, connectFrom],
  );
  return (
    <Autocomplete.Root
      open
      inline
      items={groups}
      autoHighlight="always"
      keepHighlight
      itemToStringValue={(it: Entry) => `${it.label} ${it.detail ?? ""}`}
    >
      <div className={styles.input}>
        <Search size={18} />
        <Autocomplete.Input
          aria-label={connectFrom ? "Connect to" : "Search and commands"}
          placeholder={connectFrom ? "Connect to which node?" : "Search nodes and commands…"}
        />
        <Kbd keys="escape" />
      </div>
      <Autocomplete.Empty className={styles.empty}>Nothing found.</Autocomplete.Empty>
      <Autocomplete.List className={styles.list}>
        {(group: EntryGroup) => (
          <Autocomplete.Group key={group.value} items={group.items}>
            <Autocomplete.GroupLabel className={popup.label}>{group.value}</Autocomplete.GroupLabel>
            <Autocomplete.Collection>
              {(entry: Entry) => (
                <Autocomplete.Item
                  key={entry.value}
                  value={entry}
                  className={popup.item}
                  onClick={() => {
                    close();
                    // After the dialog gave focus back, so that what runs may take it.
                    setTimeout(() => entry.run(editor));
                  }}
                >
                  {entry.Icon && <entry.Icon size={16} />}
                  <span className={styles.label}>{entry.label}</span>
                  {entry.detail && <span className={styles.detail}>{entry.detail}</span>}
                  {entry.keys && (
                    <span className={popup.end}>
                      <Kbd keys={entry.keys} plain />
                    </span>
                  )}
                </Autocomplete.Item>
              )}
            </Autocomplete.Collection>
          </Autocomplete.Group>
        )}
      </Autocomplete.List>
    </Autocomplete.Root>
  );
}

function everything(editor: Editor): EntryGroup[] {
  const groups = new Map<string, Entry[]>();
  for (const it of actions) {
    if (it.quiet || it.id === "palette" || !isEnabled(it, editor)) continue;
    const list = groups.get(it.group) ?? [];
    list.push({
      value: it.id,
      label: it.label,
      run: it.run,
      ...(it.Icon ? { Icon: it.Icon } : {}),
      ...(it.keys?.[0] ? { keys: it.keys[0] } : {}),
    });
    groups.set(it.group, list);
  }
  const found = nodeEntries(
    editor,
    readingOrder(doc(editor).nodes),
    (id) => (it) => reveal(it, id),
  );
  if (found.length > 0) groups.set("Go to", found);
  return [...groups].map(([value, items]) => ({ value, items }));
}

function targets(editor: Editor, from: string): EntryGroup[] {
  const document = doc(editor);
  const source = document.nodes.find((it) => it.id === from);
  const [output] = source ? PORTS[source.type].outputs : [];
  if (!output) return [];
  const link = (to: string) => fittingInput(document, from, output.name, to);
  const possible = readingOrder(document.nodes).filter((it) => link(it.id) !== null);
  const items = nodeEntries(editor, possible, (id) => ({ project: { store } }) => {
    const found = link(id);
    if (found) store.perform(connect(store.getState().document, found), { label: "connect" });
  });
  return items.length > 0 ? [{ value: "Connect to", items }] : [];
}

function nodeEntries(
  editor: Editor,
  list: readonly Node[],
  run: (id: string) => Entry["run"],
): Entry[] {
  const { hub, assets } = editor.project;
  const { byId } = assets.getState();
  return list.map((node) => ({
    value: node.id,
    label: nodeLabel(node, byId, hub),
    detail: nodes[node.type].title,
    Icon: nodes[node.type].Icon,
    run: run(node.id),
  }));
}

/** What a person would call the node. */
function nodeLabel(node: Node, assets: Readonly<Record<string, Asset>>, hub: SessionHub): string {
  const session = dataString(node, "session_id");
  const title = session && knownTitle(hub, session);
  const asset = dataString(node, "asset_id");
  const words = dataString(node, "title") ?? dataString(node, "text");
  const name = (title || (asset && assets[asset]?.filename)) ?? words?.trim().split("\n")[0];
  return name?.slice(0, 80) || `${nodes[node.type].title} without a name`;
}
