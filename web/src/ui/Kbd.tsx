import { cx } from "./cx";
import styles from "./Kbd.module.css";

const isMac = () =>
  typeof navigator !== "undefined" && /mac|iphone|ipad/i.test(navigator.platform || "");

const NAMES: Record<string, [mac: string, other: string]> = {
  mod: ["⌘", "Ctrl"],
  shift: ["⇧", "Shift"],
  alt: ["⌥", "Alt"],
  enter: ["↵", "Enter"],
  escape: ["Esc", "Esc"],
  delete: ["⌫", "Del"],
  space: ["Space", "Space"],
  up: ["↑", "↑"],
  down: ["↓", "↓"],
  left: ["←", "←"],
  right: ["→", "→"],
  home: ["Home", "Home"],
  end: ["End", "End"],
  plus: ["+", "+"],
  tab: ["Tab", "Tab"],
};

/** `mod+shift+z` as this computer writes it. */
export function keyLabels(keys: string): string[] {
  const column = isMac() ? 0 : 1;
  return keys.split("+").map((key) => NAMES[key]?.[column] ?? key.toUpperCase());
}

/** A shortcut; `plain` for menus, where boxes would be loud. */
export function Kbd({ keys, plain = false }: { keys: string; plain?: boolean }) {
  const labels = keyLabels(keys);
  if (plain) return <kbd className={styles.plain}>{labels.join(isMac() ? "" : "+")}</kbd>;
  return (
    <span className={styles.keys}>
      {labels.map((label) => (
        <kbd key={label} className={cx(styles.key)}>
          {label}
        </kbd>
      ))}
    </span>
  );
}
