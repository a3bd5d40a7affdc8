/** Events of a running turn: what the model says, its actions, checks, and how the turn ends. */

import type { TurnOutcome, Usage } from "../api/types";
import { change, type Draft, type Of, planItem, resting } from "./draft";
import type { CheckItem, MessageItem, StepItem, ToolItem, TurnView, View } from "./view";

export function turnStarted(view: Draft, event: Of<"turn_started">): void {
  const { input } = event;
  view.asked = null;
  if (input.type === "message") {
    const index = view.waiting.findIndex((it) => it.id === input.message_id);
    const taken: MessageItem | undefined = view.waiting[index];
    if (taken) {
      view.waiting.splice(index, 1);
      view.items.push(taken);
      view.asked = taken.text;
    }
  } else if (input.type === "plan") {
    view.planWaits = false;
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
    used(view, event.answer.usage);
  }
}

/** Tokens and money add up, whoever used them. */
export function used(view: Draft, usage: Usage): void {
  view.usage = {
    input_tokens: view.usage.input_tokens + usage.input_tokens,
    cached_tokens: view.usage.cached_tokens + usage.cached_tokens,
    cache_write_tokens: view.usage.cache_write_tokens + usage.cache_write_tokens,
    output_tokens: view.usage.output_tokens + usage.output_tokens,
    cost_micros: view.usage.cost_micros + usage.cost_micros,
  };
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
  change(view, view.turn?.check, "check", (it) => ({
    ...it,
    status: report.ok ? "done" : "failed",
    report,
    sheet,
  }));
}

export function turnFinished(view: Draft, event: Of<"turn_finished">): void {
  const { outcome } = event;
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
      return;
    default:
      view.items.push({
        kind: "outcome",
        id: `${event.seq}`,
        at: event.at,
        outcome,
        asked: view.asked,
      });
  }
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
