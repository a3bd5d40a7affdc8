/** Events of a running turn: what the model says, its actions, checks, and how the turn ends. */

import type { TurnOutcome, Usage } from "../api/types";
import { change, type Draft, notice, type Of, planItem, resting } from "./draft";
import { add, NOTHING_SPENT, ofCall } from "./spend";
import type {
  Asked,
  Attempt,
  CheckItem,
  MessageItem,
  OutcomeItem,
  StepItem,
  ToolItem,
  TurnView,
  View,
} from "./view";

/** How many actions that failed are told. */
const MISSED = 3;

export function turnStarted(view: Draft, event: Of<"turn_started">): void {
  const { input } = event;
  view.asked = null;
  if (input.type === "message") {
    const index = view.waiting.findIndex((it) => it.id === input.message_id);
    const taken: MessageItem | undefined = view.waiting[index];
    if (taken) {
      view.waiting.splice(index, 1);
      view.items.push(taken);
      view.asked = { text: taken.text, attachments: taken.attachments };
    }
  } else if (input.type === "plan") {
    view.planWaits = false;
    const title = view.approved?.title;
    const plan = title ? `the plan “${title}”` : "the plan";
    view.asked = { text: `Build ${plan} as approved.`, attachments: [] };
  }
  closeQuestion(view);
  closeOpen(view);
  view.todos = [];
  view.outcome = null;
  view.turn = {
    id: event.turn_id ?? `${event.seq}`,
    input,
    startedAt: event.at,
    attempt: 1,
    stopRequested: false,
    steps: {},
    calls: {},
    check: null,
    repairs: 0,
    tried: [],
    used: [],
  };
}

export function ofModel(
  view: Draft,
  event: Of<"model_started"> | Of<"text_delta"> | Of<"thinking_delta"> | Of<"model_finished">,
): void {
  const { turn } = view;
  if (!turn) return;
  const index = turn.steps[event.step];
  if (event.type === "model_started") {
    view.model = event.model;
    if (index !== undefined) {
      // The call is made again: what was said of it is void.
      change(view, index, "step", (it) => ({
        ...it,
        text: "",
        thinking: "",
        streaming: true,
        seconds: null,
      }));
      return;
    }
    const step: StepItem = {
      kind: "step",
      id: `${turn.id}-${event.step}`,
      at: event.at,
      text: "",
      thinking: "",
      streaming: true,
      seconds: null,
      model: event.model,
    };
    view.turn = { ...turn, steps: { ...turn.steps, [event.step]: view.items.push(step) - 1 } };
    return;
  }
  if (event.type === "text_delta") {
    change(view, index, "step", (it) => ({ ...it, text: it.text + event.text }));
  } else if (event.type === "thinking_delta") {
    change(view, index, "step", (it) => ({ ...it, thinking: it.thinking + event.text }));
  } else {
    change(view, index, "step", (it) => ({ ...it, streaming: false, seconds: event.seconds }));
    const step = index === undefined ? undefined : view.items[index];
    const free = step?.kind === "step" && !step.model.is_ai;
    used(view, event, event.answer, { step: event.step, free });
  }
}

/** The code generator, which is a model of its own. */
export function ofGenerator(view: Draft, event: Of<"generator_finished">): void {
  used(view, event, event, { step: null, free: view.model?.is_ai === false });
}

/** Tokens and money add up, whoever used them. */
function used(
  view: Draft,
  { seq, seconds }: { seq: number; seconds: number },
  { model, usage }: { model: string; usage: Usage },
  { step, free }: { step: number | null; free: boolean },
): void {
  const spend = ofCall(usage, seconds, free);
  view.spend = { ...add(view.spend, spend), seconds: view.spend.seconds };
  const { turn } = view;
  if (turn) view.turn = { ...turn, used: [...turn.used, { id: `${seq}`, step, model, spend }] };
}

export function ofTool(view: Draft, event: Of<"tool_started"> | Of<"tool_finished">): void {
  const { turn } = view;
  if (!turn) return;
  if (event.type === "tool_started") {
    const tool: ToolItem = {
      kind: "tool",
      id: event.call.id,
      at: event.at,
      name: event.call.name,
      title: event.title,
      status: "running",
      summary: null,
      seconds: null,
      pictures: [],
    };
    const known = turn.calls[event.call.id];
    if (known === undefined) {
      view.turn = { ...turn, calls: { ...turn.calls, [event.call.id]: view.items.push(tool) - 1 } };
    } else {
      // Begun again after its worker died.
      view.items[known] = tool;
    }
    return;
  }
  const pictures = event.output.flatMap((it) => (it.type === "image" ? [it.blob] : []));
  change(view, turn.calls[event.call_id], "tool", (it) => ({
    ...it,
    status: event.is_error ? "failed" : "done",
    summary: event.summary || null,
    seconds: event.seconds,
    pictures,
  }));
}

