/** Shapes of the HTTP contract, as the server writes them. */

export interface Project {
  id: string;
  name: string;
  /** Grows by one with every write; a write names the revision that it is based on. */
  revision: number;
  created_at: string;
  updated_at: string;
  document: Document;
}

/** A project in a list. */
export interface ProjectSummary {
  id: string;
  name: string;
  revision: number;
  created_at: string;
  updated_at: string;
}

/** What is on a canvas. */
export interface Document {
  schema: number;
  nodes: Node[];
  edges: Edge[];
  viewport: Viewport;
}

export type NodeKind = "animation" | "text" | "media" | "note";

export interface Node {
  /** Unique in the document; letters, digits, `_` and `-`, at most 64. */
  id: string;
  type: NodeKind;
  x: number;
  y: number;
  width?: number;
  height?: number;
  /** By kind: `{session_id}`, `{text}` (and `{color}` of a note), `{asset_id}`. */
  data: Record<string, unknown>;
}

export interface Edge {
  id: string;
  source: string;
  source_port: string;
  target: string;
  target_port: string;
}

export interface Viewport {
  x: number;
  y: number;
  zoom: number;
}

export type AssetKind = "image" | "video" | "audio" | "font";

export interface Asset {
  id: string;
  project_id: string;
  filename: string;
  media_type: string;
  kind: AssetKind | null;
  size: number;
  blob: string | null;
  width: number | null;
  height: number | null;
  path: string;
  status: "pending" | "ready";
  created_at: string;
}

/** Where and how announced bytes are sent. */
export interface Upload {
  method: string;
  url: string;
  headers: Record<string, string>;
}

export type Engine = "remotion" | "theatre";
export type Aspect = "16:9" | "9:16" | "1:1" | "4:3" | "21:9";
export type Resolution = "720p" | "1080p" | "4k";
export type Fps = 24 | 25 | 30 | 50 | 60;

export interface Colors {
  background: string | null;
  primary: string | null;
  accent: string | null;
  text: string | null;
}

export interface Fonts {
  title: string | null;
  body: string | null;
}

/** What a person decided about an animation; `null` is the agent's to decide. */
export interface Settings {
  engine: Engine | null;
  aspect: Aspect;
  duration_seconds: number;
  duration_fixed: boolean;
  fps: Fps;
  resolution: Resolution;
  style: string | null;
  theme: string | null;
  colors: Colors;
  fonts: Fonts;
  logo: string | null;
  techniques: string[];
  auto_approve: boolean;
}

/** Changes to settings; what is left out stays, `null` gives the choice back to the agent. */
export type SettingsPatch = Partial<Omit<Settings, "duration_fixed">>;

export interface Scene {
  title: string;
  description: string;
  duration_seconds: number;
}

export interface Plan {
  title: string;
  summary: string;
  engine: Engine;
  scenes: Scene[];
  design: { colors: Colors; fonts: Fonts; mood: string };
  assumptions: string[];
  settings: SettingsPatch;
}

export interface Usage {
  input_tokens: number;
  cached_tokens: number;
  output_tokens: number;
  /** Millionths of a US dollar. */
  cost_micros: number;
}

export interface ModelLabel {
  provider: string;
  model: string;
  /** False for the demo model, which must be labelled so. */
  is_ai: boolean;
}

export interface ToolCall {
  id: string;
  name: string;
  input: unknown;
}

export type ToolOutput =
  | { type: "text"; text: string }
  | { type: "image"; blob: string; media_type: string };

export type Content =
  | { type: "text"; text: string }
  | { type: "thinking"; text: string; signature: string | null }
  | ({ type: "tool_call" } & ToolCall)
  | { type: "tool_result"; call_id: string; output: ToolOutput[]; is_error: boolean }
  | { type: "image"; blob: string; media_type: string };

export interface ModelAnswer {
  content: Content[];
  stop: "end_turn" | "tool_use" | "max_tokens" | "refusal";
  usage: Usage;
  model: string;
}

