import { Menu } from "@base-ui/react/menu";
import { useStore } from "zustand";
import { nodeList } from "../nodes";
import { Kbd } from "../ui/Kbd";
import popup from "../ui/popup.module.css";
import { addNode, fittingKinds } from "./adding";
import { useEditor } from "./editor";

/** What can be added, where the person double-clicked or let go of a connection. */
export function AddMenu() {
  const editor = useEditor();
  const adding = useStore(editor.ui, (it) => it.adding);
  const fitting = adding?.pending ? fittingKinds(editor, adding.pending) : null;
  const items = nodeList.filter(({ type }) => !fitting || fitting.includes(type));
  const anchor = adding && {
    getBoundingClientRect: () => DOMRect.fromRect({ ...adding.at, width: 0, height: 0 }),
  };
  return (
    <Menu.Root
      open={adding !== null}
      onOpenChange={(open) => {
        if (!open) editor.ui.setState({ adding: null });
      }}
      modal={false}
    >
      <Menu.Portal>
        <Menu.Positioner
          className={popup.positioner}
          anchor={anchor}
          side="bottom"
          align="start"
          sideOffset={4}
          collisionPadding={8}
        >
          <Menu.Popup className={popup.popup} finalFocus={false}>
            <div className={popup.label}>{adding?.pending ? "Connect to a new" : "Add"}</div>
            {items.map(({ type, title, description, Icon, shortcut }) => (
              <Menu.Item
                key={type}
                className={popup.item}
                onClick={() => {
                  if (!adding) return;
                  const at = editor.view.current?.screenToFlowPosition(adding.at);
                  addNode(editor, type, { at, pending: adding.pending });
                }}
              >
                <Icon />
                <span className={popup.grow}>
                  {title}
                  <span className={popup.sub}>{description}</span>
                </span>
                {!adding?.pending && (
                  <span className={popup.end}>
                    <Kbd keys={shortcut} plain />
                  </span>
                )}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
