/** What the screen shows of a session: a fold over its events, and nothing else. */

import type {
  Actor,
  CheckReport,
  Diagnostic,
  Engine,
  Files,
  ModelLabel,
  Phase,
  Plan,
  Question,
  Render,
  SandboxStatus,
  Settings,
  Todo,
  TurnInput,
  TurnOutcome,
  Version,
} from "../api/types";
import { type ModelCall, NOTHING_SPENT, type Spend } from "./spend";

export interface MessageItem {
  kind: "message";
  id: string;
  at: string;
  text: string;
  attachments: readonly string[];
  context: readonly string[];
}

/** One call of the model: what it said, and what it thought on the way. */
export interface StepItem {
  kind: "step";
  id: string;
  at: string;
  text: string;
  thinking: string;
  /** Words may still come. */
  streaming: boolean;
  seconds: number | null;
  model: ModelLabel;
}

export type Progress = "running" | "done" | "failed" | "stopped";

export interface ToolItem {
  kind: "tool";
  id: string;
  at: string;
  name: string;
  title: string;
  status: Progress;
  summary: string | null;
  seconds: number | null;
  /** Pictures that the tool showed to the model. */
  pictures: readonly string[];
}

export interface CheckItem {
  kind: "check";
  id: string;
  at: string;
  status: Progress;
  report: CheckReport | null;
  /** Blob of the contact sheet. */
  sheet: string | null;
}

export type PlanStatus = "open" | "approved" | "edited" | "rejected" | "superseded";

export interface PlanItem {
  kind: "plan";
  id: string;
  at: string;
  /** As approved, once it is; as proposed before. */
  plan: Plan;
  hash: string;
  status: PlanStatus;
  by: Actor | null;
  reason: string | null;
}

export interface QuestionItem {
  kind: "question";
  id: string;
  at: string;
  question: Question;
  open: boolean;
}

export interface VersionItem {
  kind: "version";
  id: string;
  at: string;
  version: Version;
  /** Number of the version that was brought back. */
  restoredNumber: number | null;
}

export interface RenderItem {
  kind: "render";
  id: string;
  at: string;
}

/** A line between messages: what changed without being said. */
export interface NoticeItem {
  kind: "notice";
  id: string;
  at: string;
  about: "settings" | "resumed" | "restored" | "repair" | "sandbox" | "title";
  tone: "neutral" | "warning" | "danger";
  text: string;
  /** For settings: how they were before, so that changes in a row are one line. */
  before: Settings | null;
  by: Actor | null;
}

/** What a person wants of a turn, for another try. */
export interface Asked {
  text: string;
  attachments: readonly string[];
}

/** A check that a turn did not pass. */
export interface Attempt {
  /** How many repairs there had been. */
  repair: number;
  diagnostic: Diagnostic;
}

/** A turn that ended otherwise than with a version, a plan or a question. */
export interface OutcomeItem {
  kind: "outcome";
  id: string;
  at: string;
  outcome: Exclude<
    TurnOutcome,
    { type: "ready" | "answered" | "awaiting_plan" | "awaiting_answer" }
  >;
  asked: Asked | null;
  /** Whether the turn was about what a person changed by hand, and no model was asked. */
  byHand: boolean;
  /** Checks that it did not pass, a round each. */
  tried: readonly Attempt[];
  /** Actions that failed, newest last. */
  missed: readonly string[];
  /** Number of the version whose files are back. */
  back: number | null;
  /** Whether that version is this turn's own: only what came after it was taken back. */
  made: boolean;
}

/** What a turn that is over used. */
export interface SpentItem {
  kind: "spent";
  id: string;
  at: string;
  spend: Spend;
  calls: readonly ModelCall[];
}

export type Item =
  | MessageItem
  | StepItem
  | ToolItem
  | CheckItem
  | PlanItem
  | QuestionItem
  | VersionItem
  | RenderItem
  | NoticeItem
  | OutcomeItem
  | SpentItem;

export interface TurnView {
  id: string;
  input: TurnInput;
  startedAt: string;
  attempt: number;
  stopRequested: boolean;
  /** Positions in `items` of what is open, by name. */
  steps: Readonly<Record<number, number>>;
  calls: Readonly<Record<string, number>>;
  check: number | null;
  repairs: number;
  tried: readonly Attempt[];
  /** Model calls that are over. */
  used: readonly ModelCall[];
}