export interface Diagnostic {
  gate: string;
  code: string;
  severity: "error" | "warning";
  file: string | null;
  line: number | null;
  column: number | null;
  message: string;
  frame: number | null;
  hint: string | null;
}

export interface CheckReport {
  ok: boolean;
  seconds: number;
  gates: { gate: string; ok: boolean; seconds: number }[];
  diagnostics: Diagnostic[];
  frames: {
    frame: number;
    sha256: string;
    luma_mean: number;
    luma_stddev: number;
    colors: number;
  }[];
  sheet: string | null;
}

export interface FileEntry {
  blob: string;
  size: number;
}

export type Files = Record<string, FileEntry>;

export interface Version {
  id: string;
  number: number;
  summary: string;
  created_at: string;
  turn_id: string | null;
  restored_from: string | null;
  title: string;
  engine: Engine;
  settings: Settings;
  files: Files;
  changed: string[];
  removed: string[];
}

export interface VersionSummary {
  id: string;
  number: number;
  summary: string;
  created_at: string;
  seq: number;
  digest: string;
  manifest: string;
}

export interface VersionDiff {
  files: { path: string; status: "added" | "changed" | "removed"; diff: string }[];
}

export interface Size {
  width: number;
  height: number;
}

export type RenderFormat = "mp4" | "webm" | "gif" | "png" | "mov";
export type RenderQuality = "draft" | "standard" | "high";
export type RenderStatus = "queued" | "running" | "ready" | "failed" | "cancelled";

export interface RenderSpec {
  version_id: string | null;
  resolution: Resolution | null;
  fps: Fps | null;
  format: RenderFormat;
  quality: RenderQuality;
  /** From `start` up to but not including `end`. */
  range: { start: number; end: number } | null;
  transparent: boolean;
}

export interface RenderProgress {
  stage: string;
  frame: number;
  total: number;
  fps: number;
  seconds_left: number | null;
}

export interface RenderOutput {
  object: string;
  filename: string;
  media_type: string;
  bytes: number;
  sha256: string;
  size: Size;
  fps: number;
  frames: number;
  duration_seconds: number;
  capture: string;
  seconds: number;
  poster: string | null;
}

export interface RenderFailure {
  code: string;
  message: string;
  frame: number | null;
}

export interface Render {
  id: string;
  version_id: string;
  spec: RenderSpec;
  size: Size;
  fps: number;
  frames: number;
  created_at: string;
  status: RenderStatus;
  attempts: number;
  progress: RenderProgress | null;
  output: RenderOutput | null;
  failure: RenderFailure | null;
  cancel_requested: boolean;
}

export type TurnInput =
  | { type: "message"; message_id: string }
  | { type: "plan"; hash: string }
  | { type: "settings" };

export type SandboxStatus = "starting" | "ready" | "asleep" | "lost" | "failed";

export interface Todo {
  label: string;
  status: "pending" | "active" | "done";
}

export interface QuestionField {
  id: string;
  label: string;
  kind: "text" | "choice" | "multiple_choice";
  options: string[];
}

export interface Question {
  intro: string;
  fields: QuestionField[];
}

export type TurnOutcome =
  | { type: "ready"; version_id: string }
  | { type: "answered" }
  | { type: "awaiting_plan" }
  | { type: "awaiting_answer" }
  | { type: "stopped" }
  | {
      type: "check_failed";
      diagnostic: Diagnostic;
      repairs: number;
      version_id: string | null;
    }
  | { type: "budget_exhausted"; what: string }
  | { type: "failed"; code: string; message: string };

export type Actor = "person" | "agent" | "auto";

