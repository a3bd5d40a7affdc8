/** Folds a session's events into what the screen shows. Pure; folding in pieces gives the same as folding at once. */

import type { Render, SessionEvent, Version } from "../api/types";
import { change, type Draft, notice, type Of, planItem, resting } from "./draft";
import {
  closeQuestion,
  ofCheck,
  ofGenerator,
  ofModel,
  ofTool,
  told,
  turnFinished,
  turnStarted,
} from "./turn";
import { DESIGN_FILE, type Item, type View } from "./view";
import { settingsChange } from "./words";

/** The view after these events. Events that are in it already are skipped; events after a gap are not taken. */
export function fold(view: View, events: readonly SessionEvent[]): View {
  const last = events.at(-1);
  if (!last || (last.seq <= view.seq && !view.gap)) return view;
  const draft: Draft = {
    ...view,
    gap: false,
    items: view.items.slice(),
    waiting: view.waiting.slice(),
    todos: view.todos.slice(),
    versions: view.versions.slice(),
    renders: view.renders.slice(),
    files: { ...view.files },
  };
  for (const event of events) {
    if (event.seq <= draft.seq) continue;
    if (event.seq > draft.seq + 1) {
      draft.gap = true;
      break;
    }
    apply(draft, event);
    draft.seq = event.seq;
  }
  return draft;
}

function apply(view: Draft, event: SessionEvent): void {
  const { at } = event;
  const id = `${event.seq}`;
  switch (event.type) {
    case "session_created":
      view.projectId = event.project_id;
      view.nodeId = event.node_id;
      view.settings = event.settings;
      return;
    case "settings_changed":
      settingsChanged(view, event);
      return;
    case "message_posted":
      view.waiting.push({
        kind: "message",
        id: event.message_id,
        at,
        text: event.text,
        attachments: event.attachments,
        context: event.context,
      });
      return;
    case "turn_started":
      turnStarted(view, event);
      return;
    case "turn_resumed":
      if (view.turn) view.turn = { ...view.turn, attempt: event.attempt };
      notice(view, {
        id,
        at,
        about: "resumed",
        text: "Work was interrupted and is carried on from where it was.",
      });
      return;
    case "model_started":
    case "text_delta":
    case "thinking_delta":
    case "model_finished":
      ofModel(view, event);
      return;
    case "generator_finished":
      ofGenerator(view, event);
      return;
    case "tool_started":
    case "tool_finished":
      ofTool(view, event);
      return;
    case "model_told":
      told(view, event);
      return;
    case "question_asked":
      closeQuestion(view);
      view.question =
        view.items.push({ kind: "question", id, at, question: event.question, open: true }) - 1;
      view.phase = "clarify";
      return;
    case "plan_proposed":
      decidePlan(view, { status: "superseded" });
      view.plan =
        view.items.push({
          kind: "plan",
          id,
          at,
          plan: event.plan,
          hash: event.hash,
          status: "open",
          by: null,
          reason: null,
        }) - 1;
      view.phase = "plan";
      return;
    case "plan_approved": {
      const open = planItem(view);
      const edited = open !== null && open.hash !== event.hash;
      decidePlan(view, {
        status: edited ? "edited" : "approved",
        plan: event.plan,
        hash: event.hash,
        by: event.by,
      });
      view.approved = event.plan;
      view.title = event.plan.title;
      view.planWaits = true;
      view.phase = "build";
      return;
    }
    case "plan_rejected":
      decidePlan(view, { status: "rejected", reason: event.reason });
      view.phase = resting(view);
      return;
    case "todos_updated":
      view.todos = event.todos.slice();
      return;
    case "file_written":
      view.files[event.path] = event.entry;
      view.filesRevision += 1;
      return;
    case "design_edited":
      view.files[DESIGN_FILE] = event.entry;
      view.filesRevision += 1;
      return;
    case "file_deleted":
      delete view.files[event.path];
      view.filesRevision += 1;
      return;
    case "files_restored": {
      view.files = { ...event.files };
      view.settings = event.settings;
      view.filesRevision += 1;
      const number = view.versions.find((it) => it.id === event.version_id)?.number;
      notice(view, {
        id,
        at,
        about: "restored",
        text:
          number === undefined
            ? "Files of an earlier version are back."
            : `The files of version ${number} are back.`,
      });
      return;
    }
    case "title_changed":
      view.title = event.title;
      if (view.approved) view.approved = { ...view.approved, title: event.title };
      notice(view, {
        id,
        at,
        about: "title",
        text: `The animation is called “${event.title}” now.`,
      });
      return;
    case "check_started":
    case "check_finished":
      ofCheck(view, event);
      return;
    case "sandbox_changed":
      sandboxChanged(view, event);
      return;
    case "version_created":
      versionCreated(view, event);
      return;
    case "render_queued":
      view.renders.push(event.render);
      view.items.push({ kind: "render", id: event.render.id, at });
      return;
    case "render_started":
      ofRender(view, event.render_id, {
        status: "running",
        attempts: event.attempt,
        progress: null,
        helpers: [],
      });
      return;
    case "render_shared":
      ofRender(view, event.render_id, { helpers: event.sandboxes });
      return;
    case "render_progressed":
      ofRender(view, event.render_id, { progress: event.progress });
      return;
    case "render_ready":
      ofRender(view, event.render_id, { status: "ready", output: event.output });
      return;
    case "render_failed":
      ofRender(view, event.render_id, { status: "failed", failure: event.failure });
      return;
    case "render_cancel_requested":
      ofRender(view, event.render_id, { cancel_requested: true });
      return;
    case "render_cancelled":
      ofRender(view, event.render_id, { status: "cancelled" });
      return;
    case "render_deleted":
      view.renders = view.renders.filter((it) => it.id !== event.render_id);
      return;
    case "stop_requested":
      if (view.turn) view.turn = { ...view.turn, stopRequested: true };
      return;
    case "turn_finished":
      turnFinished(view, event);
      return;
    default:
      // A newer server may say things that this screen has no place for.
      return;
  }
}

