import { ContextMenu as BaseContextMenu } from "@base-ui/react/context-menu";
import { Menu as BaseMenu } from "@base-ui/react/menu";
import { Check, ChevronRight } from "lucide-react";
import type { ReactElement, ReactNode } from "react";
import { cx } from "./cx";
import { Kbd } from "./Kbd";
import { usePopupContainer } from "./PopupContainer";
import styles from "./popup.module.css";

export type MenuEntry =
  | {
      type?: "item";
      label: string;
      /** A second, quieter line. */
      detail?: string;
      icon?: ReactNode;
      /** Such as `mod+d`; see `Kbd`. */
      shortcut?: string;
      danger?: boolean;
      disabled?: boolean;
      /** Shows a tick; the menu stays open. */
      checked?: boolean;
      onSelect: () => void;
    }
  | { type: "submenu"; label: string; icon?: ReactNode; items: readonly MenuEntry[] }
  | { type: "label"; label: string }
  | { type: "separator" };

interface MenuProps {
  /** A button; gets its handlers and ARIA by cloning. */
  trigger: ReactElement<Record<string, unknown>>;
  items: readonly MenuEntry[];
  side?: "top" | "bottom" | "left" | "right";
  align?: "start" | "center" | "end";
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
}

export function Menu({
  trigger,
  items,
  side = "bottom",
  align = "start",
  open,
  onOpenChange,
}: MenuProps) {
  const container = usePopupContainer();
  return (
    <BaseMenu.Root open={open} onOpenChange={onOpenChange}>
      <BaseMenu.Trigger render={trigger} />
      <BaseMenu.Portal container={container}>
        <BaseMenu.Positioner
          className={styles.positioner}
          side={side}
          align={align}
          sideOffset={6}
          collisionPadding={8}
        >
          <BaseMenu.Popup className={styles.popup}>
            <Entries items={items} />
          </BaseMenu.Popup>
        </BaseMenu.Positioner>
      </BaseMenu.Portal>
    </BaseMenu.Root>
  );
}

interface ContextMenuProps {
  items: readonly MenuEntry[];
  children: ReactNode;
  className?: string;
  onOpenChange?: (open: boolean) => void;
}

/** Opens where the area is right-clicked, or by the menu key on what has focus. */
export function ContextMenu({ items, children, className, onOpenChange }: ContextMenuProps) {
  return (
    <BaseContextMenu.Root onOpenChange={onOpenChange}>
      <BaseContextMenu.Trigger className={className}>{children}</BaseContextMenu.Trigger>
      <BaseContextMenu.Portal>
        <BaseContextMenu.Positioner className={styles.positioner} collisionPadding={8}>
          <BaseContextMenu.Popup className={styles.popup}>
            <Entries items={items} />
          </BaseContextMenu.Popup>
        </BaseContextMenu.Positioner>
      </BaseContextMenu.Portal>
    </BaseContextMenu.Root>
  );
}

function Entries({ items }: { items: readonly MenuEntry[] }) {
  return items.map((entry, index) => <Entry key={keyOf(entry, index)} entry={entry} />);
}

const keyOf = (entry: MenuEntry, index: number) =>
  entry.type === "separator" ? `separator-${index}` : entry.label;

function Entry({ entry }: { entry: MenuEntry }) {
  switch (entry.type) {
    case "separator":
      return <BaseMenu.Separator className={styles.separator} />;
    case "label":
      return <div className={styles.label}>{entry.label}</div>;
    case "submenu":
      return (
        <BaseMenu.SubmenuRoot>
          <BaseMenu.SubmenuTrigger className={styles.item}>
            {entry.icon}
            <span className={styles.grow}>{entry.label}</span>
            <ChevronRight />
          </BaseMenu.SubmenuTrigger>
          <BaseMenu.Portal>
            <BaseMenu.Positioner
              className={styles.positioner}
              sideOffset={4}
              alignOffset={-4}
              collisionPadding={8}
            >
              <BaseMenu.Popup className={styles.popup}>
                <Entries items={entry.items} />
              </BaseMenu.Popup>
            </BaseMenu.Positioner>
          </BaseMenu.Portal>
        </BaseMenu.SubmenuRoot>
      );
    default:
      return <Item entry={entry} />;
  }
}

function Item({ entry }: { entry: Extract<MenuEntry, { onSelect: () => void }> }) {
  const inside = (
    <>
      {entry.icon}
      <span className={styles.grow}>
        {entry.label}
        {entry.detail && <span className={styles.sub}>{entry.detail}</span>}
      </span>
      {entry.shortcut && (
        <span className={styles.end}>
          <Kbd keys={entry.shortcut} plain />
        </span>
      )}
    </>
  );
  if (entry.checked !== undefined) {
    return (
      <BaseMenu.CheckboxItem
        className={styles.item}
        checked={entry.checked}
        onCheckedChange={entry.onSelect}
        disabled={entry.disabled}
      >
        {inside}
        <BaseMenu.CheckboxItemIndicator className={styles.check} keepMounted={false}>
          <Check size={16} />
        </BaseMenu.CheckboxItemIndicator>
      </BaseMenu.CheckboxItem>
    );
  }
  return (
    <BaseMenu.Item
      className={cx(styles.item, entry.danger && styles.danger)}
      onClick={entry.onSelect}
      disabled={entry.disabled}
    >
      {inside}
    </BaseMenu.Item>
  );
}