export type EventBody =
  | { type: "session_created"; project_id: string; node_id: string; settings: Settings }
  | { type: "settings_changed"; settings: Settings; by: Actor }
  | {
      type: "message_posted";
      message_id: string;
      text: string;
      attachments: string[];
      context: string[];
      key: string | null;
    }
  | { type: "turn_started"; input: TurnInput }
  | { type: "turn_resumed"; attempt: number }
  | { type: "model_started"; step: number; model: ModelLabel }
  | { type: "text_delta"; step: number; text: string }
  | { type: "thinking_delta"; step: number; text: string }
  | { type: "model_finished"; step: number; answer: ModelAnswer; seconds: number }
  | { type: "tool_started"; call: ToolCall; title: string }
  | {
      type: "tool_finished";
      call_id: string;
      name: string;
      is_error: boolean;
      output: ToolOutput[];
      summary: string;
      seconds: number;
    }
  | { type: "model_told"; text: string }
  | { type: "question_asked"; question: Question }
  | { type: "plan_proposed"; plan: Plan; hash: string }
  | { type: "plan_approved"; plan: Plan; hash: string; by: Actor }
  | { type: "plan_rejected"; hash: string; reason: string | null }
  | { type: "todos_updated"; todos: Todo[] }
  | { type: "file_written"; path: string; entry: FileEntry }
  | { type: "file_deleted"; path: string }
  | { type: "files_restored"; version_id: string; files: Files; settings: Settings }
  | { type: "title_changed"; title: string }
  | { type: "check_started" }
  | { type: "check_finished"; report: CheckReport; digest: string; sheet: string | null }
  | {
      type: "sandbox_changed";
      status: SandboxStatus;
      sandbox_id: string | null;
      provider: string;
      seconds: number | null;
    }
  | { type: "version_created"; version: Version }
  | { type: "render_queued"; render: Render }
  | { type: "render_started"; render_id: string; attempt: number }
  | { type: "render_progressed"; render_id: string; progress: RenderProgress }
  | { type: "render_ready"; render_id: string; output: RenderOutput }
  | { type: "render_failed"; render_id: string; failure: RenderFailure }
  | { type: "render_cancel_requested"; render_id: string }
  | { type: "render_cancelled"; render_id: string }
  | { type: "render_deleted"; render_id: string }
  | { type: "stop_requested" }
  | { type: "turn_finished"; outcome: TurnOutcome };

/** One entry of a session's log. */
export type SessionEvent = {
  /** From 1, without gaps. */
  seq: number;
  at: string;
  session_id: string;
  turn_id: string | null;
} & EventBody;

export interface TurnState {
  id: string;
  input: TurnInput;
  started_at: string;
  attempt: number;
  steps: number;
  open_calls: ToolCall[];
  usage: Usage;
  repairs: number;
  last_error: string | null;
  stop_requested: boolean;
  asked: boolean;
  told_all: boolean;
  summary: string | null;
}

export type Phase = "idle" | "clarify" | "plan" | "build" | "ready";

export interface SessionState {
  node_id: string;
  settings: Settings;
  phase: Phase;
  proposal: { plan: Plan; hash: string; open: boolean } | null;
  approved: Plan | null;
  question: Question | null;
  has_asked: boolean;
  todos: Todo[];
  queue: TurnInput[];
  turn: TurnState | null;
  outcome: TurnOutcome | null;
  files: Files;
  check: { digest: string; ok: boolean; diagnostics: Diagnostic[]; sheet: string | null } | null;
  versions: VersionSummary[];
  renders: Render[];
  sandbox: { id: string | null; status: SandboxStatus; provider: string } | null;
  usage: Usage;
  assets: string[];
}

export interface Session {
  id: string;
  project_id: string;
  seq: number;
  state: SessionState;
}

export interface ProviderInfo {
  name: string;
  /** What keeps the sandboxes apart, in a few words. */
  isolation: string;
}

export interface Example {
  title: string;
  prompt: string;
}

export interface Config {
  version: string;
  models: { orchestrator: ModelLabel; code_generator: ModelLabel };
  sandbox: ProviderInfo;
  engines: Engine[];
  fonts: string[];
  limits: Record<string, number>;
  examples: Example[];
}

export interface PreviewTicket {
  /** On the preview's own origin. */
  url: string;
  handle: string;
  version_id: string | null;
}
