/** A view while events are folded into it, and changes that several of them make. */

import type { SessionEvent } from "../api/types";
import type { Item, NoticeItem, View } from "./view";

/** A view that is being changed: its arrays are copies already. */
export type Draft = {
  -readonly [K in keyof View]: View[K] extends readonly (infer T)[] ? T[] : View[K];
};

/** Events of one kind. */
export type Of<T extends SessionEvent["type"]> = Extract<SessionEvent, { type: T }>;

/** Puts a line between messages. */
export function notice(
  view: Draft,
  it: Pick<NoticeItem, "id" | "at" | "about" | "text"> & Partial<NoticeItem>,
): void {
  view.items.push({ kind: "notice", tone: "neutral", before: null, by: null, ...it });
}

/** Replaces an item that is known to be of this kind. */
export function change<K extends Item["kind"]>(
  view: Draft,
  index: number | null | undefined,
  kind: K,
  with_: (item: Extract<Item, { kind: K }>) => Extract<Item, { kind: K }>,
): void {
  if (index === null || index === undefined) return;
  const item = view.items[index];
  if (item?.kind === kind) view.items[index] = with_(item as Extract<Item, { kind: K }>);
}

/** The phase of a session that waits for nothing. */
export function resting(view: Draft): View["phase"] {
  if (view.versions.length > 0) return "ready";
  return view.approved ? "build" : "idle";
}

/** The plan that waits for a decision. */
export function planItem(view: Draft) {
  const item = view.plan === null ? undefined : view.items[view.plan];
  return item?.kind === "plan" && item.status === "open" ? item : null;
}
