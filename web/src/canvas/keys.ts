/** Shortcuts: `mod+shift+z` and friends against keyboard events. */

const isMac = (): boolean => /mac|iphone|ipad/i.test(navigator.platform || "");

/** Whether the event is this combination and no other. */
export function matches(event: KeyboardEvent, keys: string): boolean {
  const parts = keys.split("+");
  const key = parts.at(-1) === "" ? "plus" : (parts.at(-1) ?? "");
  const wants = (name: string) => parts.slice(0, -1).includes(name);
  const mod = isMac() ? event.metaKey : event.ctrlKey;
  const other = isMac() ? event.ctrlKey : event.metaKey;
  if (other || mod !== wants("mod") || event.altKey !== wants("alt")) return false;
  const pressed = nameOf(event);
  // Signs such as `?` need Shift on some keyboards and not on others.
  const isSign = key.length === 1 && !/[a-z0-9]/.test(key);
  if (!isSign && key !== "plus" && event.shiftKey !== wants("shift")) return false;
  return pressed === key || (wants("shift") && codeOf(event) === key);
}

const NAMES: Record<string, string> = {
  " ": "space",
  "+": "plus",
  "=": "plus",
  Backspace: "delete",
  Delete: "delete",
  Escape: "escape",
  Enter: "enter",
  ArrowUp: "up",
  ArrowDown: "down",
  ArrowLeft: "left",
  ArrowRight: "right",
};

const nameOf = (event: KeyboardEvent): string => NAMES[event.key] ?? event.key.toLowerCase();

/** With Shift, a digit's `key` is a sign; its `code` is still the digit. */
const codeOf = (event: KeyboardEvent): string =>
  event.code.replace(/^(Digit|Key|Numpad)/, "").toLowerCase();

/** Whether keys belong to a field, a menu or a dialog rather than to the canvas. */
export function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.isComposing) return true;
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  return (
    isField(target) ||
    target.closest("[role=dialog], [role=alertdialog], [role=menu], [role=listbox]") !== null
  );
}

/** Whether the element uses plain keys itself, such as a slider or a button with Space. */
export function usesKey(target: EventTarget | null, event: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const own = target.closest(
    "button, a, video, audio, iframe, [role=radio], [role=slider], [role=tab]",
  );
  return (
    own !== null &&
    [" ", "Enter", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].includes(event.key)
  );
}

export function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("input, textarea, select"))
  );
}
