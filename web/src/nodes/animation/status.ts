/** Where an animation stands, in a word or two. */

import type { SessionData } from "../../session/store";
import { type Item, openPlan, openQuestion, type View } from "../../session/view";

export interface Status {
  label: string;
  tone: "neutral" | "accent" | "success" | "warning" | "danger" | "info";
  /** Something moves. */
  busy: boolean;
}

export function describe({ view, pending }: Pick<SessionData, "view" | "pending">): Status {
  if (pending.some((it) => it.status === "failed")) {
    return { label: "Not sent", tone: "danger", busy: false };
  }
  if (view.turn) return { label: activity(view), tone: "info", busy: true };
  if (pending.some((it) => it.status === "retrying")) {
    return { label: "Sending again", tone: "warning", busy: true };
  }
  if (pending.length > 0 || view.waiting.length > 0 || view.planWaits) {
    return { label: "Starting", tone: "info", busy: true };
  }
  const rendering = view.renders.find((it) => it.status === "running");
  if (rendering) {
    const { progress } = rendering;
    const percent = progress?.total ? Math.floor((progress.frame / progress.total) * 100) : 0;
    return { label: `Exporting ${percent} %`, tone: "info", busy: true };
  }
  if (view.renders.some((it) => it.status === "queued")) {
    return { label: "Export queued", tone: "info", busy: true };
  }
  if (openPlan(view)) return { label: "Plan to approve", tone: "accent", busy: false };
  if (openQuestion(view)) return { label: "Has a question", tone: "accent", busy: false };
  switch (view.outcome?.type) {
    case "check_failed":
      return { label: "Check failed", tone: "danger", busy: false };
    case "failed":
      return { label: "Failed", tone: "danger", busy: false };
    case "budget_exhausted":
      return { label: "Paused", tone: "warning", busy: false };
    case "stopped":
      return { label: "Stopped", tone: "neutral", busy: false };
    default:
  }
  const newest = view.versions.at(-1);
  if (newest) return { label: `Version ${newest.number}`, tone: "success", busy: false };
  return { label: "New", tone: "neutral", busy: false };
}

/** What the agent does at this moment. */
export function activity(view: View): string {
  if (view.turn?.stopRequested) return "Stopping";
  const current = view.items.findLast(isWorking);
  if (current?.kind === "tool") return current.title;
  if (current?.kind === "check") return "Checking every frame";
  if (current?.kind === "step") return current.text ? "Writing" : "Thinking";
  if (view.sandbox?.status === "starting") return "Starting the sandbox";
  return "Working";
}

function isWorking(item: Item): boolean {
  if (item.kind === "tool" || item.kind === "check") return item.status === "running";
  return item.kind === "step" && item.streaming;
}

/** Tools whose effect is shown as a card of its own. */
const SHOWN_ELSEWHERE = new Set(["ask_user", "propose_plan", "update_todos", "finish", "check"]);

export type Row = Item | { kind: "work"; id: string; tools: Extract<Item, { kind: "tool" }>[] };

/** Items as they are drawn: actions in a row are one group, and what says nothing is left out. */
export function rows(items: readonly Item[]): Row[] {
  const out: Row[] = [];
  for (const item of items) {
    if (item.kind === "step" && !item.text && !item.thinking && !item.streaming) continue;
    if (item.kind !== "tool") {
      out.push(item);
      continue;
    }
    if (SHOWN_ELSEWHERE.has(item.name) && item.status !== "failed") continue;
    const last = out.at(-1);
    if (last?.kind === "work") last.tools.push(item);
    else out.push({ kind: "work", id: `work-${item.id}`, tools: [item] });
  }
  return out;
}

/** From the newest message on: what a small node has room for. */
export function lastExchange(items: readonly Item[]): readonly Item[] {
  const at = items.findLastIndex((it) => it.kind === "message");
  return at < 0 ? items : items.slice(at);
}