export interface SandboxView {
  status: SandboxStatus;
  id: string | null;
  provider: string;
  /** How long starting took. */
  seconds: number | null;
}

export interface View {
  /** The last event that is in here. */
  seq: number;
  /** Events came that do not follow; read the log after `seq`. */
  gap: boolean;
  projectId: string | null;
  nodeId: string | null;
  settings: Settings;
  phase: Phase;
  items: readonly Item[];
  /** Messages that no turn has taken, in order; they are shown below everything else. */
  waiting: readonly MessageItem[];
  /** An approved plan that no turn has taken. */
  planWaits: boolean;
  turn: TurnView | null;
  todos: readonly Todo[];
  /** Position in `items` of the newest plan and question. */
  plan: number | null;
  question: number | null;
  approved: Plan | null;
  outcome: TurnOutcome | null;
  files: Files;
  /** Grows with each change of files or settings; an open preview of the working files is another one then. */
  filesRevision: number;
  check: { ok: boolean; report: CheckReport; sheet: string | null } | null;
  versions: readonly Version[];
  renders: readonly Render[];
  sandbox: SandboxView | null;
  model: ModelLabel | null;
  /** By the whole session; seconds are those of turns that are over. */
  spend: Spend;
  title: string | null;
  /** What the running turn, or the last one, answers. */
  asked: Asked | null;
}

/** Words, colours, fonts and numbers of an animation. */
export const DESIGN_FILE = "src/design.ts";

export const DEFAULT_SETTINGS: Settings = {
  engine: null,
  aspect: "16:9",
  duration_seconds: 6,
  duration_fixed: false,
  fps: 30,
  resolution: "1080p",
  style: null,
  theme: null,
  colors: { background: null, primary: null, accent: null, text: null },
  fonts: { title: null, body: null },
  logo: null,
  techniques: [],
  auto_approve: false,
  timing: { stretches: [], hold_seconds: 0 },
};

export const EMPTY: View = {
  seq: 0,
  gap: false,
  projectId: null,
  nodeId: null,
  settings: DEFAULT_SETTINGS,
  phase: "idle",
  items: [],
  waiting: [],
  planWaits: false,
  turn: null,
  todos: [],
  plan: null,
  question: null,
  approved: null,
  outcome: null,
  files: {},
  filesRevision: 0,
  check: null,
  versions: [],
  renders: [],
  sandbox: null,
  model: null,
  spend: NOTHING_SPENT,
  title: null,
  asked: null,
};

/** Whether this is the newest entry; what a turn used is no entry of its own. */
export const isNewest = (view: View, id: string): boolean =>
  view.items.findLast((it) => it.kind !== "spent")?.id === id;

/** Whether a turn runs or is about to. */
export const isBusy = (view: View): boolean =>
  view.turn !== null || view.waiting.length > 0 || view.planWaits;

export const headVersion = (view: View): Version | null => view.versions.at(-1) ?? null;

export const engineOf = (view: View): Engine | null =>
  view.approved?.engine ?? view.settings.engine;

/** The plan that waits for a decision. */
export function openPlan(view: View): PlanItem | null {
  const item = view.plan === null ? undefined : view.items[view.plan];
  return item?.kind === "plan" && item.status === "open" ? item : null;
}

/** What the animation is called, or would be. */
export const titleOf = (view: View): string | null =>
  view.title ?? openPlan(view)?.plan.title ?? null;

/** The question that waits for an answer. */
export function openQuestion(view: View): QuestionItem | null {
  const item = view.question === null ? undefined : view.items[view.question];
  return item?.kind === "question" && item.open ? item : null;
}

/** Whether a preview's page can be loaded before there is something to show, as while a plan is read. */
export const canWarmUp = (view: View): boolean =>
  (openPlan(view) !== null || view.approved !== null) && view.sandbox?.status === "ready";

/** Whether the server has something that a preview can show. */
export const canPreview = (view: View): boolean =>
  view.approved !== null && Object.keys(view.files).length > 0;