function settingsChanged(view: Draft, event: Of<"settings_changed">): void {
  const last = view.items.at(-1);
  const merges = last?.kind === "notice" && last.about === "settings" && last.by === event.by;
  const before = (merges ? last.before : null) ?? view.settings;
  if (merges) view.items.pop();
  view.settings = event.settings;
  view.filesRevision += 1;
  const text = settingsChange(before, event.settings);
  if (text === "") return;
  const id = merges ? last.id : `${event.seq}`;
  notice(view, { id, at: event.at, about: "settings", text, before, by: event.by });
}

function sandboxChanged(view: Draft, event: Of<"sandbox_changed">): void {
  view.sandbox = {
    status: event.status,
    id: event.sandbox_id,
    provider: event.provider,
    seconds: event.seconds ?? (event.status === "ready" ? (view.sandbox?.seconds ?? null) : null),
  };
  const id = `${event.seq}`;
  if (event.status === "lost") {
    const text =
      "The sandbox was lost. A new one is made from the saved files; nothing of the work is gone.";
    notice(view, { id, at: event.at, about: "sandbox", tone: "warning", text });
  } else if (event.status === "failed") {
    const text =
      "A sandbox could not be started. Try again in a moment; if it stays so, look at the server's log.";
    notice(view, { id, at: event.at, about: "sandbox", tone: "danger", text });
  }
}

function versionCreated(view: Draft, event: Of<"version_created">): void {
  const { version } = event;
  const restored = view.versions.find((it: Version) => it.id === version.restored_from);
  view.versions.push(version);
  view.files = { ...version.files };
  view.settings = version.settings;
  view.title = version.title;
  view.filesRevision += 1;
  view.phase = "ready";
  view.items.push({
    kind: "version",
    id: version.id,
    at: event.at,
    version,
    restoredNumber: restored?.number ?? null,
  });
}

function ofRender(view: Draft, id: string, patch: Partial<Render>): void {
  const index = view.renders.findIndex((it) => it.id === id);
  const render = view.renders[index];
  if (render) view.renders[index] = { ...render, ...patch };
}

function decidePlan(
  view: Draft,
  patch: Partial<Omit<Extract<Item, { kind: "plan" }>, "kind" | "id">>,
): void {
  change(view, view.plan, "plan", (it) => (it.status === "open" ? { ...it, ...patch } : it));
}