export function ofCheck(view: Draft, event: Of<"check_started"> | Of<"check_finished">): void {
  if (event.type === "check_started") {
    const check: CheckItem = {
      kind: "check",
      id: `${event.seq}`,
      at: event.at,
      status: "running",
      report: null,
      sheet: null,
    };
    const open = view.turn?.check;
    const before = open === null || open === undefined ? undefined : view.items[open];
    if (view.turn && before?.kind === "check" && before.status === "running") {
      view.items[open as number] = { ...check, id: before.id };
      return;
    }
    const index = view.items.push(check) - 1;
    if (view.turn) view.turn = { ...view.turn, check: index };
    return;
  }
  const { report, sheet } = event;
  view.check = { ok: report.ok, report, sheet };
  const diagnostic = report.diagnostics.find((it) => it.severity === "error");
  if (view.turn && report.ok) {
    view.turn = { ...view.turn, tried: [] };
  } else if (view.turn && diagnostic) {
    const { tried, repairs: repair } = view.turn;
    // Of a round in which the agent looked by itself too, the last one counts.
    const before: readonly Attempt[] = tried.filter((it) => it.repair !== repair);
    view.turn = { ...view.turn, tried: [...before, { repair, diagnostic }] };
  }
  change(view, view.turn?.check, "check", (it) => ({
    ...it,
    status: report.ok ? "done" : "failed",
    report,
    sheet,
  }));
}

/** The agent hears of a check: that it failed, or what it noted where it passed. */
export function told(view: Draft, event: Of<"model_told">): void {
  const { noted = [] } = event as typeof event & { noted?: readonly string[] };
  const passed = noted.length > 0;
  if (view.turn && !passed) view.turn = { ...view.turn, repairs: view.turn.repairs + 1 };
  const text = passed
    ? "The check passed. The agent was told what it noted, and looks at it."
    : "The agent was told what the check found, and mends it.";
  notice(view, { id: `${event.seq}`, at: event.at, about: "repair", text });
}

export function turnFinished(view: Draft, event: Of<"turn_finished">): void {
  const { outcome } = event;
  const { turn } = view;
  closeOpen(view);
  view.turn = null;
  view.outcome = outcome;
  view.todos = view.todos.map((it) => (it.status === "active" ? { ...it, status: "pending" } : it));
  view.phase = phaseAfter(view, outcome);
  switch (outcome.type) {
    case "ready":
    case "answered":
    case "awaiting_plan":
    case "awaiting_answer":
      break;
    default:
      view.items.push(unfinished(view, turn, event, outcome));
  }
  if (turn) spent(view, turn, event);
}

function unfinished(
  view: Draft,
  turn: TurnView | null,
  event: Of<"turn_finished">,
  outcome: OutcomeItem["outcome"],
): OutcomeItem {
  const byHand = turn?.input.type === "settings";
  const failed = outcome.type === "check_failed" ? outcome : null;
  const back = view.versions.find((it) => it.id === failed?.version_id);
  return {
    kind: "outcome",
    id: `${event.seq}`,
    at: event.at,
    outcome,
    asked: byHand && failed ? changedByHand(view, turn.id) : view.asked,
    byHand,
    tried: turn?.tried ?? [],
    missed: turn ? missed(view, turn) : [],
    back: back?.number ?? null,
    made: back !== undefined && back.turn_id !== null && back.turn_id === turn?.id,
  };
}

/** A change by hand, in words that the agent can be asked with. */
function changedByHand(view: Draft, turn: string): Asked {
  const made = view.versions.find((it) => it.turn_id === turn);
  const text = made ? `I want this change: ${made.summary}` : "I want the change that I made.";
  return { text, attachments: [] };
}

function missed(view: Draft, turn: TurnView): string[] {
  const lines = Object.values(turn.calls).flatMap((index) => {
    const it = view.items[index];
    if (it?.kind !== "tool" || it.status !== "failed") return [];
    return [it.summary && it.summary !== it.title ? `${it.title}: ${it.summary}` : it.title];
  });
  return [...new Set(lines)].slice(-MISSED);
}

function spent(view: Draft, turn: TurnView, { at }: Of<"turn_finished">): void {
  const seconds = Math.max(0, (Date.parse(at) - Date.parse(turn.startedAt)) / 1000);
  view.spend = { ...view.spend, seconds: view.spend.seconds + seconds };
  const { used: calls } = turn;
  if (calls.length === 0) return;
  const sum = calls.map((it) => it.spend).reduce(add, NOTHING_SPENT);
  view.items.push({ kind: "spent", id: `spent-${turn.id}`, at, calls, spend: { ...sum, seconds } });
}

function phaseAfter(view: Draft, outcome: TurnOutcome): View["phase"] {
  if (view.planWaits) return "build";
  if (outcome.type === "awaiting_answer") return "clarify";
  if (outcome.type === "awaiting_plan" || planItem(view)) return "plan";
  return resting(view);
}

/** Nothing of a turn that is over may look as if it went on. */
function closeOpen(view: Draft): void {
  const turn: TurnView | null = view.turn;
  if (!turn) return;
  for (const index of Object.values(turn.steps)) {
    change(view, index, "step", (it) => (it.streaming ? { ...it, streaming: false } : it));
  }
  for (const index of Object.values(turn.calls)) {
    change(view, index, "tool", (it) =>
      it.status === "running" ? { ...it, status: "stopped" } : it,
    );
  }
  change(view, turn.check, "check", (it) =>
    it.status === "running" ? { ...it, status: "stopped" } : it,
  );
}

export function closeQuestion(view: Draft): void {
  change(view, view.question, "question", (it) => (it.open ? { ...it, open: false } : it));
}
